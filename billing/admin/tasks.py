"""What a person must do, in words, and the page where it is done. The first page shows these tasks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min
from django.urls import reverse
from django.utils.timesince import timesince

from billing import clock
from billing.access import roles
from billing.access.roles import Power
from billing.admin.agreements import banner, may_approve
from billing.models import (
    Agreement,
    ApprovalRequest,
    Finding,
    Operation,
    ReceivedEvent,
    Reconciliation,
    ServiceIdentity,
    User,
)
from billing.models.observation import Level
from billing.monitoring import checks
from billing.monitoring.outcome import Seen, many

UNSETTLED_AFTER = timedelta(minutes=5)
"""Until then, the worker should find out the outcome of an operation by itself."""
TOLD_BELOW = ("findings", "determination")
PAGES = {
    **dict.fromkeys(("webhook_signatures", "last_event", "waiting_events", "parked_events"), "receivedevent"),
    "worker": "workerheartbeat",
    "trail_triggers": "auditentry",
    "trail_verification": "finding",
    "restored": "finding",
}
"""The list in the admin that shows more about a check. For the others it is that of the jobs."""
FILTERS = {
    "waiting_events": {"status__exact": ReceivedEvent.Status.WAITING},
    "parked_events": {"status__exact": ReceivedEvent.Status.PARKED},
}
SERVICE_SOON = timedelta(days=30)
"""How long before its last day a service is told of: a program that is refused may shut out every Office."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task. ``tone`` is ``danger``, ``warning`` or ``info``. ``page`` is an address in the admin."""

    tone: str
    title: str
    says: str
    page: str


def tasks_of(user: User, seen: Seen) -> Iterator[Task]:
    """Yield the tasks for this person. ``seen`` is what the checks read."""
    yield from _of_checks(seen)
    yield from _of_comparisons()
    yield from _of_findings()
    yield from _of_operations()
    yield from _of_approvals(user)
    yield from _of_determinations(user)
    yield from _of_services()


def _of_checks(seen: Seen) -> Iterator[Task]:
    """Yield what is red and then what is amber. What has tasks of its own below is left out."""
    found = [one for one in checks.run(seen, probed=True) if one.check.name not in TOLD_BELOW]
    by_level = {Level.RED: "danger", Level.AMBER: "warning"}
    for level, tone in by_level.items():
        for one in found:
            page = list_of(PAGES.get(one.check.name, "job"), **FILTERS.get(one.check.name, {}))
            if one.level == level or (level == Level.RED and not one.is_well and one.level == Level.UNKNOWN):
                yield Task(tone, one.outcome.seen.rstrip("."), one.outcome.todo, page)


def _of_comparisons() -> Iterator[Task]:
    if stuck := Reconciliation.objects.filter(ended_at=None).exclude(last_error="").first():
        yield Task(
            "warning",
            "The comparison with Stripe cannot continue",
            stuck.last_error,
            reverse("admin:billing_reconciliation_change", args=[stuck.pk]),
        )


def _of_findings() -> Iterator[Task]:
    found = Finding.objects.filter(resolved_at=None).values("severity").order_by()
    grades = {one["severity"]: one for one in found.annotate(n=Count("pk"), oldest=Min("found_at"))}
    for severity, tone, what in (
        ("critical", "danger", "critical finding"),
        ("warning", "warning", "warning"),
        ("notice", "info", "notice"),
    ):
        if one := grades.get(severity):
            yield Task(
                tone,
                f"{many(one['n'], what)} {'needs' if one['n'] == 1 else 'need'} attention",
                f"{'It was' if one['n'] == 1 else 'The first was'} found {timesince(one['oldest'], clock.wall())} ago.",
                list_of("finding", severity__exact=severity, resolved_at__isempty=1),
            )


def _of_operations() -> Iterator[Task]:
    begun = clock.wall() - UNSETTLED_AFTER
    if n := Operation.objects.filter(status=Operation.Status.UNKNOWN, created_at__lt=begun).count():
        yield Task(
            "warning",
            f"{many(n, 'operation')} without an outcome yet",
            "Stripe did not answer. The worker keeps asking for the outcome. Nothing is charged twice.",
            list_of("operation", status__exact=Operation.Status.UNKNOWN),
        )


def _of_approvals(user: User) -> Iterator[Task]:
    """Count what waits for a second person. What waits for this person is a warning."""
    by_others = ApprovalRequest.objects.waiting().exclude(requested_by=user).count()
    own = ApprovalRequest.objects.waiting().filter(requested_by=user).count()
    page = list_of("approvalrequest", outcome__exact="")
    may = roles.has(user, Power.APPROVE)
    if by_others:
        title = f"{many(by_others, 'request')} {'waits' if by_others == 1 else 'wait'} for approval"
        says = "Money back above the limit needs a second person. Look at what was asked for, and decide."
        yield Task("warning" if may else "info", title, says, page)
    if own:
        title = f"{many(own, 'request')} of yours {'waits' if own == 1 else 'wait'} for approval"
        yield Task("info", title, "Another person must approve it within 72 hours.", page)


def _of_determinations(user: User) -> Iterator[Task]:
    for row in Agreement.objects.filter(approved_at=None, withdrawn_at=None).select_related("prepared_by"):
        if may_approve(row, user):
            yield Task(
                "warning",
                "A determination waits for your approval",
                f"{row.prepared_by} prepared it.",
                reverse("admin:billing_agreement_change", args=[row.pk]),
            )
    shown = banner()
    if shown["tone"] == "success":
        return
    if shown["permits"]:
        says = f"It ends after {shown['last_day']:%d %B %Y}. Record the next one before then."
    else:
        says = "In live mode, nothing that can charge is sent. First two people must record what counsel determined."
    tone = shown["tone"] if settings.STRIPE_LIVE_MODE else "info"
    yield Task(tone, shown["title"], says, list_of("agreement"))


def _of_services() -> Iterator[Task]:
    now = clock.wall()
    for row in ServiceIdentity.objects.filter(ended_at=None, expires_at__lte=now + SERVICE_SOON).order_by("expires_at"):
        over, last_day = row.expires_at <= now, row.expires_at - timedelta(microseconds=1)
        refused = "It is refused." if over else f"After {last_day:%d %B %Y} (UTC) it is refused."
        yield Task(
            "danger" if over else "warning",
            f"The service {row.name} {'has expired' if over else 'expires soon'}",
            f"{refused} Give it a later last day, or end it.",
            reverse("admin:billing_serviceidentity_change", args=[row.pk]),
        )


def list_of(model: str, **filters: Any) -> str:
    """Return the address of this model's list in the admin, with these filters."""
    return reverse(f"admin:billing_{model}_changelist", query=filters or None)
