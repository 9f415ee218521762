"""The entries of the journal: what an Office's invoices, payments and adjustments are booked on, and in which words.

docs/exports.md says how each entry arises.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from billing.history import Rows
from billing.models import Adjustment, Invoice, Office, Operation
from billing.models.operation import Kind as OperationKind
from billing.models.operation import OperationStatus
from billing.models.statuses import GIVEN_UP, NOT_GIVEN_BACK, AdjustmentStatus, InvoiceStatus

NOT_REPORTED = "payment not reported yet"


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


def credit_operations(offices: Sequence[Office]) -> dict[int, list[Operation]]:
    """Return the operations that gave credit or took it back, by Office. One query."""
    found: dict[int, list[Operation]] = defaultdict(list)
    rows = Operation.objects.filter(
        office__in=offices, kind=OperationKind.ADJUST_CREDIT, status=OperationStatus.SUCCEEDED
    )
    for row in rows.order_by("pk"):
        found[row.office_id].append(row)
    return found


def posted(office: Office, rows: Rows, operations: Sequence[Operation]) -> Iterator[Entry]:
    """Yield all entries of an Office. Those that come from the customer balance at Stripe are last."""
    found = [*_of_invoices(office, rows), *_of_payments(office, rows), *_of_adjustments(office, rows)]
    yield from found
    yield from _of_credits(office, rows, operations, found)


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
    """Credit notes first lower what is due. They give back what was paid already: as a refund, or as credit."""
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
