"""The first page: what waits for a person, how the money moves, how the Offices stand, and whether the workers run.

It reads only our own rows, in a fixed number of queries. Months and weeks are rolled up by a job (``billing.reports``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timesince import timesince

from billing import clock, debts
from billing.access import roles
from billing.access.roles import Power
from billing.admin.charts import Cell, charts
from billing.admin.filters.money import ANY
from billing.admin.links import list_of
from billing.admin.tasks import Waiting, tasks_of
from billing.admin.tones import TONES, in_words
from billing.audit import reads
from billing.durations import many
from billing.entitlement import Access, Policy, entitlement
from billing.models import Office, Plan, PlanPrice, ReceivedEvent, StripeAccount, Subscription, User
from billing.models.statuses import FINAL, SubscriptionStatus
from billing.money import Money
from billing.monitoring import summary
from billing.monitoring.summary import Summary
from billing.reports import calendar, pictures, waiting
from billing.reports.pictures import Pictures
from billing.reports.waiting import Counted

SHOWN_LONGEST = 5
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
    at, seen = clock.billing(), summary.latest()
    counted = waiting.counted(user, at=at, now=clock.wall())
    shown, plans = pictures.pictures(at=at), dict(Plan.objects.order_by().values_list("pk", "name"))
    steps = list(_first_steps(user, counted))
    return context | {
        "tasks": list(tasks_of(user, seen, counted)),
        "steps": steps,
        "next_step": next((step for step in steps if not step.done), None),
        "statuses": _by_status(counted),
        "longest": _longest_owed(at) if Waiting(counted).n("owed") else [],
        "figures": _figures(counted, shown, at),
        "charts": list(charts(shown, counted, plans)),
        "rolled_up": _ago(shown.rolled_up_at) if shown.rolled_up_at else "",
        "workers": _workers(seen),
    }


def _first_steps(user: User, counted: list[Counted]) -> Iterator[Step]:
    """Yield the steps until the first subscription is there."""
    if any(one.what == "offices" and one.key for one in counted) or Subscription.objects.exists():
        return
    first = Office.objects.order_by("pk").first()
    yield Step(
        "Connect the Stripe account",
        "Put its keys into .env, then run: python manage.py setup_stripe",
        "",
        StripeAccount.objects.exists(),
    )
    yield Step(
        "Make a plan with its first price",
        "Its first price is made here and at Stripe in one step",
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


def _by_status(counted: list[Counted]) -> list[dict[str, Any]]:
    """Return how many Offices have a subscription of each status, archived ones left out."""
    counts: dict[str, int] = {}
    for one in counted:
        if one.what == "offices":
            counts[one.key] = counts.get(one.key, 0) + one.n
    known = [*STANDING, *(status for status in counts if status not in STANDING)]
    return [
        {
            "status": in_words(status) or "no subscription",
            "tone": TONES.get(in_words(status), ""),
            "n": counts[status],
            "page": list_of("office", subscription_status__exact=status, archived_at__isempty=1),
        }
        for status in known
        if status in counts
    ]


def _longest_owed(at: datetime) -> list[dict[str, Any]]:
    """Return the Offices that should have paid longest ago, and until when they may still use the product."""
    policy = Policy.of(settings)
    oldest = debts.by_office().filter(since__lte=at).order_by("since", "key")[:SHOWN_LONGEST]
    since = {one["key"]: one["since"] for one in oldest}
    offices = Office.objects.in_bulk(list(since)) if since else {}
    return [
        {
            "office": office,
            "page": reverse("admin:billing_office_change", args=[office.pk]),
            "since": since[office.pk],
            "is_over": office.subscription_status in FINAL,
            "has_access": (found := entitlement(office, policy, at=at)).access is Access.FULL,
            "until": found.until if found.reason == SubscriptionStatus.PAST_DUE else None,
        }
        for office in (offices[key] for key in since)
    ]


def _figures(counted: list[Counted], shown: Pictures, at: datetime) -> list[dict[str, Any]]:
    """Return the sums of money. Each amount is of one currency, and opens the list of what it is the sum of."""
    week = calendar.week_of(at)
    billed = [one for one in counted if one.what == "billed" and one.amount]
    owed = Waiting(counted).sums("owed")
    this_week = [weeks[-1] for weeks in shown.collections.values() if weeks[-1].since == week and weeks[-1].paid.n]
    return [
        {
            "title": "Billed each month",
            "says": "by subscriptions that are active or past due, before discounts",
            "sums": [
                Cell(str(Money(one.amount, one.currency)), list_of("subscription", billed=one.currency))
                for one in sorted(billed, key=lambda one: one.currency)
            ],
        },
        {
            "title": "Paid this week",
            "says": f"since Monday, {week.day} {week:%B} (UTC), before refunds",
            "sums": [
                Cell(str(one.paid.money), list_of("payment", week=f"{week}.{one.paid.money.currency}"))
                for one in this_week
            ],
        },
        {
            "title": "Owed now",
            "says": "on open invoices",
            "sums": [Cell(str(one), list_of("invoice", owed=f"{ANY}.{one.currency}")) for one in owed],
        },
    ]


def _workers(seen: Summary) -> list[dict[str, str]]:
    """Return what is shown about workers, waiting events, Stripe's webhook endpoint, comparisons and the trail."""
    figures, since = seen.figures, clock.wall() - seen.at
    beat, oldest = figures["heartbeat_seconds"], figures["oldest_waiting_seconds"]
    waits = f"{figures['waiting']:,}" + (f", the oldest for {many(oldest, 'second')}" if oldest is not None else "")
    compared = "never. A worker compares once a day. You can also start a comparison now"
    if seen.compared_at:
        repaired, left = (seen.compared.get(what, 0) for what in ("drifted", "left"))
        compared = f"{_ago(seen.compared_at)}; {repaired:,} repaired, {left:,} left for a person"
    endpoint = seen.of("webhook_endpoint")
    return [
        {
            "name": "Worker",
            "says": f"seen {_ago(clock.wall() - timedelta(seconds=beat) - since)}" if beat is not None else "none",
            "page": list_of("workerheartbeat"),
        },
        {
            "name": "Waiting events",
            "says": waits,
            "page": list_of("receivedevent", status__exact=ReceivedEvent.Status.WAITING),
        },
        {
            "name": "Endpoint at Stripe",
            "says": endpoint.seen if endpoint else "not looked at yet",
            "page": list_of("receivedevent"),
        },
        {"name": "Compared with Stripe", "says": compared, "page": list_of("reconciliation")},
        {"name": "Audit trail", "says": _trail(seen), "page": list_of("job")},
    ]


def _trail(seen: Summary) -> str:
    """Return in words what waits for a seal, and when the trail was last found whole."""
    oldest, waits = seen.figures["oldest_unsealed_seconds"], "all is sealed"
    if oldest is not None:
        waits = f"the oldest entry without a seal was made {_ago(seen.at - timedelta(seconds=oldest))}"
    return f"{waits}; {f'found whole {_ago(seen.whole_at)}' if seen.whole_at else 'not verified yet'}"


def _ago(time: datetime) -> str:
    now = clock.wall()
    return f"{timesince(time, now)} ago" if now - time >= timedelta(minutes=1) else "less than a minute ago"
