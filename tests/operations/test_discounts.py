from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from billing import errors
from billing.discounts import Discount
from billing.models import Office, Operation, Subscription
from billing.money import Money
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.offices.customer import EnsureCustomer
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.discounts import ApplyDiscount, RemoveDiscount
from billing.operations.subscriptions.start import StartSubscription
from billing.stripe_api.gateway import lists
from billing.stripe_api.inbound.states import SubscriptionState
from tests.at_stripe import LOST, a_coupon, a_promotion_code, made, settled_after
from tests.conftest import price, price_id, subscribed_office

REASON = "agreed for the first year"


@pytest.fixture
def coupons(stripe):
    a_coupon(stripe, "FIFTH", percent_off=20, duration="repeating", duration_in_months=3)
    a_coupon(stripe, "FIFTY", amount_off=5_000, currency="usd", duration="forever")
    a_coupon(stripe, "EURO", amount_off=5_000, currency="eur", duration="forever")
    a_promotion_code(stripe, "WELCOME", "FIFTH")
    a_coupon(stripe, "SINGLE", percent_off=12.5, duration="once", max_redemptions=1)


@pytest.fixture
def discounted(operator, subscribed, coupons):
    return perform(ApplyDiscount(code="FIFTY"), subscribed, by=operator, reason=REASON)


def row(office):
    return Subscription.objects.get(office=office)


def test_a_discount_is_taken_off_the_next_invoice_as_it_was_shown(stripe, operator, subscribed, coupons):
    seen = preview(ApplyDiscount(code="welcome"), subscribed, by=operator)
    office = perform(ApplyDiscount(code="welcome"), subscribed, by=operator, reason=REASON)

    assert (seen.now, seen.at, seen.says) == (False, office.current_period_end, "Discount: 20 % off, for 3 months.")
    assert (seen.discount, seen.charged) == (Money(-3_980, "usd"), Money(15_920, "usd"))
    until = row(office).discount_until
    local = until.astimezone(ZoneInfo("America/New_York"))
    assert str(row(office).discount) == f"20 % off, until {local.day} {local:%B %Y} (America/New_York)"
    assert row(office).discount_percent == 20
    stripe.advance(days=32)
    assert stripe.listed("invoices")[0]["amount_paid"] == seen.charged.amount


def test_what_somebody_typed_at_stripe_is_not_kept(stripe, operator, discounted):
    values = Subscription.objects.values().get(office=discounted)

    assert row(discounted).discount == "50.00 USD off, without an end"
    assert "Typed by somebody" not in str(values)


def test_another_discount_takes_the_place_of_the_first(stripe, operator, discounted):
    perform(ApplyDiscount(code="FIFTH"), discounted, by=operator, reason=REASON)

    assert (row(discounted).discount_count, row(discounted).discount_percent) == (1, 20)


def test_several_that_somebody_gave_at_stripe_are_counted(stripe, operator, discounted):
    named = {"discounts[0][coupon]": "FIFTY", "discounts[1][coupon]": "FIFTH"}
    made(stripe, f"subscriptions/{discounted.payment_provider_subscription_id}", **named)
    stripe.deliver_and_apply()

    assert row(discounted).discount == "50.00 USD off, without an end, and 1 more"


def test_a_discount_that_is_removed_is_charged_again_as_it_was_shown(stripe, operator, discounted):
    seen = preview(RemoveDiscount(), discounted, by=operator)
    perform(RemoveDiscount(), discounted, by=operator, reason="the year is over")

    assert seen.charged == Money(19_900, "usd")
    assert row(discounted).discount == ""
    stripe.advance(days=32)
    assert stripe.listed("invoices")[0]["amount_paid"] == 19_900


def test_one_that_runs_out_by_itself_is_gone_from_our_rows(stripe, operator, subscribed, coupons):
    perform(ApplyDiscount(code="FIFTH"), subscribed, by=operator, reason=REASON)
    for _ in range(4):
        stripe.advance(days=31)
        stripe.deliver_and_apply()

    assert row(subscribed).discount == ""


@pytest.mark.parametrize("code", ["NEVER", "no such/code", "../customers", "EXPIRED"])
def test_a_code_that_stripe_does_not_have_changes_nothing(stripe, operator, subscribed, coupons, code):
    a_promotion_code(stripe, "EXPIRED", "FIFTH", active="false")
    with pytest.raises(errors.CouponUnknown):
        preview(ApplyDiscount(code=code), subscribed, by=operator)
    with pytest.raises(errors.CouponUnknown):
        perform(ApplyDiscount(code=code), subscribed, by=operator, reason=REASON)

    assert Operation.objects.get(kind="apply_discount").status == "rejected"
    assert row(subscribed).discount == ""


def test_an_amount_of_several_currencies_is_the_one_of_the_subscription_everywhere(stripe, operator, subscribed):
    """Source: https://docs.stripe.com/api/coupons/object#coupon_object-currency_options"""
    options = {"currency_options[usd][amount_off]": 4_000, "currency_options[gbp][amount_off]": 3_000}
    a_coupon(stripe, "BOTH", amount_off=5_000, currency="eur", duration="forever", **options)
    a_promotion_code(stripe, "BOTHCODE", "BOTH")

    for code in ("BOTH", "BOTHCODE"):
        seen = preview(ApplyDiscount(code=code), subscribed, by=operator)
        assert "Discount: 40.00 USD off, without an end." in seen.says
        assert (seen.discount, seen.charged) == (Money(-4_000, "usd"), Money(15_900, "usd"))
    perform(ApplyDiscount(code="BOTH"), subscribed, by=operator, reason=REASON)

    assert row(subscribed).discount == "40.00 USD off, without an end"
    stripe.deliver_and_apply()
    [listed] = lists.subscriptions().objects
    assert isinstance(listed.state, SubscriptionState)
    assert [str(one.amount) for one in listed.state.discounts] == ["40.00 USD"]
    stripe.advance(days=32)
    assert stripe.listed("invoices")[0]["amount_paid"] == 15_900


def test_an_amount_is_never_taken_off_another_currency():
    with pytest.raises(ValueError, match="eur"):
        Discount(None, Money(500, "eur"), "once").taken_off(Money(900, "usd"))
    assert Discount(Decimal(50), Money(0, ""), "once").taken_off(Money(900, "usd")) == Money(450, "usd")


def test_what_a_new_discount_replaces_is_named(stripe, operator, discounted):
    named = {"discounts[0][coupon]": "FIFTY", "discounts[1][coupon]": "FIFTH"}
    made(stripe, f"subscriptions/{discounted.payment_provider_subscription_id}", **named)

    for wanted, begins in (
        (ApplyDiscount(code="SINGLE"), "Discount: 12.5 % off, once. It replaces: "),
        (RemoveDiscount(), "Removed: "),
    ):
        says = preview(wanted, discounted, by=operator).says
        assert says.startswith(f"{begins}50.00 USD off, without an end and 20 % off, until ")


@pytest.mark.parametrize(
    ("wanted", "needs_one"),
    [(RemoveDiscount(), True), (ApplyDiscount(code="FIFTH"), True), (ApplyDiscount(code="ALL"), False)],
    ids=["removed", "replaced by less", "replaced by as much"],
)
def test_what_will_be_charged_again_needs_a_card_and_the_preview_says_so(stripe, operator, office, wanted, needs_one):
    a_coupon(stripe, "FIFTH", percent_off=20, duration="forever")
    a_coupon(stripe, "ALL", percent_off=100, duration="forever")
    start = StartSubscription(price=price_id("practice-monthly"), coupon="ALL")
    office = perform(start, office, by=operator, reason="free for a partner")

    seen = preview(wanted, office, by=operator)

    amount = {True: f"{seen.charged} will be charged, and no payment method is on file.", False: ""}[needs_one]
    assert amount in seen.says
    assert ("Add one before that" in seen.says) is needs_one
    office = perform(wanted, office, by=operator, reason="the partnership is over")
    stripe.advance(days=32)
    assert stripe.listed("invoices")[0]["status"] == ("open" if needs_one else "paid")


def test_where_a_card_is_on_file_none_is_asked_for(stripe, operator, discounted):
    assert "card" not in preview(RemoveDiscount(), discounted, by=operator).says


def test_an_invoice_that_is_sent_needs_no_card(stripe, operator, office):
    """Stripe sends it to the Office, which pays it in its own way."""
    a_coupon(stripe, "ALL", percent_off=100, duration="forever")
    start = StartSubscription(price=price_id("practice-monthly"), coupon="ALL")
    office = perform(start, office, by=operator, reason="free for a partner")
    sent = {"collection_method": "send_invoice", "days_until_due": 14}
    made(stripe, f"subscriptions/{office.payment_provider_subscription_id}", **sent)

    seen = preview(RemoveDiscount(), office, by=operator)

    assert (seen.charged, "card" in seen.says) == (Money(19_900, "usd"), False)


def test_what_cannot_be_is_refused_before_stripe_is_asked(stripe, operator, subscribed, coupons):
    stripe.forget_requests()
    with pytest.raises(errors.NoDiscount):
        perform(RemoveDiscount(), subscribed, by=operator, reason=REASON)
    assert stripe.requests() == []
    ending = perform(CancelSubscription(), subscribed, by=operator, reason="closing")
    with pytest.raises(errors.NoFurtherInvoice):
        perform(ApplyDiscount(code="FIFTY"), ending, by=operator, reason=REASON)
    ended = perform(CancelSubscription(at_period_end=False), subscribed, by=operator, reason="closing")
    with pytest.raises(errors.NoLiveSubscription):
        perform(ApplyDiscount(code="FIFTY"), ended, by=operator, reason=REASON)
    with pytest.raises(errors.NoLiveSubscription):
        preview(ApplyDiscount(code="FIFTY"), ended, by=operator)


def test_an_office_has_promotion_codes_and_no_coupons(stripe, owner, subscribed, coupons):
    for code in ("FIFTH", "FIFTY"):
        with pytest.raises(errors.CouponUnknown):
            preview(ApplyDiscount(code=code), subscribed, by=owner)
        with pytest.raises(errors.CouponUnknown):
            perform(ApplyDiscount(code=code), subscribed, by=owner, reason=REASON)

    perform(ApplyDiscount(code="WELCOME"), subscribed, by=owner, reason=REASON)
    assert row(subscribed).discount_percent == 20


def test_a_viewer_and_an_outsider_change_no_discount(stripe, viewer, outsider, discounted):
    for by in (viewer, outsider):
        with pytest.raises(errors.NotPermitted):
            perform(ApplyDiscount(code="WELCOME"), discounted, by=by, reason=REASON)
        with pytest.raises(errors.NotPermitted):
            perform(RemoveDiscount(), discounted, by=by, reason=REASON)
    with pytest.raises(errors.NotPermitted):
        preview(ApplyDiscount(code="WELCOME"), discounted, by=outsider)


def test_a_promotion_code_of_another_customer_is_unknown(stripe, operator, subscribed, coupons):
    other = made(stripe, "customers", email="other@x.example")
    a_promotion_code(stripe, "THEIRS", "FIFTH", customer=other["id"])

    with pytest.raises(errors.CouponUnknown):
        perform(ApplyDiscount(code="THEIRS"), subscribed, by=operator, reason=REASON)


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_is_found_out_though_the_code_is_used_up(stripe, operator, subscribed, coupons, kind):
    operation = settled_after(
        stripe, kind, lambda: perform(ApplyDiscount(code="SINGLE"), subscribed, by=operator, reason=REASON)
    )

    done = kind != "500_after"
    assert operation.status == ("succeeded" if done else "abandoned")
    assert row(subscribed).discount == ("12.5 % off, once" if done else "")


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_to_a_removal_is_found_out(stripe, operator, discounted, kind):
    operation = settled_after(stripe, kind, lambda: perform(RemoveDiscount(), discounted, by=operator, reason=REASON))

    assert operation.status == ("abandoned" if kind == "500_after" else "succeeded")
    assert row(discounted).discount_count == int(kind == "500_after")


def test_in_live_mode_discounts_wait_for_a_determination(stripe, operator, discounted, settings):
    settings.STRIPE_LIVE_MODE = True
    with pytest.raises(errors.DeterminationMissing):
        preview(ApplyDiscount(code="FIFTH"), discounted, by=operator)
    with pytest.raises(errors.DeterminationMissing):
        preview(RemoveDiscount(), discounted, by=operator)
    with pytest.raises(errors.DeterminationMissing):
        perform(ApplyDiscount(code="FIFTH"), discounted, by=operator, reason=REASON)
    with pytest.raises(errors.DeterminationMissing):
        perform(RemoveDiscount(), discounted, by=operator, reason=REASON)


def test_a_subscription_starts_with_a_discount_as_it_was_shown(stripe, operator, office, coupons):
    given = {"quantity": 3, "coupon": "WELCOME"}
    seen = preview(StartSubscription(price=price_id("seats-monthly"), **given), office, by=operator)
    assert stripe.requests("POST") == [
        one for one in stripe.requests("POST") if "coupon" in one["path"] or "promotion" in one["path"]
    ]

    office = perform(
        StartSubscription(price=price_id("seats-monthly"), payment_method="pm_card_visa", **given),
        office,
        by=operator,
        reason="new",
    )

    assert (seen.now, seen.discount, seen.charged) == (True, Money(-2_940, "usd"), Money(11_760, "usd"))
    assert (seen.lines[0].text, seen.says) == ("Team, 3 seats", "Discount: 20 % off, for 3 months.")
    assert stripe.listed("invoices")[0]["amount_paid"] == seen.charged.amount
    assert row(office).discount_percent == 20


@pytest.mark.parametrize("coupon", ["", "FIFTH", "FIFTY", "SINGLE"])
def test_what_is_reckoned_here_is_what_stripe_reckons(stripe, operator, office, coupons, coupon):
    reckoned = preview(StartSubscription(price=price_id("practice-monthly"), coupon=coupon), office, by=operator)
    office = perform(EnsureCustomer(), office, by=operator, reason="new")
    asked = preview(StartSubscription(price=price_id("practice-monthly"), coupon=coupon), office, by=operator)

    assert (asked.charged, asked.discount, asked.total) == (reckoned.charged, reckoned.discount, reckoned.total)
    assert [(line.text, line.amount) for line in asked.lines] == [(line.text, line.amount) for line in reckoned.lines]


def test_a_coupon_for_another_product_takes_nothing_off(stripe, operator, office, coupons):
    team = price("seats-monthly").plan.stripe_product_id
    a_coupon(stripe, "TEAM", percent_off=50, duration="once", **{"applies_to[products][0]": team})

    assert (
        preview(
            StartSubscription(price=price_id("practice-monthly"), coupon="TEAM"), office, by=operator
        ).charged.amount
        == 19_900
    )
    assert (
        preview(StartSubscription(price=price_id("seats-monthly"), coupon="TEAM"), office, by=operator).charged.amount
        == 2_450
    )


def test_with_a_trial_nothing_is_charged_now_and_the_preview_is_of_its_end(stripe, operator, office, coupons):
    office = perform(EnsureCustomer(), office, by=operator, reason="new")
    seen = preview(
        StartSubscription(price=price_id("practice-monthly"), trial_days=14, coupon="WELCOME"), office, by=operator
    )
    office = subscribed_office(office, by=operator, trial_days=14, coupon="WELCOME")

    assert (seen.now, seen.charged) == (False, Money(15_920, "usd"))
    assert "Nothing is charged now" in seen.says
    assert seen.lines[0].period_start is None
    assert abs(seen.at - office.trial_end) < timedelta(minutes=1)
    stripe.advance(days=15)
    assert stripe.listed("charges")[0]["amount"] == seen.charged.amount


def test_a_discount_that_the_trial_would_eat_up_is_refused(stripe, operator, office, coupons):
    start = StartSubscription(price=price_id("practice-monthly"), trial_days=84, coupon="WELCOME")
    with pytest.raises(errors.CouponShorterThanTrial):
        preview(start, office, by=operator)
    with pytest.raises(errors.CouponShorterThanTrial):
        perform(start, office, by=operator, reason="new")

    assert not Office.objects.get(pk=office.pk).has_live_subscription


@pytest.mark.parametrize("kind", LOST)
def test_a_start_whose_answer_was_lost_keeps_its_discount(stripe, operator, office, coupons, kind):
    start = StartSubscription(price=price_id("practice-monthly"), payment_method="pm_card_visa", coupon="SINGLE")
    operation = settled_after(
        stripe,
        kind,
        lambda: perform(start, office, by=operator, reason="new"),
        "/v1/subscriptions",
    )

    if kind == "500_after":
        assert operation.status == "abandoned"
    else:
        assert operation.status == "succeeded"
        assert [one["amount"] for one in stripe.listed("charges")] == [17_412]


def test_an_amount_takes_off_no_more_than_there_is():
    half = Discount(None, Money(5_000, "usd"), "forever")

    assert half.taken_off(Money(4_000, "usd")) == Money(4_000, "usd")
    assert half.taken_off(Money(6_000, "usd")) == Money(5_000, "usd")
