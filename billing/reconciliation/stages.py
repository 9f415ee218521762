"""The stages of a comparison, in their order, and what one page of each stage is.

Events come first, so that the changes they report already wait for a look. Then come Stripe's lists, then the objects
that should have been in the lists and were not. Offices on test clocks come last, one by one: no list shows them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from billing import catalogue, errors
from billing.findings import OF_UNKNOWN_CUSTOMERS, end
from billing.models import Adjustment, Finding, Invoice, Office, ReceivedEvent, Reconciliation
from billing.models.statuses import UNDECIDED, UNDER_WAY, InvoiceStatus
from billing.reconciliation import adoption, contacts, found_customers, missed_events, suspects, unknown_customers
from billing.reconciliation.compare import Difference
from billing.reconciliation.suspects import Suspect
from billing.stripe_api import gateway
from billing.stripe_api.gateway import lists
from billing.stripe_api.gateway.lists import Listed
from billing.stripe_api.inbound.states import PaymentState

AT_ONCE = 100
GONE = (Difference("customer exists", True, False),)


@dataclass(frozen=True, slots=True)
class Part:
    """One page: the ids of its objects, the suspects, and the cursor of the next page (empty after the last).

    ``events`` are put into the inbox when all suspects of the page were looked at.
    """

    seen: tuple[str, ...]
    suspects: list[Suspect]
    next: str
    events: tuple[ReceivedEvent, ...] = ()


Stage = Callable[[Reconciliation, str], Part]


def names(run: Reconciliation) -> list[str]:
    """Return the names of the stages of this comparison, in their order."""
    left_out: set[str] = set()
    if run.everything:
        left_out |= {"undelivered events"}  # all events include them
    elif run.adopts:
        left_out |= {"undelivered events", "events"}
    if run.takes_all:
        left_out |= {"draft invoices", "open invoices", "old invoices", "old disputes and refunds"}
    return [name for name in STAGES if name not in left_out]


def of_one(office: Office) -> list[Suspect]:
    """Return the suspects of one Office, from Stripe's lists of its own objects.

    Raises: StripeUnavailable, StripeObjectMissing.
    """
    customer = gateway.customers.fetch_customer(office.payment_provider_customer_id or "")
    found = [*suspects.customers([Listed(customer.id, customer)])]
    if customer.deleted:
        return found
    schedules = _all(lists.schedules, customer=customer.id)
    found += [*suspects.schedules(schedules), *suspects.gone_schedules(office, schedules)]
    for page, compare in (
        (lists.subscriptions, suspects.subscriptions),
        (lists.invoices, suspects.invoices),
        (lists.payments, suspects.payments),
        (lists.credit_notes, suspects.adjustments),
    ):
        objects = _all(page, customer=customer.id)
        found += compare(objects)
        for one in objects:
            if isinstance(one.state, PaymentState) and (one.state.amount_refunded or one.state.disputed):
                found += suspects.adjustments(_of_payment(one))
    return found


def _of_payment(payment: Listed) -> list[Listed]:
    """Return the payment's refunds and disputes, with its customer: they do not name the customer themselves."""
    found = [*_all(lists.refunds, charge=payment.state.id), *_all(lists.disputes, charge=payment.state.id)]
    return [replace(one, customer=payment.customer) for one in found]


def _all(page: Callable[..., lists.Page], **of: str) -> list[Listed]:
    found: list[Listed] = []
    cursor, more = "", True
    while more:
        part = page(cursor, **of)
        found += part.objects
        cursor = part.next
        more = bool(cursor)
    return found


def _events(run: Reconciliation, cursor: str, *, undelivered: bool) -> Part:
    page = missed_events.read(run, cursor, undelivered=undelivered)
    return Part((), page.suspects, page.next, page.events)


def _catalogue(run: Reconciliation, cursor: str) -> Part:
    """Make plans of the prices if this comparison adopts. Look at those of our prices that are different at Stripe."""
    page = lists.prices(cursor)
    if run.adopts:
        adoption.adopt_prices(run, page.prices)
    for stripe_id in catalogue.to_look_at(page.prices):
        catalogue.look_at(stripe_id)
    return Part(tuple(one.id for one in page.prices), [], page.next)


def _customers(run: Reconciliation, cursor: str) -> Part:
    page = lists.customers(cursor)
    found = list(suspects.customers(page.objects))
    named = [one.customer for one in page.objects]
    Office.objects.filter(payment_provider_customer_id__in=named).update(reconciled_at=run.began_at)
    unknown_customers.tell_of_customers(run, page.objects)
    contacts.tell(run, page.objects)
    return Part(tuple(one.state.id for one in page.objects), found, page.next)


def _subscriptions(run: Reconciliation, cursor: str) -> Part:
    page = lists.subscriptions(cursor, with_owners=run.adopts)
    if run.adopts:
        adoption.adopt(run, page.objects)
    else:
        unknown_customers.tell_of_subscriptions(run, page.objects)
    return _part(run, page, list(suspects.subscriptions(page.objects)))


def _schedules(run: Reconciliation, cursor: str) -> Part:
    page = lists.schedules(cursor)
    return _part(run, page, list(suspects.schedules(page.objects)))


def _coming_schedules(run: Reconciliation, cursor: str) -> Part:
    """Ask for the schedules of the next Office whose row has such that have not started. There are few."""
    waiting = Office.objects.filter(coming_schedules__isnull=False, customer_deleted_at=None, test_clock="")
    row = waiting.filter(pk__gt=int(cursor or 0)).order_by("pk").first()
    if row is None:
        return Part((), [], "")
    try:
        listed = _all(lists.schedules, customer=row.payment_provider_customer_id or "")
    except errors.StripeObjectMissing:  # its customer was deleted at this moment
        listed = []
    return Part((), list(suspects.gone_schedules(row, listed)), str(row.pk))


def _invoices(run: Reconciliation, cursor: str, *, status: str = "") -> Part:
    page = lists.invoices(cursor, status=status, since=None if status else _since(run))
    part = _part(run, page, list(suspects.invoices(page.objects)))
    _were_listed(run, [one.state.id for one in page.objects])
    return part


def _were_listed(run: Reconciliation, invoices: list[str]) -> None:
    """Record that these invoices were listed.

    An invoice that a look is writing at this moment is skipped, so that neither waits for the other. A later stage
    asks Stripe for it.
    """
    with transaction.atomic():
        skip = connection.features.has_select_for_update_skip_locked
        free = Invoice.objects.filter(stripe_id__in=invoices).order_by("pk").select_for_update(skip_locked=skip)
        Invoice.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(reconciled_at=run.began_at)


def _listed(
    run: Reconciliation,
    cursor: str,
    *,
    page: Callable[..., lists.Page],
    compare: Callable[[Iterable[Listed]], Iterator[Suspect]],
) -> Part:
    listed = page(cursor, since=_since(run))
    return _part(run, listed, list(compare(listed.objects)))


def _part(run: Reconciliation, page: lists.Page, found: list[Suspect]) -> Part:
    if run.adopts:
        found = adoption.build(found)
    return Part(tuple(one.state.id for one in page.objects), found, page.next)


def _absent_customers(run: Reconciliation, cursor: str) -> Part:
    """Suspect the customers that were not listed. Absence from a list proves nothing, so Stripe is asked for each."""
    unseen = Office.objects.filter(
        _unseen(run),
        payment_provider_customer_id__isnull=False,
        customer_deleted_at=None,
        test_clock="",
        created_at__lt=run.began_at,
    )
    rows, following = _after(unseen, cursor)
    found = [Suspect(row, "customer", row.payment_provider_customer_id or "", GONE, is_guess=True) for row in rows]
    return Part((), found, following)


def _absent_invoices(run: Reconciliation, cursor: str) -> Part:
    unseen = Invoice.objects.filter(
        _unseen(run),
        status__in=UNDER_WAY,
        deleted_at=None,
        office__customer_deleted_at=None,
        office__test_clock="",
    )
    rows, following = _after(unseen.select_related("office"), cursor)
    found = [_asked_for(row, "invoice", Difference("deleted_at", None, "")) for row in rows]
    return Part((), found, following)


def _undecided(run: Reconciliation, cursor: str, *, of: QuerySet[Any], kind: str) -> Part:
    """Suspect the rows of ``of`` that are too old for the recent lists. Stripe is asked for each of them."""
    old = of.filter(created_at__lt=run.recent_since, office__customer_deleted_at=None)
    rows, following = _after(old.select_related("office"), cursor)
    return Part((), [_asked_for(row, kind) for row in rows], following)


def _after(rows: QuerySet[Any], cursor: str) -> tuple[list[Any], str]:
    """Return the next hundred rows by primary key, and the cursor after them (empty after the last)."""
    found = list(rows.filter(pk__gt=int(cursor or 0)).order_by("pk")[:AT_ONCE])
    return found, str(found[-1].pk) if len(found) == AT_ONCE else ""


def _asked_for(row: Any, kind: str, *more: Difference) -> Suspect:
    """Return a suspect for a row that no page showed. It is a guess: the row may be right."""
    found = (Difference("status", row.status, ""), *more)
    return Suspect(row.office, kind, row.stripe_id, found, type(row), suspects.named_by(row), is_guess=True)


def _test_clocks(run: Reconciliation, cursor: str) -> Part:
    office = Office.objects.filter(customer_deleted_at=None, pk__gt=int(cursor or 0)).exclude(test_clock="")
    row = office.order_by("pk").first()
    if row is None:
        return Part((), [], "")
    try:
        found = of_one(row)
    except errors.StripeObjectMissing:  # it was deleted with its test clock; a look finds out
        found = [Suspect(row, "customer", row.payment_provider_customer_id or "", GONE, is_guess=True)]
    return Part((row.payment_provider_customer_id or "",), found, str(row.pk))


def _found_customers(run: Reconciliation, cursor: str) -> Part:
    """Close the next finding about a customer without an Office, if it is over. A list shows no deleted customer.

    If a person closed it, the decision ends: what begins again is told again. A decision that rests on no facts is
    about a customer that only had events. It holds until the customer is deleted, so Stripe is not asked.
    """
    standing = Q(resolved_at=None) | Q(decision_holds=True) & ~Q(facts="")
    of_customers = Finding.objects.filter(standing, kind__in=OF_UNKNOWN_CUSTOMERS, pk__gt=int(cursor or 0))
    found = of_customers.order_by("pk").select_related("office").first()
    if found is None:
        return Part((), [], "")
    if found_customers.is_over(found):
        end(Finding.objects.filter(pk=found.pk), resolution="it is over at Stripe")
    return Part((), [], str(found.pk))


def _unseen(run: Reconciliation) -> Q:
    return Q(reconciled_at=None) | Q(reconciled_at__lt=run.began_at)


def _since(run: Reconciliation) -> datetime | None:
    return None if run.takes_all else run.recent_since


STAGES: dict[str, Stage] = {
    "undelivered events": partial(_events, undelivered=True),
    "events": partial(_events, undelivered=False),
    "catalogue": _catalogue,
    "customers": _customers,
    "schedules": _schedules,
    "subscriptions": _subscriptions,
    "draft invoices": partial(_invoices, status=InvoiceStatus.DRAFT),
    "open invoices": partial(_invoices, status=InvoiceStatus.OPEN),
    "invoices": _invoices,
    "payments": partial(_listed, page=lists.payments, compare=suspects.payments),
    "refunds": partial(_listed, page=lists.refunds, compare=suspects.adjustments),
    "credit notes": partial(_listed, page=lists.credit_notes, compare=suspects.adjustments),
    "disputes": partial(_listed, page=lists.disputes, compare=suspects.adjustments),
    "absent customers": _absent_customers,
    "absent invoices": _absent_invoices,
    "coming schedules": _coming_schedules,
    "old invoices": partial(_undecided, of=Invoice.objects.filter(status=InvoiceStatus.UNCOLLECTIBLE), kind="invoice"),
    "old disputes and refunds": partial(
        _undecided,
        of=Adjustment.objects.filter(status__in=UNDECIDED),
        kind="dispute or refund",
    ),
    "customers without an Office": _found_customers,
    "test clocks": _test_clocks,
}
