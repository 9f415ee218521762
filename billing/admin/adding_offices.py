"""Adding an Office: its form, which hints at one that exists already, and what comes next."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin

from billing.admin import duplicates
from billing.admin.choices import LanguageField, ZoneField, language_choices, zone_choices
from billing.admin.forms import GatedForm, PracticesForm
from billing.audit import reads
from billing.models import Office


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
            told = "An Office with this name or e-mail address exists: {}. If this is another one, save again."
            self.add_error(None, format_html(told, names))
        return given


class AddsOffices(ModelAdmin):
    """A page that notes which Offices it named, and leads on once an Office was added."""

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
        link = format_html('<a class="underline" href="{}">start a subscription</a>', subscribe)
        messages.success(request, format_html("{} was added. Next: {}.", obj, link))
        return redirect(reverse("admin:billing_office_change", args=[obj.pk]))
