"""The job that puts into the trail how often a refusal came again, once its window is over."""

from datetime import timedelta
from typing import cast

from django.db import transaction

from billing.audit import refusals, trail, windows
from billing.audit.actor import Actor, Kind
from billing.jobs import job
from billing.models import AuditEntry, RefusalCount


@job("count-refusals", every=timedelta(minutes=5))
def write_counts() -> bool:
    """Write one entry for each refusal that came again. Return True if there may be more."""
    rows = refusals.over()
    for row in rows:
        with transaction.atomic():
            if refusals.taken(row) and row.times:
                _write(row)
    return bool(rows)


def _write(row: RefusalCount) -> None:
    """Write the number, with the actor and the subject of the first entry."""
    first = AuditEntry.objects.filter(window_key=row.key).first()
    if first is None:
        return
    by = Actor(cast(Kind, first.actor_kind), first.actor_label, first.actor)
    with trail.acting(by):
        trail.record_count(first, f"{row.times} more until {row.began + windows.LASTS:%H:%M} UTC: {first.what}")
