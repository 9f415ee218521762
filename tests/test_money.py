from decimal import Decimal

import pytest

from billing.money import Money, from_decimal, monthly


@pytest.mark.parametrize(
    ("money", "shown"),
    [
        (Money(19_900, "usd"), "199.00 USD"),
        (Money(-5, "usd"), "-0.05 USD"),
        (Money(1_234_567, "jpy"), "1,234,567 JPY"),
        (Money(1_234_560, "kwd"), "1,234.560 KWD"),
        (Money(0, "usd"), "0.00 USD"),
        (Money(0, ""), "–"),
    ],
)
def test_money_shows_the_decimals_of_its_currency(money, shown):
    assert str(money) == shown


def test_two_currencies_are_never_added():
    with pytest.raises(ValueError, match="cannot add"):
        Money(1, "usd") + Money(1, "eur")


@pytest.mark.parametrize(
    ("amount", "interval", "count", "a_month"),
    [(19_900, "month", 1, 19_900), (199_000, "year", 1, 16_583), (30, "month", 4, 8), (29, "month", 4, 7)],
)
def test_monthly_rounds_half_up_once(amount, interval, count, a_month):
    assert monthly(amount, interval=interval, interval_count=count) == a_month


def test_what_a_person_writes_is_minor_units_of_the_currency():
    assert from_decimal(Decimal("19.90"), "usd") == Money(1_990, "usd")
    assert from_decimal(Decimal("500"), "jpy") == Money(500, "jpy")
    assert (Money(1_990, "usd").decimal, Money(500, "jpy").decimal) == (Decimal("19.90"), Decimal("500"))
    assert from_decimal(Decimal("5.12"), "kwd") == Money(5_120, "kwd")
    for written, currency in (("0.001", "usd"), ("0.5", "jpy"), ("5.125", "kwd")):
        with pytest.raises(ValueError, match="fewer decimals"):
            from_decimal(Decimal(written), currency)
