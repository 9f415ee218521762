"""What staff do about the e-mails to an Office: stop them, or send them again."""

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget

from billing.access.roles import Power
from billing.admin.acts import OtherAct
from billing.admin.acts.customer import CUSTOMER
from billing.audit.actor import Actor
from billing.models import Office, SuppressedAddress
from billing.outbox import suppression

ALL = ""


class MailForm(forms.Form):
    why = forms.ChoiceField(
        choices=(
            (ALL, "Everything: notices about payments, access, trials and cards, and receipts"),
            (SuppressedAddress.Why.ASKED, "No reminders of a trial or a card: somebody asked for that"),
            (SuppressedAddress.Why.BOUNCED, "No notices at all: e-mails to the address come back"),
        ),
        required=False,
        label="What the billing address gets",
        widget=UnfoldAdminRadioSelectWidget,
    )

    def for_subject(self, office: Office) -> None:
        found = suppression.found_for(office.billing_email)
        self.initial["why"] = found.why if found else ALL


def _choose(office: Office, *, by: Actor, why: str) -> None:
    if why:
        suppression.put_on(office, why=why, by=by)
    else:
        suppression.take_off(office, by=by)


ACTS = (
    OtherAct(
        name="notices",
        title="Stop or start e-mails",
        says="This holds for the present billing address, for each Office that uses it. Links that staff send are "
        "always sent.",
        form=MailForm,
        does=_choose,
        needs=Power.MANAGE,
        group=CUSTOMER,
    ),
)
