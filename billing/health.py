"""The health page: whether the database, a worker and the inbox work. It needs no sign-in, so it shows only figures."""

from datetime import datetime
from typing import Any

from django.db import Error as AnyDatabaseError
from django.db import connections
from django.db.models import Count, Max, Min
from django.http import HttpRequest, JsonResponse

from billing import clock, time_limits
from billing.audit import append_only, seals
from billing.models import ReceivedEvent, WorkerHeartbeat

DEAD_SECONDS = 120


def healthz(_: HttpRequest) -> JsonResponse:
    """Answer 200 if the database answers and a worker is alive, otherwise 503."""
    try:
        with time_limits.impatient() as using:
            seen = figures(using=using)
    except AnyDatabaseError:
        return JsonResponse({"ok": False, "database": False}, status=503)
    ok = worker_lives(seen)
    return JsonResponse({"ok": ok, "database": True, **seen}, status=200 if ok else 503)


def figures(*, using: str = "default") -> dict[str, Any]:
    """Return the figures. Ages are in seconds, or None if there is nothing. Seven short queries, or eight.

    ``unprotected`` is how many triggers that protect the audit trail are missing.
    """
    now = clock.wall()
    events = ReceivedEvent.objects.using(using)
    waiting = events.filter(status=ReceivedEvent.Status.WAITING).aggregate(n=Count("pk"), oldest=Min("received_at"))
    return {
        "heartbeat_seconds": age(WorkerHeartbeat.objects.using(using).aggregate(at=Max("seen_at"))["at"], now),
        "waiting": waiting["n"],
        "oldest_waiting_seconds": age(waiting["oldest"], now),
        "parked": events.filter(status=ReceivedEvent.Status.PARKED).count(),
        "oldest_unsealed_seconds": age(seals.waiting(using=using).aggregate(at=Min("timestamp"))["at"], now),
        "unprotected": len(append_only.faults(connections[using])),
    }


def worker_lives(seen: dict[str, Any]) -> bool:
    """Return whether these figures show a heartbeat of a worker within the last two minutes."""
    beat = seen["heartbeat_seconds"]
    return beat is not None and beat <= DEAD_SECONDS


def age(at: datetime | None, now: datetime) -> int | None:
    """Return for how many seconds something is so. One from the future counts as now."""
    return max(0, int((now - at).total_seconds())) if at else None
