"""Acts on an Office as a customer: contact, credit, portal, comparison, archive."""

from typing import Any, cast

from django import forms
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from billing.access import effective
from billing.access.roles import Power
from billing.admin import notes, timeline
from billing.admin.acts import Button, Click, Link, OperationAct, OtherAct
from billing.admin.acts.amounts import AmountForm
from billing.admin.choices import LanguageField, language_choices
from billing.admin.forms import PracticesForm, WhyForm
from billing.audit.actor import Actor
from billing.models import Office
from billing.operations.money.credit import AdjustCredit
from billing.operations.offices import sent_links
from billing.operations.offices.archive import ArchiveOffice, UnarchiveOffice
from billing.operations.offices.contact import CONTACT, ChangeContact
from billing.operations.offices.customer import OpenPortal
from billing.reconciliation import decisions

CUSTOMER = "Customer"


class ContactForm(PracticesForm, WhyForm):
    name = forms.CharField(
        max_length=200, help_text="The practice's name. Never a patient's.", widget=UnfoldAdminTextInputWidget
    )
    billing_email = forms.EmailField(
        label="Billing e-mail", help_text="Where Stripe sends invoices.", widget=UnfoldAdminEmailInputWidget
    )
    locale = LanguageField(help_text="The language of invoices and of Stripe's pages.")

    def for_subject(self, office: Office) -> None:
        cast(forms.ChoiceField, self.fields["locale"]).choices = language_choices(office.locale)
        self.initial.update({field: getattr(office, field) for field in CONTACT})


class CreditForm(AmountForm):
    direction = forms.ChoiceField(
        choices=(
            ("give", "Give credit: the next invoices are lower"),
            ("take", "Take credit back: if no credit is left, the next invoice is higher"),
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


class SendForm(forms.Form):
    operation = forms.UUIDField(widget=forms.HiddenInput)


def _access(office: Office, *, by: Actor) -> list[effective.Access]:
    return list(effective.on(office))


def _portal(office: Office, url: str) -> Link:
    says = (
        "Anyone who opens this link acts as the Office. It works for a few minutes only: do not e-mail it. Give it "
        "to the Office while you talk to them, for example in a chat."
    )
    return Link(url, says, "for a few minutes")


COMPARE = OtherAct(
    does=decisions.compare_office,
    name="compare",
    title="Compare with Stripe",
    says="This compares everything that Stripe lists for this Office with its rows here. Differences are repaired "
    "here. Nothing is changed at Stripe.",
    button="Compare",
    offered=lambda office: not office.archived_at and office.is_customer,
    group=CUSTOMER,
)
ACTS: tuple[Button, ...] = (
    OperationAct(
        declared=ChangeContact,
        name="contact",
        title="Change the contact",
        says="This changes the name, e-mail address and language of the invoices, here and at Stripe. No money moves.",
        button="Change",
        form=ContactForm,
        group=CUSTOMER,
    ),
    OperationAct(
        declared=AdjustCredit,
        name="credit",
        title="Change the credit",
        says="You see the credit before and after, then you confirm. No money moves now. The next invoices become "
        "lower or higher.",
        button="Show before and after",
        form=CreditForm,
        group=CUSTOMER,
    ),
    OperationAct(
        declared=OpenPortal,
        name="portal",
        title="Link to Stripe's portal",
        says="You get a link to Stripe's portal. There the Office sees its invoices and payment methods, and may pay "
        "or cancel.",
        button="Make the link",
        shown=_portal,
        group=CUSTOMER,
    ),
    Click(
        finds=_access,
        name="effective_access",
        title="Who has access",
        says="Who can do what on this Office now, and why. The vendor's services and jobs are not listed.",
        template="billing/admin_access.html",
        group=CUSTOMER,
    ),
    Click(
        finds=timeline.page,
        name="timeline",
        title="Timeline",
        says="What was done to this Office, newest first. Open a line to see each change.",
        template="billing/admin_timeline.html",
        needs=Power.AUDIT,
        paged=True,
    ),
    Click(
        finds=notes.page,
        name="notes",
        title="All notes",
        says="What staff wrote down about this Office, newest first.",
        template="billing/admin_notes.html",
        paged=True,
    ),
    OtherAct(
        does=sent_links.send,
        name="send_link",
        title="Send the link by e-mail",
        says="The Office gets an e-mail with the link, at its billing address.",
        button="Send it",
        form=SendForm,
        offered=lambda office: False,  # it follows a link that was just made
        needs=Power.MANAGE,
    ),
    COMPARE,
    OperationAct(
        declared=ArchiveOffice,
        name="archive",
        title="Archive the Office",
        says="Its members cannot see it any more, and its billing cannot be changed. Nothing is deleted. You can bring "
        "it back.",
        group=CUSTOMER,
    ),
    OperationAct(
        declared=UnarchiveOffice,
        name="unarchive",
        title="Bring the Office back",
        says="Its members can see it again, and you can bill it again.",
        group=CUSTOMER,
    ),
)
