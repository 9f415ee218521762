"""Claims, leases and waits, written once for all that takes its work from a table.

Whoever claims rows holds them until its lease ends; where its process died, another takes them over then. A claim is
one conditional UPDATE, so it needs no lock of its own. ``RELEASED`` is what gives rows back.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

LEASE = timedelta(seconds=60)
RELEASED: dict[str, Any] = {"claim_id": None, "lease_until": None}
MOST_DOUBLINGS = 20


def free(now: datetime) -> Q:
    """The rows that nobody holds."""
    return Q(lease_until=None) | Q(lease_until__lte=now)


def claim(rows: QuerySet[Any], *, now: datetime, lasts: timedelta = LEASE, **written: Any) -> uuid.UUID | None:
    """Hold these rows for ``lasts``, and write what else is given. Returns the claim, or None where there are none.

    Safe with several processes: ``rows`` must say that they are free.
    """
    mine = uuid.uuid4()
    return mine if rows.update(claim_id=mine, lease_until=now + lasts, **written) else None


def back_off(attempts: int, *, first: timedelta, last: timedelta) -> timedelta:
    """How long to wait after so many attempts in vain: ``first``, then twice as long each time, at most ``last``."""
    return min(first * 2 ** min(attempts - 1, MOST_DOUBLINGS), last)
