from decimal import Decimal

import pytest

from billing.money import Money, from_decimal, monthly, of_each, summed, why_not_taken


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


SPECIAL = [
    # typed, currency, what Stripe's API is sent, what is shown
    ("5", "ugx", 500, "5 UGX"),
    ("5.00", "ugx", 500, "5 UGX"),
    ("5.50", "ugx", None, "UGX has fewer decimals than that: none"),
    ("38500", "ugx", 3_850_000, "38,500 UGX"),
    ("5", "isk", 500, "5 ISK"),
    ("5.50", "isk", None, "ISK has fewer decimals than that: none"),
    ("5", "huf", 500, "5.00 HUF"),
    ("5.50", "huf", 550, "5.50 HUF"),
    ("5", "twd", 500, "5.00 TWD"),
    ("5.50", "twd", 550, "5.50 TWD"),
    ("5", "jpy", 5, "5 JPY"),
    ("5.5", "jpy", None, "JPY has fewer decimals than that: none"),
    ("5", "krw", 5, "5 KRW"),
    ("5", "kwd", 5_000, "5.000 KWD"),
    ("5.12", "kwd", 5_120, "5.120 KWD"),
    ("5.124", "kwd", None, "KWD has fewer decimals than that: three, the last always 0"),
    ("5.12", "bhd", 5_120, "5.120 BHD"),
    ("5.12", "jod", 5_120, "5.120 JOD"),
    ("5.12", "omr", 5_120, "5.120 OMR"),
    ("5.12", "tnd", 5_120, "5.120 TND"),
    ("0", "ugx", 0, "0 UGX"),
    ("-5", "isk", -500, "-5 ISK"),
    ("5.5", "usd", 550, "5.50 USD"),
]
"""By hand, from https://docs.stripe.com/currencies#special-cases, #zero-decimal and #three-decimal."""


@pytest.mark.parametrize(("typed", "currency", "sent", "shown"), SPECIAL)
def test_each_currency_has_its_own_rules(typed, currency, sent, shown):
    if sent is None:
        with pytest.raises(ValueError, match=shown):
            from_decimal(Decimal(typed), currency)
        return
    money = from_decimal(Decimal(typed), currency)
    assert (money.amount, str(money)) == (sent, shown)
    assert why_not_taken(sent, currency) == ""


@pytest.mark.parametrize(
    ("amount", "currency", "step"), [(550, "isk", 100), (5, "ugx", 100), (1, "ugx", 100), (5_124, "kwd", 10)]
)
def test_minor_units_that_a_currency_does_not_have_are_refused_in_words(amount, currency, step):
    why = why_not_taken(amount, currency)

    assert currency.upper() in why
    assert f"a multiple of {step}" in why


def test_what_stripe_shows_is_shown_also_if_the_currency_does_not_have_it():
    assert str(Money(550, "isk")) == "5.50 ISK"


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


def test_sums_are_of_one_currency_each_and_in_the_order_of_their_names():
    amounts = [Money(200, "usd"), Money(5, "jpy"), Money(-50, "usd"), Money(0, "eur")]

    assert summed(amounts) == [Money(0, "eur"), Money(5, "jpy"), Money(150, "usd")]
    assert of_each({"usd": 1, "eur": -2}) == [Money(-2, "eur"), Money(1, "usd")]
    assert summed([]) == of_each({}) == []
