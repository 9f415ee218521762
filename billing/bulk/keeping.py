"""Bulk acts that ended long ago go. What they did has entries of its own in the audit trail."""

from datetime import timedelta

from billing import clock, jobs
from billing.audit import actor, trail
from billing.models import BulkAct

KEPT_FOR = timedelta(days=400)
MOST_TOGETHER = 20
BY = actor.job("purge-bulk-acts")


@jobs.job("purge-bulk-acts", every=timedelta(days=1))
def purge() -> bool:
    """Delete some that ended, with their rows. Return True if there may be more."""
    with trail.acting(BY, reason="a scheduled job"):
        found = list(BulkAct.objects.filter(ended_at__lt=clock.wall() - KEPT_FOR).order_by("pk")[:MOST_TOGETHER])
        for act in found:
            act.delete()
    return len(found) == MOST_TOGETHER
