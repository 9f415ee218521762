"""By what the list of subscriptions is filtered, and the links of a plan's page and the overview to it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from billing import clock
from billing.admin.filters.chosen import Chosen, Named, Narrowed, is_currency
from billing.admin.filters.offices import VIEWS
from billing.models import Plan, PlanPrice, Subscription
from billing.models.statuses import LIVE, REVENUE
from billing.plan_figures import Figures
from billing.reports import waiting

COUNTED = {"live": LIVE, "monthly": REVENUE}


class OnPlan(admin.SimpleListFilter):
    """Subscriptions to one plan, or at one price of it."""

    title = "plan or price"
    parameter_name = "on"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the plans that have a price, and the prices. One query."""
        prices = PlanPrice.objects.select_related("plan").order_by("plan__code", "unit_amount", "pk")
        plans = {f"plan-{one.plan_id}": one.plan.name for one in prices}
        return [*plans.items(), *((f"price-{one.pk}", f"{one} ({one.code})") for one in prices)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> QuerySet[Subscription]:
        what, _, key = (self.value() or "").partition("-")
        if not key.isdecimal():
            return queryset
        return queryset.filter(**{"plan_price__plan" if what == "plan" else "plan_price": int(key)})


class Counted(admin.SimpleListFilter):
    """Subscriptions that are counted as live, or in the recurring revenue."""

    title = "counted"
    parameter_name = "counted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "live"), ("monthly", "in MRR")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> QuerySet[Subscription]:
        statuses = COUNTED.get(self.value() or "")
        return queryset.filter(status__in=statuses, deleted_at=None) if statuses else queryset


def _of_offices_in(name: str) -> tuple[str, Callable[[Narrowed], Narrowed]]:
    """Return the title of this view of Offices, and what narrows subscriptions to the present ones of its Offices."""
    view = VIEWS[name]
    return view.title, lambda rows: rows.filter(waiting.present_of(view.condition(clock.billing())))


class NextFor(Named):
    title, parameter_name = "what comes next", "next"
    choices_here = {"trial": _of_offices_in("trial-ends"), "card": _of_offices_in("card-expires")}


class Billed(Chosen):
    title, parameter_name = "billed in", "billed"

    def says(self, value: str) -> str:
        return f"{value.upper()}, each month" if is_currency(value) else ""

    def narrow(self, rows: Narrowed, value: str) -> Narrowed:
        return rows.filter(waiting.BILLED_TO_LIST, currency=value)


def live_link(of: Plan | PlanPrice, figures: Figures) -> str:
    """Return the number of live subscriptions, as a link to their list."""
    return _link(of, "live", f"{figures.live:,}") if figures.live else "0"


def monthly_link(of: Plan | PlanPrice, figures: Figures) -> str:
    """Return the recurring revenue, an amount for each currency, as links to the subscriptions that bring it."""
    shown = [_link(of, "monthly", str(amount)) for amount in figures.revenue if amount.amount]
    return format_html_join(mark_safe("<br>"), "{}", ((one,) for one in shown)) or "–"


def _link(of: Plan | PlanPrice, counted: str, words: str) -> str:
    on = f"plan-{of.pk}" if isinstance(of, Plan) else f"price-{of.pk}"
    page = reverse("admin:billing_subscription_changelist", query={"on": on, "counted": counted})
    return format_html('<a class="whitespace-nowrap text-link" href="{}">{}</a>', page, words)
