"""What a check returns, and what all checks of one run read together."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.core.checks import CheckMessage
from django.db import Error as AnyDatabaseError

from billing import clock
from billing.models import Observation, ReceivedEvent
from billing.models.observation import Level
from billing.monitoring import figures


@dataclass(frozen=True, slots=True)
class Outcome:
    """``seen`` is one sentence. ``todo`` says what a person does about it. ``reason`` tells faults of a check apart."""

    level: Level
    seen: str
    todo: str = ""
    reason: str = ""


@dataclass
class Seen:
    """What one run of the checks reads, on the connection ``using``. Each part is read when a check asks for it.

    ``asked`` is what Stripe answered just now, where that is not in the database yet.
    """

    using: str = "default"
    asked: dict[str, Observation] = field(default_factory=dict)
    now: datetime = field(default_factory=clock.wall)

    @cached_property
    def figures(self) -> dict[str, Any]:
        return figures.figures(using=self.using)

    @cached_property
    def last_received(self) -> datetime | None:
        """Return when the last event with a right signature came."""
        events = ReceivedEvent.objects.using(self.using).order_by("-pk")
        return events.values_list("received_at", flat=True).first()

    @cached_property
    def observed(self) -> dict[str, Observation]:
        """Return what was noted, by name. What was asked just now counts more, but not for since when it is so."""
        try:
            kept = {one.name: one for one in Observation.objects.using(self.using)}
        except AnyDatabaseError:
            if not self.asked:
                raise
            return self.asked
        new = {
            name: one
            for name, one in self.asked.items()
            if name not in kept or (kept[name].state, kept[name].code) != (one.state, one.code)
        }
        return kept | new


def green(seen: str) -> Outcome:
    return Outcome(Level.GREEN, seen)


def amber(seen: str, todo: str, reason: str = "") -> Outcome:
    return Outcome(Level.AMBER, seen, todo, reason)


def red(seen: str, todo: str, reason: str = "") -> Outcome:
    return Outcome(Level.RED, seen, todo, reason)


def unknown(seen: str, todo: str = "", reason: str = "") -> Outcome:
    return Outcome(Level.UNKNOWN, seen, todo, reason)


def of_system_check(found: list[CheckMessage], *, well: str) -> Outcome:
    """Return what checks of ``manage.py check --deploy`` found: red for an error, amber for a warning."""
    if not found:
        return green(well)
    worst = max(found, key=lambda one: one.level)
    return (red if worst.is_serious() else amber)(
        " ".join(str(one.msg) for one in found), " ".join(dict.fromkeys(str(one.hint) for one in found if one.hint))
    )
