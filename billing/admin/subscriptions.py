"""Subscriptions, as the last look saw them at Stripe."""

from django.contrib import admin
from unfold.decorators import display

from billing import schedules
from billing.admin.ends import Ends
from billing.admin.exported import Exported
from billing.admin.filters.declared import among
from billing.admin.filters.subscriptions import Billed, Counted, NextFor, OnPlan
from billing.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from billing.admin.searching import OFFICE
from billing.admin.tones import TONES, in_words
from billing.models import Subscription, SubscriptionItem
from billing.models.statuses import SubscriptionStatus
from billing.money import Money


class ItemInline(ReadOnlyInline):
    model = SubscriptionItem
    fields = ("what", "each", "a_month", "off", "current_period_start", "current_period_end", "removed_at")
    readonly_fields = fields
    verbose_name_plural = "Items"

    @display(description="Price")
    def what(self, row: SubscriptionItem) -> str:
        return str(row)

    @display(description="Each")
    def each(self, row: SubscriptionItem) -> str:
        if row.unit_amount is None:
            return "by use, package or tier: see Stripe"
        every = row.interval if row.interval_count == 1 else f"{row.interval_count} {row.interval}s"
        return f"{Money(row.unit_amount, row.currency)} every {every}"

    @display(description="A month")
    def a_month(self, row: SubscriptionItem) -> str:
        return str(Money(row.monthly_amount, row.currency))

    @display(description="Discount")
    def off(self, row: SubscriptionItem) -> str:
        return row.discount or "none"


@admin.register(Subscription)
class SubscriptionAdmin(Exported, Ends, ReadOnlyAdmin):
    list_display = ("office", "plan_price", "state", "quantity", "a_month", "current_period_end", "cancel_at")
    list_filter = (("status", among(SubscriptionStatus)), Billed, NextFor, OnPlan, Counted)
    sortable_by = ()
    list_select_related = ("office", "plan_price__plan")
    search_fields = OFFICE
    search_help_text = "Part of an Office’s name"
    fields = (
        ("office", "state"),
        ("billed", "a_month"),
        ("current_period_start", "period_ends"),
        ("created_at", "started_at"),
        ("billing_cycle_anchor", "trial_ends"),
        ("ends", "ended_at"),
        ("collection", "discounts"),
        ("scheduled", "deleted_at"),
    )
    readonly_fields = (
        *("state", "billed", "a_month", "period_ends", "trial_ends", "ends", "collection", "discounts"),
        "scheduled",
    )
    inlines = (ItemInline,)

    @display(description="A month", ordering="monthly_amount")
    def a_month(self, row: Subscription) -> str:
        return str(row.monthly)

    @display(description="Billed")
    def billed(self, row: Subscription) -> str:
        return row.items_in_words or "–"

    @display(description="Collection")
    def collection(self, row: Subscription) -> str:
        return row.collection_in_words or "–"

    @display(description="Discount")
    def discounts(self, row: Subscription) -> str:
        return row.discounts_in_words or "none"

    @display(description="Schedule")
    def scheduled(self, row: Subscription) -> str:
        found = schedules.managing(row)
        return schedules.told_of_managing(found, row.zone) if found else "none"

    @display(description="Status", label=TONES, ordering="status")
    def state(self, row: Subscription) -> str:
        return in_words(row.status)
