"""Plans and their prices. A saved price cannot be changed, so a person confirms it in words before it is saved."""

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, QueryDict
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from billing import money
from billing.admin.acts.amounts import AmountField, in_minor_units
from billing.admin.forms import GatedForm
from billing.admin.masking import MaskedAdmin
from billing.admin.searching import NAME
from billing.models import Plan, PlanPrice


class PriceForm(GatedForm):
    """A form for a price as a person writes it, such as 299.00. It is stored in minor units."""

    amount = AmountField(
        min_value=0,
        max_digits=14,
        label="Price",
        help_text="Such as 299.00.",
        widget=UnfoldAdminDecimalFieldWidget,
    )

    class Meta:
        model = PlanPrice
        fields = ("code", "currency", "interval", "interval_count", "per_seat")

    def clean_currency(self) -> str:
        currency = self.cleaned_data["currency"].strip().lower()
        if currency not in money.CURRENCIES:
            raise forms.ValidationError(
                f"{currency.upper()} is not a currency that Stripe takes. Write its three letters, such as USD."
            )
        return currency

    def clean_interval_count(self) -> int:
        """Refuse a count below 1 with clear words, before the database's constraint does."""
        count: int = self.cleaned_data["interval_count"]
        if count < 1:
            raise forms.ValidationError("At least 1.")
        return count

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "amount" in given and "currency" in given:
            try:
                self.instance.unit_amount = in_minor_units(given["amount"], given["currency"])
            except forms.ValidationError as error:
                self.add_error("amount", error)
        return given


class Prices(BaseInlineFormSet):
    """The new prices of a plan. They are valid only if the form returns their exact words as ``confirmed``."""

    def is_valid(self) -> bool:
        return super().is_valid() and not self.to_confirm

    @property
    def to_confirm(self) -> list[str]:
        """Return the new prices in words, or an empty list if a person has confirmed exactly these."""
        if not self.is_bound or not super().is_valid():
            return []
        words = list(self._in_words())
        return [] if words == cast(QueryDict, self.data).getlist("confirmed") else words

    def _in_words(self) -> Iterator[str]:
        for form in self.extra_forms:
            if form.has_changed():
                yield in_words(form.instance)


def in_words(price: PlanPrice) -> str:
    """Describe one price as the Office will pay it: 299.00 USD a month."""
    seat = " for each seat" if price.per_seat else ""
    free = ", which is free of charge" if price.unit_amount == 0 else ""
    return f"{price.code}: {price.money}{seat} {price.in_words}{free}"


class PriceInline(TabularInline):
    """The prices of a plan. They are added and never edited. `manage.py setup_stripe` publishes new ones."""

    model = PlanPrice
    form = PriceForm
    formset = Prices
    extra = 0
    fields = ("code", "currency", "amount", "interval", "interval_count", "per_seat", "published")
    readonly_fields = ("published",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Price")
    def amount(self, row: PlanPrice) -> str:
        return str(row.money)

    @display(description="At Stripe", boolean=True)
    def published(self, row: PlanPrice) -> bool:
        return bool(row.stripe_price_id)


@admin.register(Plan)
class PlanAdmin(MaskedAdmin):
    form = GatedForm
    list_display = ("name", "code", "archived_at")
    search_fields = (*NAME, "code")
    fields = ("name", "code")
    inlines = (PriceInline,)
    change_form_before_template = "billing/plan_to_confirm.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if not context["errors"]:
            context["to_confirm"] = [
                words for inline in context["inline_admin_formsets"] for words in _to_confirm(inline.formset)
            ]
        return super().render_change_form(request, context, *args, **kwargs)


def _to_confirm(formset: Any) -> list[str]:
    return formset.to_confirm if isinstance(formset, Prices) else []
