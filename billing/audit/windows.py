"""Windows of 15 minutes, in which the trail has the same thing once: a read, or a refusal."""

import hashlib
from datetime import datetime, timedelta

from billing import clock

LASTS = timedelta(minutes=15)


def began() -> datetime:
    """Return when the present window began, by the wall clock."""
    now = clock.wall()
    return now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)


def key(began: datetime, *what: object) -> str:
    """Return the key of an entry that is written once in this window."""
    return hashlib.sha256("\n".join([began.isoformat(), *map(str, what)]).encode()).hexdigest()
