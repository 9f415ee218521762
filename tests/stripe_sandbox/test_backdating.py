"""A subscription that started before it was made.

Source: https://docs.stripe.com/billing/subscriptions/backdating, whose examples these are.
"""

from datetime import UTC, datetime

import pytest

from tests.stripe_sandbox.conftest import DAY, Sandbox

MARCH = datetime(2027, 3, 1, 12, tzinfo=UTC)


def epoch(month: int, day: int) -> int:
    return int(datetime(2027, month, day, 12, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("start", "right"),
    [
        (epoch(2, 15), [(5_000, epoch(2, 15), epoch(3, 1))]),  # 14 of the 28 days from 15 February to 15 March
        (epoch(2, 1), [(10_000, epoch(2, 1), epoch(3, 1))]),  # a whole month
        # 17 of the 31 days from 15 January to 15 February, and a whole month
        (epoch(1, 15), [(5_484, epoch(1, 15), epoch(2, 1)), (10_000, epoch(2, 1), epoch(3, 1))]),
    ],
)
def test_the_time_before_now_is_charged_with_the_first_invoice(
    sandbox: Sandbox, start: int, right: list[tuple[int, int, int]]
) -> None:
    office = sandbox.frozen_customer(MARCH)
    made = office.subscribe(sandbox.price(10_000)["id"], backdate_start_date=start)
    invoice = office.invoices()[0]
    lines = [(one["amount"], one["period"]["start"], one["period"]["end"]) for one in invoice["lines"]["data"]]
    assert sorted(lines) == sorted([*right, (10_000, epoch(3, 1), epoch(4, 1))])
    assert (made["status"], invoice["status"], invoice["total"]) == ("active", "paid", sum(one[0] for one in lines))
    assert (made["start_date"], made["created"], made["billing_cycle_anchor"]) == (start, epoch(3, 1), epoch(3, 1))


def test_without_proration_the_time_before_now_is_free(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(MARCH)
    price = sandbox.price(10_000)["id"]
    made = office.subscribe(price, backdate_start_date=epoch(1, 15), proration_behavior="none")
    assert (made["start_date"], office.invoices()[0]["total"]) == (epoch(1, 15), 10_000)


def test_a_start_in_the_future_is_none(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(MARCH)
    given = {"customer": office.customer, "items[0][price]": sandbox.price()["id"]}
    late = {"backdate_start_date": epoch(3, 1) + DAY}
    assert sandbox.refused("POST", "subscriptions", given | late)["param"] == "backdate_start_date"
    with_a_trial = {"backdate_start_date": epoch(2, 1), "trial_period_days": 7}
    sandbox.refused("POST", "subscriptions", given | with_a_trial, status=501)
