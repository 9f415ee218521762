"""Workers and jobs: what runs, what is due, and what failed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from billing.admin.readonly import ReadOnlyAdmin
from billing.models import Job, WorkerHeartbeat
from billing.monitoring import figures


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("name", "due_at", "last_run_at", "attempts", "last_error")
    shows_minutes = True
    search_fields = ("name",)
    fields = ("name", "due_at", "last_run_at", "attempts", "lease_until", "last_error")


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("name", "seen_at", "lives")
    list_before_template = "billing/admin_workers_list.html"
    shows_minutes = True
    fields = ("name", "seen_at")

    @display(description="Running", boolean=True)
    def lives(self, row: WorkerHeartbeat) -> bool:
        return figures.lives(row.seen_at)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        seen = figures.figures()
        words = f"{seen['waiting']} events are waiting, {seen['parked']} are parked"
        if seen["oldest_waiting_seconds"] is not None:
            words += f"; the oldest has waited for {seen['oldest_waiting_seconds']} seconds"
        return super().changelist_view(request, {**(extra_context or {}), "waits": words})
