"""Changing a subscription whose price is not ours, is sold no more, stands at zero seats, or is one of several."""

from typing import Any

import pytest

from billing import errors
from billing.models import Office, PlanPrice
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.change import ChangeSubscription
from tests.admin.test_offices import page, signed_in
from tests.at_stripe import made
from tests.conftest import price, price_id, subscribed_office

REASON = "agreed by phone"


@pytest.fixture
def team(stripe, operator, office):
    return subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)


def item_of(stripe, office):
    [subscription] = stripe.listed("subscriptions", customer=office.payment_provider_customer_id)
    return subscription["items"]["data"][0]


def told(stripe, office):
    stripe.deliver_and_apply()
    return Office.objects.get(pk=office.pk)


def a_price_of_others(stripe, **given):
    terms = {"currency": "usd", "unit_amount": 15_000, "recurring[interval]": "month", **given}
    product = stripe.listed("products")[0]["id"]
    return made(stripe, "prices", product=product, **terms)["id"]


def put_on(stripe, office, other):
    made(stripe, f"subscription_items/{item_of(stripe, office)['id']}", price=other, proration_behavior="none")
    return told(stripe, office)


def changed(office, by, **given):
    wanted = ChangeSubscription(settle="next_invoice", **given)
    seen = preview(wanted, office, by=by)
    return seen, perform(wanted, office, by=by, reason=REASON)


# --- a price that is not ours


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({}, ""),
        ({"recurring[interval_count]": 3}, "It is charged once a month instead of every 3 months"),
        ({"recurring[interval]": "week"}, "It is charged once a month instead of once a week"),
    ],
    ids=["a month", "three months", "a week"],
)
def test_from_a_price_that_is_not_ours_to_one_of_ours(stripe, operator, team, terms, says):
    office = put_on(stripe, team, a_price_of_others(stripe, **terms))

    seen, office = changed(office, operator, price=price_id("practice-monthly"))

    assert seen.says.startswith(says)
    assert bool(seen.says) is bool(says)
    assert seen.afterwards == "199.00 USD a month, before taxes and discounts"
    assert (office.current_plan.code, office.quantity) == ("practice", 1)
    assert item_of(stripe, office)["price"]["id"] == price("practice-monthly").stripe_price_id


def test_seats_of_a_price_that_is_not_ours_are_refused_in_words(stripe, operator, team):
    office = put_on(stripe, team, a_price_of_others(stripe))
    for act in (preview, perform):
        given: dict[str, Any] = {"reason": REASON} if act is perform else {}
        with pytest.raises(errors.PriceNotOurs, match="Choose a plan"):
            act(ChangeSubscription(quantity=5), office, by=operator, **given)


# --- a price that is sold no more


@pytest.fixture
def archived(stripe, team):
    made(stripe, f"prices/{price('seats-monthly').stripe_price_id}", active="false")
    PlanPrice.objects.filter(code="seats-monthly").update(active_until=team.created_at)
    return told(stripe, team)


@pytest.mark.parametrize("names_it", [True, False])
def test_seats_of_a_price_that_is_sold_no_more_can_be_changed(stripe, operator, archived, names_it):
    given = {"price": price_id("seats-monthly")} if names_it else {}

    seen, office = changed(archived, operator, quantity=4, **given)

    assert seen.afterwards == "196.00 USD a month, before taxes and discounts"
    assert (office.quantity, item_of(stripe, office)["quantity"]) == (4, 4)


def test_from_a_price_that_is_sold_no_more_to_one_for_sale_and_not_back(stripe, operator, archived):
    _, office = changed(archived, operator, price=price_id("practice-monthly"))
    assert office.current_plan.code == "practice"
    with pytest.raises(errors.PlanUnknown):
        changed(office, operator, price=price_id("seats-monthly"), quantity=2)


def test_the_admin_changes_seats_of_a_price_that_is_sold_no_more(stripe, operator, archived):
    form = {"price": price_id("seats-monthly"), "quantity": "5", "settle": "next_invoice", "why": "agreed"}
    address = page("change-plan/", archived)
    assert price_id("seats-monthly") in signed_in(operator.user).get(address).content.decode()

    seen = signed_in(operator.user).post(address, form)

    assert seen.context["preview"].afterwards == "245.00 USD a month, before taxes and discounts"


# --- zero seats


def test_from_zero_seats_to_one(stripe, operator, team):
    made(stripe, f"subscription_items/{item_of(stripe, team)['id']}", quantity=0, proration_behavior="none")
    office = told(stripe, team)
    assert office.quantity == 0

    seen, office = changed(office, operator, quantity=1)

    assert seen.afterwards == "49.00 USD a month, before taxes and discounts"
    assert (office.quantity, item_of(stripe, office)["quantity"]) == (1, 1)


# --- several prices


@pytest.mark.parametrize("is_told", [True, False])
def test_one_of_several_prices_is_not_guessed(stripe, operator, subscribed, is_told):
    added = {"price": price("seats-monthly").stripe_price_id, "quantity": 5, "proration_behavior": "none"}
    made(stripe, "subscription_items", subscription=subscribed.payment_provider_subscription_id, **added)
    office = told(stripe, subscribed) if is_told else subscribed
    before = stripe.listed("subscriptions")

    for act in (preview, perform):
        given: dict[str, Any] = {"reason": REASON} if act is perform else {}
        with pytest.raises(errors.SeveralItems, match=r"Practice and Team.*dashboard"):
            act(ChangeSubscription(price=price_id("practice-yearly")), office, by=operator, **given)

    assert stripe.listed("subscriptions") == before
    assert perform(CancelSubscription(), office, by=operator, reason=REASON).ends_with_this_period  # the whole
