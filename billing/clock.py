"""The only module that reads a clock. The name of the function says which clock.

``wall()`` is for leases, signatures, sessions, the audit trail and waits. ``billing()`` is for everything that has to
do with an Office's periods and dates. It is the wall clock, unless a local Stripe's clock is followed.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_offset: Callable[[], timedelta] | None = None


def wall() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def billing() -> datetime:
    """Return the present moment of the billing clock, aware, in UTC."""
    return wall() + _offset() if _offset else wall()


def on_the_wall(at: datetime) -> datetime:
    """Return what the wall clock shows at this moment of the billing clock."""
    return at - _offset() if _offset else at


def follow(offset: Callable[[], timedelta] | None) -> None:
    """Let ``billing()`` be ahead of the wall clock by what ``offset`` returns. None stops that."""
    global _offset  # noqa: PLW0603  one clock in each process
    _offset = offset
