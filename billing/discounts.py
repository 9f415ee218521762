"""What a discount takes off, in our own words. The name that a person gave it at Stripe is never used. Pure."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from billing import zones
from billing.money import Money


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount: a percentage or, if ``percent`` is None, an amount.

    ``duration`` is once, repeating or forever. ``months`` counts from when the discount is redeemed. ``until`` is known
    only after that.
    """

    percent: Decimal | None
    amount: Money
    duration: str
    months: int | None = None
    until: datetime | None = None

    def in_words(self, zone: str) -> str:
        """Describe it, with its last day in this time zone."""
        off = f"{self.percent.normalize():f} % off" if self.percent is not None else f"{self.amount} off"
        return f"{off}, {self._lasts(zone)}"

    def _lasts(self, zone: str) -> str:
        if self.until:
            return f"until {zones.last_day(self.until, zone)}"
        if self.duration == "once":
            return "once"
        if self.duration == "repeating" and self.months:
            return "for a month" if self.months == 1 else f"for {self.months} months"
        return "without an end"

    def taken_off(self, price: Money) -> Money:
        """Return what the discount takes off this price. An amount takes off at most the price, in its own currency.

        A percentage is rounded half up, once, here.

        Raises:
            ValueError: the discount is an amount in another currency.
        """
        if self.percent is not None:
            exact = Decimal(price.amount) * self.percent / 100
            return Money(int(exact.quantize(Decimal(1), ROUND_HALF_UP)), price.currency)
        if self.amount.currency != price.currency:
            raise ValueError(f"cannot take {self.amount.currency} off {price.currency}")
        return Money(min(self.amount.amount, price.amount), price.currency)
