"""Money: whole minor units and a lower-case ISO currency, always together.

Source: https://docs.stripe.com/currencies#zero-decimal, #three-decimal, #special-cases and
#minimum-and-maximum-charge-amounts
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()
)  # no decimals in Stripe's API
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())  # the last decimal is always 0
TWO_DECIMAL = frozenset(
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd btn bwp byn bzd cad cdf chf cny cop "
    "crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes "
    "kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mru mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd "
    "pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std svc szl thb tjs top try ttd twd "
    "tzs uah ugx usd uyu uzs wst xcd xcg yer zar zmw".split()
)
CURRENCIES = TWO_DECIMAL | ZERO_DECIMAL | THREE_DECIMAL
WHOLE = frozenset({"isk", "ugx"})  # have no decimals, but Stripe's API has two, which are always 00

LEAST_CHARGE = {
    **dict.fromkeys("aud brl cad chf eur inr jpy nzd sgd usd".split(), 50),
    **{"gbp": 30, "bgn": 100, "aed": 200, "myr": 200, "pln": 200, "ron": 200, "dkk": 250, "nok": 300, "sek": 300},
    **{"hkd": 400, "mxn": 1_000, "thb": 1_000, "czk": 1_500, "huf": 17_500},
}
"""The least that Stripe charges, in minor units, of an account that is paid out in this currency.

For a charge that Stripe converts, the least amount is that of the currency it is converted to. We do not know that one.
"""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency, in its minor units (cents for dollars, yen for yen)."""

    amount: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)

    def times(self, count: int) -> "Money":
        return Money(self.amount * count, self.currency)

    @property
    def decimal(self) -> Decimal:
        """Return the amount as a person writes it: 19.90, or 5 in a currency without decimals."""
        if self.currency in WHOLE and not self.amount % 100:
            return Decimal(self.amount // 100)
        return Decimal(self.amount).scaleb(-decimals(self.currency))

    def __str__(self) -> str:
        if not self.currency:
            return "–"
        return f"{self.decimal:,} {self.currency.upper()}"


def of_each(sums: Mapping[str, int]) -> list[Money]:
    """Return an amount for each currency, in the order of their names. ``sums`` are minor units by currency."""
    return [Money(amount, currency) for currency, amount in sorted(sums.items())]


def summed(amounts: Iterable[Money]) -> list[Money]:
    """Return the sum of each currency, in the order of their names. Two currencies are never added."""
    sums: dict[str, int] = {}
    for one in amounts:
        sums[one.currency] = sums.get(one.currency, 0) + one.amount
    return of_each(sums)


def decimals(currency: str) -> int:
    """Return how many decimals the amounts have in Stripe's API.

    Forints (HUF) and new Taiwan dollars (TWD) have two: their special case is about payouts only.
    """
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def from_decimal(written: Decimal, currency: str) -> Money:
    """Return the amount that a person wrote as 19.90.

    Raises:
        ValueError: it is no number, or it has more decimals than Stripe takes.
    """
    if not written.is_finite():
        raise ValueError("no amount")
    minor = written.scaleb(decimals(currency))
    if minor % _step(currency):
        raise ValueError(_fewer_decimals(currency))
    return Money(int(minor), currency)


def why_not_taken(amount: int, currency: str) -> str:
    """Return why Stripe takes no such amount of minor units in this currency, or an empty text if it does."""
    step = _step(currency)
    if not amount % step:
        return ""
    return f"{_fewer_decimals(currency)} The minor units must be a multiple of {step}."


def least_charge(currency: str) -> int:
    """Return the least that can be charged, in minor units. Where Stripe's list has none, it is one step."""
    return LEAST_CHARGE.get(currency, _step(currency))


def is_too_little(amount: int, currency: str) -> bool:
    """Return whether Stripe charges nothing for an invoice of which so many minor units are due.

    It marks the invoice as paid, and adds the amount to the customer's balance as a debt: the next invoice asks for it.
    Source: https://docs.stripe.com/billing/customer/balance
    """
    return 0 < amount < least_charge(currency)


def _step(currency: str) -> int:
    """Return the minor units of which every amount is a multiple."""
    if currency in WHOLE:
        return 100
    return 10 if currency in THREE_DECIMAL else 1


def _fewer_decimals(currency: str) -> str:
    return f"{currency.upper()} has fewer decimals than that: {_decimals_in_words(currency)}."


def _decimals_in_words(currency: str) -> str:
    if currency in ZERO_DECIMAL | WHOLE:
        return "none"
    return "three, the last always 0" if currency in THREE_DECIMAL else "at most two"


def credit_in_words(credit: Money) -> str:
    """Describe the credit. Above zero, it is in the payer's favour."""
    if credit.amount == 0:
        return "no credit"
    if credit.amount > 0:
        return f"{credit} credit"
    return f"{Money(-credit.amount, credit.currency)} owed with the next invoice"


INTERVALS_PER_YEAR = {"day": 365, "week": 52, "month": 12, "year": 1}


def monthly(amount: int, *, interval: str, interval_count: int) -> int:
    """Return the minor units a month for ``amount`` per interval, rounded half up, once, here.

    A year has 365 days, 52 weeks or 12 months.
    """
    a_year, months = amount * INTERVALS_PER_YEAR[interval], 12 * interval_count
    return (2 * a_year + months) // (2 * months)
