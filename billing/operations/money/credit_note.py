"""Correct an invoice. An open one becomes lower. For a paid one, money goes back or becomes credit."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Self

from django.db.models import Sum

from billing import errors
from billing.access.roles import Power
from billing.models import Adjustment, Invoice, Payment
from billing.models.operation import Kind
from billing.models.statuses import AdjustmentStatus, InvoiceStatus, PaymentStatus
from billing.money import Money
from billing.operations.engine.declaration import Asked, Moves, OnInvoice, Outcome, Previewed, asked_for
from billing.operations.engine.registry import operation
from billing.operations.engine.steps import Run
from billing.operations.money import money_back
from billing.operations.money.money_back import GivesBack, MoneyBack
from billing.stripe_api import gateway

To = Literal["due", "refund", "balance"]
TO_BY_STATUS: dict[str, tuple[To, ...]] = {InvoiceStatus.OPEN: ("due",), InvoiceStatus.PAID: ("refund", "balance")}
REASONS = {"duplicate": "duplicate", "suspected_fraud": "fraudulent"}
OTHERWISE = "Give the rest as credit for the next invoice."


@operation
@dataclass(frozen=True, kw_only=True)
class IssueCreditNote(GivesBack, Previewed[Invoice], OnInvoice):
    """Correct an open or paid invoice with a credit note. **Money may move.** Only for the vendor's staff.

    For an open invoice, less is ``due``. For a paid invoice, the money goes back to what paid (``refund``, **money
    moves** to the customer), or it lowers the next invoices (``balance``). No determination is needed. Repeating
    corrects again, unless it confirms the same preview (``as_of``).

    Raises: InvoiceNotCreditable, AlreadyCredited, PaymentDisputed, AmountInvalid, MoreThanLeft.
    Source: https://docs.stripe.com/invoicing/dashboard/credit-notes
    """

    kind = Kind.ISSUE_CREDIT_NOTE
    done = "issued a credit note"
    money = Moves.BACK
    needs, asks_to = Power.GIVE_BACK, "issue credit notes"

    to: To = field(
        metadata=asked_for(
            "Open invoice: less is due. Paid invoice: the money goes back to what paid, or is kept as credit"
        )
    )

    @classmethod
    def offered(cls, subject: Invoice) -> bool:
        return subject.status in TO_BY_STATUS and not subject.deleted_at and creditable(subject).amount > 0

    def prepare(self, subject: Invoice, asked: Asked) -> Self:
        """Return the request with the amount, and with Stripe's word for the reason."""
        if self.to not in TO_BY_STATUS.get(subject.status, ()) or subject.deleted_at:
            raise errors.InvoiceNotCreditable(subject)
        left = creditable(subject)
        if left.amount == 0:
            raise errors.AlreadyCredited(subject)
        amount = left.amount if self.amount is None else self.amount
        money_back.check_amount(amount, left)
        if self.to == "refund":
            _check_refund(subject, amount)
        return replace(self, amount=amount, stripe_reason=money_back.stripe_reason(asked.reason, REASONS))

    def preview(self, subject: Invoice, as_of: datetime, asked: Asked) -> MoneyBack:
        """Show what a credit note would correct, as Stripe calculates it.

        The warnings say if something of the same money was given back before, in any way, and what it comes to
        altogether.
        """
        seen = gateway.adjustments.preview_credit_note(
            subject.stripe_id, amount=self.exact_amount, **self._of_what_was_paid
        )
        paid_by, payments = _largest(subject), list(subject.payments.all())
        before, after = Money(seen.before_payment, seen.currency), Money(seen.after_payment, seen.currency)
        return MoneyBack(
            amount=Money(seen.total, seen.currency),
            tax=Money(seen.tax, seen.currency),
            remains=Money(creditable(subject).amount - seen.total, seen.currency),
            remains_as="Still due" if self.to == "due" else "Can still be credited",
            goes_to=_goes_to(before, after, self.to, paid_by),
            warnings=(
                *(money_back.warning_of_more(after, invoice=subject, payments=payments) if after.amount else ()),
                *(money_back.warnings_of(paid_by) if paid_by and self.to == "refund" else ()),
            ),
            is_given_back=self.to == "refund",
            as_of=as_of,
        )

    @property
    def _of_what_was_paid(self) -> dict[str, int]:
        """Return where the money of a paid invoice goes, in the form that the gateway takes."""
        amount = self.exact_amount
        return {"refund": amount if self.to == "refund" else 0, "credit": amount if self.to == "balance" else 0}

    def ask(self, run: Run) -> None:
        gateway.adjustments.issue_credit_note(
            self._corrected(run).stripe_id,
            amount=self.exact_amount,
            **self._of_what_was_paid,
            reason=self.stripe_reason,
            operation=run.id,
            step=run.step("issue"),
        )

    def settle_unknown(self, run: Run) -> Outcome:
        return Outcome.of(gateway.adjustments.find_credit_note(self._corrected(run).stripe_id, operation=run.id))

    def _corrected(self, run: Run) -> Invoice:
        """Return the invoice. The look afterwards fetches it with its credit notes and payments."""
        invoice = self.subject_in(run.office)
        run.look_at(invoices=invoice.stripe_id, credit_notes=invoice.stripe_id)
        for payment in invoice.payments.all():
            run.look_at(payments=payment.stripe_id)
        return invoice


def creditable(invoice: Invoice) -> Money:
    """Return how much of the invoice can still be corrected."""
    if invoice.status == InvoiceStatus.OPEN:
        return Money(invoice.amount_remaining, invoice.currency)
    issued = invoice.adjustments.filter(kind=Adjustment.Kind.CREDIT_NOTE, status=AdjustmentStatus.ISSUED)
    return Money(invoice.total - (issued.aggregate(sum=Sum("amount"))["sum"] or 0), invoice.currency)


def _check_refund(invoice: Invoice, amount: int) -> None:
    """Raises: PaymentDisputed, MoreThanLeft."""
    paid_by = _largest(invoice)
    if paid_by and money_back.is_taken_back(paid_by):
        raise errors.PaymentDisputed(paid_by)
    to_refund = paid_by.refundable if paid_by else Money(0, invoice.currency)
    money_back.check_amount(amount, to_refund, instead=OTHERWISE)


def _largest(invoice: Invoice) -> Payment | None:
    """Return the payment of the invoice of which most can be given back. Stripe refunds only one payment."""
    collected = invoice.payments.filter(status=PaymentStatus.SUCCEEDED)
    return max(collected, key=lambda one: one.refundable.amount, default=None)


def _goes_to(before: Money, after: Money, to: To, paid_by: Payment | None) -> tuple[str, ...]:
    found = []
    if before.amount:
        found.append(f"{before} less is due on the invoice.")
    if after.amount and to == "balance":
        found.append(f"{after} is kept as credit and lowers the next invoices.")
    elif after.amount and paid_by:
        found.append(money_back.to_what_paid(paid_by))
    return tuple(found)
