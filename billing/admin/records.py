"""What is on record: subscriptions, operations, audit."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from billing import errors
from billing.admin.readonly import ReadOnlyAdmin, ReadOnlyInline, masked
from billing.models import (
    AuditEntry,
    Operation,
    OperationStep,
    Subscription,
)
from billing.models.statuses import InvoiceStatus, PaymentStatus, SubscriptionStatus
from billing.money import Money

TONES: dict[str, str] = {
    SubscriptionStatus.ACTIVE: "success",
    SubscriptionStatus.TRIALING: "info",
    SubscriptionStatus.PAST_DUE: "warning",
    SubscriptionStatus.UNPAID: "danger",
    SubscriptionStatus.CANCELED: "danger",
    SubscriptionStatus.INCOMPLETE: "warning",
    SubscriptionStatus.INCOMPLETE_EXPIRED: "danger",
    SubscriptionStatus.PAUSED: "warning",
    InvoiceStatus.PAID: "success",
    InvoiceStatus.OPEN: "warning",
    InvoiceStatus.VOID: "danger",
    InvoiceStatus.UNCOLLECTIBLE: "danger",
    PaymentStatus.SUCCEEDED: "success",
    PaymentStatus.FAILED: "danger",
    "declined": "danger",
    "rejected": "danger",
    "unknown": "warning",
    "abandoned": "danger",
    "applied": "success",
    "waiting": "info",
    "parked": "danger",
    "critical": "danger",
    "warning": "warning",
    "refusal": "danger",
    "act": "info",
}


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ("office", "plan_price", "state", "quantity", "current_period_end", "cancel_at")
    list_filter = ("status",)
    list_select_related = ("office", "plan_price__plan")
    search_fields = ("office__name",)
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


class StepInline(ReadOnlyInline):
    model = OperationStep
    fields = ("name", "http_status", "asked", "first_asked_at", "answered_at", "error_code", "what")
    readonly_fields = fields
    tab = False

    @display(description="Object")
    def what(self, row: OperationStep) -> str:
        return masked(row.object_id)


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "office", "state", "actor_label", "reason")
    list_filter = ("status", "kind")
    list_select_related = ("office",)
    search_fields = ("office__name", "actor_label", "reason")
    fields = (
        "public_id office kind status actor_label actor_kind reason attempts created_at settled_at "
        "error_code error_message"
    ).split()
    inlines = (StepInline,)

    @display(description="Status", label=TONES, ordering="status")
    def state(self, row: Operation) -> str:
        return row.status


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("timestamp", "sort", "office", "actor_label", "reason", "summary")
    list_filter = ("kind", "actor_kind", "content_type")
    list_select_related = ("office", "content_type")
    search_fields = ("actor_label", "request_id")
    fields = (
        "timestamp billing_at kind actor_label actor_kind reason office object_repr what changes_shown request_id"
    ).split()

    @display(description="Kind", label=TONES, ordering="kind")
    def sort(self, row: AuditEntry) -> str:
        return row.kind

    @display(description="What")
    def summary(self, row: AuditEntry) -> str:
        if row.what:
            return row.what
        verb = "created" if row.action == AuditEntry.Action.CREATE else ", ".join(sorted(row.changes or {}))
        return f"{row.content_type.name}: {verb}"[:120]

    @display(description="Changes")
    def changes_shown(self, row: AuditEntry) -> str:
        shown = []
        for name, change in sorted((row.changes or {}).items()):
            values = change if isinstance(change, list) else [change]
            if name.endswith("_id"):
                values = [masked(value) if value not in ("None", None) else "None" for value in values]
            shown.append(f"{name}: {' → '.join(str(value) for value in values)}")
        return errors.without_stripe_ids("\n".join(shown)) or "–"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("billing.view_auditentry")
