"""Acts on what an Office has on file to pay with."""

from typing import Any, cast

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from billing import clock
from billing.admin.acts import Link, OperationAct
from billing.admin.forms import WhyForm
from billing.chosen_rows import ChosenRow
from billing.method_names import card_month
from billing.models import Office, PaymentMethod
from billing.models.operation import Kind
from billing.operations.offices.cards import (
    MakeCardLink,
    RemovePaymentMethod,
    SetDefaultPaymentMethod,
    on_file,
    removable,
)

GROUP = "Payment methods"


class MethodField(ChosenRow):
    def label_from_instance(self, method: Any) -> str:
        expiry = method.expiry(clock.billing())
        words = "" if expiry == "valid" else f" ({expiry})"
        until = f", until {card_month(method.expires)}{words}" if method.expires else ""
        return f"{method}{until}{', the default' if method.is_default else ''}"


class MethodForm(WhyForm):
    card = MethodField(
        PaymentMethod.objects.none(),
        to_field_name="public_id",
        label="Payment method",
        empty_label="Choose …",
        widget=UnfoldAdminSelectWidget,
    )

    def for_subject(self, office: Office) -> None:
        cast(forms.ModelChoiceField, self.fields["card"]).queryset = on_file(office)


class RemovalForm(MethodForm):
    def for_subject(self, office: Office) -> None:
        field = cast(forms.ModelChoiceField, self.fields["card"])
        field.queryset = removable(office)
        field.error_messages["invalid_choice"] = (
            "It cannot be removed: a live subscription is charged to it, or it is not on file. Make another one the "
            "default first."
        )


class LinkForm(WhyForm):
    make_default = forms.BooleanField(
        required=False,
        initial=True,
        label="Charge this card from now on",
        help_text="On: it becomes the default within a minute after it was entered. Off: it is only stored.",
        widget=UnfoldBooleanSwitchWidget,
    )


def _link(office: Office, url: str) -> Link:
    says = "The card is entered at Stripe, never here. No money moves."
    return Link(url, says, "for one day", Kind.MAKE_CARD_LINK)


ACTS = (
    OperationAct(
        declared=MakeCardLink,
        name="link_card",
        title="Link to add a card",
        says="You get a link to a page at Stripe where the Office enters a card. No money moves.",
        button="Make the link",
        form=LinkForm,
        shown=_link,
        group=GROUP,
    ),
    OperationAct(
        declared=SetDefaultPaymentMethod,
        name="default_card",
        title="Make a payment method the default",
        says="Invoices are charged to this payment method from now on. No money moves now.",
        form=MethodForm,
        group=GROUP,
    ),
    OperationAct(
        declared=RemovePaymentMethod,
        name="remove_card",
        title="Remove a payment method",
        says="It is removed for good. What a live subscription is charged to is not in the list.",
        form=RemovalForm,
        group=GROUP,
    ),
)
