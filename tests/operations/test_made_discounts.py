"""A discount that is made for one Office: its preview, which is calculated here, is what the next invoice charges."""

import pytest

from billing import errors
from billing.models import Invoice, Subscription
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.money.credit import AdjustCredit
from billing.operations.subscriptions.discounts import ApplyDiscount, MakeDiscount
from billing.stripe_api import gateway
from tests.at_stripe import LOST, a_coupon, settled_after
from tests.conftest import subscribed_office
from tests.operations.test_tax_within import ON_TOP, WITHIN, taxed

REASON = "agreed for the first year"


# 10 % off 199.00 are 179.10. 20 % within it are 29.85, and on top of it 35.82. Credit of 100.00 is used first.
@pytest.mark.parametrize(
    ("inclusive", "credit", "tax", "total", "charged"),
    [
        ([], 0, 0, 17_910, 17_910),
        (WITHIN, 0, 2_985, 17_910, 17_910),
        (ON_TOP, 0, 3_582, 21_492, 21_492),
        ([], 10_000, 0, 17_910, 7_910),
    ],
)
def test_the_next_invoice_charges_what_was_shown(stripe, operator, subscribed, inclusive, credit, tax, total, charged):
    taxed(stripe, subscribed, inclusive)
    if credit:
        perform(AdjustCredit(amount=credit), subscribed, by=operator, reason=REASON)
    wanted = MakeDiscount(percent=10, lasts="months", months=3)

    seen = preview(wanted, subscribed, by=operator)
    assert (seen.tax.amount, seen.total.amount, seen.charged.amount) == (tax, total, charged)
    assert seen.discount.amount == -1_990

    perform(wanted, subscribed, by=operator, reason=REASON)
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    invoice = Invoice.objects.get(kind="cycle")
    assert (invoice.tax, invoice.total, invoice.amount_paid) == (tax, total, charged)


def test_an_amount_takes_off_at_most_what_is_charged(stripe, operator, subscribed):
    seen = preview(MakeDiscount(amount=50_000), subscribed, by=operator)

    assert (seen.discount.amount, seen.total.amount, seen.charged.amount) == (-19_900, 0, 0)


def test_it_replaces_the_present_discount_and_says_so(stripe, operator, subscribed):
    a_coupon(stripe, "FIFTH", percent_off=20, duration="forever")
    perform(ApplyDiscount(code="FIFTH"), subscribed, by=operator, reason=REASON)

    seen = preview(MakeDiscount(percent=10), subscribed, by=operator)
    perform(MakeDiscount(percent=10), subscribed, by=operator, reason=REASON)

    assert seen.says == "Discount: 10 % off, once. It replaces: 20 % off, without an end."
    assert seen.charged.amount == 17_910
    assert Subscription.objects.get().discount_percent == 10


@pytest.mark.parametrize(
    "wanted",
    [
        MakeDiscount(),
        MakeDiscount(percent=10, amount=1_000),
        MakeDiscount(percent=0),
        MakeDiscount(percent=101),
        MakeDiscount(amount=0),
        MakeDiscount(amount=1_000_001),
        MakeDiscount(percent=10, lasts="months"),
        MakeDiscount(percent=10, lasts="months", months=37),
    ],
    ids=str,
)
def test_what_is_no_discount_is_refused_before_stripe_is_asked(stripe, operator, subscribed, wanted):
    stripe.forget_requests()
    for act in (
        lambda: preview(wanted, subscribed, by=operator),
        lambda: perform(wanted, subscribed, by=operator, reason=REASON),
    ):
        with pytest.raises(errors.DiscountInvalid):
            act()
    assert stripe.requests() == []


def test_an_amount_is_of_the_subscriptions_currency(stripe, operator, office):
    office = subscribed_office(office, by=operator, plan="practice-euro")
    perform(MakeDiscount(amount=5_000), office, by=operator, reason=REASON)

    (coupon,) = stripe.listed("coupons")
    assert (coupon["amount_off"], coupon["currency"], coupon["duration"]) == (5_000, "eur", "once")


@pytest.mark.parametrize("path", ["/v1/coupons", "/v1/subscriptions/"])
@pytest.mark.parametrize("how", LOST)
def test_an_answer_that_is_lost_leaves_one_coupon_with_its_discount_or_none(stripe, operator, subscribed, how, path):
    wanted = MakeDiscount(percent=10)
    operation = settled_after(stripe, how, lambda: perform(wanted, subscribed, by=operator, reason=REASON), path)

    done = how != "500_after"  # Stripe answers that again under the same key
    assert operation.status == ("succeeded" if done else "abandoned")
    assert len(stripe.listed("coupons")) == int(done)
    assert Subscription.objects.get().discount_percent == (10 if done else None)
    assert gateway.coupons.on_offer() == []  # it was redeemed, and nobody else can redeem it
