"""From waiting to settled: claim, look, apply, settle what is mine.

The waiting events of one customer are claimed together and are one look. A claim is a conditional UPDATE
with a lease; a worker that lost its lease settles nothing, and what it applied was harmless.
"""

import logging
import random
import uuid
from datetime import timedelta

from django.db.models import F, Q

from billing import clock, errors
from billing.audit import actor, trail
from billing.look import look
from billing.models import Invoice, Office, ReceivedEvent
from billing.projection import report
from billing.stripe_api import gateway
from billing.webhooks.routes import LookAt, route

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 12
FIRST_RETRY_SECONDS = 2
LAST_RETRY_SECONDS = 900
UNKNOWN_CUSTOMER_ATTEMPTS = 3

Status = ReceivedEvent.Status
BY = actor.service("Stripe webhooks")
SHOWN_TYPES = 3


def work_off(*, limit: int = 100) -> int:
    """Waiting events were settled or put off, at most ``limit`` looks' worth. Returns how many looks."""
    looks = 0
    while looks < limit and (claimed := claim()):
        _handle(*claimed)
        looks += 1
    return looks


def claim() -> tuple[uuid.UUID, list[ReceivedEvent]] | None:
    """The oldest due event and all others of its customer are ours for the length of a lease."""
    now = clock.wall()
    free = Q(status=Status.WAITING, due_at__lte=now) & (Q(lease_until=None) | Q(lease_until__lte=now))
    first = ReceivedEvent.objects.filter(free).order_by("due_at", "pk").first()
    if first is None:
        return None
    same = Q(customer_id=first.customer_id) if first.customer_id else Q(pk=first.pk)
    mine = uuid.uuid4()
    ReceivedEvent.objects.filter(free & same).update(claim_id=mine, lease_until=now + LEASE, attempts=F("attempts") + 1)
    return mine, list(ReceivedEvent.objects.filter(claim_id=mine, status=Status.WAITING).order_by("pk"))


def _handle(mine: uuid.UUID, events: list[ReceivedEvent]) -> None:
    if not events:  # another worker was quicker
        return
    with trail.acting(BY, reason=_reason(events)):
        try:
            applied = _look_at(events)
        except (errors.StripeUnavailable, errors.StripeKeyRefused) as error:
            _put_off(mine, events, f"{error.code}: {error}", park=False)
        except errors.BillingError as error:
            _put_off(mine, events, f"{error.code}: {errors.without_stripe_ids(str(error))}")
        except Exception as error:
            log.exception("events could not be applied")
            _put_off(mine, events, f"{type(error).__name__}: {errors.without_stripe_ids(str(error))}"[:500])
        else:
            _settle(mine, Status.APPLIED if applied else Status.IGNORED)


def _look_at(events: list[ReceivedEvent]) -> bool:
    """The customer of these events was looked at; False where there is nothing to look at."""
    wanted = [(event, route(event.type)) for event in events]
    wanted = [(event, what) for event, what in wanted if what is not LookAt.IGNORE]
    if not wanted:
        return False
    customer = events[0].customer_id
    if not customer:
        customer = _customer_of(events[0])
    office = Office.objects.filter(payment_provider_customer_id=customer).first() if customer else None
    if office is None:
        return _unknown_customer(events, customer)
    with trail.acting(BY, office=office, reason=_reason(events)):
        look(
            office,
            invoices={event.object_id for event, what in wanted if what is LookAt.INVOICE},
            payments={event.object_id for event, what in wanted if what is LookAt.PAYMENT},
        )
    return True


def _customer_of(event: ReceivedEvent) -> str:
    """Whose event this is, where it names no customer: from our own rows, else from Stripe."""
    named = event.related_id or event.object_id
    ours = Invoice.objects.filter(stripe_id=named).select_related("office").first()
    return (ours.office.payment_provider_customer_id or "") if ours else gateway.customer_of(named)


def _unknown_customer(events: list[ReceivedEvent], customer: str) -> bool:
    """It may be the customer that an operation is just making; otherwise it is none of ours."""
    if customer and max(event.attempts for event in events) < UNKNOWN_CUSTOMER_ATTEMPTS:
        raise errors.BillingError("No Office has this customer yet.")
    if customer:
        report(
            "unknown_customer",
            customer,
            office=None,
            detail="Stripe reports on a customer that belongs to no Office.",
        )
    return False


def _settle(mine: uuid.UUID, status: str) -> None:
    ReceivedEvent.objects.filter(claim_id=mine, status=Status.WAITING).update(
        status=status, settled_at=clock.wall(), lease_until=None, last_error=""
    )


def _put_off(mine: uuid.UUID, events: list[ReceivedEvent], error: str, *, park: bool = True) -> None:
    """They come again later, each time after a longer wait; after the last time they are parked.

    An outage of Stripe, or a key that it refuses, never parks: nothing is wrong with the event.
    """
    now = clock.wall()
    for event in events:
        values: dict[str, object] = {"last_error": error, "lease_until": None}
        if park and event.attempts >= MOST_ATTEMPTS:
            values |= {"status": Status.PARKED, "settled_at": now}
            report("event_parked", event.stripe_id, office=None, severity="critical", detail=f"{event.type}: {error}")
        else:
            wait = min(FIRST_RETRY_SECONDS * 2 ** min(event.attempts - 1, 20), LAST_RETRY_SECONDS)
            values["due_at"] = now + timedelta(seconds=wait * random.uniform(0.5, 1.0))  # noqa: S311  jitter
        ReceivedEvent.objects.filter(pk=event.pk, claim_id=mine, status=Status.WAITING).update(**values)


def replay(event: ReceivedEvent) -> None:
    """A parked event waits again."""
    ReceivedEvent.objects.filter(pk=event.pk, status=Status.PARKED).update(
        status=Status.WAITING, attempts=0, due_at=clock.wall(), claim_id=None, settled_at=None
    )


def _reason(events: list[ReceivedEvent]) -> str:
    kinds = sorted({event.type for event in events})
    more = f" and {len(kinds) - SHOWN_TYPES} more" if len(kinds) > SHOWN_TYPES else ""
    return f"Stripe reported {', '.join(kinds[:SHOWN_TYPES])}{more}"[:200]
