"""The first page: what a person must do, the statuses of the Offices, and whether the workers run.

It reads only our own rows, in a fixed number of queries.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timesince import timesince

from billing import clock
from billing.access import roles
from billing.access.roles import Power
from billing.admin.tasks import list_of, tasks_of
from billing.admin.tones import TONES, in_words
from billing.audit import reads
from billing.entitlement import Access, Policy, entitlement
from billing.models import (
    Invoice,
    Office,
    Payment,
    PlanPrice,
    ReceivedEvent,
    Reconciliation,
    StripeAccount,
    Subscription,
    TrailProgress,
    User,
)
from billing.models.invoice import OWED
from billing.models.statuses import FINAL, REVENUE, InvoiceStatus, PaymentStatus, SubscriptionStatus
from billing.money import Money
from billing.monitoring.outcome import Seen, many

PAID_WITHIN = timedelta(days=30)
SHOWN_PAST_DUE = 5
STANDING = (
    SubscriptionStatus.ACTIVE,
    SubscriptionStatus.TRIALING,
    SubscriptionStatus.PAST_DUE,
    SubscriptionStatus.UNPAID,
    SubscriptionStatus.PAUSED,
    SubscriptionStatus.INCOMPLETE,
    SubscriptionStatus.INCOMPLETE_EXPIRED,
    SubscriptionStatus.CANCELED,
    "",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way to the first Office that is billed. ``page`` is empty if it is not done in the admin."""

    title: str
    says: str
    page: str
    done: bool


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return what ``templates/admin/index.html`` shows.

    Source: https://unfoldadmin.com/docs/configuration/dashboard/
    """
    user = cast(User, request.user)
    context |= {"title": "Overview", "has_role": roles.has(user, Power.LOOK)}
    if not context["has_role"]:
        return context
    reads.look_at_list(request)
    offices, seen = Office.objects.filter(archived_at=None), Seen()
    steps = [] if Subscription.objects.exists() else list(_first_steps(user))
    return context | {
        "tasks": list(tasks_of(user, seen)),
        "steps": steps,
        "next_step": next((step for step in steps if not step.done), None),
        "standing": _standing(offices),
        "past_due": _past_due(offices),
        "figures": _figures(),
        "workers": _workers(seen.figures),
    }


def _first_steps(user: User) -> Iterator[Step]:
    first = Office.objects.order_by("pk").first()
    yield Step(
        "Connect the Stripe account",
        "Put its keys into .env, then run: python manage.py setup_stripe",
        "",
        StripeAccount.objects.exists(),
    )
    yield Step(
        "Make a plan and publish its price",
        "Add the plan with a price here, then run: python manage.py setup_stripe",
        reverse("admin:billing_plan_add") if roles.has(user, Power.PLANS) else list_of("plan"),
        PlanPrice.objects.filter(stripe_price_id__isnull=False).exists(),
    )
    yield Step(
        "Add the first Office",
        "The practice's name, and where its invoices go",
        reverse("admin:billing_office_add") if roles.has(user, Power.OPERATE) else list_of("office"),
        first is not None,
    )
    yield Step(
        "Start its subscription",
        "On the Office's page: with a card, with a trial, or with a link where the practice pays",
        reverse("admin:billing_office_change", args=[first.pk]) if first else "",
        False,
    )


def _standing(offices: QuerySet[Office]) -> list[dict[str, Any]]:
    """Return how many Offices have a subscription of each status."""
    found = offices.values("subscription_status").order_by().annotate(n=Count("pk"))
    counts = {row["subscription_status"]: row["n"] for row in found}
    known = [*STANDING, *(status for status in counts if status not in STANDING)]
    return [
        {
            "status": in_words(status) or "no subscription",
            "tone": TONES.get(in_words(status), ""),
            "n": counts[status],
            "page": list_of("office", subscription_status=status, archived_at__isempty=1),
        }
        for status in known
        if status in counts
    ]


def _past_due(offices: QuerySet[Office]) -> list[dict[str, Any]]:
    """Return the Offices that have been past due longest, and until when they may still use the product.

    After them come those that still owe for a subscription that has ended.
    """
    policy, now = Policy.of(settings), clock.billing()
    owes = Exists(Invoice.objects.filter(OWED, office=OuterRef("pk")))
    rows = offices.filter(Q(past_due_since__isnull=False) | (Q(subscription_status__in=FINAL) & owes))
    rows = rows.order_by(F("past_due_since").asc(nulls_last=True), "pk")[:SHOWN_PAST_DUE]
    return [
        {
            "office": office,
            "page": reverse("admin:billing_office_change", args=[office.pk]),
            "has_access": (found := entitlement(office, policy, at=now)).access is Access.FULL,
            "until": found.until if found.reason == SubscriptionStatus.PAST_DUE else None,
        }
        for office in rows
    ]


def _figures() -> list[dict[str, Any]]:
    """Return the sums of money, one for each currency."""
    billed = Subscription.objects.filter(status__in=REVENUE, deleted_at=None)
    paid = Payment.objects.filter(status=PaymentStatus.SUCCEEDED, created_at__gte=clock.billing() - PAID_WITHIN)
    owed = Invoice.objects.filter(status=InvoiceStatus.OPEN, deleted_at=None)
    return [
        {
            "title": "Billed each month",
            "says": "by subscriptions that are active or past due, before discounts",
            "sums": _sums(billed, Sum("monthly_amount")),
            "page": list_of("subscription"),
        },
        {
            "title": "Paid in the last 30 days",
            "says": "minus what was refunded",
            "sums": _sums(paid, Sum(F("amount") - F("amount_refunded"))),
            "page": list_of("payment", status=PaymentStatus.SUCCEEDED),
        },
        {
            "title": "Owed now",
            "says": "on open invoices",
            "sums": _sums(owed, Sum("amount_remaining")),
            "page": list_of("invoice", status=InvoiceStatus.OPEN),
        },
    ]


def _sums(rows: QuerySet[Any], amount: Sum) -> list[Money]:
    found = rows.values("currency").order_by("currency").annotate(total=amount)
    return [Money(one["total"], one["currency"]) for one in found if one["total"]]


def _workers(seen: dict[str, Any]) -> list[dict[str, str]]:
    """Return what is shown about workers, waiting events and comparisons. ``seen`` is the figures of the checks."""
    beat, oldest = seen["heartbeat_seconds"], seen["oldest_waiting_seconds"]
    waits = f"{seen['waiting']:,}" + (f", the oldest for {many(oldest, 'second')}" if oldest is not None else "")
    last = Reconciliation.objects.filter(ended_at__isnull=False).order_by("-ended_at").first()
    compared = "never. A worker compares once a day. You can also start a comparison now"
    if last and last.ended_at:
        repaired, left = (last.counts.get(what, 0) for what in ("drifted", "left"))
        compared = f"{_ago(last.ended_at)}; {repaired:,} repaired, {left:,} left for a person"
    return [
        {
            "name": "Worker",
            "says": f"seen {_ago(clock.wall() - timedelta(seconds=beat))}" if beat is not None else "none",
            "page": list_of("workerheartbeat"),
        },
        {
            "name": "Waiting events",
            "says": waits,
            "page": list_of("receivedevent", status__exact=ReceivedEvent.Status.WAITING),
        },
        {"name": "Compared with Stripe", "says": compared, "page": list_of("reconciliation")},
        {"name": "Audit trail", "says": _trail(seen["oldest_unsealed_seconds"]), "page": list_of("job")},
    ]


def _trail(oldest: int | None) -> str:
    """Return in words what waits for a seal, and when the trail was last found whole."""
    waits = "all is sealed"
    if oldest is not None:
        waits = f"the oldest entry without a seal is of {_ago(clock.wall() - timedelta(seconds=oldest))}"
    whole = TrailProgress.objects.values_list("whole_at", flat=True).first()
    return f"{waits}; {f'found whole {_ago(whole)}' if whole else 'not verified yet'}"


def _ago(time: datetime) -> str:
    now = clock.wall()
    return f"{timesince(time, now)} ago" if now - time >= timedelta(minutes=1) else "less than a minute ago"
