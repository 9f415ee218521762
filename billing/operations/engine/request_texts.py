"""Text that people typed into an operation goes a week after the operation settled: nothing reads it any more.

Until then it is asked again with the same request, a repeated Idempotency-Key gets its answer, and what was given back
in the last day is counted. Numbers, moments, choices and ids stay, so that the stored request can be read.
"""

from datetime import timedelta

from django.db import transaction

from billing import clock, jobs
from billing.audit import actor, trail
from billing.models import Operation
from billing.models.operation import Kind
from billing.operations.engine import stored
from billing.operations.engine.registry import REGISTRY

KEPT_FOR = timedelta(days=7)
MOST_TOGETHER = 200
BY = actor.job("forget-request-texts")


@jobs.job("forget-request-texts", every=timedelta(days=1))
def forget() -> bool:
    """Remove the text from some operations, and from their requests to Stripe. Return True if there may be more."""
    now = clock.wall()
    settled = Operation.objects.exclude(status__in=Operation.UNSETTLED)
    due = settled.filter(texts_removed_at=None, settled_at__lt=now - KEPT_FOR).order_by("pk")
    with trail.acting(BY), transaction.atomic():
        rows = list(due.select_for_update()[:MOST_TOGETHER])
        changed = [row.pk for row in rows if _forgotten(row)]
        for row in rows:
            row.texts_removed_at = now
            row.save(update_fields=["request", "texts_removed_at"])
        if changed:
            what = f"removed the text from the requests of {len(changed)} settled operations"
            trail.record_act(trail.installation(), what, data={"operations": changed})
    return len(rows) == MOST_TOGETHER


def _forgotten(row: Operation) -> bool:
    """Take the text out of the request, which is not saved here, and out of its steps. Return whether there was any."""
    declared = REGISTRY.get(Kind(row.kind)) if row.kind in Kind.values else None
    before, row.request = row.request, stored.without_text(declared, row.request)
    had_text = before != row.request
    for step in row.steps.all():
        before, step.params = step.params, stored.blanked(step.params)
        if before != step.params:
            step.save(update_fields=["params"])
            had_text = True
    return had_text
