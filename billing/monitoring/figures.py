"""The figures that several checks and pages show: the heartbeat of a worker, waiting events, and the trail."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connections
from django.db.models import Count, Max, Min, Q

from billing import clock
from billing.audit import append_only, seals
from billing.models import ReceivedEvent, WorkerHeartbeat

DEAD_SECONDS = 120
AHEAD = timedelta(minutes=1)
"""How far the clocks of two machines may differ. A heartbeat that is farther in the future says nothing."""


def figures(*, using: str = "default") -> dict[str, Any]:
    """Return the figures. Ages are in seconds, or None if there is nothing. Seven short queries, or eight.

    ``heartbeats_ahead`` is how many workers wrote a time that has not come yet. ``unprotected`` is how many triggers
    that protect the audit trail are missing.
    """
    now = clock.wall()
    ahead = Q(seen_at__gt=now + AHEAD)
    beats = WorkerHeartbeat.objects.using(using).aggregate(
        at=Max("seen_at", filter=~ahead), ahead=Count("pk", filter=ahead)
    )
    events = ReceivedEvent.objects.using(using)
    waiting = events.filter(status=ReceivedEvent.Status.WAITING).aggregate(n=Count("pk"), oldest=Min("received_at"))
    return {
        "heartbeat_seconds": age(beats["at"], now),
        "heartbeats_ahead": beats["ahead"],
        "waiting": waiting["n"],
        "oldest_waiting_seconds": age(waiting["oldest"], now),
        "parked": events.filter(status=ReceivedEvent.Status.PARKED).count(),
        "oldest_unsealed_seconds": age(seals.waiting(using=using).aggregate(at=Min("timestamp"))["at"], now),
        "unprotected": len(append_only.faults(connections[using])),
    }


def lives(beat: datetime) -> bool:
    """Return whether a heartbeat of this time shows a living worker."""
    return -AHEAD <= clock.wall() - beat <= timedelta(seconds=DEAD_SECONDS)


def worker_lives(seen: dict[str, Any]) -> bool:
    """Return whether these figures show a heartbeat of a worker within the last two minutes."""
    beat = seen["heartbeat_seconds"]
    return beat is not None and beat <= DEAD_SECONDS


def age(at: datetime | None, now: datetime) -> int | None:
    """Return for how many seconds something is so. One from the future counts as now."""
    return max(0, int((now - at).total_seconds())) if at else None
