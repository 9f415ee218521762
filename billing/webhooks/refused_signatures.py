"""Counting webhooks with a wrong signature, so that a wrong secret is told. At most one write a minute and process.

Only what comes to our own address counts. Nobody knows that but Stripe and us, so noise from the internet does not.
"""

import threading
import time
from datetime import datetime, timedelta
from typing import Any

from django.db import Error as AnyDatabaseError
from djstripe.models import WebhookEndpoint

from billing import clock, observations, time_limits
from billing.models import ReceivedEvent
from billing.models.observation import Level

EVERY_SECONDS = 60
FORGOTTEN_AFTER = timedelta(days=3)
"""For so long Stripe sends an event again. Source: https://docs.stripe.com/webhooks#retries"""

_lock = threading.Lock()
_counted = 0
_next_write = 0.0
_next_look = 0.0
_own: set[Any] = set()


def count(uuid: Any) -> None:
    """Count one. Each minute the number goes into the note: how many since a right one, and when the first came."""
    global _counted, _next_write  # noqa: PLW0603  of this process
    if not _is_ours(uuid):
        return
    with _lock:
        _counted += 1
        if time.monotonic() < _next_write:
            return
        _next_write = time.monotonic() + EVERY_SECONDS
        counted, _counted = _counted, 0
    if not _write(counted):
        with _lock:
            _counted += counted


def forget() -> None:
    """Begin again, as after a start."""
    global _counted, _next_write, _next_look
    _counted, _next_write, _next_look = 0, 0.0, 0.0
    _own.clear()


def _is_ours(uuid: Any) -> bool:
    """Return whether this is our address. For addresses that are not known, one query a minute is made."""
    global _next_look  # noqa: PLW0603
    with _lock:
        if uuid in _own or time.monotonic() < _next_look:
            return uuid in _own
        _next_look = time.monotonic() + EVERY_SECONDS
    return _look_up(uuid)


def _look_up(uuid: Any) -> bool:
    """Read which addresses are ours, and return whether this is one. False if the database does not answer at once."""
    try:
        with time_limits.optional() as using:
            _own.update(WebhookEndpoint.objects.using(using).values_list("djstripe_uuid", flat=True))
    except AnyDatabaseError:
        return False
    return uuid in _own


def _write(more: int) -> bool:
    """Add to what is noted. Two processes that do so at the same moment may lose one of their numbers."""
    now = clock.wall()
    try:
        with time_limits.optional() as using:
            before = observations.seen(observations.SIGNATURES, using=using)
            right = ReceivedEvent.objects.using(using).order_by("-pk").values_list("received_at", flat=True).first()
    except AnyDatabaseError:
        return False
    times, first = 0, now
    if before and now - before.seen_at <= FORGOTTEN_AFTER and not (right and right > before.seen_at):
        times, first = before.figures["times"], datetime.fromisoformat(before.figures["first"])
    return observations.put(observations.SIGNATURES, Level.RED, "refused", times=times + more, first=first.isoformat())
