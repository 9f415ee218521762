"""How schedules at Stripe are read and told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from billing import clock, schedules
from billing.schedules import Phase, Schedule
from billing.stripe_api import inbound
from tests.conftest import LocalStripe, price

APRIL, MAY, JUNE = (datetime(2030, month, 1, 12, tzinfo=UTC) for month in (4, 5, 6))


def phase(start: datetime, end: datetime, *items: tuple[str, int], **more: Any) -> dict[str, Any]:
    shown = [{"price": key, "plan": key, "quantity": quantity, "discounts": []} for key, quantity in items]
    times = {"start_date": int(start.timestamp()), "end_date": int(end.timestamp())}
    return {**times, "items": shown, "currency": "usd", "discounts": [], "metadata": {}} | more


def shown(*phases: dict[str, Any], end: str = "release", status: str = "active") -> dict[str, Any]:
    return {"id": "sub_sched_1", "status": status, "phases": list(phases), "end_behavior": end}


A, B = ("price_a", 1), ("price_b", 2)


@pytest.mark.parametrize("end", ["release", "cancel", "none", "renew"])
def test_only_the_end_behaviour_cancel_ends_the_subscription(end: str) -> None:
    """Source: https://docs.stripe.com/api/subscription_schedules/object#subscription_schedule_object-end_behavior"""
    read = inbound.schedules.schedule(shown(phase(APRIL, MAY, A), phase(MAY, JUNE, B), end=end))
    assert read.ends_at == (JUNE if end == "cancel" else None)
    assert (read.starts_at, read.over_at) == (APRIL, JUNE)


def test_what_is_stored_is_read_as_it_was() -> None:
    for end in ("release", "cancel"):
        read = inbound.schedules.schedule(shown(phase(APRIL, MAY, A), phase(MAY, JUNE, A, B), end=end))
        assert Schedule.read(read.stored()) == read
    empty = inbound.schedules.schedule(shown())
    assert (Schedule.read(empty.stored()), empty.starts_at, empty.ends_at) == (empty, None, None)


@pytest.mark.parametrize("status", ["not_started", "completed", "released", "canceled"])
def test_only_an_active_schedule_manages_a_subscription(status: str) -> None:
    assert inbound.schedules.managing(shown(phase(APRIL, MAY, A), status=status)) is None


@pytest.mark.parametrize(
    ("more", "differs"),
    [
        ({}, False),
        ({"metadata": {"typed": "by somebody"}}, False),
        ({"proration_behavior": "none"}, False),
        ({"description": None, "default_tax_rates": None}, False),
        ({"discounts": [{"coupon": "half"}]}, True),
        ({"collection_method": "send_invoice"}, True),
        ({"trial_end": 1_900_000_000}, True),
        ({"add_invoice_items": [{"price": "price_once"}]}, True),
        ({"items": [{"price": "price_a", "quantity": 1, "tax_rates": ["txr_1"]}]}, True),
    ],
)
def test_a_phase_may_have_other_terms_than_the_one_before(more: dict[str, Any], differs: bool) -> None:
    read = inbound.schedules.schedule(shown(phase(APRIL, MAY, A), phase(MAY, JUNE, A, **more)))
    assert [one.has_other_terms for one in read.phases] == [False, differs]


def test_metered_use_has_no_quantity() -> None:
    read = inbound.schedules.schedule(shown(phase(APRIL, MAY, A, items=[{"price": {"id": "price_a"}}])))
    assert read.phases[0].items == (("price_a", 0),)


# --- in words


ZONE = "America/New_York"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is 15 April."""
    monkeypatch.setattr(clock, "billing", lambda: datetime(2030, 4, 15, 12, tzinfo=UTC))


def of(*phases: Phase, cancels: bool = False) -> Schedule:
    return Schedule("sub_sched_1", phases, JUNE, cancels)


def test_it_is_told_what_comes_and_not_what_was(stripe: LocalStripe, now: None) -> None:
    one, two = ((price(code).stripe_price_id or "", 1) for code in ("practice-monthly", "practice-yearly"))
    past, later = Phase(APRIL, (one,), False), Phase(MAY, (two, ("price_of_others", 3)), True)

    assert schedules.told_of_managing(of(past, later, cancels=True), ZONE) == (
        "A schedule at Stripe manages this subscription. On 1 May 2030 (America/New_York) it changes to Practice at "
        "1,990.00 USD a year and a price that is not one of our plans × 3. Its last "
        "day is 1 June 2030 (America/New_York)."
    )
    assert schedules.told_of_managing(of(past), ZONE) == (
        "A schedule at Stripe manages this subscription until 1 June 2030 (America/New_York), and changes nothing any "
        "more."
    )
    assert schedules.told_of_coming(of(Phase(MAY, (one,), False), cancels=True), ZONE) == (
        "A schedule at Stripe starts a subscription on 1 May 2030 (America/New_York), with Practice at 199.00 USD a "
        "month. Its last day is 1 June 2030 (America/New_York)."
    )


def test_other_terms_are_told_without_what_somebody_typed(stripe: LocalStripe, now: None) -> None:
    items = ((price("practice-monthly").stripe_price_id or "", 1),)
    told = schedules.told_of_managing(of(Phase(APRIL, items, False), Phase(MAY, items, True)), ZONE)
    assert "On 1 May 2030 (America/New_York) its other terms change. Stripe's dashboard shows them." in told
    same = of(Phase(APRIL, items, False), Phase(MAY, items, False))
    assert "changes nothing any more" in schedules.told_of_managing(same, ZONE)
