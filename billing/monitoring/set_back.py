"""After a clock was set back: what was put off by the wrong clock is due again within its longest wait."""

import logging
from datetime import timedelta

from billing import clock
from billing.jobs import job
from billing.models import Notification, Operation, ReceivedEvent

log = logging.getLogger(__name__)

LONGEST = timedelta(minutes=20)
"""No wait and no lease is longer, of an event, an e-mail or an operation."""


@job("take-back", every=timedelta(minutes=1))
def take_back() -> None:
    """Make due now what waits longer than it can. Repeating is safe. ``billing.jobs`` does it for the jobs."""
    now = clock.wall()
    too_late = now + LONGEST
    for rows, ahead, values in (
        (ReceivedEvent.objects.filter(status=ReceivedEvent.Status.WAITING), "due_at", {"due_at": now}),
        (Notification.objects.filter(state=Notification.State.WAITING), "due_at", {"due_at": now}),
        (Operation.objects.filter(status__in=Operation.UNSETTLED), "lease_until", {"lease_until": now}),
    ):
        found = list(rows.filter(**{f"{ahead}__gt": too_late}).values_list("pk", flat=True)[:1000])
        if found and rows.filter(pk__in=found).update(**values):
            log.warning("%s rows were due too late, because a clock was set back", len(found))
