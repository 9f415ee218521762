"""Plans and their prices: what is for sale, who has it, and what was done to it. Changed by operations alone."""

import functools
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from unfold.decorators import display

from billing import clock, plan_figures
from billing.access import roles
from billing.access.roles import Power
from billing.admin import price_moves
from billing.admin.acts.pages import ActsAdmin
from billing.admin.acts.plans import ACTS, MAKE, sold_at
from billing.admin.filters.subscriptions import live_link, monthly_link
from billing.admin.readonly import ReadOnly, ReadOnlyInline
from billing.admin.searching import NAME
from billing.admin.tones import TONES
from billing.audit import actor
from billing.models import Plan, PlanOperation, PlanPrice
from billing.plan_figures import Figures
from billing.sent_twice import done_once

SOLD, RETIRED, NOT_YET, UNPUBLISHED = "for sale", "retired", "not yet for sale", "not at Stripe"
STATES = {SOLD: "success", RETIRED: "info", NOT_YET: "info", UNPUBLISHED: "warning"}


def state_of(price: PlanPrice) -> str:
    now = clock.billing()
    if price.plan.archived_at or (price.active_until and price.active_until <= now):
        return RETIRED
    if price.stripe_price_id is None:
        return UNPUBLISHED
    return SOLD if price.is_for_sale(now) else NOT_YET


class PriceInline(ReadOnlyInline):
    model = PlanPrice
    tab = False
    fields = ("sold", "state", "offices", "monthly", "code", "retired_at")
    readonly_fields = fields
    verbose_name_plural = "Prices"
    figures: dict[int, Figures]

    def get_queryset(self, request: HttpRequest) -> Any:
        key = request.resolver_match and request.resolver_match.kwargs.get("object_id")
        self.figures = plan_figures.of_prices(PlanPrice.objects.filter(plan=int(key))) if key else {}
        return super().get_queryset(request).select_related("plan")

    @display(description="Price")
    def sold(self, row: PlanPrice) -> str:
        return sold_at(row)

    @display(description="Status", label=STATES)
    def state(self, row: PlanPrice) -> str:
        return state_of(row)

    @display(description="Offices")
    def offices(self, row: PlanPrice) -> str:
        return live_link(row, self.figures.get(row.pk, Figures()))

    @display(description="Monthly recurring revenue (MRR)")
    def monthly(self, row: PlanPrice) -> str:
        return monthly_link(row, self.figures.get(row.pk, Figures()))

    @display(description="Retired")
    def retired_at(self, row: PlanPrice) -> Any:
        return row.active_until or "–"


class OperationInline(ReadOnlyInline):
    model = PlanOperation
    tab = False
    fields = ("created_at", "what", "state", "asked_by", "reason", "wrong")
    readonly_fields = fields
    verbose_name_plural = "What was done"

    @display(description="What")
    def what(self, row: PlanOperation) -> str:
        return row.in_words

    @display(description="Asked by")
    def asked_by(self, row: PlanOperation) -> str:
        return row.actor_label

    @display(description="What went wrong")
    def wrong(self, row: PlanOperation) -> str:
        return row.error_message or "–"

    @display(description="Status", label=TONES)
    def state(self, row: PlanOperation) -> str:
        return row.status


@admin.register(Plan)
class PlanAdmin(ReadOnly, ActsAdmin):
    acts = (*ACTS, price_moves.MOVE)
    list_display = ("name", "state", "prices", "offices", "monthly", "code")
    search_fields = (*NAME, "code")
    fields = (("name", "code"), ("state", "retired_at"))
    readonly_fields = ("state", "retired_at")
    inlines = (PriceInline, OperationInline)

    def get_urls(self) -> list[URLPattern]:
        move = self.admin_site.admin_view(functools.partial(price_moves.page, self))
        return [path("move/<int:number>/", move, name="billing_plan_price_move"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.has(request.user, Power.PLANS)  # type: ignore[arg-type]  # nobody else gets here

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask for a plan, repeat in words what is sold, and make it by an operation."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        page = self._page(None)
        by = actor.person(request.user)
        return done_once(request, page, lambda: self._asked(MAKE, request, None, by, page))

    def _page(self, subject: Any) -> str:
        return super()._page(subject) if subject else reverse("admin:billing_plan_changelist")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Read what the rows show beside their columns: two statements, however many plans there are."""
        shown = super().get_changelist_instance(request)
        prices: dict[int, list[PlanPrice]] = {}
        for one in PlanPrice.objects.select_related("plan").order_by("unit_amount", "pk"):
            prices.setdefault(one.plan_id, []).append(one)
        figures = plan_figures.of_prices()
        for plan in shown.result_list:
            plan.shown_prices = prices.get(plan.pk, [])
            plan.figures = plan_figures.together(plan.shown_prices, figures)
        return shown

    @display(description="Status", label=STATES)
    def state(self, row: Plan) -> str:
        if row.archived_at:
            return RETIRED
        prices = getattr(row, "shown_prices", None)
        states = {state_of(one) for one in (row.prices.select_related("plan") if prices is None else prices)}
        return next((one for one in (SOLD, UNPUBLISHED, NOT_YET) if one in states), "no price for sale")

    @display(description="Retired")
    def retired_at(self, row: Plan) -> Any:
        return row.archived_at or "–"

    @display(description="Prices for sale")
    def prices(self, row: Any) -> str:
        sold = [(sold_at(one),) for one in row.shown_prices if state_of(one) == SOLD]
        return format_html_join(mark_safe("<br>"), '<span class="whitespace-nowrap">{}</span>', sold) or "–"

    @display(description="Offices")
    def offices(self, row: Any) -> str:
        return live_link(row, row.figures)

    @display(description="Monthly recurring revenue (MRR)")
    def monthly(self, row: Any) -> str:
        return monthly_link(row, row.figures)
