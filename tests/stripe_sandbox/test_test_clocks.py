"""Time for a few customers alone."""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, NEW_YEAR, Sandbox

START = int(NEW_YEAR.timestamp())
CLOCKS = "test_helpers/test_clocks"


@pytest.fixture
def clock(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.post(CLOCKS, {"frozen_time": START, "name": "A year of it"})


def customer(sandbox: Sandbox, clock: dict[str, Any]) -> str:
    made = sandbox.post("customers", {"test_clock": clock["id"]})["id"]
    sandbox.use_card(made, "pm_card_visa")
    return made


def subscribe(sandbox: Sandbox, clock: dict[str, Any], **price: Any) -> dict[str, Any]:
    given = {"customer": customer(sandbox, clock), "items[0][price]": sandbox.price(**price)["id"]}
    return sandbox.post("subscriptions", given)


def test_what_belongs_to_its_customers_has_its_time(sandbox: Sandbox, clock: dict[str, Any]) -> None:
    made = subscribe(sandbox, clock)
    invoice = sandbox.get(f"invoices/{made['latest_invoice']}")
    assert {made["created"], made["start_date"], invoice["created"], invoice["effective_at"]} == {START}
    assert made["test_clock"] == invoice["test_clock"] == clock["id"]
    told = [one["created"] for one in sandbox.listed("events") if one["type"].startswith("invoice.")]
    assert set(told) == {START}


def test_advancing_leaves_everyone_else_where_they_were(sandbox: Sandbox, clock: dict[str, Any]) -> None:
    others = sandbox.subscription(sandbox.customer()["id"])
    mine = subscribe(sandbox, clock)
    sandbox.post(f"{CLOCKS}/{clock['id']}/advance", {"frozen_time": START + 31 * DAY + HOUR})
    assert sandbox.get(f"{CLOCKS}/{clock['id']}")["status"] == "ready"
    assert len(sandbox.listed("invoices", subscription=mine["id"])) == 2
    assert len(sandbox.listed("invoices", subscription=others["id"])) == 1
    sandbox.advance(40 * DAY)
    assert len(sandbox.listed("invoices", subscription=mine["id"])) == 2
    assert len(sandbox.listed("invoices", subscription=others["id"])) == 2


def test_an_advance_is_told_and_takes_until_the_next_request(sandbox: Sandbox, clock: dict[str, Any]) -> None:
    told = sandbox.post(f"{CLOCKS}/{clock['id']}/advance", {"frozen_time": START + DAY})
    assert (told["status"], told["frozen_time"]) == ("advancing", START)
    assert told["status_details"] == {"advancing": {"target_frozen_time": START + DAY}}
    ready = sandbox.get(f"{CLOCKS}/{clock['id']}")
    assert (ready["status"], ready["frozen_time"]) == ("ready", START + DAY)
    kinds = [one for one in sandbox.event_types() if one.startswith("test_helpers")]
    assert [one.rpartition(".")[2] for one in kinds] == ["created", "advancing", "ready"]


@pytest.mark.parametrize("seconds", [0, -1, 63 * DAY])
def test_it_goes_forward_and_not_too_far_at_once(sandbox: Sandbox, clock: dict[str, Any], seconds: int) -> None:
    subscribe(sandbox, clock)
    given = {"frozen_time": START + seconds}
    assert sandbox.refused("POST", f"{CLOCKS}/{clock['id']}/advance", given)["param"] == "frozen_time"


@pytest.mark.parametrize("moment", [0, 946_684_799, 4_102_444_800, 10**15])
def test_it_stands_in_this_century(sandbox: Sandbox, moment: int) -> None:
    assert sandbox.refused("POST", CLOCKS, {"frozen_time": moment})["param"] == "frozen_time"
    clock = sandbox.post(CLOCKS, {"frozen_time": 4_102_444_799})
    sandbox.refused("POST", f"{CLOCKS}/{clock['id']}/advance", {"frozen_time": 4_102_444_800})


def test_at_its_latest_everything_still_works(sandbox: Sandbox) -> None:
    clock = sandbox.post(CLOCKS, {"frozen_time": 4_102_444_799 - DAY})
    made = subscribe(sandbox, clock, interval="year", count=3)
    sandbox.post(f"{CLOCKS}/{clock['id']}/advance", {"frozen_time": 4_102_444_799})
    assert sandbox.get(f"subscriptions/{made['id']}")["status"] == "active"


def test_whoever_asks_next_finds_it_ready(sandbox: Sandbox, clock: dict[str, Any]) -> None:
    """Also the control plane, and the pages for people."""
    made = subscribe(sandbox, clock)
    sandbox.post(f"subscriptions/{made['id']}", {"cancel_at_period_end": "true"})
    sandbox.endpoint("http://127.0.0.1:9/hook", "test_helpers.test_clock.ready")
    sandbox.post(f"{CLOCKS}/{clock['id']}/advance", {"frozen_time": START + DAY})
    assert [one["type"] for one in sandbox.take()] == ["test_helpers.test_clock.ready"]
    sandbox.post(f"{CLOCKS}/{clock['id']}/advance", {"frozen_time": START + 31 * DAY})
    assert "canceled" in sandbox.http.get(f"/customers/{made['customer']}").text


def test_without_subscriptions_it_goes_two_years_at_most(sandbox: Sandbox, clock: dict[str, Any]) -> None:
    sandbox.refused("POST", f"{CLOCKS}/{clock['id']}/advance", {"frozen_time": START + 731 * DAY})
    sandbox.post(f"{CLOCKS}/{clock['id']}/advance", {"frozen_time": START + 730 * DAY})


def test_lists_leave_its_customers_out_unless_they_are_asked_for(sandbox: Sandbox, clock: dict[str, Any]) -> None:
    made = subscribe(sandbox, clock)
    for path in ("customers", "subscriptions", "invoices"):
        assert sandbox.listed(path) == []
    assert [one["id"] for one in sandbox.listed("customers", test_clock=clock["id"])] == [made["customer"]]
    assert [one["id"] for one in sandbox.listed("subscriptions", test_clock=clock["id"])] == [made["id"]]
    assert [one["id"] for one in sandbox.listed("subscriptions", customer=made["customer"])] == [made["id"]]


def test_it_has_three_customers_at_most(sandbox: Sandbox, clock: dict[str, Any]) -> None:
    for _ in range(3):
        customer(sandbox, clock)
    sandbox.refused("POST", "customers", {"test_clock": clock["id"]})


def test_with_it_go_its_customers(sandbox: Sandbox, clock: dict[str, Any]) -> None:
    made = subscribe(sandbox, clock)
    assert sandbox.ask("DELETE", f"{CLOCKS}/{clock['id']}").json()["deleted"] is True
    assert sandbox.get(f"customers/{made['customer']}")["deleted"] is True
    assert sandbox.get(f"subscriptions/{made['id']}")["status"] == "canceled"
    sandbox.refused("GET", f"{CLOCKS}/{clock['id']}", status=404)


def test_everything_that_falls_due_happens_in_order(sandbox: Sandbox, clock: dict[str, Any]) -> None:
    monthly, yearly = subscribe(sandbox, clock), subscribe(sandbox, clock, interval="year")
    sandbox.control("settings", retry_days=[1])
    sandbox.use_card(monthly["customer"], "pm_card_chargeCustomerFail")
    sandbox.post(f"{CLOCKS}/{clock['id']}/advance", {"frozen_time": START + 59 * DAY})
    assert sandbox.get(f"subscriptions/{monthly['id']}")["status"] == "canceled"
    assert sandbox.get(f"subscriptions/{yearly['id']}")["status"] == "active"
    times = [one["created"] for one in sandbox.listed("events")]
    mine = [at for at in reversed(times) if at > START]
    assert mine == sorted(mine)
    ended = sandbox.get(f"subscriptions/{monthly['id']}")["ended_at"]
    assert ended == START + 31 * DAY + HOUR + DAY
