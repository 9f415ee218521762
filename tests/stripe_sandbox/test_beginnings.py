"""A subscription whose first invoice is not paid yet, and those that cost nothing.

Source: https://docs.stripe.com/billing/subscriptions/overview, https://docs.stripe.com/api/subscriptions/object
"""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Frozen, Sandbox


def begun(sandbox: Sandbox, office: Frozen) -> tuple[dict[str, Any], str]:
    """A subscription that waits for its first payment, and its invoice."""
    made = office.subscribe(sandbox.price()["id"], payment_behavior="default_incomplete")
    assert made["status"] == "incomplete"
    return made, made["latest_invoice"]


@pytest.mark.parametrize("hours", [0, 22])
def test_it_can_be_paid_until_it_expires(sandbox: Sandbox, hours: int) -> None:
    office = sandbox.frozen_customer()
    made, invoice = begun(sandbox, office)
    office.wait(hours * HOUR + 1)
    sandbox.post(f"invoices/{invoice}/pay")
    after = office.read(made)
    assert (after["status"], sandbox.get(f"invoices/{invoice}")["status"]) == ("active", "paid")
    assert after["items"]["data"][0]["current_period_end"] == made["items"]["data"][0]["current_period_end"]


@pytest.mark.parametrize("how", ["time", "void"])
def test_what_never_began_is_never_collected(sandbox: Sandbox, how: str) -> None:
    """After 23 hours, or when its invoice is void, it can no longer be paid and makes no invoices."""
    office = sandbox.frozen_customer()
    made, invoice = begun(sandbox, office)
    if how == "time":
        office.wait(23 * HOUR)
    else:
        sandbox.post(f"invoices/{invoice}/void")
    assert office.read(made)["status"] == "incomplete_expired"
    assert sandbox.get(f"invoices/{invoice}")["status"] == "void"
    sandbox.refused("POST", f"invoices/{invoice}/pay")
    office.wait(32 * DAY)
    assert (len(office.invoices()), sandbox.listed("charges", customer=office.customer)) == (1, [])


@pytest.mark.parametrize("given", [{"quantity": 3}, {"trial_end": "now"}, {"billing_cycle_anchor": "now"}])
def test_its_terms_wait_for_the_first_payment(sandbox: Sandbox, given: dict[str, Any]) -> None:
    office = sandbox.frozen_customer()
    made, _ = begun(sandbox, office)
    named = {"items[0][id]": made["items"]["data"][0]["id"], "items[0][quantity]": 3} if "quantity" in given else given
    sandbox.refused("POST", f"subscriptions/{made['id']}", named)
    assert sandbox.post(f"subscriptions/{made['id']}", {"metadata[a]": "1"})["metadata"] == {"a": "1"}


def test_what_is_free_for_ever_needs_no_card(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(card=None)
    coupon = sandbox.post("coupons", {"percent_off": 100, "duration": "forever"})["id"]
    made = office.subscribe(sandbox.price()["id"], **{"discounts[0][coupon]": coupon})
    assert made["status"] == "active"
    office.wait(32 * DAY)
    office.wait(32 * DAY)
    assert office.read(made)["status"] == "active"
    assert [(one["status"], one["total"]) for one in office.invoices()] == [("paid", 0)] * 3
    assert sandbox.listed("payment_intents", customer=office.customer) == []


@pytest.mark.parametrize("at", ["creation", "change"])
def test_a_quantity_of_zero_costs_nothing(sandbox: Sandbox, at: str) -> None:
    office = sandbox.frozen_customer()
    first = 0 if at == "creation" else 3
    made = office.subscribe(sandbox.price()["id"], **{"items[0][quantity]": first})
    if at == "change":
        office.change(made, quantity=0, proration_behavior="none")
    assert office.read(made)["items"]["data"][0]["quantity"] == 0
    office.wait(31 * DAY + 2 * HOUR)
    renewal = office.invoices()[0]
    assert (office.read(made)["status"], renewal["status"], renewal["total"]) == ("active", "paid", 0)
    assert renewal["lines"]["data"][0]["quantity"] == 0


def test_an_archived_price_stays_with_who_has_it_and_cannot_be_named(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer()
    price = sandbox.price()["id"]
    made = office.subscribe(price)
    sandbox.post(f"prices/{price}", {"active": "false"})
    assert office.change(made, quantity=4)["items"]["data"][0]["quantity"] == 4
    item = made["items"]["data"][0]["id"]
    given = {"items[0][id]": item, "items[0][price]": price, "items[0][quantity]": 5}
    error = sandbox.refused("POST", f"subscriptions/{made['id']}", given)
    assert error["message"] == "The price specified is inactive. This field only accepts active prices."
    assert error["param"] == "items[0][price]"
    office.wait(31 * DAY + 2 * HOUR)
    assert office.invoices()[0]["lines"]["data"][-1]["quantity"] == 4


@pytest.mark.parametrize(("given", "left"), [({}, [500]), ({"prorate": "true"}, [500, -1000, 2000, -2000])])
def test_what_a_change_left_waiting_ends_with_a_subscription_that_is_canceled_now(
    sandbox: Sandbox, given: dict[str, str], left: list[int]
) -> None:
    """Prorations are removed unless the cancellation prorates or invoices; items of somebody's own stay.

    Source: https://docs.stripe.com/api/subscriptions/cancel
    """
    office = sandbox.frozen_customer()
    made = office.subscribe(sandbox.price()["id"])
    own = {"customer": office.customer, "subscription": made["id"], "amount": 500, "currency": "usd"}
    sandbox.post("invoiceitems", own)
    office.change(made, price=sandbox.price(2000)["id"])
    sandbox.http.request("DELETE", f"/v1/subscriptions/{made['id']}", data=given).raise_for_status()
    assert office.waiting() == left
