"""Give a payment back, all of it or a part."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from billing.access.roles import Power
from billing.models import Payment
from billing.models.operation import Kind
from billing.money import Money
from billing.operations.engine.declaration import Asked, Moves, OnPayment, Outcome, Previewed
from billing.operations.engine.registry import operation
from billing.operations.engine.steps import Run
from billing.operations.money import money_back
from billing.operations.money.money_back import GivesBack, MoneyBack
from billing.stripe_api import gateway

REASONS = {
    "office_asked": "requested_by_customer",
    "duplicate": "duplicate",
    "suspected_fraud": "fraudulent",
}


@operation
@dataclass(frozen=True, kw_only=True)
class RefundPayment(GivesBack, Previewed[Payment], OnPayment):
    """Give a payment back to what paid it, all of it or a part. **Money moves.** Only for the vendor's staff.

    Money moves to the customer, so no determination is needed. Stripe is told the reason if it has a word for it.
    ``suspected_fraud`` also puts a card on Stripe's block lists. The invoice stays paid. A credit note corrects it.
    Repeating gives money back again, unless it confirms the same preview (``as_of``).

    Raises: PaymentNotRefundable, PaymentDisputed, AlreadyRefunded, AmountInvalid, MoreThanLeft.
    Source: https://docs.stripe.com/refunds
    """

    kind = Kind.REFUND_PAYMENT
    done = "refunded a payment"
    money = Moves.BACK
    needs, asks_to = Power.GIVE_BACK, "give money back"

    @classmethod
    def offered(cls, subject: Payment) -> bool:
        return subject.refundable.amount > 0 and not money_back.is_taken_back(subject)

    def prepare(self, subject: Payment, asked: Asked) -> Self:
        """Return the request with the amount, and with Stripe's word for the reason."""
        money_back.check_payment(subject)
        amount = subject.refundable.amount if self.amount is None else self.amount
        money_back.check_amount(amount, subject.refundable)
        return replace(self, amount=amount, stripe_reason=money_back.stripe_reason(asked.reason, REASONS))

    def preview(self, subject: Payment, as_of: datetime, asked: Asked) -> MoneyBack:
        """Show what a refund would give back, where it goes, and what to know first.

        The warnings say if something of the same money was given back before, in any way, and what it comes to
        altogether.
        """
        amount, invoice = Money(self.exact_amount, subject.currency), subject.invoice
        payments = list(invoice.payments.all()) if invoice else [subject]
        return MoneyBack(
            amount=amount,
            tax=Money(0, subject.currency),
            remains=Money(subject.refundable.amount - self.exact_amount, subject.currency),
            remains_as="Can still be given back",
            goes_to=(money_back.to_what_paid(subject),),
            warnings=(
                *money_back.warning_of_more(amount, invoice=invoice, payments=payments),
                *money_back.warnings_of(subject, stripe_reason=self.stripe_reason),
            ),
            is_given_back=True,
            as_of=as_of,
        )

    def ask(self, run: Run) -> None:
        gateway.adjustments.refund_payment(
            self._charge(run),
            amount=self.exact_amount,
            reason=self.stripe_reason,
            operation=run.id,
            step=run.step("refund"),
        )

    def settle_unknown(self, run: Run) -> Outcome:
        return Outcome.of(gateway.adjustments.find_refund(self._charge(run), operation=run.id))

    def _charge(self, run: Run) -> str:
        """Return Stripe's id of the payment. The look afterwards fetches it."""
        charge = self.subject_in(run.office).stripe_id
        run.look_at(payments=charge)
        return charge
