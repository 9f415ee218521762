"""What staff do to an Office as a customer: contact, credit, portal, archive."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from billing import operations
from billing.admin.acts import Act, Given, Link
from billing.admin.acts.amounts import AmountForm
from billing.admin.forms import WhyForm
from billing.audit.actor import Actor
from billing.models import Office
from billing.models.office import LOCALE
from billing.operations.credit import CreditPreview
from billing.operations.customer import CONTACT
from billing.reconciliation import by_hand

CUSTOMER = "Customer"


class ContactForm(WhyForm):
    name = forms.CharField(
        max_length=200, help_text="The practice's name. Never a patient's.", widget=UnfoldAdminTextInputWidget
    )
    billing_email = forms.EmailField(
        label="Billing e-mail", help_text="Where Stripe sends invoices.", widget=UnfoldAdminEmailInputWidget
    )
    locale = forms.CharField(
        max_length=10,
        label="Language",
        validators=[LOCALE],
        help_text="Of invoices and of Stripe's pages, such as en, es or pt-BR.",
        widget=UnfoldAdminTextInputWidget,
    )

    def for_subject(self, office: Office) -> None:
        self.initial.update({field: getattr(office, field) for field in CONTACT})


class CreditForm(AmountForm):
    direction = forms.ChoiceField(
        choices=(
            ("give", "Give credit: the next invoices take it off"),
            ("take", "Take credit back: the next invoice is higher where none is left"),
        ),
        initial="give",
        label="What",
        widget=UnfoldAdminRadioSelectWidget,
    )
    field_order = ("direction", "amount")

    def for_subject(self, office: Office) -> None:
        self.ask_in(office.currency, f"Such as 25.00. Now: {office.credit_in_words}.")

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.pop("direction", "") == "take" and "amount" in given:
            given["amount"] = -given["amount"]
        return given


def _contact(office: Office, by: Actor, given: Given) -> Office:
    return operations.change_contact(office, by=by, **given)


def _portal(office: Office, by: Actor, given: Given) -> Link:
    url = operations.open_portal(office, by=by, **given)
    return Link(url, "Whoever opens it within minutes acts as the Office. Send it to the Office alone.")


def _credit(office: Office, by: Actor, given: Given) -> Office:
    return operations.adjust_credit(office, by=by, **given)


def _preview_credit(office: Office, by: Actor, given: Given) -> CreditPreview:
    return operations.preview_credit(office, given["amount"], by=by)


def _compare(office: Office, by: Actor, given: Given) -> None:
    by_hand.compare_office(office, by=by, reason=given["reason"])


def _archive(office: Office, by: Actor, given: Given) -> Office:
    return operations.archive_office(office, by=by, **given)


def _unarchive(office: Office, by: Actor, given: Given) -> Office:
    return operations.unarchive_office(office, by=by, **given)


def _is_open(office: Office) -> bool:
    return not office.archived_at


def _is_customer(office: Office) -> bool:
    return _is_open(office) and office.is_customer


COMPARE = Act(
    "compare",
    "Compare with Stripe",
    "Everything that Stripe lists of this Office is held against its rows here, and what differs is repaired here. "
    "Nothing is changed at Stripe.",
    _compare,
    "Compare",
    available=_is_customer,
    group=CUSTOMER,
)
ACTS = (
    Act(
        "contact",
        "Change the contact",
        "The name, address and language of the invoices, here and at Stripe. Money does not move.",
        _contact,
        "Change",
        form=ContactForm,
        available=_is_open,
        group=CUSTOMER,
    ),
    Act(
        "credit",
        "Change the credit",
        "You see the credit before and after, then confirm. No money moves now; the next invoices are lower or higher.",
        _credit,
        "Show before and after",
        form=CreditForm,
        preview=_preview_credit,
        available=lambda office: _is_customer(office) and bool(office.currency),
        group=CUSTOMER,
    ),
    Act(
        "portal",
        "Link to Stripe's portal",
        "You get the address at which the Office sees its invoices and cards at Stripe, and may pay or cancel there.",
        _portal,
        "Make the link",
        available=_is_customer,
        group=CUSTOMER,
    ),
    COMPARE,
    Act(
        "archive",
        "Archive the Office",
        "Its members see it no more and nothing of its billing changes. Nothing is deleted; it can be brought back.",
        _archive,
        available=lambda office: _is_open(office) and not office.has_live_subscription,
        group=CUSTOMER,
    ),
    Act(
        "unarchive",
        "Bring the Office back",
        "Its members see it as before, and it can be billed again.",
        _unarchive,
        available=lambda office: not _is_open(office),
        group=CUSTOMER,
    ),
)
