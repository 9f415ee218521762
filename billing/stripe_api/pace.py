"""Keeping the workers' requests below Stripe's limits.

All workers together make at most STRIPE_REQUESTS_PER_SECOND, and at most STRIPE_REQUESTS_PER_ENDPOINT to each endpoint,
in any second: see ``turns``. Stripe counts a named operation as one endpoint, whatever the id: all requests for
``GET /v1/customers/{id}`` count together. After a 429, no worker asks that endpoint, or anything, until Stripe accepts
requests again.

Only workers keep the pace, inside ``kept()``. A person who waits for a page does not wait for a turn. The settings
leave room for them. A thread starts without the context of the one that started it, so inside ``required()`` a request
of any thread that keeps no pace or has no deadline is refused.
Source: https://docs.stripe.com/rate-limits
"""

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

from billing import errors
from billing.stripe_api import turns

REASON = "stripe-rate-limited-reason"
OF_ENDPOINT = "endpoint-"
"""How the reason begins if Stripe refused a request because of its endpoint."""
SHORTEST_REST = 1.0
LOOK_SECONDS, WORK_SECONDS = 30, 50
"""How long requests begin in a look, and in any other piece of work. Both end within their lease of a minute."""
TOOK_TOO_LONG = "The look took too long. It will be repeated."

_kept: ContextVar[bool] = ContextVar("pace_is_kept", default=False)
_give_up_at: ContextVar[float] = ContextVar("look_gives_up_at", default=math.inf)


class Unpaced(RuntimeError):
    """A worker was about to ask Stripe without keeping the pace, or without a deadline."""


@dataclass(slots=True)
class _Process:
    """What holds for all threads of this process. ``required`` counts the blocks."""

    required: int = 0
    ends_at: float = math.inf


_process = _Process()


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Make every request inside wait for its turn."""
    token = _kept.set(True)
    try:
        yield
    finally:
        _kept.reset(token)


@contextlib.contextmanager
def one_look() -> Iterator[None]:
    """Let no request inside begin later than 30 seconds from now, so that a look ends within its lease."""
    with _within(LOOK_SECONDS):
        yield


@contextlib.contextmanager
def one_piece_of_work() -> Iterator[None]:
    """Let no request inside begin later than 50 seconds from now, so that the work ends within its lease."""
    with _within(WORK_SECONDS):
        yield


@contextlib.contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Let no request inside begin later than so many seconds from now, or than the block around this one says."""
    token = _give_up_at.set(min(_give_up_at.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _give_up_at.reset(token)


@contextlib.contextmanager
def required() -> Iterator[None]:
    """Refuse each request of this process that keeps no pace or has no deadline, whichever thread makes it."""
    _process.required += 1
    try:
        yield
    finally:
        _process.required -= 1


def end_within(seconds: float) -> None:
    """Let no request of this process that keeps the pace begin later than so many seconds from now: it ends."""
    _process.ends_at = time.monotonic() + seconds


def is_ending() -> bool:
    """Return whether this process ends. Then what Stripe did not answer is given back, as if nobody had begun it."""
    return _process.ends_at < math.inf


def _give_up() -> float:
    return min(_give_up_at.get(), _process.ends_at)


def wait_for_turn(endpoint: str) -> None:
    """Wait until one request may be made to this endpoint, such as "get /v1/customers/*".

    Raises:
        StripeUnavailable: the time for the look is over.
        Unpaced: a mistake in the program.
    """
    if _process.required and not (_kept.get() and _give_up_at.get() < math.inf):
        raise Unpaced(endpoint)
    if time.monotonic() > _give_up():
        raise errors.StripeUnavailable(TOOK_TOO_LONG)
    if _kept.get():
        try:
            turns.wait(endpoint, _give_up)
        except turns.TooLate:
            raise errors.StripeUnavailable(TOOK_TOO_LONG) from None


def refused(endpoint: str, headers: Mapping[str, str]) -> float:
    """Keep all workers waiting after a 429, and return for how many seconds: 1 to 60.

    They wait with this endpoint if Stripe says that it was the reason, and with everything otherwise. Outside
    ``kept()`` no worker is kept waiting.
    """
    rest = _rest(headers.get("retry-after", ""))
    if _kept.get():
        because = headers.get(REASON, "").lower()
        lane = turns.lane_of(endpoint) if because.startswith(OF_ENDPOINT) else turns.ALL
        lane.rest(rest)
    return rest


def _rest(retry_after: str) -> float:
    try:
        asked = float(retry_after)
    except ValueError:  # absent, or a date
        asked = SHORTEST_REST
    return min(max(SHORTEST_REST, asked), turns.LONGEST_REST)  # in this order, NaN becomes the shortest
