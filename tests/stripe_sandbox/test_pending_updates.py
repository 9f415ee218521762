"""A change that waits to be paid follows its own invoice, and nothing else."""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Frozen, Sandbox

FAILS = "pm_card_chargeCustomerFail"


@pytest.fixture
def office(sandbox: Sandbox) -> Frozen:
    return sandbox.frozen_customer()


def price(sandbox: Sandbox, amount: int = 1000, **more: Any) -> str:
    return sandbox.price(amount, **{"interval": "day", "count": 30, **more})["id"]


def ask(office: Frozen, made: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A change that is made once it is paid; the customer's card now is as it is."""
    more = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
    return office.change(made, **{**given, **more})


def waiting(sandbox: Sandbox, office: Frozen, made: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A change whose card fails, and the customer has a good card again."""
    sandbox.use_card(office.customer, FAILS)
    changed = ask(office, made, **given)
    assert changed["pending_update"]
    sandbox.use_card(office.customer, "pm_card_visa")
    return changed


def amount(subscription: dict[str, Any]) -> int:
    return subscription["items"]["data"][0]["price"]["unit_amount"]


def status(sandbox: Sandbox, invoice: str) -> str:
    return sandbox.get(f"invoices/{invoice}")["status"]


def test_a_renewal_that_is_paid_does_not_make_the_change(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    end = made["items"]["data"][0]["current_period_end"]
    office.go_to(end - 5 * HOUR)
    changed = waiting(sandbox, office, made, price=price(sandbox, 20_000))
    assert changed["pending_update"]["expires_at"] == end
    office.wait(8 * HOUR)
    after, renewal = office.read(made), office.invoices()[0]
    assert (after["pending_update"], amount(after)) == (None, 1000)
    assert (renewal["billing_reason"], renewal["status"], renewal["total"]) == ("subscription_cycle", "paid", 1000)
    assert status(sandbox, changed["latest_invoice"]) == "void"


def test_another_change_takes_its_place(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    office.wait(10 * DAY)
    changed = waiting(sandbox, office, made, price=price(sandbox, 2000))
    yearly = office.change(made, price=price(sandbox, 12_000, interval="year", count=1))
    assert (yearly["pending_update"], status(sandbox, changed["latest_invoice"])) == (None, "void")
    assert status(sandbox, yearly["latest_invoice"]) == "paid"
    assert "customer.subscription.pending_update_expired" in sandbox.event_types()
    office.wait(DAY)
    assert status(sandbox, yearly["latest_invoice"]) == "paid"
    assert amount(office.read(made)) == 12_000


@pytest.mark.parametrize("given", [{"description": "Two rooms"}, {"metadata[rooms]": "2"}], ids=str)
def test_what_costs_nothing_leaves_it_waiting(sandbox: Sandbox, office: Frozen, given: dict[str, str]) -> None:
    made = office.subscribe(price(sandbox))
    waiting(sandbox, office, made, price=price(sandbox, 2000))
    assert office.change(made, **given)["pending_update"]


def test_an_item_that_goes_takes_it_along(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    changed = waiting(sandbox, office, made, price=price(sandbox, 2000))
    sandbox.post("subscription_items", {"subscription": made["id"], "price": price(sandbox, 3000)})
    sandbox.ask("DELETE", f"subscription_items/{made['items']['data'][0]['id']}").raise_for_status()
    assert status(sandbox, changed["latest_invoice"]) == "void"
    office.wait(DAY)
    assert amount(office.read(made)) == 3000


def test_a_price_that_is_archived_meanwhile_is_still_applied(sandbox: Sandbox, office: Frozen) -> None:
    made, dear = office.subscribe(price(sandbox)), price(sandbox, 2000)
    changed = waiting(sandbox, office, made, price=dear)
    sandbox.post(f"prices/{dear}", {"active": "false"})
    sandbox.post(f"invoices/{changed['latest_invoice']}/pay")
    assert amount(office.read(made)) == 2000


@pytest.mark.parametrize("what", ["void", "mark_uncollectible"])
def test_without_its_invoice_it_is_dropped(sandbox: Sandbox, office: Frozen, what: str) -> None:
    made = office.subscribe(price(sandbox))
    changed = waiting(sandbox, office, made, price=price(sandbox, 2000))
    sandbox.post(f"invoices/{changed['latest_invoice']}/{what}")
    assert (office.read(made)["pending_update"], amount(office.read(made))) == (None, 1000)


def test_the_end_of_the_subscription_voids_its_invoice(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    changed = waiting(sandbox, office, made, price=price(sandbox, 2000))
    sandbox.ask("DELETE", f"subscriptions/{made['id']}").raise_for_status()
    assert status(sandbox, changed["latest_invoice"]) == "void"


def test_what_was_never_paid_is_never_credited(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    office.wait(15 * DAY)
    waiting(sandbox, office, made, price=price(sandbox, 12_000, interval="year", count=1))
    office.wait(DAY)
    assert office.read(made)["pending_update"] is None
    office.wait(4 * DAY)
    sandbox.ask("DELETE", f"subscriptions/{made['id']}?prorate=true&invoice_now=true").raise_for_status()
    assert office.balance() == -333


def test_what_waited_before_is_not_asked_for_twice(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    office.wait(15 * DAY)
    office.change(made, quantity=2)
    assert office.waiting() == [-500, 1000]
    ask(office, made, price=price(sandbox, 2000))
    invoice = office.invoices()[0]
    assert ([line["amount"] for line in invoice["lines"]["data"]], invoice["status"]) == ([-1000, 2000], "paid")
    assert office.waiting() == [-500, 1000]


def test_a_new_interval_begins_when_it_was_asked_for(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    office.wait(10 * DAY)
    asked = office.now()
    changed = waiting(sandbox, office, made, price=price(sandbox, 12_000, interval="year", count=1))
    assert changed["pending_update"]["billing_cycle_anchor"] == asked
    office.wait(5 * HOUR)
    sandbox.post(f"invoices/{changed['latest_invoice']}/pay")
    after = office.read(made)
    line = sandbox.get(f"invoices/{changed['latest_invoice']}")["lines"]["data"][-1]
    item = after["items"]["data"][0]
    assert (after["billing_cycle_anchor"], item["current_period_start"]) == (asked, asked)
    assert line["period"] == {"start": asked, "end": item["current_period_end"]}


def test_a_price_by_its_data_is_the_one_that_was_announced(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    data = {"currency": "usd", "product": sandbox.post("products", {"name": "Rooms"})["id"], "unit_amount": 2000}
    given = {f"items[0][price_data][{name}]": value for name, value in data.items()}
    given |= {"items[0][price_data][recurring][interval]": "day", "items[0][price_data][recurring][interval_count]": 30}
    changed = waiting(sandbox, office, made, **{"items[0][id]": made["items"]["data"][0]["id"], **given})
    announced = changed["pending_update"]["subscription_items"][0]["price"]["id"]
    sandbox.post(f"invoices/{changed['latest_invoice']}/pay")
    assert office.read(made)["items"]["data"][0]["price"]["id"] == announced


def test_a_new_item_is_the_one_that_the_invoice_names(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    changed = waiting(sandbox, office, made, **{"items[0][price]": price(sandbox, 600)})
    paid = sandbox.post(f"invoices/{changed['latest_invoice']}/pay")
    named = [line["parent"]["subscription_item_details"]["subscription_item"] for line in paid["lines"]["data"]]
    assert named == [item["id"] for item in office.read(made)["items"]["data"] if item["price"]["unit_amount"] == 600]


def test_what_stripe_does_not_let_wait_is_refused(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    given = {"items[0][id]": made["items"]["data"][0]["id"], "payment_behavior": "pending_if_incomplete"}
    for wrong in ({"description": "Two rooms"}, {"items[0][metadata][rooms]": "2"}, {"items[0][deleted]": "true"}):
        sandbox.refused("POST", f"subscriptions/{made['id']}", {**given, **wrong})


def test_its_payment_brings_a_subscription_back_that_was_behind(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    sandbox.use_card(office.customer, FAILS)
    office.wait(30 * DAY + HOUR)
    assert office.read(made)["status"] == "past_due"
    changed = waiting(sandbox, office, made, quantity=2)
    sandbox.post(f"invoices/{changed['latest_invoice']}/pay")
    assert office.read(made)["status"] == "active"
