"""Reading Stripe's subscription schedules."""

from typing import Any

from billing.schedules import Phase, Schedule
from billing.stripe_api.inbound.values import identity, time_of

ACTIVE, CANCELS = "active", "cancel"
OF_A_PHASE = {"start_date", "end_date", "items", "currency", "metadata", "proration_behavior"}
"""What two phases may differ in although nothing but their items changes between them."""
OF_AN_ITEM = {"price", "plan", "quantity", "metadata"}


def schedule(data: dict[str, Any]) -> Schedule:
    """Read a schedule. Metered use has no quantity at Stripe. Here it counts as 0, because nobody knows it yet."""
    phases: list[Phase] = []
    terms: dict[str, Any] = {}
    for number, one in enumerate(data["phases"]):
        before, terms = terms, _other_terms(one)
        items = tuple((identity(item["price"]), item.get("quantity", 0)) for item in one["items"])
        phases.append(Phase(time_of(one["start_date"]), items, number > 0 and terms != before))
    over_at = time_of(data["phases"][-1]["end_date"]) if phases else None
    return Schedule(data["id"], tuple(phases), over_at, data["end_behavior"] == CANCELS)


def managing(data: Any) -> Schedule | None:
    """Read the schedule of a subscription, if it is expanded and still manages it."""
    return schedule(data) if isinstance(data, dict) and data["status"] == ACTIVE else None


def _other_terms(phase: dict[str, Any]) -> dict[str, Any]:
    """Return what a phase says besides its time, its prices and its quantities. What says nothing is left out."""
    of_items = [
        {name: value for name, value in item.items() if value and name not in OF_AN_ITEM} for item in phase["items"]
    ]
    own = {name: value for name, value in phase.items() if value and name not in OF_A_PHASE}
    return {**own, "of its items": [one for one in of_items if one]}
