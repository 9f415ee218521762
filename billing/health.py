"""Say whether the database, a worker and the inbox work. It is read without signing in, so it holds figures only."""

from datetime import datetime
from typing import Any

from django.db import Error as DatabaseTrouble
from django.db.models import Count, Max, Min
from django.http import HttpRequest, JsonResponse

from billing import clock, time_limits
from billing.models import ReceivedEvent, WorkerHeartbeat

DEAD_SECONDS = 120


def healthz(_: HttpRequest) -> JsonResponse:
    """200 where the database answers and a worker lives, else 503."""
    try:
        with time_limits.impatient() as using:
            seen = figures(using=using)
    except DatabaseTrouble:
        return JsonResponse({"ok": False, "database": False}, status=503)
    ok = worker_lives(seen)
    return JsonResponse({"ok": ok, "database": True, **seen}, status=200 if ok else 503)


def figures(*, using: str = "default") -> dict[str, Any]:
    """Ages in seconds, None where there is nothing of an age. Three queries, each on an index."""
    now = clock.wall()
    events = ReceivedEvent.objects.using(using)
    waiting = events.filter(status=ReceivedEvent.Status.WAITING).aggregate(n=Count("pk"), oldest=Min("received_at"))
    return {
        "heartbeat_seconds": _age(WorkerHeartbeat.objects.using(using).aggregate(at=Max("seen_at"))["at"], now),
        "waiting": waiting["n"],
        "oldest_waiting_seconds": _age(waiting["oldest"], now),
        "parked": events.filter(status=ReceivedEvent.Status.PARKED).count(),
    }


def worker_lives(seen: dict[str, Any]) -> bool:
    """By these figures one showed itself lately."""
    beat = seen["heartbeat_seconds"]
    return beat is not None and beat <= DEAD_SECONDS


def _age(at: datetime | None, now: datetime) -> int | None:
    return max(0, int((now - at).total_seconds())) if at else None
