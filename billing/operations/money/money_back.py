"""Money that goes back: what refunds and credit notes have in common."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing import clock, errors, method_names
from billing.models import Adjustment, Invoice, Payment
from billing.models.statuses import DISPUTE_UNDECIDED
from billing.money import Money
from billing.operations.engine import reasons
from billing.operations.engine.declaration import FILLED_IN, asked_for
from billing.operations.money.amounts import check_decimals
from billing.stripe_api import gateway

OLD = timedelta(days=180)
BLOCKS_THE_CARD = "With this reason Stripe blocks the card. It can never pay you again."
TOO_OLD = (
    f"The payment is older than {OLD.days} days. Its bank may not accept the money any more. Then the money comes back "
    "to you, and a Finding says so."
)


@dataclass(frozen=True, kw_only=True)
class GivesBack:
    """Hold the amount that was asked for, and Stripe's word for the reason. It is empty if Stripe has none."""

    amount: int | None = field(
        default=None,
        metadata=asked_for("Minor units of the currency of what was paid, including tax. Default: all that is left"),
    )
    stripe_reason: str = field(default="", metadata=FILLED_IN)

    @property
    def exact_amount(self) -> int:
        if self.amount is None:
            raise ValueError("The amount is known once the request is prepared.")
        return self.amount

    def given_back(self, subject: Payment | Invoice) -> Money | None:
        return Money(self.exact_amount, subject.currency)


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """Show what would be given back, and what remains. ``goes_to`` says where it goes. Read ``warnings`` first.

    ``amount`` includes ``tax``. ``remains`` can still be given back or credited. For an open invoice it is still due.
    ``is_given_back`` says that the amount goes back to what paid. Otherwise it is credited. Confirmed with ``as_of``,
    it is done once, even if the confirmation is sent many times. ``waits`` says so if it waits for a second person
    then.
    """

    amount: Money
    tax: Money
    remains: Money
    remains_as: str
    goes_to: tuple[str, ...]
    warnings: tuple[str, ...]
    is_given_back: bool
    as_of: datetime
    waits: str = ""


def stripe_reason(reason: str, table: dict[str, str]) -> str:
    """Return Stripe's word for a reason of our catalogue, or an empty text. Our own words are not sent."""
    return table.get(reasons.code_of(reason.strip()), "")


def check_payment(payment: Payment) -> None:
    """Check that something of the payment can be given back.

    Raises: PaymentNotRefundable, PaymentDisputed, AlreadyRefunded.
    """
    if not payment.has_succeeded:
        raise errors.PaymentNotRefundable(payment)
    if is_taken_back(payment):
        raise errors.PaymentDisputed(payment)
    if payment.refundable.amount == 0:
        raise errors.AlreadyRefunded(payment)


def is_taken_back(payment: Payment) -> bool:
    """Return whether the bank has taken it back. A dispute of which we know no details counts as taken back."""
    if not payment.disputed:
        return False
    disputes = [one for one in payment.adjustments.all() if one.kind == Adjustment.Kind.DISPUTE]
    lost = Adjustment.Outcome.LOST
    open_or_lost = [one for one in disputes if one.outcome == lost or one.status in DISPUTE_UNDECIDED]
    return not disputes or any(not one.is_inquiry for one in open_or_lost)


def warning_of_more(now: Money, *, invoice: Invoice | None, payments: Sequence[Payment]) -> tuple[str, ...]:
    """Return a warning if something of the same money was given back before, with what it comes to altogether.

    ``now`` is what is about to be given back of the ``payments`` of this invoice, or of a payment without an invoice.
    Stripe is asked for the invoice's credit notes. It allows to give more back than was paid: a refund does not lower
    what can be credited, and a credit does not lower what can be refunded.
    """
    notes = gateway.adjustments.credited_by_notes(invoice.stripe_id) if invoice else []
    over = invoice.overpayment if invoice else Money(0, now.currency)
    before = {
        "kept as credit, because more was paid than was due": over.amount,
        "refunded": sum(one.amount_refunded for one in payments),
        "given as credit": sum(one.as_credit for one in notes),
        "credited outside of Stripe": sum(one.outside for one in notes),
        "taken back by the bank": sum(_taken_back(one) for one in payments),
    }
    if not any(before.values()):
        return ()
    collected = sum(one.amount for one in payments if one.has_succeeded)
    settled = invoice.total - invoice.credited_before_payment - invoice.amount_remaining if invoice else 0
    paid = Money(max(collected, settled + over.amount), now.currency)
    altogether = Money(sum(before.values()) + now.amount, now.currency)
    parts = " and ".join(f"{Money(amount, now.currency)} {how}" for how, amount in before.items() if amount)
    more = altogether.amount - paid.amount
    too_much = f", so {Money(more, now.currency)} more than was paid" if more > 0 else ""
    says = f"Before this, {parts}. With this it is {altogether} altogether, of {paid} that was paid{too_much}."
    if over.amount:
        says += (
            f" A refund does not take the credit of {over} back. If you refund what was paid too much, take that back."
        )
    return (says,)


def _taken_back(payment: Payment) -> int:
    """Return the minor units that the bank took back, or all of it if no details of the dispute are known."""
    if not is_taken_back(payment):
        return 0
    disputes = [one for one in payment.adjustments.all() if one.kind == Adjustment.Kind.DISPUTE]
    amounts = [one.amount for one in disputes if not one.is_here]
    return sum(amounts) if disputes else payment.amount


def check_amount(amount: int, left: Money, *, instead: str = "") -> None:
    """Check an amount that shall be given back. All that is left can be, whatever it is.

    Raises: AmountInvalid, MoreThanLeft.
    """
    if amount < 1:
        raise errors.AmountInvalid("The amount must be at least one minor unit, such as a cent.")
    if amount > left.amount:
        raise errors.MoreThanLeft(Money(amount, left.currency), left, instead=instead)
    if amount != left.amount:
        check_decimals(amount, left.currency)


def to_what_paid(payment: Payment) -> str:
    """Return where the money of a refund goes, and how long that takes.

    Source: https://docs.stripe.com/refunds
    """
    days = "5 to 10" if method_names.may_be_card(payment.card_brand) else "some"
    return f"Back to {payment.paid_with or 'where it came from'}, within {days} business days."


def warnings_of(payment: Payment, *, stripe_reason: str = "") -> tuple[str, ...]:
    """Return what to know before money goes back with this reason."""
    found = []
    if clock.billing() - payment.created_at > OLD:
        found.append(TOO_OLD)
    if stripe_reason == "fraudulent" and method_names.may_be_card(payment.card_brand):
        found.append(BLOCKS_THE_CARD)
    return tuple(found)
