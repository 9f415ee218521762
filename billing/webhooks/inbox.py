"""Settling waiting events: claim them, look, apply, and settle those whose claim is still mine.

The waiting events of one customer are claimed together and need one look. A claim has a lease. A worker that lost its
lease settles nothing, and what it applied does no harm.
"""

import logging
import random
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Subquery

from billing import catalogue, clock, errors, leases, measures, waits
from billing.audit import actor, trail
from billing.database_trouble import TROUBLE
from billing.findings import OF_UNKNOWN_CUSTOMERS, UNKNOWN_CUSTOMER, report, resolve
from billing.jobs import job
from billing.look import look
from billing.models import Finding, Invoice, Office, Payment, ReceivedEvent
from billing.stripe_api import gateway, pace
from billing.webhooks.routes import FETCHED, LookAt, route

log = logging.getLogger(__name__)

MOST_TOGETHER = 500
MOST_ATTEMPTS = 12
FIRST_RETRY = timedelta(seconds=2)
UNKNOWN_CUSTOMER_ATTEMPTS = 3
KEPT_FOR = timedelta(days=90)
PURGED_AT_ONCE = 1000

Status = ReceivedEvent.Status
BY = actor.service("Stripe webhooks")
SHOWN_TYPES = 3


def work_off(*, limit: int = 100) -> int:
    """Settle or put off waiting events, with at most ``limit`` looks. Return the number of looks."""
    looks = 0
    while looks < limit and (claimed := claim()):
        handle(*claimed)
        looks += 1
    return looks


def claim(*, but: Iterable[str] = ()) -> tuple[uuid.UUID, list[ReceivedEvent]] | None:
    """Claim the oldest due event, and the other due events of its customer, for the length of a lease.

    Return the claim and the events, for ``handle``, or None if nothing is due. Customers in ``but`` are passed over.
    The rows are locked while they are being claimed. If the database can skip locked rows, a customer whose events
    another worker is claiming is passed over, so that two workers do not share the events of one customer.
    """
    now = clock.wall()
    free = _free(now)
    passed_over = list(but)
    due = free.filter(due_at__lte=now)
    if not due.exclude(customer_id__in=passed_over).exists():
        return None
    skip = connection.features.has_select_for_update_skip_locked
    while True:
        with transaction.atomic():
            candidates = due.exclude(customer_id__in=passed_over).order_by("due_at", "pk")
            first = candidates.select_for_update(skip_locked=skip).first()
            if first is None:
                return None
            if skip and _older(due, first).exists():  # it was skipped, so another worker is claiming this customer
                passed_over.append(first.customer_id)
                continue
            events = [first]
            if first.customer_id and not first.alone:
                same = free.filter(customer_id=first.customer_id, alone=False).exclude(pk=first.pk)
                # not skipped: a worker that has locked one of them passes this customer over
                others = same.select_for_update().order_by("pk")[: MOST_TOGETHER - 1]
                # with this condition in the query, SQLite would read all due events of all customers
                events += [event for event in others if event.due_at <= now]
            for event in events:
                event.attempts += 1
            locked = ReceivedEvent.objects.filter(pk__in=[event.pk for event in events])
            mine = leases.claim(locked, now=now, attempts=F("attempts") + 1)
        return (mine, events) if mine else None


def _older(due: QuerySet[ReceivedEvent], event: ReceivedEvent) -> QuerySet[ReceivedEvent]:
    """Return the due events that are claimed together with this one and come before it."""
    if not event.customer_id or event.alone:
        return due.none()
    before = Q(due_at__lt=event.due_at) | Q(due_at=event.due_at, pk__lt=event.pk)
    return due.filter(before, customer_id=event.customer_id, alone=False)


def handle(mine: uuid.UUID, events: list[ReceivedEvent]) -> None:
    """Look at what these claimed events are about, and settle them or put them off.

    Raises: an error of the database. Then the claim ends with its lease.
    """
    with trail.acting(BY, reason=_reason(events)):
        try:
            with pace.one_look():
                applied = _look_at(events)
        except TROUBLE:  # our database cannot be used: the lease ends by itself
            raise
        except errors.StripeUnavailable as error:
            if pace.is_ending():
                leases.give_back(_ours(mine, events))
                return
            _put_off(mine, events, f"{error.code}: {error}", park=False, at_least=error.retry_after)
        except errors.StripeKeyRefused as error:
            _put_off(mine, events, f"{error.code}: {error}", park=False)
        except errors.BillingError as error:
            _put_off(mine, events, f"{error.code}: {error}")
        except Exception as error:
            log.exception("events could not be applied")
            _put_off(mine, events, f"{type(error).__name__}: {error}")
        else:
            _settle(mine, events, Status.APPLIED if applied else Status.IGNORED)
            if applied:
                waits.got_an_answer(waits.STRIPE, *(event.last_error for event in events))


def _look_at(events: list[ReceivedEvent]) -> bool:
    """Look at what these events are about. Return False if there is nothing to look at."""
    wanted = [(event, route(event.type)) for event in events]
    wanted = [(event, what) for event, what in wanted if what is not LookAt.IGNORE]
    if not wanted:
        return False
    if wanted[0][1] is LookAt.CATALOGUE:  # it names no customer, so it is claimed alone
        return catalogue.look_at(events[0].object_id)
    customer = events[0].customer_id or _customer_of(events[0])
    # the newest event is read with the Office's ticket, in one statement: see _settle_seen
    newest = Subquery(ReceivedEvent.objects.order_by("-pk").values("pk")[:1])
    found = Office.objects.filter(payment_provider_customer_id=customer).order_by("pk").only("look_ticket")
    office = found.annotate(newest_event=newest).first() if customer else None
    if office is None:
        return _unknown_customer(events, customer)
    with trail.acting(BY, office=office, reason=_reason(events)):
        look(office, payment_methods=any(what is LookAt.CARDS for _, what in wanted), **named_by(events))
    _settle_seen(office, office.newest_event)
    return True


def _settle_seen(before: Office, newest: int) -> None:
    """Settle the events about payments of invoices that the look has seen already. They name no customer.

    Such an event needs no look of its own if its invoice was read after the event came. ``newest`` is the last event
    that had come before the Office ``before`` was read, and a look with a later ticket wrote the invoice.
    """
    read = Invoice.objects.filter(office=before, ticket__gt=before.look_ticket).values("stripe_id")
    _free(clock.wall()).filter(
        customer_id="", type__startswith="invoice_payment.", pk__lte=newest, related_id__in=read
    ).update(status=Status.APPLIED, settled_at=clock.wall(), claim_id=None)


def _free(now: datetime) -> QuerySet[ReceivedEvent]:
    """Return the waiting events that no worker has claimed."""
    return ReceivedEvent.objects.filter(leases.free(now), status=Status.WAITING)


def named_by(events: Iterable[ReceivedEvent]) -> dict[str, set[str]]:
    """Return the ids that the events name, by kind, as ``look`` takes them."""
    found: dict[str, set[str]] = {}
    for event in events:
        ids = {event.related_id, event.object_id} - {""}
        for kind, prefixes in FETCHED.get(route(event.type), {}).items():
            found.setdefault(kind, set()).update(one for one in ids if one.startswith(prefixes))
    return found


def _customer_of(event: ReceivedEvent) -> str:
    """Return the customer of an event that names none: from our own rows, otherwise from Stripe. "" if unknown."""
    named = event.related_id or event.object_id
    if not named:
        return ""
    by_id = Q(stripe_id=named) | Q(payment_intent_id=named)
    for model in (Payment, Invoice):
        if ours := model._default_manager.filter(by_id).select_related("office").first():
            return ours.office.payment_provider_customer_id or ""
    return gateway.looks.customer_of(named)


def _unknown_customer(events: list[ReceivedEvent], customer: str) -> bool:
    """Report a finding about a customer that has no Office, and return False: there is nothing to look at.

    An operation may be making this customer now, so the first two attempts fail and the events come again.

    Raises: CustomerWithoutOffice.
    """
    if customer and max(event.attempts for event in events) < UNKNOWN_CUSTOMER_ATTEMPTS:
        raise errors.CustomerWithoutOffice
    told = Finding.objects.filter(Q(resolved_at=None) | Q(decision_holds=True), kind__in=OF_UNKNOWN_CUSTOMERS)
    if customer and not told.filter(subject=customer).exists():  # a comparison may know more about it
        report(
            UNKNOWN_CUSTOMER,
            customer,
            office=None,
            detail="Stripe sent an event about a customer that has no Office here. If the customer is a practice that "
            "you bill, adopt it. If not, close this finding. Then events about this customer open no new one. "
            f"The customer is {errors.without_stripe_ids(customer)}.",
        )
    return False


def _settle(mine: uuid.UUID, events: list[ReceivedEvent], status: str) -> None:
    """Settle the events whose claim is still mine.

    Such an event is still waiting, because code that settles another worker's event removes the claim.
    """
    now = clock.wall()
    if _ours(mine, events).update(status=status, settled_at=now, lease_until=None, last_error=""):
        for event in events:
            measures.observe(measures.EVENTS, (now - event.received_at).total_seconds(), status)


def _ours(mine: uuid.UUID, events: list[ReceivedEvent]) -> QuerySet[ReceivedEvent]:
    """Return those of the events whose claim is still mine."""
    return ReceivedEvent.objects.filter(pk__in=[event.pk for event in events], claim_id=mine)


def _put_off(
    mine: uuid.UUID, events: list[ReceivedEvent], error: str, *, park: bool = True, at_least: float = 0
) -> None:
    """Put the events off. They come again, each time after a longer wait. After the last attempt they are parked.

    With ``park=False`` they are never parked: Stripe does not answer or refuses our key, and nothing is wrong with the
    event. Otherwise they come again one by one, so that one that cannot be applied does not hold up the others.
    ``at_least`` is in seconds.
    """
    error, now = errors.without_addresses(errors.without_stripe_ids(error))[:500], clock.wall()
    for event in events:
        values: dict[str, object] = {"last_error": error, "lease_until": None, "alone": park or event.alone}
        if park and event.alone and event.attempts >= MOST_ATTEMPTS:
            values |= {"status": Status.PARKED, "settled_at": now}
            report("event_parked", event.stripe_id, office=None, detail=f"{event.type}: {error}")
        else:
            wait = leases.back_off(event.attempts, first=FIRST_RETRY, last=waits.LAST_RETRY)
            jittered = wait * random.uniform(0.5, 1.0)  # noqa: S311
            values["due_at"] = now + max(jittered, timedelta(seconds=at_least))
        ReceivedEvent.objects.filter(pk=event.pk, claim_id=mine).update(**values)


def replay(parked: QuerySet[ReceivedEvent]) -> int:
    """Put parked events back so that they wait again, and resolve their findings. Return how many."""
    now, again = clock.wall(), 0
    for event in parked.filter(status=Status.PARKED):
        again += ReceivedEvent.objects.filter(pk=event.pk, status=Status.PARKED).update(
            status=Status.WAITING, attempts=0, due_at=now, claim_id=None, settled_at=None
        )
        resolve("event_parked", event.stripe_id, resolution="the event was put back")
    return again


@job("purge-events", every=timedelta(days=1))
def purge_settled() -> bool:
    """Delete up to a thousand events that were settled more than 90 days ago. Parked events stay.

    Return True if there may be more.
    """
    old = ReceivedEvent.objects.filter(
        status__in=[Status.APPLIED, Status.IGNORED], settled_at__lt=clock.wall() - KEPT_FOR
    ).values_list("pk", flat=True)[:PURGED_AT_ONCE]
    gone, _ = ReceivedEvent.objects.filter(pk__in=list(old)).delete()
    return gone == PURGED_AT_ONCE


def _reason(events: list[ReceivedEvent]) -> str:
    kinds = sorted({event.type for event in events})
    more = f" and {len(kinds) - SHOWN_TYPES} more" if len(kinds) > SHOWN_TYPES else ""
    return f"Stripe reported {', '.join(kinds[:SHOWN_TYPES])}{more}"[:200]
