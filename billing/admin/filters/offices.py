"""By what the list of Offices is filtered, in the words of who bills them. Its views are at the top.

A view has the order in which its rows matter, and an index with this order.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import DateTimeField, Exists, F, Func, OuterRef, Q, QuerySet
from django.http import HttpRequest

from billing import clock, coming, debts
from billing.admin.filters.chosen import Chosen, Narrowed
from billing.admin.saved_views import query_of
from billing.durations import within
from billing.entitlement import Access, Policy, entitlement
from billing.models import Finding, Office, Plan
from billing.models.expressions import one_of
from billing.models.statuses import ENTITLED, LIVE, SubscriptionStatus

ACTIVE = Q(archived_at=None)


@dataclass(frozen=True, slots=True)
class View:
    """One link at the top of the list."""

    title: str
    says: str
    condition: Callable[[datetime], Q]
    order: tuple[str, ...]


def owing(_: datetime) -> Q:
    return debts.owing()


def without_subscription(_: datetime) -> Q:
    return ACTIVE & Q(subscription_status="")


def ends(at: datetime) -> Q:
    return ACTIVE & one_of("subscription_status", LIVE) & Q(cancel_at__gte=at)


VIEWS: dict[str, View] = {
    "owing": View("Owes", "The largest debt is first.", owing, ("-balance_due", "-pk")),
    "trial-ends": View(
        f"Trial ends {within(coming.TRIAL_SOON)}",
        "The trial that ends first is first.",
        coming.trial_ends,
        ("trial_end", "pk"),
    ),
    "card-expires": View(
        "Card expires",
        f"Before a charge {within(coming.CHARGED_SOON)}. The next charge is first.",
        coming.card_expires,
        ("current_period_end", "pk"),
    ),
    "no-subscription": View("No subscription", "Sorted by name.", without_subscription, ("name", "pk")),
    "ends": View("Subscription ends", "The one that ends first is first.", ends, ("cancel_at", "pk")),
}
"""What is offered at the top of the list, by the word in its address."""


def with_access(at: datetime, policy: Policy) -> Q:
    """Return the condition that ``billing.entitlement`` says FULL.

    It is put together from the columns of the subscription that is shown. Of Offices that have further live ones, which
    should not be and are a finding, each is asked for by itself. One query.
    """
    served = [one.pk for one in _with_several() if entitlement(one, policy, at=at).access is Access.FULL]
    return _by_columns(at, policy) | Q(pk__in=served)


def _with_several() -> Iterator[Office]:
    """Yield the Offices with further live subscriptions: among those about which there is or was a finding."""
    told = Finding.objects.filter(kind="second_live_subscription").order_by().values("office")
    yield from (one for one in Office.objects.filter(pk__in=told) if one.also_live)


def _by_columns(at: datetime, policy: Policy) -> Q:
    trusted = at - policy.blind_grace
    grace_began = at - policy.past_due_grace
    ends_later = Q(cancel_at=None) | Q(cancel_at__gt=at)
    trial = Q(subscription_status=SubscriptionStatus.TRIALING)
    period, trial_end = _as_seen("current_period_end", trusted), _as_seen("trial_end", trusted)
    trial_first = Q(trial_end__isnull=False) & (Q(current_period_end=None) | Q(trial_end__lt=F("current_period_end")))
    paid = ~Q(subscription_status=SubscriptionStatus.PAST_DUE)
    by_period = paid & (
        (trial & trial_first & trial_end) | (~(trial & trial_first) & (period | _none("current_period_end")))
    )
    entitled = ACTIVE & Q(customer_deleted_at=None) & one_of("subscription_status", ENTITLED) & ends_later
    return entitled & (by_period | (~paid & _in_grace(trusted, grace_began, policy)))


def _in_grace(trusted: datetime, grace_began: datetime, policy: Policy) -> Q:
    found = Q(pk__in=[])
    for since, applies in (
        ("past_due_since", Q(past_due_since__isnull=False)),
        ("current_period_start", Q(past_due_since=None, current_period_start__isnull=False)),
    ):
        grace = policy.past_due_grace
        after_grace = Q(confirmed_at__gte=Later(since, grace))
        is_over = Q(**{f"{since}__lte": grace_began}) & after_grace
        by_grace = Q(**{f"{since}__gt": trusted - grace}) | (after_grace & Q(confirmed_at__gt=trusted))
        period_seen = Q(current_period_end=None) | Q(confirmed_at__gte=F("current_period_end"))
        grace_first = Q(current_period_end__gt=Later(since, grace))
        by_period = _as_seen("current_period_end", trusted)
        found |= (
            applies
            & ~is_over
            & ((period_seen & by_grace) | (~period_seen & ((grace_first & by_grace) | (~grace_first & by_period))))
        )
    unknown = Q(past_due_since=None, current_period_start=None)
    return found | (unknown & (_none("current_period_end") | _as_seen("current_period_end", trusted)))


def _as_seen(end: str, trusted: datetime) -> Q:
    """Return the condition that the end has not come, or that the last look may still be trusted."""
    return Q(**{f"{end}__gt": trusted}) | (Q(confirmed_at__gte=F(end)) & Q(confirmed_at__gt=trusted))


def _none(end: str) -> Q:
    return Q(**{f"{end}__isnull": True})


class Later(Func):
    """A moment in a column and some seconds more, on each database, without a function of ours."""

    output_field = DateTimeField()

    def __init__(self, column: str, by: timedelta) -> None:
        super().__init__(F(column))
        self.seconds = int(by.total_seconds())

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> tuple[str, list[Any]]:
        """As SQLite stores moments: without a fraction where there is none."""
        column, params = compiler.compile(self.source_expressions[0])
        sql = f"rtrim(rtrim(strftime('%%Y-%%m-%%d %%H:%%M:%%f', {column}, '{self.seconds:+d} seconds'), '0'), '.')"
        return sql, list(params)

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:
        column, params = compiler.compile(self.source_expressions[0])
        return f"({column} + interval '{self.seconds} seconds')", list(params)


class LiveOnPlan(Chosen):
    """Offices that are not archived and whose live subscription is to this plan. 0: to a price that is none of ours."""

    title, parameter_name = "plan of a live subscription", "on_plan"

    def says(self, value: str) -> str:
        if not value.isdecimal():
            return ""
        return "Not one of our plans" if int(value) == 0 else str(Plan.objects.filter(pk=value).first() or "")

    def narrow(self, rows: Narrowed, value: str) -> Narrowed:
        return rows.filter(archived_at=None, subscription_status__in=LIVE, current_plan=int(value) or None)


class InView(admin.SimpleListFilter):
    title, parameter_name = "view", "view"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, view.title) for name, view in VIEWS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Office]) -> QuerySet[Office]:
        view = VIEWS.get(self.value() or "")
        return queryset.filter(view.condition(clock.billing())) if view else queryset


class ByAccess(admin.SimpleListFilter):
    title, parameter_name = "access", "access"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("full", "Full"), ("none", "None")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Office]) -> QuerySet[Office]:
        if self.value() not in ("full", "none"):
            return queryset
        full = with_access(clock.billing(), Policy.of(settings))
        return queryset.filter(
            full if self.value() == "full" else ~Exists(Office.objects.filter(full, pk=OuterRef("pk")))
        )


def order_of(request: HttpRequest) -> tuple[str, ...] | None:
    """Return the order of the view that the address names. None: it names none."""
    view = VIEWS.get(request.GET.get("view", ""))
    return view.order if view else None


def links(request: HttpRequest) -> Iterator[dict[str, Any]]:
    """Yield the links at the top of the list, the whole list first."""
    here = query_of(request.GET)
    yield {"title": "All", "query": "?", "is_chosen": not here, "says": ""}
    for name, view in VIEWS.items():
        yield {"title": view.title, "query": f"?view={name}", "is_chosen": here == f"view={name}", "says": view.says}
