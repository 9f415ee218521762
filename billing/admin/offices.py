"""The Office: its list, its page, and the two acts that begin and end its subscription."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from billing import clock, errors, operations
from billing.admin.readonly import ReadOnlyInline, masked
from billing.admin.records import TONES
from billing.audit import actor
from billing.entitlement import Policy, entitlement
from billing.models import AuditEntry, Invoice, Office, Operation, Payment, PlanPrice

TEST_CARDS = (
    ("", "The card on file"),
    ("pm_card_visa", "Test card: Visa, accepted"),
    ("pm_card_chargeCustomerFail", "Test card: declined when charged"),
)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        min_length=3,
        max_length=200,
        help_text="Kept in the audit trail. Never a patient's name.",
        widget=UnfoldAdminTextInputWidget,
    )


class SubscribeForm(ReasonForm):
    price = forms.ModelChoiceField(
        PlanPrice.objects.none(),
        to_field_name="public_id",
        label="Plan",
        widget=UnfoldAdminSelectWidget,
    )
    quantity = forms.IntegerField(min_value=1, initial=1, label="Seats", widget=UnfoldAdminIntegerFieldWidget)
    trial_days = forms.IntegerField(
        min_value=0, max_value=365, initial=0, label="Trial days", widget=UnfoldAdminIntegerFieldWidget
    )
    payment_method = forms.ChoiceField(choices=TEST_CARDS, required=False, label="Card", widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ModelChoiceField, self.fields["price"]).queryset = PlanPrice.objects.for_sale(clock.billing())
        if settings.STRIPE_LIVE_MODE:
            cast(forms.ChoiceField, self.fields["payment_method"]).choices = TEST_CARDS[:1]

    field_order = ("price", "quantity", "trial_days", "payment_method", "reason")


class CancelForm(ReasonForm):
    when = forms.ChoiceField(
        choices=(
            ("period_end", "At the end of the paid period: service goes on until then"),
            ("now", "Now: service ends at once, nothing is refunded"),
        ),
        initial="period_end",
        widget=UnfoldAdminRadioSelectWidget,
    )
    field_order = ("when", "reason")


class InvoiceInline(ReadOnlyInline):
    model = Invoice
    fields = ("number", "status", "money", "created_at")
    readonly_fields = fields


class PaymentInline(ReadOnlyInline):
    model = Payment
    fields = ("created_at", "status", "money", "failure_code", "card_brand", "card_last4")
    readonly_fields = fields


class OperationInline(ReadOnlyInline):
    model = Operation
    fields = ("created_at", "kind", "status", "actor_label", "reason", "error_message")
    readonly_fields = fields


class AuditInline(ReadOnlyInline):
    model = AuditEntry
    fk_name = "office"
    fields = ("timestamp", "kind", "actor_label", "reason", "what")
    readonly_fields = fields
    verbose_name_plural = "Audit trail"


@admin.register(Office)
class OfficeAdmin(ModelAdmin):
    list_display = ("name", "state", "current_plan", "quantity", "current_period_end", "due")
    list_filter = ("subscription_status", "current_plan")
    list_select_related = ("current_plan",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name", "billing_email")
    inlines = (InvoiceInline, PaymentInline, OperationInline, AuditInline)
    actions_detail = ("subscribe", "cancel")
    own = ("name", "billing_email", "time_zone", "locale")
    seen = (
        ("access", "state"),
        ("current_plan", "quantity"),
        ("current_period_start", "current_period_end"),
        ("billing_cycle_anchor_date", "trial_end"),
        ("cancel_at", "past_due_since"),
        ("due", "card"),
        ("customer", "confirmed_at"),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        office = ("The Office", {"fields": self.own})
        return (office,) if obj is None else (("Subscription", {"fields": self.seen}), office)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [name for row in self.seen for name in row]

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.inlines if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Status", label=TONES, ordering="subscription_status")
    def state(self, office: Office) -> str:
        if office.cancels_at_period_end:
            return f"{office.subscription_status}, ends"
        return office.subscription_status or "no subscription"

    @display(description="Due", ordering="balance_due")
    def due(self, office: Office) -> str:
        return str(office.balance)

    @display(description="Access")
    def access(self, office: Office) -> str:
        policy = Policy(settings.PAST_DUE_GRACE, settings.BLIND_ACCESS_GRACE)
        found = entitlement(office, policy, at=clock.billing())
        return format_html("<strong>{}</strong> ({})", found.access.value, found.reason.replace("_", " "))

    @display(description="Card")
    def card(self, office: Office) -> str:
        if not office.has_payment_method:
            return "none on file"
        return f"{office.payment_method_brand} …{office.payment_method_last4}, until {office.payment_method_expires}"

    @display(description="Stripe customer")
    def customer(self, office: Office) -> str:
        return masked(office.payment_provider_customer_id or "")

    @action(description="Start a subscription", url_path="subscribe/", permissions=["manage_billing"])
    def subscribe(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def carry_out(office: Office, given: dict[str, Any]) -> Office:
            return operations.subscribe(office, by=actor.person(request.user), **given)

        return self._act(
            request,
            object_id,
            form_class=SubscribeForm,
            carry_out=carry_out,
            title="Start a subscription",
            says="The first invoice is charged to the card now, unless there is a trial. A declined card "
            "leaves nothing behind.",
            button="Start the subscription",
        )

    @action(description="Cancel the subscription", url_path="cancel/", permissions=["manage_billing"])
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def carry_out(office: Office, given: dict[str, Any]) -> Office:
            at_period_end = given.pop("when") == "period_end"
            return operations.cancel_subscription(
                office, by=actor.person(request.user), at_period_end=at_period_end, **given
            )

        return self._act(
            request,
            object_id,
            form_class=CancelForm,
            carry_out=carry_out,
            title="Cancel the subscription",
            says="No money moves. At the end of the paid period, or at once, the Office loses access to the product.",
            button="Cancel the subscription",
        )

    def has_manage_billing_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("billing.manage_billing")

    def _act(
        self,
        request: HttpRequest,
        object_id: str,
        *,
        form_class: type[ReasonForm],
        carry_out: Callable[[Office, dict[str, Any]], Office],
        title: str,
        says: str,
        button: str,
    ) -> HttpResponse:
        """Asks for what the operation needs and a reason, then carries it out; a refusal stays on the page."""
        if not self.has_manage_billing_permission(request):
            raise PermissionDenied
        office = self.get_object(request, object_id)
        if office is None:
            raise Http404
        page = reverse("admin:billing_office_change", args=[office.pk])
        form = form_class(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                carry_out(office, dict(form.cleaned_data))
            except errors.StripeUnavailable as error:
                messages.warning(request, str(error))
                return redirect(page)
            except errors.BillingError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"{title}: done.")
                return redirect(page)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{title}: {office.name}",
            "office": office,
            "form": form,
            "says": says,
            "button": button,
            "back": page,
            "opts": self.opts,
        }
        return TemplateResponse(request, "billing/admin_operation.html", context)
