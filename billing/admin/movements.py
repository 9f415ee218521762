"""Movements of MRR: the rows behind the bars of the overview."""

from django.contrib import admin
from unfold.decorators import display

from billing.admin.filters.money import InMonth, ThroughMonth
from billing.admin.readonly import ReadOnlyAdmin
from billing.admin.searching import OFFICE
from billing.admin.tones import in_words
from billing.models import Movement

TONES = {
    "adopted": "info",
    "new": "success",
    "expansion": "success",
    "reactivation": "success",
    "contraction": "warning",
    "churn": "danger",
}


@admin.register(Movement)
class MovementAdmin(ReadOnlyAdmin):
    list_display = ("at", "office", "what", "money", "status", "plan", "seats")
    list_filter = ("kind", InMonth, ThroughMonth)
    list_select_related = (
        "office",
        "change__price_before__plan",
        "change__price_after__plan",
    )
    sortable_by = ("at",)
    search_fields = OFFICE
    fields = (("office", "at"), ("what", "money"), ("status", "seats"), "plan")
    readonly_fields = ("what", "money", "status", "plan", "seats")

    @display(description="Movement", label=TONES, ordering="kind")
    def what(self, row: Movement) -> str:
        return row.kind

    @display(description="MRR", ordering="amount")
    def money(self, row: Movement) -> str:
        return str(row.money)

    @display(description="Status")
    def status(self, row: Movement) -> str:
        before, after = in_words(row.change.status_before) or "not known yet", in_words(row.change.status_after)
        return after if before == after else f"{before} → {after}"

    @display(description="Plan")
    def plan(self, row: Movement) -> str:
        prices = (row.change.price_before, row.change.price_after)
        before, after = (str(price.plan) if price else "" for price in prices)
        return f"{before} → {after}" if before and after and before != after else after or before or "–"

    @display(description="Seats")
    def seats(self, row: Movement) -> str:
        before, after = row.change.quantity_before, row.change.quantity_after
        return f"{before:,} → {after:,}" if before and before != after else f"{after:,}"
