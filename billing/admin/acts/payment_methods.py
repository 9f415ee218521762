"""What staff do about the cards that an Office has on file."""

from typing import Any, cast

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from billing import clock, operations
from billing.admin.acts import Act, Given, Link
from billing.admin.forms import WhyForm
from billing.audit.actor import Actor
from billing.models import Office, PaymentMethod
from billing.operations.payment_methods import on_file

CARDS = "Cards"


class CardField(forms.ModelChoiceField):
    def label_from_instance(self, card: Any) -> str:
        expiry = card.expiry(clock.billing())
        words = "" if expiry == "valid" else f" ({expiry})"
        default = ", the default" if card.is_default else ""
        return f"{card}, {card.expires}{words}{default}"


class CardForm(WhyForm):
    card = CardField(
        PaymentMethod.objects.none(), to_field_name="public_id", empty_label="Choose …", widget=UnfoldAdminSelectWidget
    )

    def for_subject(self, office: Office) -> None:
        cast(forms.ModelChoiceField, self.fields["card"]).queryset = on_file(office)


class LinkForm(WhyForm):
    make_default = forms.BooleanField(
        required=False,
        initial=True,
        label="Charge this card from now on",
        help_text="Within a minute after it was entered. Otherwise it is only put on file.",
        widget=UnfoldBooleanSwitchWidget,
    )


def _link(office: Office, by: Actor, given: Given) -> Link:
    url = operations.make_card_link(office, by=by, **given)
    return Link(url, "Send it to the Office. The card is entered at Stripe, never here. The link is good for a day.")


def _default(office: Office, by: Actor, given: Given) -> Office:
    return operations.set_default_payment_method(office, by=by, **given)


def _remove(office: Office, by: Actor, given: Given) -> Office:
    return operations.remove_payment_method(office, by=by, **given)


def _has_cards(office: Office) -> bool:
    return not office.archived_at and on_file(office).exists()


def _has_another(office: Office) -> bool:
    return not office.archived_at and on_file(office).filter(is_default=False).exists()


ACTS = (
    Act(
        "link_card",
        "Link to add a card",
        "You get the address of a page of Stripe's, for the Office to enter a card on. No money moves.",
        _link,
        "Make the link",
        form=LinkForm,
        available=lambda office: not office.archived_at,
        group=CARDS,
    ),
    Act(
        "default_card",
        "Make a card the default",
        "Invoices are charged to it from now on. No money moves now.",
        _default,
        form=CardForm,
        available=_has_another,
        group=CARDS,
    ),
    Act(
        "remove_card",
        "Remove a card",
        "It is taken off the file for good. A live subscription keeps the card that it is charged to.",
        _remove,
        form=CardForm,
        available=_has_cards,
        group=CARDS,
    ),
)
