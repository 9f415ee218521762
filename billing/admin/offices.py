"""Offices: their list and their page."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.decorators import display

from billing import clock, schedules
from billing.admin import duplicates
from billing.admin.acts import customer, invoices, payment_methods, people, subscription, terms
from billing.admin.acts.pages import ActsAdmin
from billing.admin.choices import LanguageField, ZoneField, language_choices, zone_choices
from billing.admin.ends import Ends
from billing.admin.forms import GatedForm, PracticesForm
from billing.admin.readonly import ReadOnlyInline, masked
from billing.admin.searching import NAME
from billing.admin.tones import TONES, in_words
from billing.entitlement import Policy, entitlement
from billing.models import AuditEntry, Finding, Invoice, Office, Operation, Payment, PaymentMethod
from billing.operations.offices.contact import CONTACT


class InvoiceInline(ReadOnlyInline):
    model = Invoice
    fields = ("number", "kind", "status", "money", "remaining", "note", "created_at", "due_at")
    readonly_fields = fields
    show_change_link = True
    hide_title = False  # it has the link

    @display(description="Note", empty_value="")
    def note(self, invoice: Invoice) -> str:
        return invoice.overpaid_in_words


class PaymentInline(ReadOnlyInline):
    model = Payment
    fields = ("created_at", "status", "money", "given_back", "failure", "paid_with")
    readonly_fields = fields


class PaymentMethodInline(ReadOnlyInline):
    model = PaymentMethod
    fields = ("name", "expires", "expiry", "is_default", "detached_at")
    readonly_fields = fields
    verbose_name_plural = "Payment methods"
    ordering = ("detached_at", "-is_default", "-seen_at")

    @display(description="Name")
    def name(self, method: PaymentMethod) -> str:
        return str(method)

    @display(description="Expiry", label={"expired": "danger", "expires this month": "warning", "valid": "success"})
    def expiry(self, method: PaymentMethod) -> str:
        return "removed" if method.detached_at else method.expiry(clock.billing())


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


class OfficeForm(PracticesForm, GatedForm):
    """A form for an Office's own values. Those of a customer are changed by an act, which tells Stripe."""

    time_zone = ZoneField(help_text="Where the practice is. Days and times of the Office are shown in it.")
    locale = LanguageField(help_text="The language of invoices and of Stripe's pages.")
    knows_of = forms.CharField(required=False, widget=forms.HiddenInput)
    """The Offices like this one that the person has seen. They save it all the same."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (("time_zone", zone_choices), ("locale", language_choices)):
            if name in self.fields:  # not on a page that only shows it
                cast(forms.ChoiceField, self.fields[name]).choices = choices(getattr(self.instance, name))

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if self.instance.pk or self.errors:
            return given
        like = duplicates.of(given["name"], given["billing_email"])
        if like and given.get("knows_of") != duplicates.key(like):
            self.data = {**self.data.dict(), "knows_of": duplicates.key(like)}
            names = ", ".join(str(one) for one in like)
            self.add_error(
                None, f"An Office with this name or e-mail address exists: {names}. Save again to add it all the same."
            )
        return given


@admin.register(Office)
class OfficeAdmin(Ends, ActsAdmin):
    form = OfficeForm
    list_display = ("name", "state", "current_plan", "quantity", "current_period_end", "due")
    list_filter = ("subscription_status", "current_plan", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("current_plan",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = (*NAME, "billing_email")
    inlines = (PaymentMethodInline, InvoiceInline, PaymentInline, OperationInline, AuditInline)
    acts = (
        *(subscription.ACTS + terms.ACTS + invoices.OFFICE_ACTS + payment_methods.ACTS + customer.ACTS),
        *people.OFFICE_ACTS,
    )
    own = ("name", "billing_email", "time_zone", "locale")
    seen = (
        ("access", "state"),
        ("current_plan", "billed"),
        ("current_period_start", "period_ends"),
        ("billing_cycle_anchor_date", "trial_ends"),
        ("ends", "past_due_since"),
        ("collection", "discount"),
        ("schedule",),
        ("due", "credited"),
        ("pays_with", "customer"),
        ("confirmed_at", "archived_at"),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        is_addressed_here = obj is None or not obj.payment_provider_customer_id
        office = ("The Office", {"fields": (*self.own, "is_the_practices") if is_addressed_here else self.own})
        if obj is None:
            return (("The Office", {"fields": (*self.own, "is_the_practices", "knows_of")}),)
        seen = (*self.seen, "beside") if obj.also_live else self.seen
        attention = [("Needs attention", {"fields": ("open_findings",)})] if _findings(obj) else []
        return (*attention, ("Subscription", {"fields": seen}), office)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        seen = ["open_findings", *(name for row in self.seen for name in row), "beside"]
        return [*seen, *CONTACT] if obj and obj.payment_provider_customer_id else seen

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.inlines if obj else ()

    def response_add(self, request: HttpRequest, obj: Office, post_url_continue: str | None = None) -> HttpResponse:
        """Show the new Office, and what comes next."""
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        subscribe = reverse("admin:billing_office_subscribe", args=[obj.pk])
        link = format_html('<a class="underline" href="{}">subscribe it</a>', subscribe)
        messages.success(request, format_html("{} was added. Next: {}.", obj, link))
        return redirect(reverse("admin:billing_office_change", args=[obj.pk]))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Open findings")
    def open_findings(self, office: Office) -> SafeString:
        return format_html_join(
            "",
            '<p class="mb-2"><a class="text-link" href="{}">{}</a>: {}</p>',
            (
                (reverse("admin:billing_finding_change", args=[row.pk]), in_words(row.kind), row.detail)
                for row in _findings(office)
            ),
        )

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

    @display(description="Schedule")
    def schedule(self, office: Office) -> str:
        return schedules.told(office, office.current_subscription) or "none"

    @display(description="Billed")
    def billed(self, office: Office) -> str:
        current = office.current_subscription
        return f"{current.items_in_words}: {current.monthly} a month" if current and current.items_in_words else "–"

    @display(description="Live beside it")
    def beside(self, office: Office) -> str:
        return format_html_join(
            mark_safe("<br>"), "{}", ((one.billed_in_words,) for one in office.other_live_subscriptions)
        )

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

    @display(description="Pays with")
    def pays_with(self, office: Office) -> str:
        if not office.has_payment_method:
            return "nothing on file"
        default = office.payment_methods.filter(is_default=True).first()
        expiry = default.expiry(clock.billing()) if default else "valid"
        words = "" if expiry == "valid" else f" ({expiry})"
        until = f", until {office.payment_method_expires}" if office.payment_method_expires else ""
        return f"{office.pays_with}{until}{words}"

    @display(description="Stripe customer")
    def customer(self, office: Office) -> str:
        return masked(office.payment_provider_customer_id or "")


def _findings(office: Office) -> list[Finding]:
    return list(office.findings.filter(resolved_at=None))
