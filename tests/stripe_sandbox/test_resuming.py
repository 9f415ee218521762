"""A subscription that paused for want of a card runs again."""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Frozen, Sandbox

FAILS = "pm_card_chargeCustomerFail"
PAUSES = {"trial_settings[end_behavior][missing_payment_method]": "pause"}


@pytest.fixture
def office(sandbox: Sandbox) -> Frozen:
    return sandbox.frozen_customer(card=None)


@pytest.fixture
def paused(sandbox: Sandbox, office: Frozen) -> dict[str, Any]:
    """10.00 for 30 days, whose trial ended 10 days ago."""
    made = office.subscribe(sandbox.price(1000, "day", count=30)["id"], trial_period_days=14, **PAUSES)
    office.wait(24 * DAY)
    assert office.read(made)["status"] == "paused"
    return made


def resume(sandbox: Sandbox, made: dict[str, Any], **given: Any) -> dict[str, Any]:
    return sandbox.post(f"subscriptions/{made['id']}/resume", given)


def test_it_is_billed_once_however_often_it_is_asked(sandbox: Sandbox, office: Frozen, paused: dict[str, Any]) -> None:
    sandbox.use_card(office.customer, FAILS)
    assert resume(sandbox, paused)["status"] == "paused"
    sandbox.refused("POST", f"subscriptions/{paused['id']}/resume")
    assert [one["total"] for one in office.invoices()] == [1000, 0]


@pytest.mark.parametrize(("what", "status"), [("void", "paused"), ("mark_uncollectible", "active"), ("pay", "active")])
def test_it_follows_the_invoice_for_that(
    sandbox: Sandbox, office: Frozen, paused: dict[str, Any], what: str, status: str
) -> None:
    sandbox.use_card(office.customer, FAILS)
    invoice = resume(sandbox, paused)["latest_invoice"]
    sandbox.use_card(office.customer, "pm_card_visa")
    sandbox.post(f"invoices/{invoice}/{what}")
    assert office.read(paused)["status"] == status
    assert ("customer.subscription.resumed" in sandbox.event_types()) == (status == "active")


def test_what_is_not_paid_within_23_hours_is_void(sandbox: Sandbox, office: Frozen, paused: dict[str, Any]) -> None:
    before = office.read(paused)
    sandbox.use_card(office.customer, FAILS)
    resume(sandbox, paused)
    office.wait(23 * HOUR - 1)
    assert office.invoices()[0]["status"] == "open"
    office.wait(1)
    after = office.read(paused)
    assert (after["status"], office.invoices()[0]["status"]) == ("paused", "void")
    assert (after["billing_cycle_anchor"], after["items"]) == (before["billing_cycle_anchor"], before["items"])
    sandbox.use_card(office.customer, "pm_card_visa")
    assert resume(sandbox, paused)["status"] == "active"


def test_what_was_void_is_never_credited(sandbox: Sandbox, office: Frozen, paused: dict[str, Any]) -> None:
    sandbox.use_card(office.customer, FAILS)
    resume(sandbox, paused)
    office.wait(DAY)
    sandbox.ask("DELETE", f"subscriptions/{paused['id']}?prorate=true&invoice_now=true").raise_for_status()
    assert office.balance() == 0


def test_an_unchanged_anchor_bills_what_is_left_of_the_period(
    sandbox: Sandbox, office: Frozen, paused: dict[str, Any]
) -> None:
    sandbox.use_card(office.customer, "pm_card_visa")
    resumed = resume(sandbox, paused, billing_cycle_anchor="unchanged")
    invoice, end = office.invoices()[0], paused["trial_end"] + 30 * DAY
    assert (resumed["status"], invoice["total"], invoice["status"]) == ("active", 667, "paid")
    assert invoice["lines"]["data"][0]["period"] == {"start": office.now(), "end": end}
    assert resumed["items"]["data"][0]["current_period_end"] == end
    office.go_to(end + HOUR)
    assert office.invoices()[0]["total"] == 1000


def test_without_proration_what_is_left_costs_nothing(sandbox: Sandbox, office: Frozen, paused: dict[str, Any]) -> None:
    sandbox.use_card(office.customer, "pm_card_visa")
    resumed = resume(sandbox, paused, billing_cycle_anchor="unchanged", proration_behavior="none")
    assert (resumed["status"], len(office.invoices())) == ("active", 1)
    office.go_to(paused["trial_end"] + 30 * DAY + HOUR)
    assert office.invoices()[0]["total"] == 1000


def test_a_change_meanwhile_costs_nothing(sandbox: Sandbox, office: Frozen, paused: dict[str, Any]) -> None:
    office.change(paused, quantity=3, proration_behavior="always_invoice")
    office.change(paused, quantity=2)
    assert (office.waiting(), len(office.invoices())) == ([], 1)
    sandbox.use_card(office.customer, "pm_card_visa")
    resume(sandbox, paused)
    assert office.invoices()[0]["total"] == 2000


@pytest.mark.parametrize(("behaviour", "status"), [("pause", "paused"), ("cancel", "canceled")])
def test_a_trial_that_is_ended_ends_as_it_would_have(
    sandbox: Sandbox, office: Frozen, behaviour: str, status: str
) -> None:
    given = {"trial_settings[end_behavior][missing_payment_method]": behaviour}
    made = office.subscribe(sandbox.price(1000)["id"], trial_period_days=14, **given)
    office.wait(5 * DAY)
    ended = office.change(made, trial_end="now")
    assert (ended["status"], ended["trial_end"], len(office.invoices())) == (status, office.now(), 1)
    told = {"paused": "customer.subscription.paused", "canceled": "customer.subscription.deleted"}[status]
    assert told in sandbox.event_types()


def test_a_trial_that_is_ended_is_billed_where_there_is_a_card(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(sandbox.price(1000)["id"], trial_period_days=14, **PAUSES)
    sandbox.use_card(office.customer, "pm_card_visa")
    assert office.change(made, trial_end="now")["status"] == "active"
    assert office.invoices()[0]["amount_paid"] == 1000
