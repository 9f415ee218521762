"""The held state: a database that was restored from a backup does nothing by itself until a person releases it.

What happened after the backup is at Stripe and in people's mailboxes, and not on record here. So whatever would act by
these old rows waits: operations, jobs, e-mails, and each change at Stripe. Reading, entitlement and Stripe's events
(they are stored, and wait) go on. ``manage.py after_restore`` finds out what is missing and ends the hold.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime, timedelta

from billing import errors
from billing.models import Hold

SAID = (
    "this database was restored from a backup and is held. Run: python manage.py after_restore --reason '…', and then "
    "release it"
)
EVENTS_OVERLAP = timedelta(minutes=5)
"""An event can have been created shortly before the backup and arrived after it."""

_settling: ContextVar[bool] = ContextVar("settling_a_hold", default=False)


def is_held(*, using: str = "default") -> bool:
    """Return whether this database is held. One query."""
    return Hold.objects.using(using).filter(released_at=None).exists()


def require_released() -> None:
    """Raises: DatabaseHeld."""
    if not _settling.get() and is_held():
        raise errors.DatabaseHeld


def was_restored() -> bool:
    """Return whether this database was ever restored from a backup. One query."""
    return Hold.objects.exists()


@contextlib.contextmanager
def settling() -> Iterator[None]:
    """Let requests inside change something at Stripe: what an open operation began there is finished or undone."""
    token = _settling.set(True)
    try:
        yield
    finally:
        _settling.reset(token)


class Gap:
    """The times from which what happened is missing here, because a backup was restored."""

    def __init__(self) -> None:
        self.times = list(Hold.objects.values_list("made_at", "restored_at"))

    def has(self, at: datetime) -> bool:
        """Return whether an event of this moment (billing clock) went to a database that was lost."""
        return any(made - EVENTS_OVERLAP <= at <= restored for made, restored in self.times)
