"""Following the clock of a local Stripe, so that a month can pass in a moment. Refused with any other Stripe."""

import time
from datetime import timedelta

import requests
from django.conf import settings

from billing import clock

FRESH_SECONDS = 0.1
_seen: tuple[float, timedelta] | None = None


def follow() -> None:
    """Make ``clock.billing()`` follow the local Stripe's clock from now on."""
    if settings.STRIPE_KIND != "sandbox":
        raise RuntimeError("Only a local Stripe's clock can be followed.")
    clock.follow(offset)


def offset() -> timedelta:
    """Return how far the local Stripe's clock is ahead of the wall clock, or the last value if it does not answer."""
    global _seen  # noqa: PLW0603  a cache of one value
    now = time.monotonic()
    if _seen and now - _seen[0] < FRESH_SECONDS:
        return _seen[1]
    try:
        answer = requests.get(f"{settings.STRIPE_API_BASE}/_sandbox/clock", timeout=2)
        answer.raise_for_status()
        ahead = timedelta(seconds=answer.json()["offset"])
    except (requests.RequestException, ValueError, KeyError):
        ahead = _seen[1] if _seen else timedelta(0)
    _seen = (now, ahead)
    return ahead


def forget() -> None:
    """Forget the last value, so that the next reading asks again."""
    global _seen  # noqa: PLW0603
    _seen = None
