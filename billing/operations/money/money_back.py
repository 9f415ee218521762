"""Money that goes back: what refunds and credit notes have in common."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing import clock, errors
from billing.models import Adjustment, Payment
from billing.models.statuses import DISPUTE_UNDECIDED
from billing.money import Money, why_not_taken
from billing.operations.engine import reasons
from billing.operations.engine.declaration import FILLED_IN, asked_for

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
        default=None, metadata=asked_for("Minor units, including tax. Default: all that is left")
    )
    stripe_reason: str = field(default="", metadata=FILLED_IN)

    @property
    def exact_amount(self) -> int:
        if self.amount is None:
            raise ValueError("The amount is known once the request is prepared.")
        return self.amount


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """Show what would be given back, and what remains. ``goes_to`` says where it goes. Read ``warnings`` first.

    ``amount`` includes ``tax``. ``remains`` can still be given back or credited. For an open invoice it is still due.
    ``is_given_back`` says that the amount goes back to the card. Otherwise it is credited. Confirmed with ``as_of``, it
    is done once, even if the confirmation is sent many times.
    """

    amount: Money
    tax: Money
    remains: Money
    remains_as: str
    goes_to: tuple[str, ...]
    warnings: tuple[str, ...]
    is_given_back: bool
    as_of: datetime


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


def check_decimals(amount: int, currency: str) -> None:
    """Check that the currency has this amount: Stripe takes no fraction of a króna. Raises: AmountInvalid."""
    if why := why_not_taken(amount, currency):
        raise errors.AmountInvalid(why)


def to_the_card(payment: Payment) -> str:
    card = f"the card {payment.card_brand} …{payment.card_last4}" if payment.card_last4 else "the payment method"
    return f"Back to {card} that paid, within 5 to 10 business days."


def warnings_of(payment: Payment, *, stripe_reason: str = "") -> tuple[str, ...]:
    """Return what to know before money goes back to the card with this reason."""
    found = []
    if clock.billing() - payment.created_at > OLD:
        found.append(TOO_OLD)
    if stripe_reason == "fraudulent":
        found.append(BLOCKS_THE_CARD)
    return tuple(found)
