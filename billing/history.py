"""An Office's statement, periods and present position, read from our own rows.

There are only queries here. Nothing is asked of Stripe, and nothing is written. Amounts are minor units.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Max, Q, QuerySet

from billing.models import Adjustment, Invoice, Office, Payment
from billing.models.invoice import OWED
from billing.models.statuses import (
    GIVEN_UP,
    NOT_ASKED_FOR,
    NOT_GIVEN_BACK,
    AdjustmentStatus,
    InvoiceStatus,
    PaymentStatus,
)
from billing.money import Money, of_each

CYCLE_KINDS = (Invoice.Kind.START, Invoice.Kind.CYCLE)
"""Each of their invoices is for a period. An invoice for a change can be: another interval begins one."""
ATTEMPTS: dict[str, str] = {
    PaymentStatus.SUCCEEDED: "Payment",
    PaymentStatus.FAILED: "Failed attempt",
    PaymentStatus.PENDING: "Payment under way",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a statement.

    ``owed`` is by how much the line changes what the Office owes, in minor units. ``balance`` is what the Office owes
    after it, in the same currency. ``amount`` is below zero if money left us by a refund or dispute. These do not
    change what is owed, because the invoice stays paid.
    """

    at: datetime
    what: str
    text: str
    amount: Money
    owed: int
    balance: Money
    invoice: Invoice | None = None
    payment: Payment | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """The entries in ``[since, until)``. ``opening`` and ``closing`` are what was owed before and after them.

    There is one amount for each currency.
    """

    since: datetime | None
    until: datetime | None
    opening: tuple[Money, ...]
    entries: tuple[Entry, ...]
    closing: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of which one Office's statement is made, oldest first, without drafts and deleted invoices."""

    invoices: list[Invoice]
    payments: list[Payment]
    adjustments: list[Adjustment]


@dataclass(frozen=True, slots=True)
class Cycle:
    """A period ``[start, end)`` for which the subscription was invoiced."""

    start: datetime
    end: datetime
    invoice: Invoice


@dataclass(frozen=True, slots=True)
class Standing:
    """What the Office owes now, its last payments, and what comes next.

    ``owed`` is in the currency of its subscription, and ``other_debts`` in others.
    """

    subscription_status: str
    owed: Money
    other_debts: tuple[Money, ...]
    open_invoices: int
    oldest_due_at: datetime | None
    next_attempt_at: datetime | None
    past_due_since: datetime | None
    last_payment: Payment | None
    last_failure: Payment | None
    renews_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Account:
    """All that a page shows of an Office's money."""

    statement: Statement
    cycles: list[Cycle]
    standing: Standing


def statement(office: Office, *, since: datetime | None = None, until: datetime | None = None) -> Statement:
    """Return the invoices, payments and adjustments in ``[since, until)``, oldest first, with the running balance.

    The last balance is what the Office owes on invoices that are not given up. Three queries.
    """
    ((_, rows),) = rows_of([office])
    return _statement(_entries(rows), since=since, until=until)


def _statement(found: list[Entry], *, since: datetime | None = None, until: datetime | None = None) -> Statement:
    balances: dict[str, int] = defaultdict(int)
    opening: tuple[Money, ...] = ()
    entries: list[Entry] = []
    for entry in sorted(found, key=_order):
        if until and entry.at >= until:
            break
        if since and entry.at < since:
            balances[entry.amount.currency] += entry.owed
            opening = _owed(balances)
            continue
        balances[entry.amount.currency] += entry.owed
        entries.append(replace(entry, balance=Money(balances[entry.amount.currency], entry.amount.currency)))
    return Statement(since, until, opening, tuple(entries), _owed(balances))


def account(office: Office) -> Account:
    """Return statement, cycles and standing of the Office together. Three queries."""
    ((_, rows),) = rows_of([office], lines=True)
    return Account(_statement(_entries(rows)), _cycles(rows.invoices), _standing(office, rows.invoices, rows.payments))


def cycles(office: Office) -> QuerySet[Invoice]:
    """Return the invoices whose period is a cycle of the subscription, newest first. Two queries.

    Whether a change begins a period is in its lines. They are read here, because no database is asked about lines.
    """
    asked_for = office.invoices.filter(deleted_at=None).exclude(status__in=NOT_ASKED_FOR)
    of_a_period = asked_for.exclude(period_start=None).exclude(period_end=None)
    changes = of_a_period.filter(kind=Invoice.Kind.CHANGE).only("lines")
    begin = [one.pk for one in changes if _begins_a_period(one)]
    return of_a_period.filter(Q(kind__in=CYCLE_KINDS) | Q(pk__in=begin)).order_by("-period_start", "-pk")


def _cycles(invoices: Iterable[Invoice]) -> list[Cycle]:
    found = [
        Cycle(row.period_start, row.period_end, row)
        for row in invoices
        if row.status not in NOT_ASKED_FOR
        and row.period_start
        and row.period_end
        and (row.kind in CYCLE_KINDS or (row.kind == Invoice.Kind.CHANGE and _begins_a_period(row)))
    ]
    return sorted(found, key=lambda one: (one.start, one.invoice.pk), reverse=True)


def _begins_a_period(change: Invoice) -> bool:
    """Return whether a line of the subscription itself is for a period. A line that a person added is none of it."""
    return any(
        line.get("of_subscription", True) and not line["proration"] and line["period_start"] != line["period_end"]
        for line in change.lines
    )


def standing(office: Office) -> Standing:
    """Return what is owed, since when, and what comes next. Three queries."""
    newest = office.payments.aggregate(
        paid=Max("created_at", filter=Q(status=PaymentStatus.SUCCEEDED)),
        failed=Max("created_at", filter=Q(status=PaymentStatus.FAILED)),
    )
    found = office.payments.filter(created_at__in=[at for at in newest.values() if at])
    return _standing(office, office.invoices.filter(OWED), found.order_by("created_at", "pk"))


def _standing(office: Office, invoices: Iterable[Invoice], payments: Iterable[Payment]) -> Standing:
    """``payments`` are in the order of time. Of them, and of the invoices, there may be more than are needed."""
    waiting = [row for row in invoices if row.is_owed]
    newest = {row.status: row for row in payments}
    return Standing(
        subscription_status=office.subscription_status,
        owed=office.balance,
        other_debts=office.debts_in_other_currencies,
        open_invoices=len(waiting),
        oldest_due_at=min((row.due_at for row in waiting if row.due_at), default=None),
        next_attempt_at=min((row.next_payment_attempt for row in waiting if row.next_payment_attempt), default=None),
        past_due_since=office.past_due_since,
        last_payment=newest.get(PaymentStatus.SUCCEEDED),
        last_failure=newest.get(PaymentStatus.FAILED),
        renews_at=office.current_period_end if office.renews else None,
        ends_at=office.cancel_at,
    )


def _order(entry: Entry) -> tuple[datetime, int]:
    """Return the key to sort by: time, then invoice. Sorting is stable, so an invoice stays before what pays it."""
    return entry.at, entry.invoice.pk if entry.invoice else 0


def _owed(balances: dict[str, int]) -> tuple[Money, ...]:
    return tuple(of_each(balances))


def rows_of(offices: Sequence[Office], *, lines: bool = False) -> Iterator[tuple[Office, Rows]]:
    """Yield the rows of which each Office's statement is made, with the lines of its invoices if they are needed.

    Three queries, for however many Offices.
    """
    found = {office.pk: Rows([], [], []) for office in offices}
    invoices = Invoice.objects.filter(office__in=offices, deleted_at=None).exclude(status=InvoiceStatus.DRAFT)
    payments = Payment.objects.filter(office__in=offices).select_related("invoice")
    adjustments = Adjustment.objects.filter(office__in=offices)
    adjustments = adjustments.select_related("invoice", "payment__invoice", "operation")
    for invoice in invoices.order_by("created_at", "pk").defer(*(() if lines else ("lines",))):
        found[invoice.office_id].invoices.append(invoice)
    for payment in payments.order_by("created_at", "pk").defer("invoice__lines"):
        found[payment.office_id].payments.append(payment)
    for row in adjustments.order_by("created_at", "pk").defer("invoice__lines", "payment__invoice__lines"):
        found[row.office_id].adjustments.append(row)
    for office in offices:
        yield office, found[office.pk]


def owed_at(rows: Rows, *, until: datetime) -> dict[str, int]:
    """Return what an Office's statement before ``until`` ends with: minor units by currency."""
    owed: dict[str, int] = defaultdict(int)
    for entry in _entries(rows):
        if entry.at < until:
            owed[entry.amount.currency] += entry.owed
    return dict(owed)


def _entries(rows: Rows) -> list[Entry]:
    invoices, payments, adjustments = rows.invoices, rows.payments, rows.adjustments
    seen: dict[int | None, int] = defaultdict(int)
    for payment in payments:
        seen[payment.invoice_id] += payment.amount if payment.has_succeeded else 0
    unseen: dict[int | None, int] = {row.pk: row.credited_before_payment for row in invoices}
    adjusted: list[Entry] = []
    for row in adjustments:
        if row.kind != Adjustment.Kind.CREDIT_NOTE:
            adjusted.append(_of_bank(row))
        elif row.status != AdjustmentStatus.VOID:
            lowers = min(row.amount, unseen.get(row.invoice_id, 0))  # the first credit notes came before the payment
            unseen[row.invoice_id] = unseen.get(row.invoice_id, 0) - lowers
            adjusted.append(_of_note(row, lowers))
    found = [entry for row in invoices for entry in _of_invoice(row, seen[row.pk], unseen[row.pk])]
    return found + [_of_payment(row) for row in payments] + adjusted


def _of_invoice(row: Invoice, seen: int, credited: int) -> list[Entry]:
    """Return the entry of the invoice, and the entries of what paid or ended it without a row of its own.

    ``seen`` is what our payment rows paid, in minor units. ``credited`` is what credit notes without a row here took
    off: their events come a moment later. The sum of ``owed`` of all entries of the invoice is what remains.
    """
    at = row.finalised_at or row.created_at
    settled_at = row.paid_at or row.voided_at or row.uncollectible_at or at
    found = [_entry(at, "invoice", f"Invoice {row.number}", row.total, row.total, row)]
    for text, change in _of_balance(row):
        found.append(_entry(at, "credit", text, abs(change), change, row))
    if credited:
        found.append(_entry(settled_at, "credit_note", f"Credit note on {row.number}", credited, -credited, row))
    if elsewhere := row.paid_elsewhere:
        found.append(_entry(settled_at, "payment", f"Paid outside Stripe: {row.number}", elsewhere, -elsewhere, row))
    over = row.overpayment.amount
    if unseen := row.amount_paid + over - row.paid_elsewhere - seen:  # the payment's event comes a moment later
        found.append(_entry(settled_at, "payment", f"Payment of {row.number}", unseen, -unseen, row))
    if over:
        found.append(_entry(settled_at, "credit", f"{row.overpaid_in_words}: {row.number}", over, over, row))
    if row.status in GIVEN_UP and row.amount_remaining:
        what = ("void", "Voided") if row.status == InvoiceStatus.VOID else ("written_off", "Written off")
        left = row.amount_remaining
        found.append(_entry(settled_at, what[0], f"{what[1]}: {row.number}", left, -left, row))
    return found


def _of_balance(row: Invoice) -> list[tuple[str, int]]:
    """Return what the customer's balance did to an invoice, in words, and by how much it changed what is due of it.

    At Stripe a balance below zero is credit, and above zero a debt. One invoice can change both. Their sum is
    ``to_balance``. Source: https://docs.stripe.com/billing/customer/balance
    """
    before, after = row.starting_balance, row.ending_balance
    if after is None or before - after != row.to_balance:  # seen before balances were kept, or credit was given back
        before, after = (row.to_balance, 0) if row.total >= 0 else (0, -row.to_balance)
    credit = max(-after, 0) - max(-before, 0)
    debt = max(before, 0) - max(after, 0)
    found = [
        ("Kept as credit" if credit > 0 else "Paid from credit", credit),
        ("Earlier debt, added to this invoice" if debt > 0 else "Kept as a debt, added to the next invoice", debt),
    ]
    return [(text, change) for text, change in found if change]


def _of_payment(row: Payment) -> Entry:
    paid = row.amount if row.has_succeeded and row.invoice_id else 0
    by = f", {row.paid_with}" if row.paid_with else ""
    text = ATTEMPTS.get(row.status, "Payment")
    of = f" of {row.invoice.number}" if row.invoice else ""
    money = Money(row.amount, row.currency)
    return Entry(row.created_at, f"payment_{row.status}", f"{text}{of}{by}", money, -paid, money, row.invoice, row)


def _of_note(row: Adjustment, lowers: int) -> Entry:
    """Return the entry of a credit note. It lowers what is owed by ``lowers``. The rest was paid before."""
    paid = ", paid before" if lowers < row.amount else ""
    text = f"Credit note on {row.invoice}{paid}"
    return Entry(row.created_at, row.kind, text, row.money, -lowers, row.money, row.invoice, row.payment)


def _of_bank(row: Adjustment) -> Entry:
    """Return the entry of a refund or a dispute. If the money stays here or came back, the amount is zero."""
    name = "Inquiry about" if row.is_inquiry else f"{row.get_kind_display()} of"
    about = row.invoice or (row.payment.money if row.payment else row.money)
    is_told = row.status in (AdjustmentStatus.PENDING, *NOT_GIVEN_BACK)
    ended = row.get_outcome_display().lower() or (row.status if is_told else "")
    money = Money(0 if row.is_here else -row.amount, row.currency)
    text = f"{name} {about}: {ended}" if ended else f"{name} {about}"
    return Entry(row.created_at, row.kind, text, money, 0, money, row.invoice, row.payment)


def _entry(at: datetime, what: str, text: str, amount: int, owed: int, row: Invoice) -> Entry:
    money = Money(amount, row.currency)
    return Entry(at, what, text, money, owed, money, row)
