"""What is too little to be charged is put off until the next invoice, and each preview says so.

Source: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts and
https://docs.stripe.com/billing/customer/balance
"""

import pytest

from billing import errors
from billing.models import Office
from billing.money import LEAST_CHARGE, Money, is_too_little
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.money.charges import ChargeOffice
from billing.operations.offices.customer import EnsureCustomer
from billing.operations.subscriptions.change import ChangeSubscription
from billing.operations.subscriptions.discounts import ApplyDiscount
from billing.operations.subscriptions.start import StartSubscription
from tests.at_stripe import a_coupon
from tests.conftest import price_id
from tests.operations.test_charges import credit

REASON = "agreed by phone"
SAYS = "0.49 USD is too little for Stripe to charge. It charges at least 0.50 USD. The invoice counts as paid"
# copied by hand from the table of Stripe's page
PAGE = """
USD 0.50, AED 2.00, AUD 0.50, BGN 1.00, BRL 0.50, CAD 0.50, CHF 0.50, CZK 15.00, DKK 2.50, EUR 0.50, GBP 0.30, HKD 4.00,
HUF 175.00, INR 0.50, JPY 50, MXN 10.00, MYR 2.00, NOK 3.00, NZD 0.50, PLN 2.00, RON 2.00, SEK 3.00, SGD 0.50, THB 10.00
"""


def fresh(office):
    return Office.objects.get(pk=office.pk)


def owed_with_the_next(office):
    return -fresh(office).credit_balance


def test_the_table_is_the_one_of_the_page():
    page = dict(one.split() for one in PAGE.replace("\n", " ").split(","))
    assert {name.upper(): str(Money(least, name).decimal) for name, least in LEAST_CHARGE.items()} == page


@pytest.mark.parametrize(
    ("currency", "amount", "little"),
    [
        ("usd", 0, False),
        ("usd", 1, True),
        ("usd", 49, True),
        ("usd", 50, False),
        ("huf", 17_499, True),
        ("huf", 17_500, False),
        ("jpy", 49, True),
        ("usd", -20, False),
        ("cop", 1, False),  # not on the page: nobody knows
    ],
)
def test_what_is_too_little(currency, amount, little):
    assert is_too_little(amount, currency) is little


@pytest.mark.parametrize("days", [0, 14])
@pytest.mark.parametrize(("left", "is_charged"), [(49, False), (50, True)])
def test_what_credit_leaves_of_a_charge(stripe, operator, subscribed, days, left, is_charged):
    credit(stripe, subscribed, 25_000 - left)
    wanted = ChargeOffice(charge="training", amount=25_000, days_until_due=days)

    seen = preview(wanted, fresh(subscribed), by=operator)
    invoice = perform(wanted, fresh(subscribed), by=operator, reason=REASON)
    stripe.deliver_and_apply()

    assert (seen.charged.amount, seen.put_off.amount) == ((left, 0) if is_charged else (0, left))
    assert (SAYS in seen.says) is not is_charged
    assert invoice.amount_paid + invoice.amount_remaining == seen.charged.amount
    assert owed_with_the_next(subscribed) == seen.put_off.amount


@pytest.mark.parametrize("known", [False, True], ids=["reckoned here", "reckoned by Stripe"])
@pytest.mark.parametrize(("left", "is_charged"), [(49, False), (50, True)])
def test_what_a_discount_leaves_of_a_start(stripe, operator, office, known, left, is_charged):
    a_coupon(stripe, "MUCH", amount_off=19_900 - left, currency="usd", duration="once")
    if known:
        office = perform(EnsureCustomer(), office, by=operator, reason=REASON)
    wanted = StartSubscription(price=price_id("practice-monthly"), coupon="MUCH", payment_method="pm_card_visa")

    seen = preview(wanted, office, by=operator)
    office = perform(wanted, fresh(office), by=operator, reason=REASON)
    stripe.deliver_and_apply()

    assert (seen.charged.amount, seen.put_off.amount) == ((left, 0) if is_charged else (0, left))
    assert (SAYS in seen.says) is not is_charged
    assert office.subscription_status == "active"
    assert [one["amount"] for one in stripe.listed("charges")] == [left] * is_charged
    assert owed_with_the_next(office) == seen.put_off.amount


def test_what_a_discount_leaves_of_a_renewal(stripe, operator, subscribed):
    a_coupon(stripe, "MUCH", amount_off=19_851, currency="usd", duration="once")

    seen = preview(ApplyDiscount(code="MUCH"), subscribed, by=operator)

    assert (seen.charged.amount, seen.put_off.amount, SAYS in seen.says) == (0, 49, True)
    perform(ApplyDiscount(code="MUCH"), subscribed, by=operator, reason=REASON)
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    assert owed_with_the_next(subscribed) == 49


def test_the_renewal_after_it_asks_for_it_too(stripe, operator, subscribed):
    credit(stripe, subscribed, -49)

    seen = preview(ChangeSubscription(price=price_id("practice-yearly")), fresh(subscribed), by=operator)

    assert (seen.put_off.amount, seen.charged.amount) == (0, seen.total.amount + 49)


@pytest.mark.parametrize(("currency", "least"), [("usd", 100), ("huf", 17_500), ("mxn", 1_000), ("jpy", 100)])
def test_a_charge_is_at_least_what_stripe_charges(stripe, operator, subscribed, currency, least):
    Office.objects.filter(pk=subscribed.pk).update(currency=currency)

    with pytest.raises(errors.AmountOutOfBounds, match=str(Money(least, currency))):
        preview(ChargeOffice(charge="training", amount=least - 1), fresh(subscribed), by=operator)
    assert preview(ChargeOffice(charge="training", amount=least), fresh(subscribed), by=operator).total.amount == least
