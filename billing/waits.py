"""What waits to be tried again, and what ends a wait early. One table for events, jobs, e-mails and operations.

After each failure the wait is longer, so that an outage costs little. Three things end a wait early:

- A worker lets one of those who wait for Stripe or the mail server try, every few seconds. As soon as one of them gets
  an answer, all others are due. So they go on within seconds after the outage.
- Stripe accepts the key again.
- A clock was set back: nothing is due later than its longest wait from now.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from billing import clock, errors, leases
from billing.models import Job, Notification, Operation, ReceivedEvent

log = logging.getLogger(__name__)

LAST_RETRY = timedelta(minutes=15)
"""The longest wait after a failure."""
MARGIN = timedelta(minutes=5)
"""A wait ends at most this much later, because Stripe asked for more time. No lease is longer."""
TRIED_EVERY = 5.0
"""Seconds."""
TAKEN_BACK_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Waiting:
    """One kind of rows that wait.

    ``until`` is the column that says how long. ``because(code)`` is the condition that a row waits for what the code
    names, and ``idle(now)`` that no process works on it.
    """

    rows: Callable[[], QuerySet[Any]]
    until: str
    because: Callable[[str], Q] = lambda code: Q(last_error__startswith=f"{code}: ")
    idle: Callable[[datetime], Q] = leases.free

    def for_the_end_of(self, cause: "Cause", now: datetime) -> QuerySet[Any]:
        return self.rows().filter(self.idle(now), self.because(cause.code), **{f"{self.until}__gt": now})

    def let_be_due(self, rows: QuerySet[Any], now: datetime) -> int:
        return rows.update(**{self.until: now})


EVENTS = Waiting(lambda: ReceivedEvent.objects.filter(status=ReceivedEvent.Status.WAITING), "due_at")
MAILS = Waiting(lambda: Notification.objects.filter(state=Notification.State.WAITING), "due_at")
JOBS = Waiting(Job.objects.all, "due_at")
OPERATIONS = Waiting(  # their lease is their wait, too: an attempt that is overtaken ends without writing
    lambda: Operation.objects.filter(status__in=Operation.UNSETTLED),
    "lease_until",
    because=lambda code: Q(status=Operation.Status.UNKNOWN, error_code=code),
    idle=lambda now: Q(),
)


@dataclass(slots=True)
class Cause:
    """What rows wait for. ``code`` is how their last error begins."""

    code: str
    waiting: tuple[Waiting, ...]
    tried_at: float = field(default=-TRIED_EVERY)


STRIPE = Cause(errors.StripeUnavailable.code, (EVENTS, JOBS))  # an operation waits for 15 seconds then
KEY = Cause(errors.StripeKeyRefused.code, (EVENTS, JOBS, OPERATIONS))
MAIL_SERVER = Cause("the mail server cannot be used", (MAILS,))


def let_one_try(cause: Cause) -> None:
    """Let one row of each kind that waits for this be due now, at most every five seconds."""
    if time.monotonic() - cause.tried_at < TRIED_EVERY:
        return
    cause.tried_at = time.monotonic()
    now = clock.wall()
    for kind in cause.waiting:
        rows = kind.for_the_end_of(cause, now)
        first = rows.order_by(kind.until, "pk").values_list("pk", flat=True).first()
        if first is not None:
            kind.let_be_due(rows.filter(pk=first), now)


def is_over(cause: Cause) -> int:
    """Let all be due that wait for this. Return how many."""
    now = clock.wall()
    return sum(kind.let_be_due(kind.for_the_end_of(cause, now), now) for kind in cause.waiting)


def got_an_answer(cause: Cause, *last_errors: str) -> None:
    """Let all others be due too, if the rows that just got an answer had waited for it, as their last errors say."""
    if any(one.startswith(f"{cause.code}: ") for one in last_errors):
        is_over(cause)


def take_back(recurring: Mapping[str, timedelta]) -> None:
    """Make due now what waits longer than it can, because a clock was set back. Repeating is safe.

    ``recurring`` is the interval of each job that has one.
    """
    now = clock.wall()
    too_late = now + LAST_RETRY + MARGIN
    for kind in (EVENTS, MAILS, OPERATIONS):
        _taken_back(kind.rows().filter(**{f"{kind.until}__gt": too_late}), **{kind.until: now})
    jobs = Q(lease_until__gt=now + 2 * leases.LEASE)
    jobs |= ~Q(name__in=recurring) & Q(due_at__gt=now + LAST_RETRY)
    for name, every in recurring.items():
        jobs |= Q(name=name, due_at__gt=now + max(every, LAST_RETRY))
    _taken_back(Job.objects.filter(jobs), **leases.RELEASED, due_at=now)


def _taken_back(ahead: QuerySet[Any], **values: Any) -> None:
    found = list(ahead.values_list("pk", flat=True)[:TAKEN_BACK_AT_ONCE])
    if found and ahead.filter(pk__in=found).update(**values):
        log.warning("%s rows were due too late, because a clock was set back", len(found))
