"""A subscription whose items have different intervals: 100.00 a quarter and 15.00 a month from 1 January 2027.

The amounts are worked out by hand from Stripe's own example.
Source: https://docs.stripe.com/billing/subscriptions/mixed-interval
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Frozen, Sandbox


def first_of(month: int) -> int:
    return int(datetime(2027, month, 1, tzinfo=UTC).timestamp())


@pytest.fixture
def office(sandbox: Sandbox) -> Frozen:
    return sandbox.frozen_customer()


@pytest.fixture
def mixed(sandbox: Sandbox, office: Frozen) -> dict[str, Any]:
    return office.subscribe(sandbox.price(10000, count=3)["id"], **{"items[1][price]": sandbox.price(1500)["id"]})


def ends_of(subscription: dict[str, Any]) -> list[int]:
    return [item["current_period_end"] for item in subscription["items"]["data"]]


def totals(office: Frozen) -> list[int]:
    return [invoice["total"] for invoice in reversed(office.invoices())]


def test_each_item_is_billed_when_its_own_period_begins(office: Frozen, mixed: dict[str, Any]) -> None:
    assert ends_of(mixed) == [first_of(4), first_of(2)]
    assert totals(office) == [11500]
    office.go_to(first_of(2) + 2 * HOUR)
    assert ends_of(office.read(mixed)) == [first_of(4), first_of(3)]
    office.go_to(first_of(3) + 2 * HOUR)
    assert totals(office) == [11500, 1500, 1500]
    office.go_to(first_of(4) + 2 * HOUR)
    assert ends_of(office.read(mixed)) == [first_of(7), first_of(5)]
    assert totals(office) == [11500, 1500, 1500, 11500]
    assert {invoice["status"] for invoice in office.invoices()} == {"paid"}


def test_what_comes_next_is_the_first_renewal(sandbox: Sandbox, office: Frozen, mixed: dict[str, Any]) -> None:
    upcoming = sandbox.post("invoices/create_preview", {"subscription": mixed["id"]})
    assert (upcoming["total"], upcoming["period_end"]) == (1500, first_of(2))
    assert [line["amount"] for line in upcoming["lines"]["data"]] == [1500]


@pytest.mark.parametrize(("asked", "month"), [("min_period_end", 2), ("max_period_end", 4)])
def test_it_can_end_with_the_first_or_the_last_period(
    sandbox: Sandbox, office: Frozen, mixed: dict[str, Any], asked: str, month: int
) -> None:
    sandbox.post(f"subscriptions/{mixed['id']}", {"cancel_at": asked})
    assert office.read(mixed)["cancel_at"] == first_of(month)
    for one in range(2, month + 1):
        office.go_to(first_of(one) + 2 * HOUR)
    assert office.read(mixed)["status"] == "canceled"


def test_its_end_credits_what_an_item_was_billed_beyond_it(
    sandbox: Sandbox, office: Frozen, mixed: dict[str, Any]
) -> None:
    sandbox.post(f"subscriptions/{mixed['id']}", {"cancel_at": "min_period_end"})
    assert office.waiting() == [-6556]  # 100.00 × 59 of 90 days
    sandbox.post(f"subscriptions/{mixed['id']}", {"cancel_at": ""})
    assert sum(office.waiting()) == 0


def test_to_end_with_its_period_is_to_end_with_the_first(
    sandbox: Sandbox, office: Frozen, mixed: dict[str, Any]
) -> None:
    changed = sandbox.post(f"subscriptions/{mixed['id']}", {"cancel_at_period_end": True})
    assert (changed["cancel_at_period_end"], changed["cancel_at"]) == (True, first_of(2))


def test_seats_are_prorated_within_the_item_s_own_period(
    sandbox: Sandbox, office: Frozen, mixed: dict[str, Any]
) -> None:
    office.go_to(first_of(1) + 45 * DAY)
    quarterly = mixed["items"]["data"][0]["id"]
    sandbox.post(f"subscriptions/{mixed['id']}", {"items[0][id]": quarterly, "items[0][quantity]": 2})
    assert sorted(office.waiting()) == [-5000, 10000]  # 45 of 90 days
    assert ends_of(office.read(mixed)) == [first_of(4), first_of(3)]


def test_a_trial_ends_for_all_items_at_once(sandbox: Sandbox, office: Frozen) -> None:
    prices = {"items[1][price]": sandbox.price(1500)["id"], "trial_end": first_of(1) + 14 * DAY}
    made = office.subscribe(sandbox.price(10000, count=3)["id"], **prices)
    assert ends_of(made) == [first_of(1) + 14 * DAY] * 2
    office.go_to(first_of(1) + 14 * DAY + 2 * HOUR)
    assert ends_of(office.read(made)) == [first_of(4) + 14 * DAY, first_of(2) + 14 * DAY]
    assert totals(office) == [0, 11500]


def test_the_classic_billing_mode_has_one_interval(sandbox: Sandbox, office: Frozen) -> None:
    given = {"customer": office.customer, "billing_mode[type]": "classic"}
    prices = {"items[0][price]": sandbox.price(10000, "year")["id"], "items[1][price]": sandbox.price()["id"]}
    assert sandbox.refused("POST", "subscriptions", {**given, **prices})["param"] == "items"


def test_what_is_not_there_says_so(sandbox: Sandbox, office: Frozen, mixed: dict[str, Any]) -> None:
    path, monthly = f"subscriptions/{mixed['id']}", mixed["items"]["data"][1]["id"]
    yearly = sandbox.price(15000, "year")["id"]
    sandbox.refused("POST", path, {"items[0][price]": yearly}, status=501)
    sandbox.refused("POST", path, {"items[0][id]": monthly, "items[0][price]": yearly}, status=501)
    sandbox.refused("POST", "subscription_schedules", {"from_subscription": mixed["id"]}, status=501)
    plain = office.subscribe(sandbox.price()["id"])
    sandbox.refused("POST", f"subscriptions/{plain['id']}", {"items[0][price]": yearly}, status=501)
