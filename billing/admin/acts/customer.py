"""What staff do to an Office as a customer: contact, credit, portal, archive."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from billing.admin.acts import Act, Link, OperationAct, OtherAct
from billing.admin.acts.amounts import AmountForm
from billing.admin.forms import WhyForm
from billing.models import Office
from billing.models.office import LOCALE
from billing.operations.money.credit import AdjustCredit
from billing.operations.offices.archive import ArchiveOffice, UnarchiveOffice
from billing.operations.offices.contact import CONTACT, ChangeContact
from billing.operations.offices.customer import OpenPortal
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


def _portal(office: Office, url: str) -> Link:
    return Link(url, "Whoever opens it within minutes acts as the Office. Send it to the Office alone.")


COMPARE = OtherAct(
    does=by_hand.compare_office,
    name="compare",
    title="Compare with Stripe",
    says="Everything that Stripe lists of this Office is held against its rows here, and what differs is repaired "
    "here. Nothing is changed at Stripe.",
    button="Compare",
    offered=lambda office: not office.archived_at and office.is_customer,
    group=CUSTOMER,
)
ACTS: tuple[Act, ...] = (
    OperationAct(
        declared=ChangeContact,
        name="contact",
        title="Change the contact",
        says="The name, address and language of the invoices, here and at Stripe. Money does not move.",
        button="Change",
        form=ContactForm,
        group=CUSTOMER,
    ),
    OperationAct(
        declared=AdjustCredit,
        name="credit",
        title="Change the credit",
        says="You see the credit before and after, then confirm. No money moves now; the next invoices are lower or "
        "higher.",
        button="Show before and after",
        form=CreditForm,
        group=CUSTOMER,
    ),
    OperationAct(
        declared=OpenPortal,
        name="portal",
        title="Link to Stripe's portal",
        says="You get the address at which the Office sees its invoices and cards at Stripe, and may pay or cancel "
        "there.",
        button="Make the link",
        shown=_portal,
        group=CUSTOMER,
    ),
    COMPARE,
    OperationAct(
        declared=ArchiveOffice,
        name="archive",
        title="Archive the Office",
        says="Its members see it no more and nothing of its billing changes. Nothing is deleted; it can be brought "
        "back.",
        group=CUSTOMER,
    ),
    OperationAct(
        declared=UnarchiveOffice,
        name="unarchive",
        title="Bring the Office back",
        says="Its members see it as before, and it can be billed again.",
        group=CUSTOMER,
    ),
)
