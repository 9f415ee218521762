"""What waits because Stripe or the mail server did not answer is taken up within seconds after it answers again.

Whoever fails in an outage waits longer each time, so that an outage costs little. Meanwhile a worker lets one of those
who wait try early, every few seconds. As soon as one of them gets an answer, all others are due.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db.models import QuerySet

from billing import clock, errors, leases
from billing.models import Job, Notification, ReceivedEvent

TRIED_EVERY = 5.0
"""Seconds."""


@dataclass(slots=True)
class Outage:
    """Those who wait for one of these. ``begins``: how the error of such a row begins."""

    begins: str
    rows: tuple[Callable[[], QuerySet[ReceivedEvent] | QuerySet[Job] | QuerySet[Notification]], ...]
    tried_at: float = field(default=-TRIED_EVERY)


STRIPE = Outage(
    f"{errors.StripeUnavailable.code}: ",
    (
        lambda: ReceivedEvent.objects.filter(status=ReceivedEvent.Status.WAITING),
        Job.objects.all,
    ),
)
MAIL_SERVER = Outage(
    "the mail server cannot be used: ",
    (lambda: Notification.objects.filter(state=Notification.State.WAITING),),
)


def let_one_try(outage: Outage) -> None:
    """Let one row of each kind that waits for the end of the outage be due now, at most every five seconds."""
    if time.monotonic() - outage.tried_at < TRIED_EVERY:
        return
    outage.tried_at = time.monotonic()
    for rows in _waiting(outage):
        first = rows.order_by("due_at", "pk").values_list("pk", flat=True).first()
        if first is not None:
            rows.filter(pk=first).update(due_at=clock.wall())


def is_over(outage: Outage, *last_errors: str) -> None:
    """Let all that wait be due, if the rows that just got an answer had waited for it, as their last errors say."""
    if any(one.startswith(outage.begins) for one in last_errors):
        for rows in _waiting(outage):
            rows.update(due_at=clock.wall())


def _waiting(outage: Outage) -> list[QuerySet[ReceivedEvent] | QuerySet[Job] | QuerySet[Notification]]:
    now = clock.wall()
    about = {"due_at__gt": now, "last_error__startswith": outage.begins}
    return [rows().filter(leases.free(now), **about) for rows in outage.rows]
