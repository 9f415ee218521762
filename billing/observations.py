"""Notes of what a process sees at Stripe, or of Stripe. The checks of ``billing.monitoring`` read them.

A note is a side write. It has a connection of its own with very short limits, it may fail, and it is only written on
a change and every ten minutes. No caller waits for it, or fails with it.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

from django.db import Error as AnyDatabaseError

from billing import clock, time_limits
from billing.models import Observation
from billing.models.observation import Level

log = logging.getLogger(__name__)

STRIPE, ACCOUNT, CLOCK = "stripe", "stripe_account", "clock"
ENDPOINT, SIGNATURES = "webhook_endpoint", "webhook_signatures"
AGAIN_SECONDS = 600
AFTER_FAILURE_SECONDS = 60


@dataclass(slots=True)
class Written:
    """What this process last wrote, and until when (``time.monotonic()``) the same need not be written again."""

    state: str
    code: str
    until: float


latest: dict[str, Observation] = {}
"""What this process last saw, also if the database did not take it."""
_written: dict[str, Written] = {}
_rests_until = 0.0


def note(name: str, state: Level, code: str = "", **figures: Any) -> None:
    """Note what was seen. Repeating costs nothing."""
    at = clock.wall()
    latest[name] = Observation(pk=name, state=state, code=code, figures=figures, since=at, seen_at=at)
    last, now = _written.get(name), time.monotonic()
    known = last is not None and (last.state, last.code) == (state, code) and now < last.until
    if known or now < _rests_until:
        return
    if put(name, state, code, **figures):
        _written[name] = Written(state, code, now + AGAIN_SECONDS)


def put(name: str, state: Level, code: str = "", **figures: Any) -> bool:
    """Write it now, and return whether that was possible. After a failure, nothing is tried for a minute."""
    global _rests_until  # noqa: PLW0603  one for each process
    try:
        with time_limits.optional() as using:
            _write(using, name, state, code, figures)
    except AnyDatabaseError as error:
        log.warning("not noted that %s is %s: the database did not take it (%s)", name, state, type(error).__name__)
        _rests_until = time.monotonic() + AFTER_FAILURE_SECONDS
        return False
    return True


def seen(name: str, *, using: str = "default") -> Observation | None:
    return Observation.objects.using(using).filter(pk=name).first()


def forget() -> None:
    """Write everything again, as after a start."""
    global _rests_until  # noqa: PLW0603
    _written.clear()
    latest.clear()
    _rests_until = 0.0


def _write(using: str, name: str, state: Level, code: str, figures: dict[str, Any]) -> None:
    """Each is one statement that commits by itself, so two processes need no lock."""
    now = clock.wall()
    rows = Observation.objects.using(using).filter(pk=name)
    if rows.filter(state=state, code=code).update(figures=figures, seen_at=now):
        return
    values = {"state": state, "code": code, "figures": figures, "since": now, "seen_at": now}
    if not rows.update(**values):
        Observation.objects.using(using).bulk_create([Observation(pk=name, **values)], ignore_conflicts=True)
