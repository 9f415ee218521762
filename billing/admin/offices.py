"""Offices: their list and their page."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from billing import zones
from billing.admin.acts import customer, invoices, payment_methods, people, subscription, terms
from billing.admin.forms import GatedForm, PracticesForm
from billing.admin.office_page.page import OfficePage
from billing.admin.searching import NAME
from billing.admin.tones import TONES
from billing.models import Office
from billing.operations.offices.contact import CONTACT


class OfficeForm(PracticesForm, GatedForm):
    """A form for an Office's own values. Those of a customer are changed by an act, which tells Stripe."""

    def clean_time_zone(self) -> str:
        """Refuse a name that no time zone has. One that was there before stays."""
        zone: str = self.cleaned_data["time_zone"].strip()
        if "time_zone" in self.changed_data and not zones.exists(zone):
            raise forms.ValidationError("There is no such time zone. Write it as in: America/New_York.")
        return zone


@admin.register(Office)
class OfficeAdmin(OfficePage):
    form = OfficeForm
    list_display = ("name", "state", "current_plan", "quantity", "current_period_end", "due")
    list_filter = ("subscription_status", "current_plan", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("current_plan",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = (*NAME, "billing_email")
    acts = (
        *(subscription.ACTS + terms.ACTS + invoices.OFFICE_ACTS + payment_methods.ACTS + customer.ACTS),
        *people.OFFICE_ACTS,
    )
    own = ("name", "billing_email", "time_zone", "locale")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        is_addressed_here = obj is None or not obj.payment_provider_customer_id
        return (("The Office", {"fields": (*self.own, "is_the_practices") if is_addressed_here else self.own}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return CONTACT if obj and obj.payment_provider_customer_id else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Status", label=TONES, ordering="subscription_status")
    def state(self, office: Office) -> str:
        ends = ", ends" if office.has_an_end else ""
        paused = ", not collected" if office.collection_paused else ""
        return f"{office.subscription_in_words}{ends}{paused}" if office.subscription_status else "no subscription"

    @display(description="Due", ordering="balance_due")
    def due(self, office: Office) -> str:
        return office.debts_in_words
