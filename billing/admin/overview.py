"""The first screen: what waits for somebody, how the Offices stand, and whether the machinery runs.

Reads our rows only, in a few queries, whatever the number of Offices.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Min, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timesince import timesince

from billing import clock, health
from billing.admin.agreements import banner, may_approve
from billing.admin.records import TONES
from billing.entitlement import Policy, entitlement
from billing.models import (
    Agreement,
    Finding,
    Office,
    Operation,
    Payment,
    PlanPrice,
    ReceivedEvent,
    Reconciliation,
    StripeAccount,
    Subscription,
)
from billing.money import Money

PAID_WITHIN = timedelta(days=30)
UNSETTLED_AFTER = timedelta(minutes=5)
"""Until then the worker is expected to find out what became of an operation."""
SHOWN_PAST_DUE = 5
STANDING = ("active", "trialing", "past_due", "unpaid", "paused", "incomplete", "incomplete_expired", "canceled", "")
REVENUE = ("active", "past_due")


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for a person, and where it is done. ``tone`` is one of ``danger``, ``warning``, ``info``."""

    tone: str
    title: str
    says: str
    page: str


@dataclass(frozen=True, slots=True)
class Step:
    """One on the way to the first Office that is billed."""

    title: str
    says: str
    page: str
    done: bool


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What ``templates/admin/index.html`` shows. Source: https://unfoldadmin.com/docs/configuration/dashboard/"""
    context["title"] = "Overview"
    if not request.user.has_perm("billing.view_office"):
        return context
    offices = Office.objects.filter(archived_at=None)
    steps = list(_first_steps(request))
    return context | {
        "sees": True,
        "tasks": list(_tasks(request)),
        "steps": [] if all(step.done for step in steps) else steps,
        "next_step": next((step for step in steps if not step.done), None),
        "standing": _standing(offices),
        "past_due": _past_due(offices),
        "figures": _figures(offices),
        "machinery": _machinery(),
    }


def _tasks(request: HttpRequest) -> Iterator[Task]:
    """The most pressing first."""
    yield from _of_machinery()
    yield from _of_findings()
    unsettled = Operation.objects.filter(
        status=Operation.Status.UNKNOWN, created_at__lt=clock.wall() - UNSETTLED_AFTER
    ).count()
    if unsettled:
        yield Task(
            "warning",
            _many(unsettled, "operation has", "operations have") + " no outcome yet",
            "Stripe did not answer in time, and the worker goes on asking what became of it. Do not ask for the same "
            "again: nothing is charged twice, and the Office stays as Stripe has it.",
            _list("operation", status__exact=Operation.Status.UNKNOWN),
        )
    yield from _of_determinations(request)


def _of_machinery() -> Iterator[Task]:
    seen = health.figures()
    beat = seen["heartbeat_seconds"]
    if beat is None or beat > health.DEAD_SECONDS:
        since = "none has started yet" if beat is None else f"the last was seen {_ago(beat)}"
        yield Task(
            "danger",
            "No worker lives",
            f"What Stripe reports is kept but not applied ({seen['waiting']:,} events wait; {since}). "
            "Start one: python manage.py worker.",
            _list("workerheartbeat"),
        )
    if seen["parked"]:
        yield Task(
            "danger",
            _many(seen["parked"], "event", "events") + " could not be applied",
            "They were tried again and again and are parked with their error. Read them again once the cause is gone.",
            _list("receivedevent", status__exact=ReceivedEvent.Status.PARKED),
        )
    if stuck := Reconciliation.objects.filter(ended_at=None).exclude(last_error="").first():
        yield Task(
            "warning",
            "The comparison with Stripe does not get on",
            stuck.last_error,
            reverse("admin:billing_reconciliation_change", args=[stuck.pk]),
        )


def _of_findings() -> Iterator[Task]:
    found = Finding.objects.filter(resolved_at=None).values("severity").order_by()
    grades = {one["severity"]: one for one in found.annotate(n=Count("pk"), oldest=Min("found_at"))}
    for severity, tone in ((Finding.Severity.CRITICAL, "danger"), (Finding.Severity.WARNING, "warning")):
        if one := grades.get(severity):
            n, age = one["n"], timesince(one["oldest"], clock.wall())
            yield Task(
                tone,
                _many(n, f"{severity} finding is", f"{severity} findings are") + " open",
                f"{'It has' if n == 1 else 'The oldest has'} been open for {age}.",
                _list("finding", severity__exact=severity, resolved_at__isempty=1),
            )


def _of_determinations(request: HttpRequest) -> Iterator[Task]:
    for row in Agreement.objects.filter(approved_at=None, withdrawn_at=None).select_related("prepared_by"):
        if may_approve(row, request.user):  # type: ignore[arg-type]
            yield Task(
                "info",
                "A determination waits for your approval",
                f"{row.prepared_by} prepared it.",
                reverse("admin:billing_agreement_change", args=[row.pk]),
            )
    shown = banner()
    if shown["tone"] != "success":
        charging = "" if shown["permits"] else " Until then live charges are refused."
        ends = f"It ends after {shown['last_day']:%d %B %Y}. Record the next one." if shown["permits"] else ""
        yield Task(
            shown["tone"] if settings.STRIPE_LIVE_MODE else "info",
            shown["title"],
            ends or f"Counsel decides whether a BAA is needed; two people record it here.{charging}",
            _list("agreement"),
        )


def _first_steps(request: HttpRequest) -> Iterator[Step]:
    first = Office.objects.order_by("pk").first()
    yield Step(
        "Connect the Stripe account",
        "Put its keys into .env and run: python manage.py setup_stripe",
        "",
        StripeAccount.objects.exists(),
    )
    yield Step(
        "Make a plan and publish its price",
        "Add the plan with a price here, then run: python manage.py setup_stripe",
        reverse("admin:billing_plan_add") if request.user.has_perm("billing.add_plan") else _list("plan"),
        PlanPrice.objects.filter(stripe_price_id__isnull=False).exclude(stripe_price_id="").exists(),
    )
    yield Step(
        "Add the first Office",
        "The practice's name, and where its invoices go",
        reverse("admin:billing_office_add") if request.user.has_perm("billing.add_office") else _list("office"),
        first is not None,
    )
    yield Step(
        "Subscribe it",
        "On the Office's page: with a card, a trial, or a link at which the practice pays",
        reverse("admin:billing_office_change", args=[first.pk]) if first else _list("office"),
        Subscription.objects.exists(),
    )


def _standing(offices: QuerySet[Office]) -> list[dict[str, Any]]:
    """How many Offices have a subscription of each status."""
    found = offices.values("subscription_status").order_by().annotate(n=Count("pk"))
    counts = {row["subscription_status"]: row["n"] for row in found}
    known = [*STANDING, *(status for status in counts if status not in STANDING)]
    return [
        {
            "status": status.replace("_", " ") or "no subscription",
            "tone": TONES.get(status, "info") if status else "",
            "n": counts[status],
            "page": _list("office", subscription_status__exact=status, archived_at__isempty=1),
        }
        for status in known
        if counts.get(status)
    ]


def _past_due(offices: QuerySet[Office]) -> list[dict[str, Any]]:
    """Those that have owed us longest, and until when they may still use the product."""
    policy, now = Policy(settings.PAST_DUE_GRACE, settings.BLIND_ACCESS_GRACE), clock.billing()
    rows = offices.filter(past_due_since__isnull=False, balance_due__gt=0).order_by("past_due_since", "pk")
    return [
        {
            "office": office,
            "page": reverse("admin:billing_office_change", args=[office.pk]),
            "since": office.past_due_since,
            "has_access": (seen := entitlement(office, policy, at=now)).access == "full",
            "until": seen.until,
        }
        for office in rows[:SHOWN_PAST_DUE]
    ]


def _figures(offices: QuerySet[Office]) -> list[dict[str, Any]]:
    """Sums, one for each currency."""
    live = Subscription.objects.filter(status__in=REVENUE, deleted_at=None)
    paid = Payment.objects.filter(status="succeeded", created_at__gte=clock.billing() - PAID_WITHIN)
    return [
        {
            "title": "Billed a month",
            "says": "active subscriptions, before discounts",
            "sums": _sums(live, Sum("monthly_amount")),
            "page": _list("subscription"),
        },
        {
            "title": "Paid in the last 30 days",
            "says": "less what was refunded",
            "sums": _sums(paid, Sum(F("amount") - F("amount_refunded"))),
            "page": _list("payment"),
        },
        {
            "title": "Owed now",
            "says": "on invoices that are open",
            "sums": _sums(offices.filter(balance_due__gt=0), Sum("balance_due")),
            "page": _list("invoice", status__exact="open"),
        },
    ]


def _sums(rows: QuerySet[Any], amount: Sum) -> list[Money]:
    found = rows.values("currency").order_by("currency").annotate(total=amount)
    return [Money(one["total"], one["currency"]) for one in found if one["total"]]


def _machinery() -> list[dict[str, str]]:
    seen = health.figures()
    beat, oldest = seen["heartbeat_seconds"], seen["oldest_waiting_seconds"]
    waits = f"{seen['waiting']:,}" + (f", the oldest for {oldest} seconds" if oldest is not None else "")
    last = Reconciliation.objects.filter(ended_at__isnull=False).order_by("-ended_at").first()
    compared = "never; the worker does it every night, or you now"
    if last and last.ended_at:
        ago = _ago(int((clock.wall() - last.ended_at).total_seconds()))
        compared = f"{ago}; {last.counts.get('drifted', 0):,} had drifted"
    return [
        {
            "name": "Worker",
            "says": f"seen {_ago(beat)}" if beat is not None else "none",
            "page": _list("workerheartbeat"),
        },
        {
            "name": "Events that wait",
            "says": waits,
            "page": _list("receivedevent", status__exact=ReceivedEvent.Status.WAITING),
        },
        {"name": "Compared with Stripe", "says": compared, "page": _list("reconciliation")},
    ]


def _ago(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} seconds ago"
    now = clock.wall()
    return f"{timesince(now - timedelta(seconds=seconds), now)} ago"


def _many(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _list(model: str, **filters: Any) -> str:
    """The list of this model, filtered."""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return reverse(f"admin:billing_{model}_changelist") + (f"?{query}" if query else "")
