"""The two forms that ask for more than a confirmation."""

from typing import Any, cast

from django import forms

from billing.chosen_rows import ChosenRow
from billing.models import Membership, Office, PlanPrice
from billing.office_pages.texts import ENGLISH
from billing.operations.subscriptions.change import ChangeSubscription, prices_to_choose


class ChangeForm(forms.Form):
    """A form for another plan price or number of seats. The present price can stay, also if it is sold no more."""

    price = ChosenRow(
        PlanPrice.objects.none(),
        to_field_name="public_id",
        empty_label=None,
        label=ENGLISH.plan,
        error_messages={"invalid_choice": ENGLISH.plan_not_offered},
    )
    quantity = forms.IntegerField(min_value=1, label=ENGLISH.seats, help_text=ENGLISH.seats_help)
    settle = forms.ChoiceField(
        choices=(("now", ENGLISH.settle_now), ("next_invoice", ENGLISH.settle_later)),
        initial="now",
        label=ENGLISH.settle,
        widget=forms.RadioSelect,
    )

    def __init__(self, office: Office, data: Any = None) -> None:
        super().__init__(data)
        current = office.current_subscription
        present = current.plan_price if current else None
        if present:
            self.initial["price"] = present.public_id
        self.initial["quantity"] = office.quantity
        cast(forms.ModelChoiceField, self.fields["price"]).queryset = prices_to_choose(office)

    def wanted(self) -> ChangeSubscription:
        given = self.cleaned_data
        price = str(given["price"].public_id)
        return ChangeSubscription(price=price, quantity=given["quantity"], settle=given["settle"])


class MemberForm(forms.Form):
    email = forms.EmailField(label=ENGLISH.email, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(
        choices=Membership.Role.choices, initial=Membership.Role.VIEWER, label=ENGLISH.role, help_text=ENGLISH.roles
    )
