"""The journal of a month for the accountant: double entries for what was invoiced, paid, given back and written off.

It is made of our own rows, and nothing is stored. Stripe's fees and payouts are not in it. A month is one of UTC:
``[first day, first day of the next month)``. Each entry is in one currency, and its debits equal its credits. What the
rows say today decides: something that became known later, such as that a debit from a bank account was paid after all,
belongs to the month in which it began. docs/exports.md says how each entry arises.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from django.db.models import Q, Sum

from billing import history
from billing.history import Rows
from billing.models import Adjustment, Invoice, Office, Operation, Payment
from billing.models.operation import Kind as OperationKind
from billing.models.operation import OperationStatus
from billing.models.statuses import GIVEN_UP, INQUIRY, NOT_GIVEN_BACK, AdjustmentStatus, InvoiceStatus, PaymentStatus

NOT_IN_IT = "Stripe's fees and payouts are not in it"
OFFICES_AT_ONCE = 400


class Account(StrEnum):
    """What an amount is booked on. The setting JOURNAL_ACCOUNTS says what the vendor's books call each."""

    RECEIVABLES = "receivables"
    CLEARING = "clearing"
    OUTSIDE = "outside"
    REVENUE = "revenue"
    TAX = "tax"
    BALANCES = "balances"
    CREDITS = "credits"
    REFUNDS = "refunds"
    DISPUTES = "disputes"
    WRITE_OFFS = "write_offs"
    UNASSIGNED = "unassigned"


class Kind(StrEnum):
    """Why an entry arose. The value is what people read."""

    INVOICE = "Invoice"
    BALANCE = "Customer balance"
    OVERPAID = "Overpayment"
    PAYMENT = "Payment"
    OUTSIDE = "Payment outside Stripe"
    CREDIT_NOTE = "Credit note"
    CREDIT = "Credit"
    REFUND = "Refund"
    DISPUTE = "Dispute"
    WON_BACK = "Dispute won back"
    VOID = "Void invoice"
    WRITE_OFF = "Write-off"


Sums = dict[tuple[str, Account], int]
"""Minor units by currency and account."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. ``lines`` are minor units by account: a debit is above zero, and a credit below."""

    at: datetime
    kind: Kind
    text: str
    currency: str
    office: Office
    reference: str
    lines: dict[Account, int]

    def __post_init__(self) -> None:
        if sum(self.lines.values()):
            raise ValueError(f"An entry does not balance: {self.kind} {self.reference}")


@dataclass(frozen=True, slots=True)
class Month:
    """A month of UTC."""

    year: int
    month: int

    @classmethod
    def read(cls, text: str) -> "Month":
        """Read it as in 2026-10. Raises: ValueError."""
        return cls.of(datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC))

    @classmethod
    def of(cls, at: datetime) -> "Month":
        at = at.astimezone(UTC)
        return cls(at.year, at.month)

    @property
    def start(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        return self.next.start

    @property
    def next(self) -> "Month":
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def previous(self) -> "Month":
        return Month(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    @property
    def in_words(self) -> str:
        return f"{self.start:%B %Y}"

    def __str__(self) -> str:
        return f"{self.start:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Tie:
    """What the journal comes to, held against what other rows say. Both in minor units of one currency."""

    currency: str
    what: str
    journal: int
    held_against: int

    @property
    def difference(self) -> int:
        return self.journal - self.held_against


@dataclass(slots=True)
class Journal:
    """The journal of one month. Read ``entries`` to the end first: the sums are complete only then.

    ``debits`` and ``credits`` are of the month, both above zero. The other sums are debits less credits.
    """

    month: Month
    opening: Sums = field(default_factory=lambda: defaultdict(int))
    debits: Sums = field(default_factory=lambda: defaultdict(int))
    credits: Sums = field(default_factory=lambda: defaultdict(int))
    by_kind: dict[tuple[str, Kind, Account], int] = field(default_factory=lambda: defaultdict(int))
    owed: Counter[str] = field(default_factory=Counter)
    unreported: Counter[str] = field(default_factory=Counter)
    count: int = 0

    def entries(self) -> Iterator[Entry]:
        """Yield the entries of the month, Office by Office, and of each in the order of time.

        Four queries for 400 Offices. All their rows are read, also those of before: they make the opening.
        """
        after = 0
        while batch := list(Office.objects.filter(pk__gt=after).order_by("pk")[:OFFICES_AT_ONCE]):
            after = batch[-1].pk
            operations = _credit_operations(batch)
            for office, rows in history.rows_of(batch):
                self.owed.update(history.owed_at(rows, until=self.month.end))
                for entry in sorted(_posted(office, rows, operations[office.pk]), key=lambda one: one.at):
                    if entry.at < self.month.end and self._count(entry):
                        yield entry

    def _count(self, entry: Entry) -> bool:
        """Add the entry to the sums. Return whether it is of this month."""
        is_before = entry.at < self.month.start
        for account, amount in entry.lines.items():
            if is_before:
                self.opening[entry.currency, account] += amount
                continue
            (self.debits if amount > 0 else self.credits)[entry.currency, account] += abs(amount)
            self.by_kind[entry.currency, entry.kind, account] += amount
        if not is_before and entry.kind == Kind.PAYMENT and entry.reference == NOT_REPORTED:
            self.unreported[entry.currency] += entry.lines[Account.CLEARING]
        self.count += not is_before
        return not is_before

    @property
    def currencies(self) -> list[str]:
        return sorted({currency for currency, _ in (*self.opening, *self.debits, *self.credits)} | {*self.owed})

    def moved(self, currency: str, account: Account) -> int:
        """Return the debits of the month less its credits."""
        return self.debits.get((currency, account), 0) - self.credits.get((currency, account), 0)

    def closing(self, currency: str, account: Account) -> int:
        return self.opening.get((currency, account), 0) + self.moved(currency, account)

    def ties(self) -> list[Tie]:
        """Return what must be equal, for each currency. Five queries."""
        through_stripe = _through_stripe(self.month)
        found: list[Tie] = []
        for currency in self.currencies:
            owed = self.closing(currency, Account.RECEIVABLES)
            found += [
                Tie(
                    currency, "Receivables, and what the statements of all Offices end with", owed, self.owed[currency]
                ),
                Tie(
                    currency,
                    "Clearing in this month, and payments less refunds and disputes",
                    self.moved(currency, Account.CLEARING),
                    through_stripe[currency] + self.unreported[currency],
                ),
            ]
        return found


NOT_REPORTED = "payment not reported yet"


def _posted(office: Office, rows: Rows, operations: Sequence[Operation]) -> Iterator[Entry]:
    """Yield all entries of an Office, those of what Stripe's customer balance tells at the end."""
    posted = [*_of_invoices(office, rows), *_of_payments(office, rows), *_of_adjustments(office, rows)]
    yield from posted
    yield from _of_credits(office, rows, operations, posted)


def _of_invoices(office: Office, rows: Rows) -> Iterator[Entry]:
    paid: Counter[int | None] = Counter()
    for payment in rows.payments:
        paid[payment.invoice_id] += payment.amount if payment.has_succeeded else 0
    noted: Counter[int | None] = Counter()
    for note in rows.adjustments:
        noted[note.invoice_id] += note.amount if _counts_as_note(note) else 0
    for row in rows.invoices:
        yield from _of_invoice(office, row, paid[row.pk], noted[row.pk])


def _of_invoice(office: Office, row: Invoice, paid: int, noted: int) -> Iterator[Entry]:
    """Yield what the invoice itself says. ``paid`` and ``noted``: what rows of their own paid and credited."""
    final = row.finalised_at or row.created_at
    settled = row.paid_at or row.voided_at or row.uncollectible_at or final

    def entry(at: datetime, kind: Kind, text: str, lines: dict[Account, int], reference: str = "") -> Entry:
        return Entry(at, kind, text, row.currency, office, reference or row.number, lines)

    revenue = {Account.REVENUE: row.tax - row.total, Account.TAX: -row.tax}
    if row.total:
        yield entry(final, Kind.INVOICE, f"Invoice {row.number}", {Account.RECEIVABLES: row.total, **revenue})
    if change := row.to_balance:
        text = f"Balance of the customer, with {row.number}"
        yield entry(final, Kind.BALANCE, text, {Account.RECEIVABLES: change, Account.BALANCES: -change})
    if not_reported := row.credited_before_payment - min(noted, row.credited_before_payment):
        yield entry(settled, Kind.CREDIT_NOTE, f"Credit note on {row.number}", _credited(row, not_reported))
    if outside := row.paid_elsewhere:
        lines = {Account.OUTSIDE: outside, Account.RECEIVABLES: -outside}
        yield entry(settled, Kind.OUTSIDE, f"Paid outside Stripe: {row.number}", lines)
    over = row.overpayment.amount
    if unseen := row.amount_paid + over - row.paid_elsewhere - paid:
        lines = {Account.CLEARING: unseen, Account.RECEIVABLES: -unseen}
        yield entry(settled, Kind.PAYMENT, f"Payment of {row.number}", lines, NOT_REPORTED)
    if over:
        lines = {Account.RECEIVABLES: over, Account.BALANCES: -over}
        yield entry(settled, Kind.OVERPAID, f"Paid beyond what was due: {row.number}", lines)
    if row.status in GIVEN_UP and row.amount_remaining:
        yield _given_up(entry, settled, row)


def _given_up(entry: Any, settled: datetime, row: Invoice) -> Entry:
    """A void invoice takes revenue and tax back. One that is written off is a loss in whole: tax is not touched."""
    left = row.amount_remaining
    if row.status == InvoiceStatus.VOID:
        tax = _tax_in(row, left)
        lines = {Account.REVENUE: left - tax, Account.TAX: tax, Account.RECEIVABLES: -left}
        made: Entry = entry(settled, Kind.VOID, f"Voided: {row.number}", lines)
        return made
    lines = {Account.WRITE_OFFS: left, Account.RECEIVABLES: -left}
    made = entry(settled, Kind.WRITE_OFF, f"Written off: {row.number}", lines)
    return made


def _of_payments(office: Office, rows: Rows) -> Iterator[Entry]:
    for row in rows.payments:
        if not row.has_succeeded:
            continue
        other = Account.RECEIVABLES if row.invoice_id else Account.UNASSIGNED
        about = row.invoice.number if row.invoice else ""
        text = f"Payment of {about}" if about else "Payment without an invoice"
        lines = {Account.CLEARING: row.amount, other: -row.amount}
        yield Entry(row.created_at, Kind.PAYMENT, text, row.currency, office, about, lines)


def _of_adjustments(office: Office, rows: Rows) -> Iterator[Entry]:
    """Credit notes lower what is due first. What was paid already, they gave back: as a refund, or as credit."""
    due: Counter[int | None] = Counter({row.pk: row.credited_before_payment for row in rows.invoices})
    for row in rows.adjustments:
        invoice = row.invoice or (row.payment.invoice if row.payment else None)
        number = invoice.number if invoice else ""

        def entry(
            at: datetime, kind: Kind, text: str, lines: dict[Account, int], row: Any = row, number: str = number
        ) -> Entry:
            return Entry(at, kind, text.strip(), row.currency, office, number, lines)

        if row.kind == Adjustment.Kind.CREDIT_NOTE:
            if not _counts_as_note(row) or row.invoice is None:
                continue
            lowers = min(row.amount, due[row.invoice_id])
            due[row.invoice_id] -= lowers
            if lowers:
                yield entry(
                    row.created_at, Kind.CREDIT_NOTE, f"Credit note on {number}", _credited(row.invoice, lowers)
                )
            if tax := _tax_in(row.invoice, row.amount - lowers):
                text = f"Tax of a credit note on {number}, paid before"
                yield entry(row.created_at, Kind.CREDIT_NOTE, text, {Account.TAX: tax, Account.CREDITS: -tax})
        elif row.kind == Adjustment.Kind.REFUND:
            if row.status not in NOT_GIVEN_BACK:
                lines = {Account.REFUNDS: row.amount, Account.CLEARING: -row.amount}
                yield entry(row.created_at, Kind.REFUND, f"Refund {number}", lines)
        else:
            if taken := row.taken_at or (None if row.is_here else row.created_at):
                lines = {Account.DISPUTES: row.amount, Account.CLEARING: -row.amount}
                yield entry(taken, Kind.DISPUTE, f"Dispute {number}", lines)
            if row.returned_at:
                lines = {Account.CLEARING: row.amount, Account.DISPUTES: -row.amount}
                yield entry(row.returned_at, Kind.WON_BACK, f"Dispute won back {number}", lines)


def _of_credits(
    office: Office, rows: Rows, operations: Sequence[Operation], posted: Iterable[Entry]
) -> Iterator[Entry]:
    """Yield the credit that somebody gave or took back, beside invoices.

    What was done here has its day. What was done at Stripe shows with the next invoice, which says the balance before
    it. At Stripe a balance below zero is credit. Source: https://docs.stripe.com/billing/customer/balance
    """
    steps: list[tuple[datetime, int, int, str, int | None, int, str]] = []
    for number, (at, amount, currency, text) in enumerate(_given(rows, operations)):
        steps.append((at, 0, number, currency, None, amount, text))
    for row in rows.invoices:
        before = None if row.ending_balance is None else -row.starting_balance
        steps.append((row.finalised_at or row.created_at, 1, row.pk, row.currency, before, row.to_balance, row.number))
    for number, entry in enumerate(posted):
        if entry.kind == Kind.OVERPAID:
            steps.append((entry.at, 2, number, entry.currency, None, -entry.lines[Account.BALANCES], entry.reference))
    credit: Counter[str] = Counter()
    for at, what, _, currency, before, change, text in sorted(steps, key=lambda one: one[:3]):
        if before is not None and (missing := before - credit[currency]):
            lines = {Account.CREDITS: missing, Account.BALANCES: -missing}
            yield Entry(at, Kind.CREDIT, f"Changed at Stripe before {text}", currency, office, text, lines)
            credit[currency] = before
        if what == 0:
            lines = {Account.CREDITS: change, Account.BALANCES: -change}
            yield Entry(at, Kind.CREDIT, text, currency, office, "", lines)
        credit[currency] += change


def _given(rows: Rows, operations: Sequence[Operation]) -> Iterator[tuple[datetime, int, str, str]]:
    """Yield when how much credit was given here, in which currency, and how. Below zero, it was taken back."""
    for operation in operations:
        currency, amount = operation.request.get("currency"), operation.request.get("amount")
        if currency and isinstance(amount, int):
            words = "Credit given" if amount > 0 else "Credit taken back"
            yield operation.settled_at or operation.created_at, amount, currency, words
    due: Counter[int | None] = Counter({row.pk: row.credited_before_payment for row in rows.invoices})
    for row in rows.adjustments:
        if not _counts_as_note(row):
            continue
        lowers = min(row.amount, due[row.invoice_id])
        due[row.invoice_id] -= lowers
        is_kept = row.operation is not None and row.operation.request.get("to") == "balance"
        if is_kept and row.amount > lowers:
            yield row.created_at, row.amount - lowers, row.currency, f"Credit note on {row.invoice}, kept as credit"


def _counts_as_note(row: Adjustment) -> bool:
    return row.kind == Adjustment.Kind.CREDIT_NOTE and row.status != AdjustmentStatus.VOID


def _credited(invoice: Invoice, amount: int) -> dict[Account, int]:
    tax = _tax_in(invoice, amount)
    return {Account.CREDITS: amount - tax, Account.TAX: tax, Account.RECEIVABLES: -amount}


def _tax_in(invoice: Invoice, amount: int) -> int:
    """Return the tax in a part of an invoice, in minor units, rounded half up, once, here: the invoice's own share."""
    if not invoice.total:
        return 0
    tax, total = (invoice.tax, invoice.total) if invoice.total > 0 else (-invoice.tax, -invoice.total)
    return (2 * amount * tax + total) // (2 * total)


def _through_stripe(month: Month) -> Counter[str]:
    """Return what came in and went out through Stripe in the month, by currency, summed by the database."""
    found: Counter[str] = Counter()

    def add(rows: Any, sign: int) -> None:
        for currency, amount in rows.order_by().values_list("currency").annotate(Sum("amount")):
            found[currency] += sign * int(amount)  # PostgreSQL sums up to a Decimal

    def within(name: str) -> Q:
        return Q(**{f"{name}__gte": month.start, f"{name}__lt": month.end})

    refunds = Adjustment.objects.filter(kind=Adjustment.Kind.REFUND).exclude(status__in=NOT_GIVEN_BACK)
    disputes = Adjustment.objects.filter(kind=Adjustment.Kind.DISPUTE)
    kept = (Adjustment.Outcome.WON, Adjustment.Outcome.WITHDRAWN)
    undated = disputes.filter(taken_at=None).exclude(status__in=(*INQUIRY, *NOT_GIVEN_BACK)).exclude(outcome__in=kept)
    add(Payment.objects.filter(within("created_at"), status=PaymentStatus.SUCCEEDED), 1)
    add(refunds.filter(within("created_at")), -1)
    add(disputes.filter(within("taken_at")), -1)
    add(undated.filter(within("created_at")), -1)
    add(disputes.filter(within("returned_at")), 1)
    return found


def _credit_operations(offices: Sequence[Office]) -> dict[int, list[Operation]]:
    """Return the operations that gave credit or took it back, by Office. One query."""
    found: dict[int, list[Operation]] = defaultdict(list)
    rows = Operation.objects.filter(
        office__in=offices, kind=OperationKind.ADJUST_CREDIT, status=OperationStatus.SUCCEEDED
    )
    for row in rows.order_by("pk"):
        found[row.office_id].append(row)
    return found
