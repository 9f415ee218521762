"""One ``after_restore`` at a time: it holds a row of the jobs with a lease (billing/leases.py).

No worker runs it, because no job has this name. The row is there only while the command runs, or after it was killed.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta

from billing import clock, leases
from billing.models import Job

NAME = "after_restore"
LASTS = timedelta(minutes=10)
"""Longer than a step takes: one operation, one Office, or one page of the comparison."""

Renew = Callable[[], None]


class AnotherRuns(Exception):
    """Another ``after_restore`` has the lease. The text says since when, and what to do."""


@contextlib.contextmanager
def alone() -> Iterator[Renew]:
    """Keep every other run out. Call what is yielded at each step, so that the lease lasts from then on again.

    Raises: AnotherRuns: at once, or at a step, if this one was slower than its lease.
    """
    now = clock.wall()
    Job.objects.bulk_create([Job(name=NAME, due_at=now)], ignore_conflicts=True)
    row = Job.objects.filter(name=NAME)
    mine = leases.claim(row.filter(leases.free(now)), now=now, lasts=LASTS, due_at=now)
    if mine is None:
        raise _refusal()
    own = row.filter(claim_id=mine)

    def renew() -> None:
        if not own.update(lease_until=clock.wall() + LASTS):
            raise AnotherRuns("Another after_restore has taken over, because this one was slower than its lease.")

    try:
        yield renew
    finally:
        own.delete()


def _refusal() -> AnotherRuns:
    row = Job.objects.filter(name=NAME).first()
    if row is None or row.lease_until is None:
        return AnotherRuns("Another after_restore has just ended. Run the command again.")
    return AnotherRuns(
        f"Another after_restore is running since {row.due_at:%Y-%m-%d %H:%M:%S} UTC. Wait until it has ended. "
        f"If it was killed, run the command again from {row.lease_until:%Y-%m-%d %H:%M:%S} UTC on."
    )
