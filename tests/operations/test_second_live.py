"""Where others made a second live subscription, each operation is about the present one, and says so."""

import re
from html import unescape

import pytest

from billing import errors, zones
from billing.models import Finding, Office
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.money.documents import preview_upcoming
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.change import ChangeSubscription
from billing.operations.subscriptions.discounts import ApplyDiscount
from billing.operations.subscriptions.start import StartSubscription
from billing.operations.subscriptions.trial import RestartPeriod
from tests.admin.test_offices import page, signed_in
from tests.api.test_api import signed_in as api
from tests.at_stripe import a_coupon, begun_at_stripe
from tests.conftest import price, price_id

REASON = "agreed by phone"
SAYS = r"This is about: Team × 4, active, made on .*not about what is live beside it: Practice, active, made on"


@pytest.fixture
def two(stripe, operator, subscribed):
    """An Office with a subscription of ours to Practice. Then somebody began one to Team: it is the present one."""
    stripe.advance(hours=1)
    team = {"items[0][price]": price("seats-monthly").stripe_price_id, "items[0][quantity]": 4}
    begun_at_stripe(stripe, subscribed.payment_provider_customer_id, **team)
    stripe.deliver_and_apply()
    return Office.objects.get(pk=subscribed.pk)


@pytest.mark.parametrize(
    "wanted", [ChangeSubscription(quantity=5), RestartPeriod(), ApplyDiscount(code="FIFTH")], ids=str
)
def test_a_preview_says_of_which_it_is(stripe, operator, two, wanted):
    a_coupon(stripe, "FIFTH", percent_off=20, duration="forever")

    seen = preview(wanted, two, by=operator)

    assert re.search(SAYS, seen.says)
    assert any("Team" in line.text for line in seen.lines)
    assert not any("Practice" in line.text for line in seen.lines)


def test_with_one_there_is_nothing_to_say(stripe, operator, subscribed):
    assert preview(RestartPeriod(), subscribed, by=operator).says.startswith("From now on")
    assert "This is about" not in preview(RestartPeriod(), subscribed, by=operator).says
    assert preview_upcoming(subscribed, by=operator).says == ""


def test_the_upcoming_invoice_and_the_page_of_an_act_say_it_too(stripe, operator, two):
    assert "This is about: Team × 4" in preview_upcoming(two, by=operator).says
    html = signed_in(operator.user).get(page("cancel/", two)).content.decode()
    assert "This is about: Team × 4, active" in html


def test_the_finding_the_page_and_the_api_name_each_that_is_live(stripe, operator, two):
    """Practice began first: it is 199.00 USD a month. Team was begun beside it, for four seats."""
    begun = zones.day(two.subscriptions.earliest("created_at").started_at, two.time_zone)
    practice, team = (
        f"Practice, 199.00 USD a month, active, begun on {begun}",
        "Team × 4, 196.00 USD a month, active, begun",
    )
    client = signed_in(operator.user)

    found = Finding.objects.get(kind="second_live_subscription").detail
    page_of_office = unescape(client.get(page("change/", two)).content.decode())
    page_of_act = unescape(client.get(page("cancel/", two)).content.decode())
    told = api(operator.user).get(f"/api/v1/offices/{two.public_id}/subscription/").json()

    assert re.search(rf"changed and cancelled here: {team}.*\. Beside it: {re.escape(practice)}\. Cancel in", found)
    assert practice in page_of_office
    assert f"Also live: {practice}." in page_of_act
    [other] = told["also_live"]
    assert (told["plan"], other["plan"], other["monthly_amount"]["amount"], other["status"]) == (
        "Team",
        "Practice",
        19_900,
        "active",
    )
    assert [one["plan"] for one in other["items"]] == ["Practice"]
    assert "sub_" not in found + str(told)


def test_with_one_nothing_is_live_beside_it(stripe, operator, subscribed):
    assert "Also live" not in signed_in(operator.user).get(page("change/", subscribed)).content.decode()
    assert api(operator.user).get(f"/api/v1/offices/{subscribed.public_id}/subscription/").json()["also_live"] == []


def test_a_cancellation_ends_the_present_one_and_leaves_the_other(stripe, operator, two):
    perform(CancelSubscription(at_period_end=False), two, by=operator, reason=REASON)

    [left] = stripe.listed("subscriptions")
    assert left["items"]["data"][0]["price"]["id"] == price("practice-monthly").stripe_price_id
    assert Office.objects.get(pk=two.pk).payment_provider_subscription_id == left["id"]


def test_a_start_names_both(stripe, operator, two):
    with pytest.raises(errors.LiveSubscriptionExists, match=r"Team × 4, active.* and Practice, active"):
        perform(StartSubscription(price=price_id("practice-yearly")), two, by=operator, reason=REASON)
