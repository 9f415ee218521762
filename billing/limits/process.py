"""Counting in the memory of this process: no SQL, and nothing that can fail."""

import threading
import time
from dataclasses import dataclass, field

from config.rate_limits import RateLimit

MOST_CALLERS = 50_000
"""How many are remembered for each limit. Beyond that, whoever was first counted is forgotten first."""

_lock = threading.Lock()


@dataclass(slots=True)
class Count:
    began: float
    used: int = 0


@dataclass(slots=True)
class Counts:
    """The callers of one limit, in the order in which their counting began."""

    of: dict[str, Count] = field(default_factory=dict)


_counts: dict[str, Counts] = {}


def take(limit: RateLimit, who: str, *, processes: int) -> tuple[int, float]:
    """Count one request. Return how many are left in this process, and the seconds until all are. -1: it is refused."""
    now = time.monotonic()
    with _lock:
        counts = _counts.setdefault(limit.name, Counts()).of
        _forget(counts, before=now - limit.seconds)
        count = counts.setdefault(who, Count(now))
        left = limit.share(processes) - count.used - 1
        count.used += left >= 0
        return max(left, -1), count.began + limit.seconds - now


def forget() -> None:
    """Begin to count anew."""
    with _lock:
        _counts.clear()


def _forget(counts: dict[str, Count], *, before: float) -> None:
    while counts:
        first = next(iter(counts))
        if counts[first].began > before and len(counts) < MOST_CALLERS:
            return
        del counts[first]
