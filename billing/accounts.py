"""One database belongs to one Stripe account and mode. A start with a key of another account is refused."""

import logging
import uuid

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from billing import errors
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import StripeAccount
from billing.stripe_api import gateway, mirror
from billing.stripe_api.fixed_key import FixedKey

log = logging.getLogger(__name__)

LOCAL_ENDPOINT = "we_local"
EVENTS = ["*"]


def record_account(*, by: Actor, reason: str) -> StripeAccount:
    """Record that the database belongs to the account of STRIPE_SECRET_KEY. Repeating is a no-op.

    Raises:
        WrongStripeAccount: the database belongs to another account or mode.
        StripeKeyRefused, StripeUnavailable.
    """
    seen = gateway.account.account(livemode=settings.STRIPE_LIVE_MODE)
    with trail.acting(by, reason=reason), transaction.atomic(durable=True):
        record, _ = StripeAccount.objects.get_or_create(
            pk=1,
            defaults={"account_id": seen.id, "livemode": seen.livemode, "kind": settings.STRIPE_KIND},
        )
        _refuse_other(record, seen)
        mirror.account(record)
    return record


def register_endpoint(*, at_stripe: bool, by: Actor, reason: str) -> gateway.account.EndpointState:
    """Write the row of our webhook address. With ``at_stripe``, also make Stripe report events to it.

    Repeating is safe: an endpoint that exists is used again. The answer has the ``secret`` only if the endpoint is new.
    The secret is not stored.
    """
    from djstripe.models import WebhookEndpoint

    row = WebhookEndpoint.objects.order_by("djstripe_id").first()
    key = row.djstripe_uuid if row else uuid.uuid4()
    url = settings.SITE_URL + reverse("djstripe:djstripe_webhook_by_uuid", kwargs={"uuid": key})
    state = gateway.account.EndpointState(LOCAL_ENDPOINT, url, "", tuple(EVENTS))
    if at_stripe:
        state = gateway.account.find_webhook_endpoint(url) or gateway.account.create_webhook_endpoint(
            url, events=EVENTS, step=FixedKey(f"endpoint:{key}:{url}")
        )
    with trail.acting(by, reason=reason), transaction.atomic(durable=True):
        mirror.webhook_endpoint(state.id, url=url, events=EVENTS, key=key)
    return state


def refuse_other_account() -> None:
    """Refuse a key whose account or mode is not the recorded one. If Stripe does not answer, only log a warning.

    Raises:
        WrongStripeAccount, StripeKeyRefused: the text says what to do.
    """
    record = StripeAccount.objects.first()
    if record is None:
        raise errors.WrongStripeAccount("This database has no Stripe account yet. Run: python manage.py setup_stripe")
    try:
        seen = gateway.account.account(livemode=settings.STRIPE_LIVE_MODE)
    except errors.StripeUnavailable:
        log.warning("Stripe does not answer, so the key's account could not be compared with the recorded one")
        return
    _refuse_other(record, seen)


def _refuse_other(record: StripeAccount, seen: gateway.account.AccountState) -> None:
    if (record.account_id, record.livemode, record.kind) == (seen.id, seen.livemode, settings.STRIPE_KIND):
        return
    raise errors.WrongStripeAccount(
        f"This database belongs to the Stripe account {record}, but STRIPE_SECRET_KEY is of {seen.id} "
        f"({'live' if seen.livemode else 'test'}, {settings.STRIPE_KIND}). Use the key of that account, or "
        "set DATABASE_URL to another database for this key."
    )
