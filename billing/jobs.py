"""Jobs: a row says when a job is due, a registered function says what it does. One worker at a time runs it.

    @job("purge-events", every=timedelta(days=1))
    def purge_settled() -> bool: ...

    @job("look:")                     # a prefix: the function gets the rest of the name
    def look_again(office: str) -> None: ...

    jobs.enqueue(f"look:{office.public_id}")

A job is claimed by a conditional UPDATE with a lease of a minute, and should take at most half of that. A job that has
more to do returns True and is due again at once. A job that failed runs again after a growing wait, without an end.
After six failures in a row it becomes a finding.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from billing import clock, errors, leases, waits
from billing.audit import actor, trail
from billing.database_trouble import TROUBLE
from billing.findings import report, resolve
from billing.models import Job
from billing.stripe_api import pace

log = logging.getLogger(__name__)

FIRST_RETRY = timedelta(seconds=5)
REPORTED_AFTER = 6

Work = Callable[..., bool | None]


@dataclass(frozen=True, slots=True)
class Kind:
    work: Work
    every: timedelta | None


KINDS: dict[str, Kind] = {}


def job(name: str, *, every: timedelta | None = None) -> Callable[[Work], Work]:
    """Register what a job of this name does. With ``every`` it recurs. Otherwise its row is deleted when it is done."""

    def register(work: Work) -> Work:
        KINDS[name] = Kind(work, every)
        return work

    return register


def enqueue(name: str, *, using: str = "default") -> None:
    """Make the job due now. If it is running at this moment, it runs once more. If it failed, it keeps its wait."""
    now = clock.wall()
    Job.objects.using(using).bulk_create([Job(name=name, due_at=now)], ignore_conflicts=True)
    running, in_order = Q(claim_id__isnull=False), Q(last_error="", due_at__gt=now)
    Job.objects.using(using).filter(running | in_order, name=name).update(due_at=now)


def plan_recurring() -> None:
    """Make a row for each recurring job that has none."""
    now = clock.wall()
    rows = [Job(name=name, due_at=now) for name, kind in KINDS.items() if kind.every]
    Job.objects.bulk_create(rows, ignore_conflicts=True)
    waits.take_back({name: kind.every for name, kind in KINDS.items() if kind.every})


def run_due(*, limit: int = 20) -> int:
    """Run the jobs that are due, at most ``limit``. Return how many were run."""
    done = 0
    for row in _due(clock.wall(), KINDS).order_by("due_at", "pk")[:limit]:
        now = clock.wall()
        claimable = _due(now, KINDS).filter(pk=row.pk, due_at=row.due_at)
        if mine := leases.claim(claimable, now=now, attempts=F("attempts") + 1):
            _run(row, Job.objects.filter(pk=row.pk, claim_id=mine))
            done += 1
    return done


def _due(now: datetime, names: Iterable[str]) -> QuerySet[Job]:
    """Return the jobs that are due, that no worker holds, and whose kind this version knows."""
    known = Q(pk=None)
    for name in names:
        known |= Q(name__startswith=name) if name.endswith(":") else Q(name=name)
    return Job.objects.filter(known, leases.free(now), due_at__lte=now)


def _run(row: Job, own: QuerySet[Job]) -> None:
    """Run the job and write the outcome into its row. If another worker has taken it since, ``own`` is empty."""
    prefix, colon, rest = row.name.partition(":")
    kind = KINDS[prefix + colon]
    try:
        with trail.acting(actor.job(prefix), reason="a scheduled job"), pace.one_piece_of_work():
            more = kind.work(*([rest] if colon else []))
    except TROUBLE:  # the database cannot be used: the lease ends by itself
        raise
    except errors.BillingError as error:
        if isinstance(error, errors.StripeUnavailable) and pace.is_ending():
            leases.give_back(own)
            return
        _put_off(row, own, f"{error.code}: {error}")
        return
    except Exception as error:
        log.exception("job %s failed", prefix)
        _put_off(row, own, f"{type(error).__name__}: {error}")
        return
    waits.got_an_answer(waits.STRIPE, row.last_error)
    if row.attempts >= REPORTED_AFTER:
        resolve("job_failed", row.name, resolution="it ran well later")
    now = clock.wall()
    free = {**leases.RELEASED, "attempts": 0, "last_run_at": now, "last_error": ""}
    not_asked_again = own.filter(due_at=row.due_at)
    if more:
        own.update(**free, due_at=now)
    elif kind.every:
        _ = not_asked_again.update(**free, due_at=now + kind.every) or own.update(**free)
    elif not not_asked_again.delete()[0]:
        own.update(**free)


def _put_off(row: Job, own: QuerySet[Job], error: str) -> None:
    error = errors.without_addresses(errors.without_stripe_ids(error))[:500]
    attempts = row.attempts + 1
    wait = leases.back_off(attempts, first=FIRST_RETRY, last=waits.LAST_RETRY)
    own.update(**leases.RELEASED, due_at=clock.wall() + wait, last_error=error)
    if attempts == REPORTED_AFTER:
        report("job_failed", row.name, office=None, detail=f"Failed {attempts} times: {error}")
