"""One database belongs to one Stripe account and mode. A start with a key of another account is refused."""

import logging
import uuid

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from djstripe.models import WebhookEndpoint

from billing import clock, errors
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import StripeAccount
from billing.models.observation import Level
from billing.stripe_api import client, gateway, known_account, mirror
from billing.stripe_api.fixed_key import FixedKey
from billing.stripe_api.gateway.account import EVERY_EVENT, EndpointState

log = logging.getLogger(__name__)

LOCAL_ENDPOINT = "we_local"


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


def register_endpoint(*, at_stripe: bool, by: Actor, reason: str) -> EndpointState:
    """Write the row of our webhook address. With ``at_stripe``, also make Stripe report all events to it.

    Repeating is safe, also after somebody disabled, changed or deleted the endpoint at Stripe: it is mended, or another
    one is made. The answer has the ``secret`` only if the endpoint is new. The secret is not stored.

    Raises:
        EndpointNotRight: Stripe still does not show it as it should be. The text says what to do.
    """
    row = _endpoint_row()
    key = row.djstripe_uuid if row else uuid.uuid4()
    url = _address(key)
    state = EndpointState(LOCAL_ENDPOINT, url, (EVERY_EVENT,))
    if at_stripe:
        state = _right_endpoint(url, known_as=row.id if row else "")
    with trail.acting(by, reason=reason), transaction.atomic(durable=True):
        mirror.webhook_endpoint(state.id, url=url, events=[EVERY_EVENT], key=key)
    return state


def _right_endpoint(url: str, *, known_as: str) -> EndpointState:
    """Return an endpoint at Stripe that was seen to be right: one that is there, one that was mended, or a new one.

    ``known_as`` is the last one that we had. Its id is in the key of the request, because Stripe answers a repeated key
    with the first endpoint, also if that was deleted.
    """
    found = gateway.account.webhook_endpoints(url)
    right = next((one for one in found if not one.fault), None)
    if right is None:
        mendable = next((one for one in found if one.api_version == client.API_VERSION), None)
        if mendable:
            at = clock.wall().isoformat()  # disabled again tomorrow, it is another request
            right = gateway.account.mend_webhook_endpoint(mendable.id, step=FixedKey(f"mend:{mendable.id}:{at}"))
        else:
            step = FixedKey(f"endpoint:{url}:{known_as}")
            right = gateway.account.create_webhook_endpoint(url, step=step)
    seen = next((one for one in gateway.account.webhook_endpoints(url) if one.id == right.id), None)
    if seen is None or seen.fault:
        raise errors.EndpointNotRight(
            f"Stripe does not show the webhook endpoint for {url} as it should be: "
            f"{seen.fault if seen else 'missing'}. Look at it in Stripe's dashboard, and run this again."
        )
    return right


def look_at_endpoint() -> tuple[Level, str]:
    """Ask Stripe for the endpoints with our address. Return how that is, and a code: "" if all is well.

    by_hand: none is registered, on a developer's machine. missing, disabled, version, events: no event comes, or not as
    it should. two: a second one has our address.
    Raises: StripeUnavailable, StripeRejected.
    """
    row = _endpoint_row()
    found = gateway.account.webhook_endpoints(_address(row.djstripe_uuid)) if row else []
    if not found:
        by_hand = settings.DEBUG and row is not None and row.id == LOCAL_ENDPOINT
        return (Level.GREEN, "by_hand") if by_hand else (Level.RED, "missing")
    if all(one.fault for one in found):
        return Level.RED, next((one.fault for one in found if one.is_enabled), found[0].fault)
    return (Level.AMBER, "two") if sum(one.is_enabled for one in found) > 1 else (Level.GREEN, "")


def _endpoint_row() -> WebhookEndpoint | None:
    return WebhookEndpoint.objects.order_by("djstripe_id").first()


def _address(key: uuid.UUID) -> str:
    return str(settings.SITE_URL) + reverse("djstripe:djstripe_webhook_by_uuid", kwargs={"uuid": key})


def refuse_other_account() -> None:
    """Refuse a key whose account or mode is not the recorded one, when something starts.

    If Stripe refuses the key or does not answer, the process starts, and sends nothing until the account was compared.

    Raises:
        WrongStripeAccount: the text says what to do.
    """
    try:
        require_own_account()
    except (errors.StripeKeyRefused, errors.StripeUnavailable) as error:
        log.critical("nothing is sent to Stripe, because the account of the key could not be compared: %s", error)
        known_account.hold_back_until(require_own_account, why=error)
    else:
        known_account.confirm()


def require_own_account() -> None:
    """Ask Stripe whose key this is. Raises: WrongStripeAccount, StripeKeyRefused, StripeUnavailable."""
    record = StripeAccount.objects.first()
    if record is None:
        raise errors.WrongStripeAccount("This database has no Stripe account yet. Run: python manage.py setup_stripe")
    _refuse_other(record, gateway.account.account(livemode=settings.STRIPE_LIVE_MODE))


def _refuse_other(record: StripeAccount, seen: gateway.account.AccountState) -> None:
    if (record.account_id, record.livemode, record.kind) == (seen.id, seen.livemode, settings.STRIPE_KIND):
        return
    raise errors.WrongStripeAccount(
        f"This database belongs to the Stripe account {record}, but STRIPE_SECRET_KEY is of {seen.id} "
        f"({'live' if seen.livemode else 'test'}, {settings.STRIPE_KIND}). Use the key of that account, or "
        "set DATABASE_URL to another database for this key."
    )
