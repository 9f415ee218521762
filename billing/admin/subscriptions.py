"""Subscriptions, as the last look saw them at Stripe."""

from django.contrib import admin
from unfold.decorators import display

from billing.admin.readonly import ReadOnlyAdmin
from billing.admin.searching import OFFICE
from billing.admin.tones import TONES
from billing.models import Subscription
from billing.money import Money


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ("office", "plan_price", "state", "quantity", "current_period_end", "cancel_at")
    list_filter = ("status",)
    list_select_related = ("office", "plan_price__plan")
    search_fields = OFFICE
    exclude = ("stripe_id", "ticket", "monthly_amount", "discount_amount", "discount_currency")
    readonly_fields = ("a_month", "discount_off")

    @display(description="A month")
    def a_month(self, row: Subscription) -> str:
        return str(Money(row.monthly_amount, row.currency))

    @display(description="Discount off each invoice")
    def discount_off(self, row: Subscription) -> str:
        return str(Money(row.discount_amount, row.discount_currency))

    @display(description="Status", label=TONES, ordering="status")
    def state(self, row: Subscription) -> str:
        return row.status
