"""The only module that reads a clock, and it says which one.

``wall()`` is for leases, signatures, sessions, audit and back-off. ``billing()`` is for what a calendar
month means to an Office; it is the wall, unless a local Stripe's clock is followed.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_offset: Callable[[], timedelta] | None = None


def wall() -> datetime:
    """Now, aware, UTC."""
    return datetime.now(UTC)


def billing() -> datetime:
    """Now as billing sees it, aware, UTC."""
    return wall() + _offset() if _offset else wall()


def on_the_wall(at: datetime) -> datetime:
    """What the wall shows at this moment of ``billing()``."""
    return at - _offset() if _offset else at


def follow(offset: Callable[[], timedelta] | None) -> None:
    """``billing()`` is ahead of the wall by what ``offset`` returns; None stops that."""
    global _offset  # noqa: PLW0603  one clock a process
    _offset = offset
