"""Subscription schedules: phases that follow one another, and how a schedule lets go of its subscription.

Source: https://docs.stripe.com/billing/subscriptions/subscription-schedules
"""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Frozen, Sandbox


@pytest.fixture
def office(sandbox: Sandbox) -> Frozen:
    return sandbox.frozen_customer()


def scheduled(sandbox: Sandbox, office: Frozen, **given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A running subscription over 10.00, and a schedule that makes it 20.00 from the next period on, for one month."""
    made = office.subscribe(sandbox.price()["id"])
    schedule = sandbox.post("subscription_schedules", {"from_subscription": made["id"]})
    first = schedule["phases"][0]
    phases = {
        "phases[0][start_date]": first["start_date"],
        "phases[0][end_date]": first["end_date"],
        "phases[0][items][0][price]": first["items"][0]["price"],
        "phases[1][items][0][price]": sandbox.price(2000)["id"],
        "phases[1][items][0][quantity]": 3,
        "phases[1][duration][interval]": "month",
    }
    return made, sandbox.post(f"subscription_schedules/{schedule['id']}", {**phases, **given})


def test_a_schedule_is_made_from_a_subscription(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(sandbox.price()["id"])
    schedule = sandbox.post("subscription_schedules", {"from_subscription": made["id"]})
    item, phase = made["items"]["data"][0], schedule["phases"][0]
    assert (schedule["status"], schedule["subscription"]) == ("active", made["id"])
    assert (schedule["end_behavior"], schedule["customer"]) == ("release", office.customer)
    assert (phase["start_date"], phase["end_date"]) == (item["current_period_start"], item["current_period_end"])
    assert [(one["price"], one["quantity"]) for one in phase["items"]] == [(item["price"]["id"], 1)]
    assert office.read(made)["schedule"] == schedule["id"]
    assert sandbox.listed("subscription_schedules", customer=office.customer) == [schedule]
    assert "subscription_schedule.created" in sandbox.event_types()
    sandbox.refused("POST", "subscription_schedules", {"from_subscription": made["id"]})


def test_the_next_phase_begins_with_its_period(sandbox: Sandbox, office: Frozen) -> None:
    made, schedule = scheduled(sandbox, office)
    assert office.waiting() == []
    office.go_to(schedule["phases"][0]["end_date"] + 2 * HOUR)
    item, renewal = office.read(made)["items"]["data"][0], office.invoices()[0]
    assert (item["price"]["unit_amount"], item["quantity"]) == (2000, 3)
    assert (renewal["total"], renewal["status"], renewal["billing_reason"]) == (6000, "paid", "subscription_cycle")
    assert len(renewal["lines"]["data"]) == 1
    shown = sandbox.get(f"subscription_schedules/{schedule['id']}")
    assert shown["current_phase"] == {name: shown["phases"][1][name] for name in ("start_date", "end_date")}
    assert "subscription_schedule.updated" in sandbox.event_types()


@pytest.mark.parametrize(
    ("ends", "status", "then"), [("release", "released", "active"), ("cancel", "completed", "canceled")]
)
def test_after_its_last_phase_it_lets_go_or_cancels(
    sandbox: Sandbox, office: Frozen, ends: str, status: str, then: str
) -> None:
    made, schedule = scheduled(sandbox, office, end_behavior=ends)
    office.wait(20 * DAY)
    office.go_to(schedule["phases"][1]["end_date"] + 2 * HOUR)
    shown, after = sandbox.get(f"subscription_schedules/{schedule['id']}"), office.read(made)
    assert (shown["status"], after["status"], after["schedule"]) == (status, then, None)
    assert shown["released_subscription"] == (made["id"] if ends == "release" else None)
    assert f"subscription_schedule.{status}" in sandbox.event_types()
    assert len(office.invoices()) == (3 if ends == "release" else 2)


@pytest.mark.parametrize(
    ("act", "status", "then"), [("release", "released", "active"), ("cancel", "canceled", "canceled")]
)
def test_it_is_released_or_canceled_by_request(
    sandbox: Sandbox, office: Frozen, act: str, status: str, then: str
) -> None:
    made, schedule = scheduled(sandbox, office)
    assert sandbox.post(f"subscription_schedules/{schedule['id']}/{act}")["status"] == status
    after = office.read(made)
    assert (after["status"], after["schedule"]) == (then, None)
    assert f"subscription_schedule.{status}" in sandbox.event_types()
    sandbox.refused("POST", f"subscription_schedules/{schedule['id']}/{act}")
    office.wait(32 * DAY)
    assert office.read(made)["items"]["data"][0]["price"]["unit_amount"] == 1000


def test_a_canceled_subscription_cancels_its_schedule(sandbox: Sandbox, office: Frozen) -> None:
    made, schedule = scheduled(sandbox, office)
    sandbox.ask("DELETE", f"subscriptions/{made['id']}").raise_for_status()
    assert sandbox.get(f"subscription_schedules/{schedule['id']}")["status"] == "canceled"


def test_a_subscription_begins_on_the_day_of_its_schedule(sandbox: Sandbox, office: Frozen) -> None:
    """Until then its currency is held."""
    given = {"phases[0][items][0][price]": sandbox.price(1500)["id"], "phases[0][duration][interval]": "month"}
    start = office.now() + 5 * DAY
    schedule = sandbox.post("subscription_schedules", {"customer": office.customer, "start_date": start, **given})
    assert (schedule["status"], schedule["subscription"], schedule["current_phase"]) == ("not_started", None, None)
    sandbox.ask("DELETE", f"subscriptions/{office.subscribe(sandbox.price()['id'])['id']}")
    euro = {"customer": office.customer, "items[0][price]": sandbox.price(currency="eur")["id"]}
    assert "subscription schedule" in sandbox.refused("POST", "subscriptions", euro)["message"]
    office.go_to(start + 2 * HOUR)
    shown = sandbox.get(f"subscription_schedules/{schedule['id']}")
    begun = sandbox.get(f"subscriptions/{shown['subscription']}")
    assert (shown["status"], begun["status"], begun["start_date"], begun["schedule"]) == (
        "active",
        "active",
        start,
        schedule["id"],
    )
    assert office.invoices()[0]["total"] == 1500


@pytest.mark.parametrize(
    "asked", [{"cancel_at_period_end": "true"}, {"cancel_at_period_end": "false"}, {"cancel_at": ""}]
)
def test_the_end_of_a_managed_subscription_is_its_schedules(
    sandbox: Sandbox, office: Frozen, asked: dict[str, str]
) -> None:
    """Until it is released, and with any request. To end it now is another request, and is possible."""
    made, schedule = scheduled(sandbox, office)
    refused = sandbox.refused("POST", f"subscriptions/{made['id']}", asked)
    assert refused["type"] == "invalid_request_error"
    assert refused["message"] == (
        f"The subscription is managed by the subscription schedule `{schedule['id']}`, and updating any cancelation "
        "behavior directly is not allowed. Please update the schedule instead."
    )
    item = made["items"]["data"][0]["id"]
    sandbox.post(f"subscription_items/{item}", {"quantity": 2})
    sandbox.post(f"subscription_schedules/{schedule['id']}/release")
    sandbox.post(f"subscriptions/{made['id']}", asked)


def test_what_has_not_started_is_listed_by_itself_and_ends_with_its_customer(sandbox: Sandbox, office: Frozen) -> None:
    scheduled(sandbox, office)
    given = {"phases[0][items][0][price]": sandbox.price(1500)["id"], "phases[0][duration][interval]": "month"}
    start = office.now() + 5 * DAY
    coming = sandbox.post("subscription_schedules", {"customer": office.customer, "start_date": start, **given})
    assert sandbox.listed("subscription_schedules", customer=office.customer, scheduled="true") == [coming]
    assert len(sandbox.listed("subscription_schedules", customer=office.customer)) == 2
    sandbox.ask("DELETE", f"customers/{office.customer}").raise_for_status()
    assert {one["status"] for one in sandbox.listed("subscription_schedules")} == {"canceled"}


def test_a_schedule_of_a_subscription_that_is_set_to_end_is_not_made_here(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(sandbox.price()["id"])
    sandbox.post(f"subscriptions/{made['id']}", {"cancel_at_period_end": "true"})
    assert sandbox.ask("POST", "subscription_schedules", {"from_subscription": made["id"]}).status_code == 501
