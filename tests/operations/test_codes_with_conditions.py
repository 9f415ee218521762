"""A code with a condition is refused by the preview as by the operation, and nothing free needs a card.

Source: https://docs.stripe.com/api/promotion_codes/object#promotion_code_object-restrictions
"""

import pytest

from billing import errors
from billing.models import Office, Operation
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.discounts import ApplyDiscount
from billing.operations.subscriptions.payment_link import CreatePaymentLink
from billing.operations.subscriptions.start import StartSubscription
from billing.operations.subscriptions.trial import MoveTrialEnd, RestartPeriod
from tests.at_stripe import a_coupon, made
from tests.conftest import price_id, subscribed_office

REASON = "agreed for the first year"


def a_code(stripe, code, **restrictions):
    given = {f"restrictions[{name}]": value for name, value in restrictions.items()}
    terms = {"promotion[type]": "coupon", "promotion[coupon]": "THIRTY", "code": code}
    return made(stripe, "promotion_codes", **terms, **given)


@pytest.fixture
def codes(stripe):
    a_coupon(stripe, "THIRTY", percent_off=30, duration="once")
    a_code(stripe, "FIRST", first_time_transaction="true")
    a_code(stripe, "BIG", minimum_amount=20_000, minimum_amount_currency="usd")
    a_code(stripe, "ENOUGH", minimum_amount=19_900, minimum_amount_currency="usd")
    a_code(stripe, "EURO", minimum_amount=100, minimum_amount_currency="eur")


def a_start(code, plan="practice-monthly", **given):
    return StartSubscription(price=price_id(plan), coupon=code, payment_method="pm_card_visa", **given)


def fresh(office):
    return Office.objects.get(pk=office.pk)


@pytest.fixture
def returning(stripe, operator, subscribed):
    """An Office that has paid before and has no subscription now."""
    stripe.deliver_and_apply()
    return perform(CancelSubscription(at_period_end=False), subscribed, by=operator, reason=REASON)


def refused_by_both(wanted, office, by, refusal, says):
    with pytest.raises(refusal, match=says):
        preview(wanted, fresh(office), by=by)
    with pytest.raises(refusal, match=says):
        perform(wanted, fresh(office), by=by, reason=REASON)


@pytest.mark.parametrize("code", ["BIG", "EURO"])
@pytest.mark.parametrize("who", ["office", "returning"])
def test_a_price_below_the_minimum_is_refused_by_the_preview_of_a_start_too(
    stripe, operator, request, codes, code, who
):
    office = request.getfixturevalue(who)
    stripe.forget_requests()

    refused_by_both(a_start(code), office, operator, errors.CouponNeedsMore, "199.00 USD")

    assert [one for one in stripe.requests("POST") if not one["path"].endswith("preview")] == []
    assert Operation.objects.first().status == "rejected"


@pytest.mark.parametrize(("code", "quantity"), [("BIG", 5), ("ENOUGH", 5)])
def test_seats_count_for_the_minimum(stripe, operator, office, codes, code, quantity):
    wanted = a_start(code, "seats-monthly", quantity=quantity)  # 5 times 49.00 USD

    assert preview(wanted, office, by=operator).discount.amount == -7_350
    assert perform(wanted, office, by=operator, reason=REASON).subscription_status == "active"


@pytest.mark.parametrize(
    ("code", "refusal"), [("BIG", errors.CouponNeedsMore), ("FIRST", errors.CouponForFirstTime)], ids=str
)
def test_a_running_subscription_gets_no_code_whose_condition_it_does_not_meet(
    stripe, operator, subscribed, codes, code, refusal
):
    refused_by_both(ApplyDiscount(code=code), subscribed, operator, refusal, "code")
    assert stripe.listed("subscriptions")[0]["discounts"] == []


def test_a_running_subscription_gets_a_code_whose_minimum_it_reaches(stripe, operator, subscribed, codes):
    assert preview(ApplyDiscount(code="ENOUGH"), subscribed, by=operator).discount.amount == -5_970
    perform(ApplyDiscount(code="ENOUGH"), subscribed, by=operator, reason=REASON)


@pytest.fixture
def in_euros(stripe):
    a_coupon(stripe, "EUROS", amount_off=5_000, currency="eur", duration="once")
    a_coupon(stripe, "ABROAD", amount_off=5_000, currency="eur", duration="once", **GBP)
    for coupon in ("EUROS", "ABROAD"):
        made(stripe, "promotion_codes", code=f"{coupon}-CODE", **CODE, **{"promotion[coupon]": coupon})


GBP = {"currency_options[gbp][amount_off]": 4_000}
CODE = {"promotion[type]": "coupon"}


@pytest.mark.parametrize(
    ("code", "says"),
    [("EUROS", "in EUR,"), ("EUROS-CODE", "in EUR,"), ("ABROAD", "in EUR or GBP,"), ("ABROAD-CODE", "in EUR or GBP,")],
)
@pytest.mark.parametrize("place", ["start", "start of a customer", "payment link", "running"])
def test_an_amount_of_another_currency_is_refused_everywhere_and_stripe_is_asked_for_nothing(
    stripe, operator, request, in_euros, code, says, place
):
    who = {"start": "office", "payment link": "office", "start of a customer": "returning", "running": "subscribed"}
    office = request.getfixturevalue(who[place])
    stripe.forget_requests()
    if place == "payment link":
        link = CreatePaymentLink(price=price_id("practice-monthly"), coupon=code)
        with pytest.raises(errors.CouponInOtherCurrency, match=says):
            perform(link, fresh(office), by=operator, reason=REASON)
    else:
        wanted = ApplyDiscount(code=code) if place == "running" else a_start(code)
        refused_by_both(wanted, office, operator, errors.CouponInOtherCurrency, says)

    assert stripe.requests("POST") == []
    assert Operation.objects.first().status == "rejected"


def test_a_code_for_the_first_time_is_not_for_who_has_paid(stripe, operator, returning, codes):
    refused_by_both(a_start("FIRST"), returning, operator, errors.CouponForFirstTime, "not paid before")


def test_a_code_for_the_first_time_is_for_who_has_not(stripe, operator, office, codes):
    assert preview(a_start("FIRST"), office, by=operator).discount.amount == -5_970
    assert perform(a_start("FIRST"), office, by=operator, reason=REASON).subscription_status == "active"


def test_a_payment_link_is_not_made_with_a_code_that_would_be_refused(stripe, operator, office, codes):
    with pytest.raises(errors.CouponNeedsMore):
        perform(CreatePaymentLink(price=price_id("practice-monthly"), coupon="BIG"), office, by=operator, reason=REASON)
    assert stripe.listed("checkout/sessions") == []


# --- nothing to charge, now and later


FREE = [{"percent_off": 100, "duration": "forever"}, {"amount_off": 19_900, "currency": "usd", "duration": "forever"}]
NOT_FREE = [
    {"percent_off": 100, "duration": "once"},
    {"percent_off": 100, "duration": "repeating", "duration_in_months": 2},
    {"percent_off": 99, "duration": "forever"},
    {"amount_off": 19_899, "currency": "usd", "duration": "forever"},
]


@pytest.mark.parametrize("terms", FREE, ids=str)
def test_what_is_free_for_ever_starts_without_a_card(stripe, operator, office, terms):
    a_coupon(stripe, "GIFT", **terms)
    wanted = StartSubscription(price=price_id("practice-monthly"), coupon="GIFT")

    assert preview(wanted, office, by=operator).charged.amount == 0
    office = perform(wanted, office, by=operator, reason=REASON)

    assert (office.subscription_status, office.has_payment_method) == ("active", False)
    assert preview(RestartPeriod(), office, by=operator).charged.amount == 0
    assert perform(RestartPeriod(), office, by=operator, reason=REASON).subscription_status == "active"
    assert stripe.listed("charges") == []


@pytest.mark.parametrize("terms", NOT_FREE, ids=str)
def test_what_is_charged_later_needs_a_card_now(stripe, operator, office, terms):
    a_coupon(stripe, "GIFT", **terms)

    with pytest.raises(errors.PaymentMethodRequired):
        perform(
            StartSubscription(price=price_id("practice-monthly"), coupon="GIFT"), office, by=operator, reason=REASON
        )

    assert Operation.objects.get().status == "rejected"
    assert stripe.listed("customers") == []


@pytest.mark.parametrize("terms", [*FREE, *NOT_FREE], ids=str)
def test_a_trial_ends_without_a_card_only_if_nothing_is_charged_after_it(stripe, operator, office, terms):
    a_coupon(stripe, "GIFT", **terms)
    start = StartSubscription(price=price_id("practice-monthly"), trial_days=14)
    office = perform(start, office, by=operator, reason=REASON)
    office = perform(ApplyDiscount(code="GIFT"), office, by=operator, reason=REASON)

    if terms in FREE:
        assert preview(MoveTrialEnd(at=None), office, by=operator).charged.amount == 0
        assert perform(MoveTrialEnd(at=None), office, by=operator, reason=REASON).subscription_status == "active"
    else:
        with pytest.raises(errors.PaymentMethodRequired):
            perform(MoveTrialEnd(at=None), office, by=operator, reason=REASON)


def test_a_card_is_still_charged_where_there_is_one(stripe, operator, office):
    a_coupon(stripe, "HALF", percent_off=50, duration="forever")
    office = subscribed_office(office, by=operator, coupon="HALF")
    assert office.invoices.get().amount_paid == 9_950
