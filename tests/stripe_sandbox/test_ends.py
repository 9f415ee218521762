"""A subscription that is to end within a period is billed only until then."""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Frozen, Sandbox


@pytest.fixture
def office(sandbox: Sandbox) -> Frozen:
    return sandbox.frozen_customer()


@pytest.fixture
def made(sandbox: Sandbox, office: Frozen) -> dict[str, Any]:
    """30.00 for 30 days."""
    return office.subscribe(price(sandbox))


def price(sandbox: Sandbox, amount: int = 3000) -> str:
    return sandbox.price(amount, "day", count=30)["id"]


def test_the_rest_of_the_period_is_credited(office: Frozen, made: dict[str, Any]) -> None:
    office.change(made, cancel_at=office.now() + 20 * DAY)
    assert office.waiting() == [-1000]
    office.wait(20 * DAY + HOUR)
    assert (office.read(made)["status"], office.balance()) == ("canceled", -1000)


@pytest.mark.parametrize(("behaviour", "waiting", "balance"), [("none", [], 0), ("always_invoice", [], -1000)])
def test_the_credit_is_as_the_request_says(
    office: Frozen, made: dict[str, Any], behaviour: str, waiting: list[int], balance: int
) -> None:
    office.change(made, cancel_at=office.now() + 20 * DAY, proration_behavior=behaviour)
    assert (office.waiting(), office.balance()) == (waiting, balance)
    office.wait(20 * DAY + HOUR)
    assert office.balance() == balance


def test_another_end_moves_the_credit(office: Frozen, made: dict[str, Any]) -> None:
    start = office.now()
    office.change(made, cancel_at=start + 20 * DAY)
    office.wait(5 * DAY)
    office.change(made, cancel_at=start + 10 * DAY)
    assert office.waiting() == [-1000, -1000]
    office.change(made, cancel_at="")
    assert office.waiting() == [-1000, -1000, 2000]
    office.wait(25 * DAY + HOUR)
    assert office.invoices()[0]["total"] == 3000


def test_an_end_with_the_period_gives_nothing_back(office: Frozen, made: dict[str, Any]) -> None:
    office.change(made, cancel_at_period_end="true")
    assert office.waiting() == []
    office.change(made, cancel_at_period_end="false")
    assert office.waiting() == []


def test_a_change_after_it_was_set_counts_only_until_the_end(
    sandbox: Sandbox, office: Frozen, made: dict[str, Any]
) -> None:
    start = office.now()
    office.change(made, cancel_at=start + 20 * DAY)
    office.wait(10 * DAY)
    office.change(made, price=price(sandbox, 6000))
    assert office.waiting() == [-1000, -1000, 2000]


def test_a_future_period_is_billed_only_until_the_end(office: Frozen, made: dict[str, Any]) -> None:
    end = made["items"]["data"][0]["current_period_end"]
    office.change(made, cancel_at=end + 10 * DAY, proration_behavior="none")
    assert office.waiting() == []
    office.go_to(end + HOUR)
    invoice = office.invoices()[0]
    assert (invoice["total"], invoice["status"]) == (1000, "paid")
    assert invoice["lines"]["data"][0]["period"] == {"start": end, "end": end + 10 * DAY}
    office.go_to(end + 10 * DAY)
    assert (office.read(made)["status"], office.balance()) == ("canceled", 0)


def test_an_end_in_a_future_period_that_is_taken_back_debits_the_rest(office: Frozen, made: dict[str, Any]) -> None:
    end = made["items"]["data"][0]["current_period_end"]
    office.change(made, cancel_at=end + 10 * DAY)
    office.go_to(end + HOUR)
    office.change(made, cancel_at="")
    assert office.waiting() == [2000]


def test_a_renewal_before_a_later_end_is_announced(sandbox: Sandbox, office: Frozen, made: dict[str, Any]) -> None:
    office.change(made, cancel_at=office.now() + 40 * DAY)
    office.wait(23 * DAY)
    upcoming = sandbox.listed("events", type="invoice.upcoming")[0]["data"]["object"]
    assert upcoming["total"] == 1000


@pytest.mark.parametrize(("given", "total"), [({}, 1000), ({"proration_behavior": "none"}, 3000)])
def test_a_first_period_that_will_be_cut_short(
    sandbox: Sandbox, office: Frozen, given: dict[str, str], total: int
) -> None:
    office.subscribe(price(sandbox), cancel_at=office.now() + 10 * DAY, **given)
    assert office.invoices()[0]["total"] == total


def test_an_end_within_a_trial_gives_nothing_back(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox), trial_period_days=14)
    office.change(made, cancel_at=office.now() + 7 * DAY)
    assert office.change(made, cancel_at="")["status"] == "trialing"
    assert office.waiting() == []


def test_one_end_at_a_time(sandbox: Sandbox, office: Frozen, made: dict[str, Any]) -> None:
    given = {"cancel_at": office.now() + DAY, "cancel_at_period_end": "true"}
    assert sandbox.refused("POST", f"subscriptions/{made['id']}", given)["param"] == "cancel_at"


def test_an_end_with_the_period_moves_with_it(office: Frozen, made: dict[str, Any]) -> None:
    office.change(made, cancel_at_period_end="true")
    trial = office.now() + 40 * DAY
    changed = office.change(made, trial_end=trial)
    assert (changed["cancel_at"], changed["cancel_at_period_end"]) == (trial, True)
    office.go_to(trial)
    assert office.read(made)["status"] == "canceled"


def test_a_preview_shows_the_credit(sandbox: Sandbox, office: Frozen, made: dict[str, Any]) -> None:
    given = {"subscription": made["id"], "subscription_details[cancel_at]": office.now() + 20 * DAY}
    assert sandbox.post("invoices/create_preview", given)["total"] == -1000
    assert office.waiting() == []
