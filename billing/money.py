"""Money: integer minor units and a lower-case ISO currency, always together.

Source: https://docs.stripe.com/currencies#zero-decimal
"""

from dataclasses import dataclass

ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()
)  # no decimals in Stripe's API


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency, in its minor units (cents; whole yen)."""

    amount: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)

    def times(self, count: int) -> "Money":
        return Money(self.amount * count, self.currency)

    def __str__(self) -> str:
        if not self.currency:
            return "–"
        if self.currency in ZERO_DECIMAL:
            return f"{self.amount:,} {self.currency.upper()}"
        sign = "-" if self.amount < 0 else ""
        whole, cents = divmod(abs(self.amount), 100)
        return f"{sign}{whole:,}.{cents:02} {self.currency.upper()}"


MONTHS_PER_INTERVAL = {"month": 1, "year": 12}


def monthly(amount: int, *, interval: str, interval_count: int) -> int:
    """The minor units that ``amount`` per interval comes to in a month, rounded half up, once, here."""
    months = MONTHS_PER_INTERVAL[interval] * interval_count
    return (2 * amount + months) // (2 * months)
