"""Payments, refunds, credit notes and disputes."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from billing import declines, zones
from billing.admin.acts.pages import ActsAdmin
from billing.admin.acts.payments import PAYMENT_ACTS
from billing.admin.exported import Exported
from billing.admin.filters.declared import among
from billing.admin.filters.money import PaidInWeek, RefundedInWeek
from billing.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from billing.admin.searching import OFFICE
from billing.admin.tones import TONES, in_words
from billing.models import Adjustment, Payment
from billing.models.statuses import AdjustmentStatus, PaymentStatus
from billing.operations.money.money_back import is_taken_back

STATES = TONES | {
    "needs response": "danger",
    "inquiry needs response": "warning",
    "under review": "info",
    "inquiry under review": "info",
    "disputed": "danger",
    AdjustmentStatus.PENDING: "info",
    AdjustmentStatus.ISSUED: "success",
    AdjustmentStatus.WON: "success",
    AdjustmentStatus.LOST: "danger",
}


def dashboard() -> str:
    """Return the address of the page at Stripe where disputes are answered. A local Stripe has its own page."""
    if settings.STRIPE_API_BASE:
        return settings.STRIPE_API_BASE
    return f"https://dashboard.stripe.com/{'' if settings.STRIPE_LIVE_MODE else 'test/'}disputes"


def what_to_do(row: Adjustment) -> str:
    if not row.answer_by:
        return row.says or "–"
    return format_html(
        '<span>{}<a href="{}" target="_blank" rel="noopener noreferrer" class="font-semibold underline">answer it in '
        "Stripe's dashboard before {}</a></span>",
        "The bank only asks, and has not taken the money: "
        if row.is_inquiry
        else "The bank has taken the money back: ",
        dashboard(),
        zones.moment(row.answer_by, row.office.time_zone),
    )


class Shown:
    """The columns of an adjustment, in its list and on the page of its payment."""

    @display(description="Status", label=STATES, ordering="status")
    def state(self, row: Adjustment) -> str:
        return in_words(row.status.replace("warning", "inquiry"))

    @display(description="What to do")
    def next_step(self, row: Adjustment) -> str:
        return what_to_do(row)

    @display(description="Our reason")
    def our_reason(self, row: Adjustment) -> str:
        return row.operation.reason if row.operation else "–"


class AdjustmentInline(Shown, ReadOnlyInline):
    model = Adjustment
    fields = ("created_at", "kind", "state", "money", "reason", "our_reason", "next_step")
    readonly_fields = fields
    tab = False
    verbose_name_plural = "Refunds and disputes"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Adjustment]:
        return super().get_queryset(request).select_related("operation")


@admin.register(Adjustment)
class AdjustmentAdmin(Exported, Shown, ReadOnlyAdmin):
    list_display = ("created_at", "kind", "office", "state", "money", "reason", "next_step")
    list_filter = ("kind", ("status", among(AdjustmentStatus)), "outcome", RefundedInWeek)
    sortable_by = ("created_at",)
    list_select_related = ("office",)
    search_fields = (*OFFICE, "invoice__number")
    search_help_text = "Part of an Office’s name, or the number of an invoice"
    fields = (
        ("kind", "office"),
        ("state", "money"),
        ("payment", "invoice"),
        ("reason", "our_reason"),
        ("created_at", "due_at"),
        ("outcome", "failure_code"),
        "next_step",
    )
    readonly_fields = ("state", "money", "our_reason", "next_step")


@admin.register(Payment)
class PaymentAdmin(Exported, ActsAdmin, ReadOnlyAdmin):
    list_display = ("created_at", "office", "state", "money", "back", "why", "paid_with")
    list_filter = (
        ("status", among(PaymentStatus)),
        "disputed",
        ("decline_code", among({code: in_words(code) for code in declines.TABLE})),
        PaidInWeek,
    )
    sortable_by = ("created_at",)
    list_select_related = ("office",)
    search_fields = (*OFFICE, "invoice__number")
    search_help_text = "Part of an Office’s name, or the number of an invoice"
    always_shown = (("office", "invoice"), ("state", "money"), ("back", "left"), ("paid_with", "created_at"))
    readonly_fields = ("state", "money", "back", "left", "paid_with", "why", "next_step")
    inlines = (AdjustmentInline,)
    acts = PAYMENT_ACTS

    def get_fields(self, request: HttpRequest, obj: Payment | None = None) -> Any:
        return (*self.always_shown, "why", "next_step") if obj and obj.failure else self.always_shown

    @display(description="Status", label=STATES, ordering="status")
    def state(self, row: Payment) -> str:
        return "disputed" if row.disputed and row.has_succeeded else in_words(row.status)

    @display(description="Given back", ordering="amount_refunded")
    def back(self, row: Payment) -> str:
        return str(row.given_back) if row.amount_refunded else "–"

    @display(description="Can still be given back")
    def left(self, row: Payment) -> str:
        return "nothing: the bank has taken it back" if is_taken_back(row) else str(row.refundable)

    @display(description="Why it failed", ordering="decline_code")
    def why(self, row: Payment) -> str:
        return row.failure.says if row.failure else "–"

    @display(description="What to do next")
    def next_step(self, row: Payment) -> str:
        return row.failure.next_step if row.failure else "–"

    @display(description="Paid with")
    def paid_with(self, row: Payment) -> str:
        return row.paid_with or "–"
