"""Subscription schedules: what starts, changes or ends a subscription by itself on a later day."""

from typing import Any

from tests.situations.dashboard import Dashboard, Object
from tests.situations.situation import Right, moment, situation

SCHEDULES = "billing/subscriptions/subscription-schedules"
OBJECT = "api/subscription_schedules/object"
MARCH, APRIL = ("1 Mar", "1 Apr"), ("1 Apr", "1 May")
TOLD = ["schedule"]
NOTHING: dict[str, Any] = {
    "access": "none",
    "status": "",
    "plan": None,
    "quantity": 0,
    "monthly": {},
    "owed": {},
    "past_due_since": None,
    "next_charge": None,
    "cycles": [],
}
PRACTICE: dict[str, Any] = {
    "access": "full",
    "status": "active",
    "plan": "Practice",
    "quantity": 1,
    "monthly": {"usd": 199_00},
    "owed": {},
    "past_due_since": None,
    "cycles": [MARCH],
}


def epoch(day: str) -> int:
    return int(moment(day).timestamp())


def _starting_on(at: Dashboard, day: str, *items: Object, **terms: Any) -> str:
    """Schedule a subscription to these items for one month from this day on. Return the schedule's id."""
    phases = [{"items": items, "duration": {"interval": "month", "interval_count": 1}}]
    made = at.post("subscription_schedules", customer=at.customer, start_date=epoch(day), phases=phases, **terms)
    return made["id"]


def _managing(at: Dashboard, subscription: str, *later: Object, **terms: Any) -> str:
    """Let a schedule manage the subscription. These items come month by month after the present period."""
    made = at.post("subscription_schedules", from_subscription=subscription)
    first = {name: made["phases"][0][name] for name in ("start_date", "end_date")}
    first["items"] = [{name: one[name] for name in ("price", "quantity")} for one in made["phases"][0]["items"]]
    month = {"interval": "month", "interval_count": 1}
    at.post(
        f"subscription_schedules/{made['id']}",
        phases=[first, *({"items": [one], "duration": month} for one in later)],
        **terms,
    )
    return made["id"]


def _practice(at: Dashboard) -> Object:
    return {"price": at.price("practice-monthly")}


def _team(at: Dashboard) -> Object:
    return {"price": at.price("seats-monthly"), "quantity": 3}


# --- a schedule that has not started


@situation(
    SCHEDULES,
    right=Right(
        **NOTHING,
        findings=TOLD,
        schedule="A schedule at Stripe starts a subscription on 1 April 2030 (America/New_York), with Practice at "
        "199.00 USD a month.",
    ),
)
def a_subscription_is_to_start_later(at: Dashboard) -> None:
    """The customer has no subscription yet. On 1 April it has one, and is charged without anybody asking again."""
    _starting_on(at, "1 Apr", _practice(at))


@situation(SCHEDULES, right=Right(**NOTHING, findings=[]))
def a_subscription_that_was_to_start_is_called_off(at: Dashboard) -> None:
    """A schedule that is canceled starts nothing."""
    one = _starting_on(at, "1 Apr", _practice(at))
    at.we_hear()
    at.post(f"subscription_schedules/{one}/cancel")


@situation(
    OBJECT,
    right=Right(
        **PRACTICE | {"cycles": [APRIL], "next_charge": ("1 May", 199_00, "usd")},
        findings=TOLD,
        schedule="A schedule at Stripe manages this subscription until 1 May 2030 (America/New_York)",
        payments=[("succeeded", 199_00, True)],
    ),
)
def it_has_started_as_scheduled(at: Dashboard) -> None:
    """Its first invoice is charged an hour later. After its only phase, the schedule lets it go on."""
    _starting_on(at, "1 Apr", _practice(at))
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    OBJECT,
    right=Right(
        **PRACTICE | {"cycles": [APRIL, ("1 May", "1 Jun")], "next_charge": ("1 Jun", 199_00, "usd")},
        findings=[],
    ),
)
def its_schedule_has_let_it_go(at: Dashboard) -> None:
    """The end_behavior release: on 1 May the schedule is over, and the subscription renews by itself."""
    _starting_on(at, "1 Apr", _practice(at))
    at.wait_until(moment("1 Apr 14:00"))
    at.wait_until(moment("1 May 14:00"))


@situation(
    SCHEDULES,
    right=Right(
        **PRACTICE,
        next_charge=("1 Apr", 199_00, "usd"),
        findings=TOLD,
        schedule="starts a subscription on 15 March 2030 (America/New_York), with Team × 3 at 49.00 USD per seat a "
        "month. Its last day is 15 April 2030 (America/New_York).",
    ),
)
def a_second_one_is_to_start_and_to_end(at: Dashboard) -> None:
    """A schedule of its own stands beside the subscription and does not change it."""
    at.subscribe("practice-monthly")
    _starting_on(at, "15 Mar", _team(at), end_behavior="cancel")


@situation(
    SCHEDULES,
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=3,
        monthly={"usd": 346_00},
        owed={},
        past_due_since=None,
        next_charge=None,
        cycles=[MARCH, ("15 Mar", "15 Apr")],
        findings=["schedule", "second_live_subscription"],
        schedule="Its last day is 15 April 2030 (America/New_York).",
        on_the_page=("active, ends",),
    ),
)
def a_second_one_has_started_and_is_to_end(at: Dashboard) -> None:
    """Of two that are active, the one that started last is the present one. It ends before another invoice."""
    at.subscribe("practice-monthly")
    _starting_on(at, "15 Mar", _team(at), end_behavior="cancel")
    at.wait_until(moment("15 Mar 14:00"))


# --- a schedule that manages a subscription


@situation(
    SCHEDULES,
    right=Right(
        **PRACTICE,
        next_charge=("1 Apr", 147_00, "usd"),
        findings=TOLD,
        schedule="A schedule at Stripe manages this subscription. On 1 April 2030 (America/New_York) it changes to "
        "Team × 3 at 49.00 USD per seat a month. After 1 May 2030 (America/New_York) it goes on without the schedule.",
    ),
)
def it_is_to_change_with_its_next_period(at: Dashboard) -> None:
    """The next phase has another plan: 3 seats at 49.00. So the next charge is 147.00."""
    _managing(at, at.subscribe("practice-monthly"), _team(at))


@situation(
    SCHEDULES,
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=3,
        monthly={"usd": 147_00},
        owed={},
        past_due_since=None,
        next_charge=("1 May", 147_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=TOLD,
        schedule="manages this subscription until 1 May 2030 (America/New_York), and changes nothing any more.",
    ),
)
def it_has_changed_as_scheduled(at: Dashboard) -> None:
    """The last phase has begun. Nothing is left to change."""
    _managing(at, at.subscribe("practice-monthly"), _team(at))
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    SCHEDULES,
    right=Right(
        **PRACTICE,
        next_charge=("1 Apr", 189_00, "usd"),
        findings=TOLD,
        schedule="it changes to a price that is not one of our plans.",
    ),
)
def it_is_to_change_to_a_price_of_somebody(at: Dashboard) -> None:
    """The price of a phase can be any price of the account."""
    _managing(at, at.subscribe("practice-monthly"), {"price": at.a_price_of_somebody(189_00)})


@situation(
    OBJECT,
    right=Right(
        **PRACTICE,
        next_charge=None,
        findings=TOLD,
        schedule="A schedule at Stripe manages this subscription. Its last day is 1 April 2030 (America/New_York).",
        on_the_page=("active, ends",),
    ),
)
def it_is_to_end_with_its_only_phase(at: Dashboard) -> None:
    """The end_behavior cancel ends the subscription when the schedule ends. No invoice comes."""
    _managing(at, at.subscribe("practice-monthly"), end_behavior="cancel")


@situation(
    OBJECT,
    right=Right(**PRACTICE | {"access": "none", "status": "canceled", "monthly": {}}, next_charge=None, findings=[]),
)
def it_has_ended_with_its_only_phase(at: Dashboard) -> None:
    """On 1 April it is over, and so is its schedule."""
    _managing(at, at.subscribe("practice-monthly"), end_behavior="cancel")
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    OBJECT,
    right=Right(
        **PRACTICE,
        next_charge=("1 Apr", 147_00, "usd"),
        findings=TOLD,
        schedule="it changes to Team × 3 at 49.00 USD per seat a month. Its last day is 1 May 2030 (America/New_York).",
        on_the_page=("active, ends",),
    ),
)
def it_is_to_change_and_then_to_end(at: Dashboard) -> None:
    """It renews once more with the second phase, and ends with that."""
    _managing(at, at.subscribe("practice-monthly"), _team(at), end_behavior="cancel")


@situation(
    "api/subscription_schedules/release",
    right=Right(**PRACTICE, next_charge=("1 Apr", 199_00, "usd"), findings=[]),
)
def it_was_to_change_and_is_released(at: Dashboard) -> None:
    """A schedule that is released changes nothing any more. The subscription goes on as it is."""
    one = _managing(at, at.subscribe("practice-monthly"), _team(at), end_behavior="cancel")
    at.we_hear()
    at.post(f"subscription_schedules/{one}/release")


def _marks_the_end_of_a_phase(its: Object) -> Object:
    if its.get("object") == "subscription" and its["schedule"]:
        return its | {"cancel_at": epoch("1 Apr")}
    return its


@situation(
    SCHEDULES,
    right=Right(
        **PRACTICE,
        next_charge=("1 Apr", 147_00, "usd"),
        findings=TOLD,
        schedule="After 1 May 2030 (America/New_York) it goes on without the schedule.",
    ),
)
def the_end_of_a_phase_is_no_end(at: Dashboard) -> None:
    """Stripe may show the end of the present phase as cancel_at. The schedule says that it goes on after that."""
    at.answers_are(_marks_the_end_of_a_phase)
    _managing(at, at.subscribe("practice-monthly"), _team(at))
