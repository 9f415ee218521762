"""Writing dj-stripe's rows with the ORM, from redacted objects. dj-stripe itself never syncs them.

dj-stripe's own ``sync_from_stripe_data`` and ``api_*`` call Stripe by themselves, even inside an open transaction,
and store the secret key in plain text. ``close_side_doors`` prevents this.
"""

import uuid
from typing import Any, NoReturn

import stripe
from django.db.models.signals import pre_save
from djstripe import models as djstripe

from billing import errors
from billing.models import Office, Plan, PlanPrice, StripeAccount
from billing.stripe_api.inbound.states import CustomerState, SubscriptionState
from billing.stripe_api.inbound.values import time_or_none


def close_side_doors() -> None:
    """Keep keys and secrets out of dj-stripe's tables, and its calls from reaching Stripe.

    The SDK has no global key afterwards. Only ``billing.stripe_api.client`` calls Stripe, with a client of its own.
    """
    stripe.api_key = None
    djstripe.Account.get_or_retrieve_for_api_key = classmethod(lambda cls, api_key: _owner())
    pre_save.connect(_refuse_key, sender=djstripe.APIKey, dispatch_uid="no-keys-in-the-database")
    pre_save.connect(_refuse_secret, sender=djstripe.WebhookEndpoint, dispatch_uid="no-secrets-in-the-database")


def _refuse_key(**_: Any) -> NoReturn:
    raise errors.Defect("API keys live in the environment, never in the database.")


def _refuse_secret(instance: djstripe.WebhookEndpoint, **_: Any) -> None:
    if instance.secret:
        raise errors.Defect("Webhook secrets live in the environment, never in the database.")


def _owner() -> djstripe.Account | None:
    return djstripe.Account.objects.order_by("djstripe_id").first()


def account(record: StripeAccount) -> djstripe.Account:
    row, _ = djstripe.Account.objects.update_or_create(
        id=record.account_id,
        defaults={"livemode": record.livemode, "stripe_data": {"id": record.account_id, "object": "account"}},
    )
    return row


def webhook_endpoint(stripe_id: str, *, url: str, events: list[str], key: uuid.UUID) -> djstripe.WebhookEndpoint:
    """Write the row whose UUID is the last part of the webhook address. Its secret column stays empty."""
    owner = _owner()
    row, _ = djstripe.WebhookEndpoint.objects.update_or_create(
        djstripe_uuid=key,
        defaults={
            "id": stripe_id,
            "url": url,
            "enabled_events": events,
            "status": "enabled",
            "secret": "",
            "livemode": owner.livemode if owner else False,
            "djstripe_owner_account": owner,
        },
    )
    return row


def customer(state: CustomerState, office: Office) -> djstripe.Customer:
    values = {
        "subscriber_id": office.pk,
        "email": "",
        "livemode": state.redacted.get("livemode", False),
        "created": time_or_none(state.redacted.get("created")),
        "metadata": state.redacted.get("metadata", {}),
        "stripe_data": state.redacted,
    }
    return _written(djstripe.Customer, state.id, values)


def subscription(state: SubscriptionState, owner: djstripe.Customer) -> None:
    values = {
        "customer_id": owner.id,
        "livemode": state.redacted.get("livemode", False),
        "created": state.created_at,
        "metadata": state.redacted.get("metadata", {}),
        "stripe_data": state.redacted,
    }
    _written(djstripe.Subscription, state.id, values)


def _written(model: type[Any], stripe_id: str, values: dict[str, Any]) -> Any:
    """Write the values into the row with this id, and return the row. Write nothing if it has them already."""
    row = model.objects.filter(id=stripe_id).first()
    if row is None:
        return model.objects.create(id=stripe_id, djstripe_owner_account=_owner(), **values)
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=[*changed, "djstripe_updated"])
    return row


def product(plan: Plan, *, active: bool) -> djstripe.Product:
    """Write the row of a published plan."""
    owner = _owner()
    row, _ = djstripe.Product.objects.update_or_create(
        id=plan.stripe_product_id,
        defaults={
            "name": plan.name,
            "active": active,
            "livemode": owner.livemode if owner else False,
            "stripe_data": {"id": plan.stripe_product_id, "object": "product", "name": plan.name},
            "djstripe_owner_account": owner,
        },
    )
    return row


def price(row: PlanPrice, *, active: bool = True) -> None:
    """Write the row of a published plan price, and the row of its product if there is none yet."""
    owner = _owner()
    sold = djstripe.Product.objects.filter(id=row.plan.stripe_product_id).first() or product(row.plan, active=True)
    djstripe.Price.objects.update_or_create(
        id=row.stripe_price_id,
        defaults={
            "product": sold,
            "active": active,
            "currency": row.currency,
            "livemode": owner.livemode if owner else False,
            "stripe_data": {
                "id": row.stripe_price_id,
                "object": "price",
                "unit_amount": row.unit_amount,
                "currency": row.currency,
                "recurring": {"interval": row.interval, "interval_count": row.interval_count},
            },
            "djstripe_owner_account": owner,
        },
    )
