"""Claims, leases and waits, for all code that takes its work from a table.

A process that claims rows holds them until its lease ends. If the process died, another one can claim them after that.
A claim is one conditional UPDATE, so it needs no lock of its own. Writing ``RELEASED`` gives rows back.
``give_back`` does the same and does not count the attempt.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet

LEASE = timedelta(seconds=60)
RELEASED: dict[str, Any] = {"claim_id": None, "lease_until": None}
MOST_DOUBLINGS = 20


def free(now: datetime) -> Q:
    """Return the condition for rows that no process holds at ``now``."""
    return Q(lease_until=None) | Q(lease_until__lte=now)


def claim(rows: QuerySet[Any], *, now: datetime, lasts: timedelta = LEASE, **written: Any) -> uuid.UUID | None:
    """Claim these rows for ``lasts``, and write the other given values. Return the claim, or None if there are no rows.

    This is safe with several processes if ``rows`` has the condition ``free``, or the rows are locked.
    """
    mine = uuid.uuid4()
    return mine if rows.update(claim_id=mine, lease_until=now + lasts, **written) else None


def give_back(claimed: QuerySet[Any]) -> None:
    """Let others claim these rows at once, and do not count the attempt. For a process that ends."""
    claimed.update(**RELEASED, attempts=F("attempts") - 1)


def back_off(attempts: int, *, first: timedelta, last: timedelta) -> timedelta:
    """Return how long to wait after this many failed attempts: ``first``, then twice as long, at most ``last``."""
    return min(first * 2 ** min(attempts - 1, MOST_DOUBLINGS), last)
