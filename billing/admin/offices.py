"""Offices: their list and their page."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.decorators import display

from billing.admin import bulk_acts, duplicates
from billing.admin.acts import customer, follow_up, invoices, payment_methods, people, subscription, terms
from billing.admin.choices import LanguageField, ZoneField, language_choices, zone_choices
from billing.admin.forms import GatedForm, PracticesForm
from billing.admin.office_page.page import OfficePage
from billing.admin.searching import NAME
from billing.admin.tones import TONES
from billing.audit import reads
from billing.models import Office
from billing.operations.offices.contact import CONTACT


class OfficeForm(PracticesForm, GatedForm):
    """A form for an Office's own values. Those of a customer are changed by an act, which tells Stripe."""

    time_zone = ZoneField(help_text="Where the practice is. Days and times of the Office are shown in it.")
    locale = LanguageField(help_text="The language of invoices and of Stripe's pages.")
    knows_of = forms.CharField(required=False, widget=forms.HiddenInput)
    """The Offices like this one that the person has seen. They save it all the same."""
    like: Sequence[Office] = ()
    """Those that the page names now."""

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
            self.data = {**cast(QueryDict, self.data).dict(), "knows_of": duplicates.key(like)}
            self.like = like
            pages = ((reverse("admin:billing_office_change", args=[one.pk]), one) for one in like)
            names = format_html_join(", ", '<a class="underline" href="{}">{}</a>', pages)
            told = "An Office with this name or e-mail address exists: {}. Save again to add it all the same."
            self.add_error(None, format_html(told, names))
        return given


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
        *(people.OFFICE_ACTS + follow_up.ACTS),
    )
    actions = bulk_acts.in_lists(*bulk_acts.OF_OFFICES)
    own = ("name", "billing_email", "time_zone", "locale")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return (("The Office", {"fields": (*self.own, "is_the_practices", "knows_of")}),)
        fields = self.own if obj.payment_provider_customer_id else (*self.own, "is_the_practices")
        return ((None, {"fields": fields}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return CONTACT if obj and obj.payment_provider_customer_id else ()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if like := getattr(context["adminform"].form, "like", ()):
            reads.look_at_list(request, rows=len(like), filters=("the same name or address",))
        return super().render_change_form(request, context, *args, **kwargs)

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

    @display(description="Status", label=TONES, ordering="subscription_status")
    def state(self, office: Office) -> str:
        ends = ", ends" if office.has_an_end else ""
        paused = ", not collected" if office.collection_paused else ""
        return f"{office.subscription_in_words}{ends}{paused}" if office.subscription_status else "no subscription"

    @display(description="Due", ordering="balance_due")
    def due(self, office: Office) -> str:
        return office.debts_in_words
