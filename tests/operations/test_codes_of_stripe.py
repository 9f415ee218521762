"""A code that looks like a date or a record number is used if Stripe lists it. It is compared here and never sent."""

from functools import partial

import pytest

from billing import errors
from billing.models import Operation
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.subscriptions.discounts import ApplyDiscount
from billing.operations.subscriptions.payment_link import CreatePaymentLink
from billing.operations.subscriptions.start import StartSubscription
from billing.stripe_api.gateway import coupons
from tests.api.test_api import path, signed_in
from tests.at_stripe import a_coupon, a_promotion_code, made
from tests.conftest import a_member, price_id, subscribed_office
from tests.test_refused_text import everything_kept

REASON = "agreed for the first year"
MADE_AT_STRIPE = ["BLACKFRIDAY-2026-11-27", "EMR2026", "MRN883122", "PATIENT20", "415-555-2671"]


@pytest.fixture
def codes(stripe):
    for number, code in enumerate(MADE_AT_STRIPE):
        a_coupon(stripe, f"THIRTY{number}", percent_off=30, duration="forever")
        a_promotion_code(stripe, code, f"THIRTY{number}")


def searched(stripe):
    """Return what Stripe was asked for about codes, but for the pages of its lists."""
    asked = [one for one in stripe.requests("GET") if "promotion_codes" in one["path"] or "coupons" in one["path"]]
    return [one for one in asked if "code" in one["params"] or one["path"].count("/") > 2]


@pytest.mark.parametrize("code", MADE_AT_STRIPE)
def test_a_promotion_code_that_stripe_lists_is_previewed_and_used_whatever_it_looks_like(
    stripe, operator, office, codes, code
):
    office = subscribed_office(office, by=operator)
    stripe.forget_requests()
    typed = code.lower()

    assert "30" in preview(ApplyDiscount(code=typed), office, by=operator).says
    perform(ApplyDiscount(code=typed), office, by=operator, reason=REASON)

    assert stripe.listed("subscriptions")[0]["discounts"]
    assert searched(stripe) == []


@pytest.mark.parametrize("declared", [StartSubscription, CreatePaymentLink])
def test_an_offices_own_person_starts_with_such_a_code(stripe, office, codes, declared, owner):
    card = {"payment_method": "pm_card_visa"} if declared is StartSubscription else {}
    wanted = declared(price=price_id("practice-monthly"), coupon="BLACKFRIDAY-2026-11-27", **card)
    perform(wanted, office, by=owner, reason="")

    assert Operation.objects.latest("pk").status == "succeeded"
    assert searched(stripe) == []


def test_a_coupon_that_stripe_lists_is_used_by_the_vendor_and_by_nobody_else(stripe, operator, office, owner):
    a_coupon(stripe, "EMR2026", percent_off=10, duration="forever")
    office = subscribed_office(office, by=operator)
    stripe.forget_requests()

    with pytest.raises(errors.TextNotNeutral):
        perform(ApplyDiscount(code="EMR2026"), office, by=owner, reason="")
    perform(ApplyDiscount(code="EMR2026"), office, by=operator, reason=REASON)

    assert stripe.listed("subscriptions")[0]["discounts"]
    assert searched(stripe) == []


@pytest.mark.parametrize("typed", ["ROE-1961-04-12", "MRN883123", "MRN88312", "4242424242424242"])
def test_a_code_that_stripe_does_not_list_is_refused_kept_nowhere_and_never_sent(
    stripe, operator, office, codes, typed
):
    office = subscribed_office(office, by=operator)
    stripe.forget_requests()

    for refused in (
        lambda: preview(ApplyDiscount(code=typed), office, by=operator),
        lambda: perform(ApplyDiscount(code=typed), office, by=operator, reason=REASON),
    ):
        with pytest.raises(errors.TextNotNeutral, match="The code seems to contain"):
            refused()

    assert typed not in everything_kept()
    assert typed not in str(stripe.requests())


def test_a_code_of_another_customer_is_refused(stripe, operator, office):
    a_coupon(stripe, "THIRTY", percent_off=30, duration="forever")
    a_promotion_code(stripe, "EMR2026", "THIRTY", customer=made(stripe, "customers")["id"])
    office = subscribed_office(office, by=operator)

    with pytest.raises(errors.TextNotNeutral):
        perform(ApplyDiscount(code="EMR2026"), office, by=operator, reason=REASON)


def test_the_list_is_read_page_by_page_and_no_further_than_its_limit(stripe, operator):
    a_coupon(stripe, "EMR2026", percent_off=30, duration="forever")
    a_promotion_code(stripe, "EMR2026", "EMR2026")
    for number in range(100):
        a_coupon(stripe, f"NEWER{number}", percent_off=30, duration="forever")
        a_promotion_code(stripe, f"NEWER{number}", "EMR2026")

    for listed in (partial(coupons.listed_promotion_code, customer=""), coupons.listed_coupon):
        assert listed("EMR2026", most_pages=1) is None
        assert listed("EMR2026", most_pages=2) is not None


def test_the_api_takes_such_a_code(stripe, operator, office, codes):
    subscribed_office(office, by=operator)
    client = signed_in(a_member(office, "owner"))

    for address in ("subscription/discount/preview/", "subscription/discount/"):
        answer = client.post(path(office, address), {"code": "EMR2026"}, format="json")
        assert answer.status_code == 200, answer.data
