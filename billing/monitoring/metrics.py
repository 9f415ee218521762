"""/metrics: what Prometheus reads. Queues and ages come from the database, counts and times from all processes."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db.models import Count, Max, Min
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from billing import clock, measures, time_limits
from billing.models import AuditSeal, Finding, Job, Notification, Operation, WorkerHeartbeat
from billing.monitoring.bearer import has_token
from billing.monitoring.figures import age, figures
from config import databases

Gauge = tuple[str, str, float | int | None]


def page(request: HttpRequest) -> HttpResponse:
    """Answer with all figures to whoever has METRICS_TOKEN. For others there is no such page: 404."""
    if not has_token(request, settings.METRICS_TOKEN):
        return HttpResponseNotFound("There is no such page.\n", content_type="text/plain; charset=utf-8")
    counted = measures.REGISTRY
    if settings.METRICS_FOLDER:
        counted = CollectorRegistry()
        MultiProcessCollector(counted, path=settings.METRICS_FOLDER)
    stored = CollectorRegistry()
    stored.register(Stored())
    return HttpResponse(generate_latest(counted) + generate_latest(stored), content_type=CONTENT_TYPE_LATEST)


class Stored(Collector):
    """The figures that are read at each scrape. While the database is away there is only that it is."""

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            with time_limits.impatient() as using:
                found = list(_figures(using))
        except AnyDatabaseError:
            found = []
        yield GaugeMetricFamily("billing_database_up", "1: the database answers reads.", value=bool(found))
        for name, says, value in found + list(_disk()):
            if value is not None:
                yield GaugeMetricFamily(f"billing_{name}", says, value=value)


def _figures(using: str) -> Iterator[Gauge]:
    """Yield each figure. Ages are in seconds; None: there is nothing of that kind."""
    now = clock.wall()
    seen = figures(using=using)
    yield "events_waiting", "Events of Stripe that wait.", seen["waiting"]
    yield "event_oldest_waiting_seconds", "Age of the oldest event that waits.", seen["oldest_waiting_seconds"] or 0
    yield "events_parked", "Events that failed twelve times.", seen["parked"]
    yield "heartbeat_age_seconds", "Since any worker last reported.", seen["heartbeat_seconds"]
    yield "audit_oldest_unsealed_seconds", "Age of the oldest unsealed entry.", seen["oldest_unsealed_seconds"] or 0
    yield "audit_triggers_missing", "Triggers of the audit trail that are missing.", seen["unprotected"]
    workers = WorkerHeartbeat.objects.using(using).aggregate(n=Count("pk"), oldest=Min("seen_at"))
    yield "workers", "Workers that did not end well or still run, of the last day.", workers["n"]
    yield "heartbeat_oldest_age_seconds", "Since the quietest of them reported.", age(workers["oldest"], now)
    sealed = AuditSeal.objects.using(using).aggregate(at=Max("sealed_at"))["at"]
    yield "seal_age_seconds", "Since the newest seal was made.", age(sealed, now)
    due = Job.objects.using(using).filter(due_at__lte=now).aggregate(n=Count("pk"), oldest=Min("due_at"))
    yield "jobs_due", "Jobs that are due.", due["n"]
    yield "job_oldest_due_seconds", "For how long the oldest of them is due.", age(due["oldest"], now) or 0
    yield "jobs_failing", "Jobs whose last run failed.", Job.objects.using(using).exclude(last_error="").count()
    unsettled = Operation.objects.using(using).filter(status__in=Operation.UNSETTLED)
    open_ones = unsettled.aggregate(n=Count("pk"), oldest=Min("created_at"))
    yield "operations_unsettled", "Operations without an outcome.", open_ones["n"]
    yield "operation_oldest_unsettled_seconds", "Age of the oldest.", age(open_ones["oldest"], now) or 0
    mails = Notification.objects.using(using)
    for state in (Notification.State.WAITING, Notification.State.PARKED, Notification.State.UNKNOWN):
        yield f"mails_{state.value}", f"E-mails that are {state.value}.", mails.filter(state=state).count()
    yield "findings_open", "Open findings.", Finding.objects.using(using).filter(resolved_at=None).count()


def _disk() -> Iterator[Gauge]:
    """Yield the room on the disk of a database file, otherwise on the disk of the product."""
    database = settings.DATABASES["default"]
    folder = Path(str(database["NAME"])).parent if databases.is_file(database) else settings.BASE_DIR
    try:
        disk = os.statvfs(folder)
    except OSError:
        return
    yield "disk_free_bytes", "Room that is left.", disk.f_bavail * disk.f_frsize
    yield "disk_size_bytes", "Size of that disk.", disk.f_blocks * disk.f_frsize
