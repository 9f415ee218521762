"""Discounts are chosen from Stripe's list of coupons, typed as a code, or made here for one Office."""

import pytest

from billing.models import Operation, Subscription
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.cancel import CancelSubscription
from tests.admin.test_offices import page, signed_in
from tests.admin.test_terms import confirmed, sent
from tests.at_stripe import a_coupon, a_promotion_code


@pytest.fixture
def coupons(stripe):
    a_coupon(stripe, "FIFTH", percent_off=20, duration="repeating", duration_in_months=3)
    a_coupon(stripe, "FIFTY", amount_off=5_000, currency="usd", duration="once")
    a_coupon(stripe, "EURO", amount_off=5_000, currency="eur", duration="forever")
    a_promotion_code(stripe, "WELCOME", "FIFTH")


def choices(client, place):
    return dict(client.get(place).context["form"].fields["coupon"].choices)


def test_the_coupons_are_listed_in_words_with_one_request(stripe, operator, subscribed, coupons):
    client = signed_in(operator.user)
    stripe.forget_requests()

    listed = choices(client, page("apply-discount/", subscribed))

    assert listed["FIFTH"] == "20 % off, for 3 months (FIFTH)"
    assert listed["FIFTY"] == "50.00 USD off, once (FIFTY)"
    assert "EURO" not in listed  # it takes off nothing in the subscription's currency
    assert [one["path"] for one in stripe.requests()] == ["/v1/coupons"]


def test_a_coupon_of_the_list_is_given(stripe, operator, subscribed, coupons):
    seen, done = confirmed(operator, "apply-discount/", subscribed, coupon="FIFTH")

    assert "20 % off, for 3 months" in seen
    assert "Give a discount: done" in done
    assert Subscription.objects.get().discount_percent == 20


def test_a_promotion_code_is_typed_instead(stripe, operator, subscribed, coupons):
    assert "Give a discount: done" in confirmed(operator, "apply-discount/", subscribed, code="WELCOME")[1]


@pytest.mark.parametrize("given", [{}, {"coupon": "FIFTH", "code": "WELCOME"}])
def test_one_of_the_two_is_given(stripe, operator, subscribed, coupons, given):
    assert "one of the two" in sent(operator, "apply-discount/", subscribed, **given).content.decode()


def test_without_an_answer_of_stripes_a_code_can_be_typed(stripe, operator, subscribed, coupons):
    for _ in range(4):
        stripe.fail_next("503", method="GET", path_prefix="/v1/coupons")
    shown = signed_in(operator.user).get(page("apply-discount/", subscribed))

    assert shown.status_code == 200
    assert 'name="code"' in shown.content.decode()


def test_the_form_of_a_start_suggests_the_coupons(stripe, operator, office, coupons):
    shown = signed_in(operator.user).get(page("subscribe/", office)).content.decode()

    assert '<option value="FIFTH">20 % off, for 3 months</option>' in shown
    assert 'list="suggested_coupon"' in shown


def test_ten_percent_for_three_months_are_made_and_given(stripe, operator, subscribed):
    form = {"off": "percent", "percent": "10", "lasts": "months", "months": "3"}
    seen, done = confirmed(operator, "make-discount/", subscribed, **form)

    assert "10 % off, for 3 months" in seen
    assert "179.10 USD" in seen  # 199.00 less 19.90
    assert "Make a discount: done" in done
    row = Subscription.objects.get()
    assert (row.discount_percent, row.discount_duration) == (10, "repeating")
    (coupon,) = stripe.listed("coupons")
    assert (coupon["percent_off"], coupon["duration_in_months"], coupon["max_redemptions"]) == (10, 3, 1)
    assert coupon["name"] is None
    stripe.advance(days=32)
    assert stripe.listed("invoices")[0]["amount_paid"] == 17_910


def test_fifty_dollars_once_are_made_and_given(stripe, operator, subscribed):
    seen, _ = confirmed(operator, "make-discount/", subscribed, off="amount", amount="50.00", lasts="once")

    assert "149.00 USD" in seen
    stripe.advance(days=32)
    assert stripe.listed("invoices")[0]["amount_paid"] == 14_900
    stripe.advance(days=31)
    assert stripe.listed("invoices")[0]["amount_paid"] == 19_900


def test_it_is_confirmed_once(stripe, operator, subscribed):
    form = {"off": "percent", "percent": "10", "lasts": "once"}
    as_of = sent(operator, "make-discount/", subscribed, **form).context["preview"].as_of.isoformat()
    for _ in range(2):
        sent(operator, "make-discount/", subscribed, **form, confirmed="yes", as_of=as_of)

    assert len(stripe.listed("coupons")) == 1


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"off": "percent", "lasts": "once"}, "Type a number"),
        ({"off": "percent", "percent": "101", "lasts": "once"}, "less than or equal to 100"),
        ({"off": "amount", "amount": "0", "lasts": "once"}, "above zero"),
        ({"off": "amount", "amount": "1.005", "lasts": "once"}, "decimal"),
        ({"off": "percent", "percent": "10", "lasts": "months"}, "Type a number"),
    ],
)
def test_what_is_no_discount_is_refused_on_the_form(stripe, operator, subscribed, form, told):
    assert told in sent(operator, "make-discount/", subscribed, **form).content.decode()
    assert not Operation.objects.filter(kind="make_discount").exists()


def test_what_stripe_refuses_leaves_no_coupon_behind(stripe, operator, subscribed):
    form = {"off": "percent", "percent": "10", "lasts": "once"}
    as_of = sent(operator, "make-discount/", subscribed, **form).context["preview"].as_of.isoformat()
    stripe.post(f"subscriptions/{subscribed.payment_provider_subscription_id}", cancel_at_period_end="true")
    stripe.delete(f"subscriptions/{subscribed.payment_provider_subscription_id}")

    sent(operator, "make-discount/", subscribed, **form, confirmed="yes", as_of=as_of)

    assert Operation.objects.get(kind="make_discount").status == "rejected"
    assert stripe.listed("coupons") == []


def test_neither_is_offered_where_no_invoice_follows(stripe, operator, subscribed):
    perform(CancelSubscription(), subscribed, by=operator, reason="closing")
    shown = signed_in(operator.user).get(page("change/", subscribed)).content.decode()

    assert "apply-discount" not in shown
    assert "make-discount" not in shown
