"""Offices: their list and their page."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from billing import clock
from billing.admin.acts import customer, invoices, payment_methods, subscription, terms
from billing.admin.acts.pages import ActsAdmin
from billing.admin.readonly import ReadOnlyInline, masked
from billing.admin.searching import NAME
from billing.admin.tones import TONES
from billing.entitlement import Policy, entitlement
from billing.models import AuditEntry, Invoice, Office, Operation, Payment, PaymentMethod
from billing.operations.offices.contact import CONTACT


class InvoiceInline(ReadOnlyInline):
    model = Invoice
    fields = ("number", "kind", "status", "money", "remaining", "created_at", "due_at")
    readonly_fields = fields
    show_change_link = True
    hide_title = False  # it has the link


class PaymentInline(ReadOnlyInline):
    model = Payment
    fields = ("created_at", "status", "money", "given_back", "failure", "card_brand", "card_last4")
    readonly_fields = fields


class PaymentMethodInline(ReadOnlyInline):
    model = PaymentMethod
    fields = ("brand", "last4", "expires", "expiry", "is_default", "detached_at")
    readonly_fields = fields
    verbose_name_plural = "Cards"
    ordering = ("detached_at", "-is_default", "-seen_at")

    @display(description="Expiry", label={"expired": "danger", "expires this month": "warning", "valid": "success"})
    def expiry(self, card: PaymentMethod) -> str:
        return "removed" if card.detached_at else card.expiry(clock.billing())


class OperationInline(ReadOnlyInline):
    model = Operation
    fields = ("created_at", "kind", "status", "actor_label", "reason", "error_message")
    readonly_fields = fields


class AuditInline(ReadOnlyInline):
    model = AuditEntry
    fk_name = "office"
    hide_title = False  # it names the row that changed
    fields = ("timestamp", "kind", "actor_label", "reason", "what")
    readonly_fields = fields
    verbose_name_plural = "Audit trail"


@admin.register(Office)
class OfficeAdmin(ActsAdmin):
    list_display = ("name", "state", "current_plan", "quantity", "current_period_end", "due")
    list_filter = ("subscription_status", "current_plan", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("current_plan",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = (*NAME, "billing_email")
    inlines = (PaymentMethodInline, InvoiceInline, PaymentInline, OperationInline, AuditInline)
    acts = subscription.ACTS + terms.ACTS + invoices.OFFICE_ACTS + payment_methods.ACTS + customer.ACTS
    own = ("name", "billing_email", "time_zone", "locale")
    seen = (
        ("access", "state"),
        ("current_plan", "billed"),
        ("current_period_start", "current_period_end"),
        ("billing_cycle_anchor_date", "trial_end"),
        ("cancel_at", "past_due_since"),
        ("collection", "discount"),
        ("due", "credited"),
        ("card", "customer"),
        ("confirmed_at", "archived_at"),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        office = ("The Office", {"fields": self.own})
        return (office,) if obj is None else (("Subscription", {"fields": self.seen}), office)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        seen = [name for row in self.seen for name in row]
        return [*seen, *CONTACT] if obj and obj.payment_provider_customer_id else seen

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.inlines if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Status", label=TONES, ordering="subscription_status")
    def state(self, office: Office) -> str:
        ends = ", ends" if office.has_an_end else ""
        paused = ", not collected" if office.collection_paused else ""
        return f"{office.subscription_in_words}{ends}{paused}" if office.subscription_status else "no subscription"

    @display(description="Collection")
    def collection(self, office: Office) -> str:
        current = office.current_subscription
        return (current.collection_in_words if current else "") or "–"

    @display(description="Discount")
    def discount(self, office: Office) -> str:
        current = office.current_subscription
        return (current.discounts_in_words if current else "") or "none"

    @display(description="Billed")
    def billed(self, office: Office) -> str:
        current = office.current_subscription
        return f"{current.items_in_words}: {current.monthly} a month" if current and current.items_in_words else "–"

    @display(description="Due", ordering="balance_due")
    def due(self, office: Office) -> str:
        return office.debts_in_words

    @display(description="Credit", ordering="credit_balance")
    def credited(self, office: Office) -> str:
        return office.credit_in_words

    @display(description="Access")
    def access(self, office: Office) -> str:
        policy = Policy.of(settings)
        found = entitlement(office, policy, at=clock.billing())
        return format_html("<strong>{}</strong> ({})", found.access.value, found.reason.replace("_", " "))

    @display(description="Card")
    def card(self, office: Office) -> str:
        if not office.has_payment_method:
            return "none on file"
        default = office.payment_methods.filter(is_default=True).first()
        expiry = default.expiry(clock.billing()) if default else "valid"
        words = "" if expiry == "valid" else f" ({expiry})"
        shown = f"{office.payment_method_brand.replace('_', ' ')} …{office.payment_method_last4}"
        until = f", until {office.payment_method_expires}" if office.payment_method_expires else ""
        return f"{shown}{until}{words}"

    @display(description="Stripe customer")
    def customer(self, office: Office) -> str:
        return masked(office.payment_provider_customer_id or "")
