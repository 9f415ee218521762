"""What an act ends, or gives up for good, in words. A person reads it before they confirm. Nothing changes here."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from billing.durations import DAY, days_between
from billing.models import Adjustment, Invoice, Office, Payment
from billing.models.statuses import AdjustmentStatus, InvoiceStatus
from billing.money import Money


@dataclass(frozen=True, slots=True)
class Loss:
    """What is lost, a sentence for each thing.

    ``paid`` is about what was paid for time that is given up, and None if nothing was. ``payment`` is the newest
    payment from which that can be given back.
    """

    says: tuple[str, ...]
    paid: Money | None = None
    payment: Payment | None = None

    @property
    def seen(self) -> str:
        """Return what tells this loss apart from another one: a person confirms what they have seen, and no more."""
        return hashlib.sha256("\n".join(self.says).encode()).hexdigest()


def loss(*says: str, **more: object) -> Loss:
    """Return what is lost. Sentences that are "" are left out."""
    return Loss(tuple(filter(None, says)), **more)  # type: ignore[arg-type]


def of_paid_time(office: Office, since: datetime, *, says: str) -> Loss:
    """Return the loss of the time from ``since`` to the end of the present period, as far as it was paid.

    ``says`` is what happens, without a full stop: "Service ends now".
    """
    until = office.current_period_end
    if until is None or until <= since:
        return loss(f"{says}.")
    days = (until - since) // DAY
    paid, invoices = _paid_for(office, until - days * DAY if days else since)
    if paid is None or paid.amount <= 0:
        was_paid = any(row.total > row.credited_before_payment for row in invoices)
        what = (
            "What was paid for these days was given back already." if was_paid else "Nothing was paid for these days."
        )
        return loss(f"{says}, {days_between(since, until)} before the period ends. {what}")
    left = days_between(since, until).replace("less than a day", "Less than a day")
    are = "is" if left in ("1 day", "Less than a day") else "are"
    what = f"{left} that {are} paid, about {paid}, {are} not given back"
    return loss(f"{says}. {what}.", paid=paid, payment=_refundable(invoices))


def _paid_for(office: Office, since: datetime) -> tuple[Money | None, list[Invoice]]:
    """Return about what was paid for the time after ``since``, with the invoices. Of each line it is the part in time.

    Discounts, taxes, credit notes and refunds count with the same part. It is no more than what was not given back.
    """
    rows = office.invoices.filter(
        subscription__stripe_id=office.payment_provider_subscription_id,
        status=InvoiceStatus.PAID,
        deleted_at=None,
        period_end__gt=since,
        currency=office.currency,
    )
    found, total = [], Decimal(0)
    for row in rows:
        lines = sum(line["amount"] for line in row.lines)
        ahead = sum((_ahead(line, since) for line in row.lines), Decimal(0))
        if lines > 0 and ahead:
            kept = max(row.total - row.credited_before_payment - _given_back(row), 0)
            total += min(ahead * kept / lines, Decimal(kept))
            found.append(row)
    return (Money(int(total.quantize(Decimal(1), ROUND_HALF_UP)), office.currency) if found else None), found


def _given_back(invoice: Invoice) -> int:
    """Return the minor units that were given back of what was paid: by refunds, and by credit notes.

    A credit note can have a refund, which Stripe counts in both. Our rows do not say which. So a refund that was made
    here stands alone, and a credit note as credit too; of the others, a refund belongs to a credit note if it can.
    Source: https://docs.stripe.com/api/credit_notes/object#credit_note_object-refunds
    """
    refunded = sum(one.amount_refunded for one in invoice.payments.all() if one.has_succeeded)
    credited = invoice.credited_after_payment
    if not refunded or not credited:
        return refunded + credited
    made_here = Adjustment.objects.filter(operation__isnull=False).select_related("operation")
    refunds = made_here.filter(payment__invoice=invoice, kind=Adjustment.Kind.REFUND)
    alone = sum(one.amount for one in refunds if not one.is_here)
    notes = made_here.filter(invoice=invoice, kind=Adjustment.Kind.CREDIT_NOTE).exclude(status=AdjustmentStatus.VOID)
    as_credit = sum(one.amount for one in notes if one.operation and one.operation.request.get("to") == "balance")
    return refunded + credited - min(max(refunded - alone, 0), max(credited - as_credit, 0))


def _ahead(line: dict[str, object], since: datetime) -> Decimal:
    """Return the part of the line's amount that is for the time after ``since``."""
    start, end = (
        datetime.fromisoformat(str(line[name])) if line[name] else None for name in ("period_start", "period_end")
    )
    if start is None or end is None or end <= since or start >= end:
        return Decimal(0)
    return Decimal(int(str(line["amount"]))) * Decimal((end - max(start, since)) / DAY) / Decimal((end - start) / DAY)


def _refundable(invoices: Iterable[Invoice]) -> Payment | None:
    found = Payment.objects.filter(invoice__in=[row.pk for row in invoices])
    return next((row for row in found if row.refundable.amount > 0), None)
