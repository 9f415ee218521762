"""The forms of a determination: one for an executed BAA, one for when no BAA is required."""

from typing import Any

from django import forms
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from billing.admin.forms import ReasonForm
from billing.models import Agreement
from billing.models.agreement import SHA256
from billing.operations.compliance import Executed, NotRequired

MONOSPACE = "font-family: monospace; overflow-wrap: anywhere"
HOW_TO_HASH = format_html(
    "Never upload the document. Keep it where you keep contracts, and paste its fingerprint here.<br>"
    'Linux: <code style="{0}">sha256sum FILE</code> · macOS: <code style="{0}">shasum -a 256 FILE</code> · '
    'Windows: <code style="{0}">certutil -hashfile FILE SHA256</code>',
    MONOSPACE,
)


class DateInput(UnfoldAdminTextInputWidget):
    input_type = "date"


class Sha256Field(forms.CharField):
    default_validators = [SHA256]

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").lower()


def _text(label: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(max_length=200, label=label, help_text=help_text, widget=UnfoldAdminTextInputWidget)


def _day(label: str, help_text: str = "", *, required: bool = True) -> forms.DateField:
    return forms.DateField(label=label, help_text=help_text, required=required, widget=DateInput)


def _hash(label: str) -> Sha256Field:
    attrs = {"style": MONOSPACE, "spellcheck": "false", "autocomplete": "off", "placeholder": "64 digits"}
    return Sha256Field(label=label, help_text=HOW_TO_HASH, widget=UnfoldAdminTextInputWidget(attrs=attrs))


class SupplierTermsForm(ReasonForm):
    subject = forms.ChoiceField(label="About", choices=Agreement.Subject.choices, widget=UnfoldAdminSelectWidget)
    counterparty = _text("Legal entity of the supplier", "As the contract names it")
    services = _text("Services covered", "Such as: payments and invoicing")
    terms_version = _text("Version of its terms", "As the supplier names it, or its address")
    terms_dated = _day("Date of its terms")
    terms_review_by = _day(
        "Look at its terms again by",
        "After this day a finding reminds you. If the terms change, record another determination.",
    )
    document_at = _text("Where the document is kept", "Such as: contracts register, number 12")


class ExecutedForm(SupplierTermsForm):
    document_sha256 = _hash("SHA-256 of the signed BAA")
    our_signer = _text("Signed for us by", "Name and title")
    their_signer = _text("Signed for them by", "Name and title")
    signed_on = _day("Date signed", "The later of the two signatures.")
    effective_from = _day("In effect from")
    effective_until = _day("In effect until", "The last day is included. Empty: no end date.", required=False)
    field_order = ("subject", *Executed.__dataclass_fields__, "reason")


class NotRequiredForm(SupplierTermsForm):
    document_sha256 = _hash("SHA-256 of counsel's memo")
    legal_basis = forms.CharField(
        label="Legal basis",
        help_text="Counsel's reason in one or two sentences, with the legal provision.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )
    reviewer = _text("Reviewed by", "The counsel who signed the memo")
    review_by = _day("Review by", "The last day on which it is valid without a new review.")
    field_order = ("subject", *NotRequired.__dataclass_fields__, "reason")
