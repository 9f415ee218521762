"""Schedules at Stripe: what starts, changes or ends a subscription by itself on a later day, and how we tell of it.

A person in Stripe's dashboard or another system on the account makes them. No operation of ours does.

A schedule that has not started belongs to a customer (``Office.coming_schedules``). Once it has started it manages a
subscription (``Subscription.schedule``), until it ends, or is released or canceled.
Source: https://docs.stripe.com/billing/subscriptions/subscription-schedules
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Self

from billing import clock, invoice_lines, zones
from billing.models import Office, PlanPrice, Subscription
from billing.models.subscription import NOT_OURS


@dataclass(frozen=True, slots=True)
class Phase:
    """What is subscribed to from a moment on, until the next phase: prices by their ids at Stripe, and quantities.

    ``has_other_terms``: it differs from the phase before it in more than these, such as in a discount.
    """

    starts_at: datetime
    items: tuple[tuple[str, int], ...]
    has_other_terms: bool


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule that has not started, or that manages a subscription.

    ``over_at`` is the end of its last phase. Then ``cancels`` decides: the subscription ends, or it goes on by itself.
    """

    id: str
    phases: tuple[Phase, ...]
    over_at: datetime | None
    cancels: bool

    @property
    def starts_at(self) -> datetime | None:
        return self.phases[0].starts_at if self.phases else None

    @property
    def ends_at(self) -> datetime | None:
        """Return when it ends its subscription. None: it does not."""
        return self.over_at if self.cancels else None

    def stored(self) -> dict[str, Any]:
        """Return the schedule as JSON holds it, times in ISO 8601."""
        phases = [
            {
                "starts_at": one.starts_at.isoformat(),
                "items": [[price, quantity] for price, quantity in one.items],
                "has_other_terms": one.has_other_terms,
            }
            for one in self.phases
        ]
        over_at = self.over_at.isoformat() if self.over_at else None
        return {"id": self.id, "phases": phases, "over_at": over_at, "cancels": self.cancels}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Return what ``stored`` made."""
        phases = tuple(
            Phase(
                datetime.fromisoformat(one["starts_at"]),
                tuple((price, quantity) for price, quantity in one["items"]),
                one["has_other_terms"],
            )
            for one in stored["phases"]
        )
        over_at = datetime.fromisoformat(stored["over_at"]) if stored["over_at"] else None
        return cls(stored["id"], phases, over_at, stored["cancels"])


def coming(office: Office) -> list[Schedule]:
    """Return the Office's schedules that have not started, the first to start first."""
    return [Schedule.read(one) for one in office.coming_schedules or ()]


def managing(subscription: Subscription | None) -> Schedule | None:
    """Return the schedule that manages this subscription."""
    stored = subscription.schedule if subscription else None
    return Schedule.read(stored) if stored else None


def manages(office: Office) -> bool:
    """Return whether a schedule manages the present subscription. One query."""
    rows = office.subscriptions.filter(stripe_id=office.payment_provider_subscription_id, schedule__isnull=False)
    return bool(office.payment_provider_subscription_id) and rows.exists()


def told(office: Office, present: Subscription | None) -> str:
    """Say what schedules do to the Office: to its present subscription, and what they start. "" if there are none."""
    manages = managing(present)
    sentences = [told_of_managing(manages, office.time_zone)] if manages else []
    return " ".join([*sentences, *(told_of_coming(one, office.time_zone) for one in coming(office))])


def told_of_coming(schedule: Schedule, zone: str) -> str:
    """Say what the schedule starts, and when. One query."""
    prices, starts_at = _prices(schedule), schedule.starts_at
    day = f"on {zones.day(starts_at, zone)}" if starts_at else "on a day that is not known yet"
    first = _items(schedule.phases[0], prices) if schedule.phases else "nothing"
    starts = f"A schedule at Stripe starts a subscription {day}, with {first}."
    return " ".join([starts, *_later(schedule, prices, zone, after=starts_at or clock.billing())])


def told_of_managing(schedule: Schedule, zone: str) -> str:
    """Say what the schedule still changes of the subscription that it manages, and when. One query."""
    later = list(_later(schedule, _prices(schedule), zone, after=clock.billing()))
    if later and schedule.over_at and not schedule.cancels:
        later.append(f"After {zones.last_day(schedule.over_at, zone)} it goes on without the schedule.")
    if not later:
        until = f" until {zones.last_day(schedule.over_at, zone)}" if schedule.over_at else ""
        return f"A schedule at Stripe manages this subscription{until}, and changes nothing any more."
    return " ".join(["A schedule at Stripe manages this subscription.", *later])


def _later(schedule: Schedule, prices: Mapping[str, PlanPrice], zone: str, *, after: datetime) -> Iterator[str]:
    """Yield a sentence for each change after this moment, and for the end."""
    for before, phase in pairwise(schedule.phases):
        if phase.starts_at <= after:
            continue
        if phase.items != before.items:
            yield f"On {zones.day(phase.starts_at, zone)} it changes to {_items(phase, prices)}."
        elif phase.has_other_terms:
            yield f"On {zones.day(phase.starts_at, zone)} its other terms change. Stripe's dashboard shows them."
    if schedule.ends_at:
        yield f"Its last day is {zones.last_day(schedule.ends_at, zone)}."


def _items(phase: Phase, prices: Mapping[str, PlanPrice]) -> str:
    return " and ".join(_item(prices.get(price), quantity) for price, quantity in phase.items) or "nothing"


def _item(price: PlanPrice | None, quantity: int) -> str:
    times = f" × {quantity:,}" if quantity != 1 else ""
    if price is None:
        return f"{NOT_OURS}{times}"
    seat = " per seat" if price.per_seat else ""
    return f"{price.plan.name}{times} at {price.money}{seat} {price.in_words}"


def _prices(schedule: Schedule) -> dict[str, PlanPrice]:
    return invoice_lines.prices_of(price for phase in schedule.phases for price, _ in phase.items)
