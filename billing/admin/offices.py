"""Offices: their list and their page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from billing.admin import bulk_acts
from billing.admin.acts import customer, follow_up, invoices, mail, payment_methods, people, subscription, terms
from billing.admin.adding_offices import AddsOffices, OfficeForm
from billing.admin.exported import Exported
from billing.admin.filters.declared import among
from billing.admin.filters.offices import ByAccess, InView, LiveOnPlan, links, order_of
from billing.admin.office_page.page import OfficePage
from billing.admin.searching import NAME
from billing.admin.tones import TONES
from billing.models import Office
from billing.models.statuses import SubscriptionStatus
from billing.operations.offices.contact import CONTACT


@admin.register(Office)
class OfficeAdmin(Exported, AddsOffices, OfficePage):
    form = OfficeForm
    list_display = ("name", "state", "current_plan", "seats", "current_period_end", "due")
    list_filter = (
        *(InView, ByAccess, ("subscription_status", among(SubscriptionStatus)), "current_plan"),
        *(("archived_at", admin.EmptyFieldListFilter), LiveOnPlan),
    )
    list_before_template = "billing/admin_office_list.html"
    sortable_by = ("name", "current_period_end", "due")
    list_select_related = ("current_plan",)
    search_fields = (*NAME, "billing_email")
    search_help_text = "Part of a name, or an e-mail address"
    acts = (
        *(subscription.ACTS + terms.ACTS + invoices.OFFICE_ACTS + payment_methods.ACTS + customer.ACTS),
        *(people.OFFICE_ACTS + follow_up.ACTS + mail.ACTS),
    )
    actions = bulk_acts.in_lists(*bulk_acts.OF_OFFICES)
    own = ("name", "billing_email", "time_zone", "locale")
    has_own_links = frozenset({"view"})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return (("The Office", {"fields": (*self.own, "is_the_practices", "knows_of")}),)
        fields = self.own if obj.payment_provider_customer_id else (*self.own, "is_the_practices")
        return ((None, {"fields": fields}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return CONTACT if obj and obj.payment_provider_customer_id else ()

    def get_ordering(self, request: HttpRequest) -> Any:
        return order_of(request) or super().get_ordering(request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {"views": links(request), **(extra_context or {})})

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Status", label=TONES)
    def state(self, office: Office) -> str:
        return office.status_in_words

    @display(description="Seats")
    def seats(self, office: Office) -> int:
        return office.quantity

    @display(description="Due", ordering="balance_due")
    def due(self, office: Office) -> str:
        return office.debts_in_words
