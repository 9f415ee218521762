"""Keeping the workers' requests below Stripe's limits. All workers share one row.

Time on the database's clock is divided into quarters of a second. Each quarter has a quarter of
STRIPE_REQUESTS_PER_SECOND. A worker takes a few requests of the present quarter with a conditional UPDATE and makes
them within it. What it does not use is lost. So there is no write for each request, and the clocks of the machines
need not agree. Any second touches at most five quarters, so no second has more than 5/4 of the setting: 25 for a
setting of 20 in test mode, 100 for a setting of 80 in live mode. These are Stripe's limits. After a 429, the quarters
count as used up for all workers until Stripe accepts requests again.

Only workers keep the pace, inside ``kept()``. A person who waits for a page does not wait for a turn. The settings
leave room for them.
Source: https://docs.stripe.com/rate-limits
"""

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from django.db.models.functions import Now

from billing import errors
from billing.models import RequestBudget

SLOTS_PER_SECOND = 4
TAKEN_AT_ONCE = 3
SHORTEST_REST, LONGEST_REST = 1.0, 60.0
LOOK_SECONDS = 30


@dataclass(slots=True)
class Share:
    """The requests that this worker may still make, and until when (``time.monotonic()``) it must begin them."""

    left: int = 0
    until: float = 0.0


_share: ContextVar[Share | None] = ContextVar("share_of_requests", default=None)
_give_up_at: ContextVar[float] = ContextVar("look_gives_up_at", default=math.inf)


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Make every request inside wait for its turn."""
    token = _share.set(Share())
    try:
        yield
    finally:
        _share.reset(token)


@contextlib.contextmanager
def one_look() -> Iterator[None]:
    """Let no request inside begin later than 30 seconds from now, so that a look ends within its lease."""
    token = _give_up_at.set(time.monotonic() + LOOK_SECONDS)
    try:
        yield
    finally:
        _give_up_at.reset(token)


def wait_for_turn() -> None:
    """Wait until one request may be made.

    Raises:
        StripeUnavailable: the time for the look is over.
    """
    share = _share.get()
    while True:
        now = time.monotonic()
        if now > _give_up_at.get():
            raise errors.StripeUnavailable("The look took too long. It will be repeated.")
        if share is None:
            return
        if share.left and now < share.until:
            share.left -= 1
            return
        time.sleep(_take(share))


def refused(headers: Mapping[str, str]) -> float:
    """Keep all workers waiting after a 429, and return for how many seconds: 1 to 60.

    Outside ``kept()`` the other workers are not kept waiting.
    """
    rest = _rest(headers.get("retry-after", ""))
    share = _share.get()
    if share is not None:
        share.left = 0
        slot = _row()[1] + math.ceil(rest * SLOTS_PER_SECOND)
        RequestBudget.objects.filter(pk=1, slot__lt=slot).update(slot=slot, taken=_per_slot())
    return rest


def _take(share: Share) -> float:
    """Try to take requests of the present quarter into the share. Return for how many seconds to wait."""
    asked_at = time.monotonic()
    row, slot, left_of_slot = _row()
    if slot < row.slot <= slot + (LONGEST_REST + 1) * SLOTS_PER_SECOND:  # after a 429; if farther, a clock went back
        return left_of_slot
    taken = row.taken if row.slot == slot else 0
    given = min(TAKEN_AT_ONCE, _per_slot() - taken)
    if given <= 0:
        return left_of_slot
    unchanged = RequestBudget.objects.filter(pk=1, slot=row.slot, taken=row.taken)
    if unchanged.update(slot=slot, taken=taken + given):
        share.left, share.until = given, asked_at + left_of_slot
    return 0.0


def _row() -> tuple[RequestBudget, int, float]:
    """Return the row, the present quarter, and how many seconds of it are left, all by the database's clock."""
    rows = RequestBudget.objects.filter(pk=1).annotate(at=Now())
    row = rows.first()
    if row is None:
        RequestBudget.objects.bulk_create([RequestBudget(pk=1)], ignore_conflicts=True)
        row = rows.get()
    quarters = row.at.timestamp() * SLOTS_PER_SECOND
    return row, int(quarters), (1 - quarters % 1) / SLOTS_PER_SECOND


def _per_slot() -> int:
    return max(1, settings.STRIPE_REQUESTS_PER_SECOND // SLOTS_PER_SECOND)


def _rest(retry_after: str) -> float:
    try:
        asked = float(retry_after)
    except ValueError:  # absent, or a date
        asked = SHORTEST_REST
    return min(max(SHORTEST_REST, asked), LONGEST_REST)  # in this order, NaN becomes the shortest
