"""The forms that ask for the reason of an act. Every act in the admin needs one."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from billing import errors
from billing.operations.engine import reasons
from billing.text import fields, gate
from billing.text.gate import Typed

LONGEST_NOTE = 120


class ReasonForm(forms.Form):
    """A form for the reason in the person's own words."""

    reason = forms.CharField(
        min_length=3,
        max_length=200,
        help_text="Why you do this, for whoever reads the audit trail later. For example: “The practice asked by phone”."
        " It is kept for years. Do not write a patient's name. The software cannot recognise it.",
        widget=UnfoldAdminTextInputWidget,
    )


class GatedForm(forms.ModelForm):
    """A form for a row, which judges each typed text that was changed. A text that was there before stays."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for name in self.changed_data:
            try:
                fields.check(self._meta.model.__name__, **{name: given.get(name)})
            except errors.TextNotNeutral as error:
                self.add_error(name, str(error))
        return given


class PracticesForm(forms.Form):
    """Beside a form with an Office's name and billing e-mail: whoever changes one says that it is the practice's."""

    is_the_practices = forms.BooleanField(
        required=False,
        label="The name and the address belong to the practice",
        help_text="They do not belong to a patient.",
        widget=UnfoldBooleanSwitchWidget,
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        confirmed = given.pop("is_the_practices", False)
        if not confirmed and {"name", "billing_email"} & set(self.changed_data):
            self.add_error(
                "is_the_practices",
                "Confirm that the name and the e-mail address belong to the practice. The software cannot check this.",
            )
        return given


class WhyForm(forms.Form):
    """A form for a reason from the catalogue, with a note. ``cleaned_data["reason"]`` has both in words."""

    why = forms.ChoiceField(
        choices=[("", "Choose …"), *reasons.CATALOGUE.items()],
        label="Reason",
        help_text="Why this is done. The Office's timeline and the audit trail show it beside your name.",
        widget=UnfoldAdminSelectWidget,
    )
    note = forms.CharField(
        required=False,
        max_length=LONGEST_NOTE,
        help_text="What explains the reason. For example: “Asked by phone on Monday” or “As in the contract of May”. "
        "It is kept for years. Write nothing about a patient. The software cannot recognise names.",
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name not in ("why", "note")])

    def clean_note(self) -> str:
        try:
            return gate.checked(self.cleaned_data["note"], Typed.NOTE, called="note")
        except errors.TextNotNeutral as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        why, note = given.pop("why", ""), given.pop("note", "")
        if self.errors:
            return given
        try:
            given["reason"] = reasons.in_words(why, note)
        except errors.ReasonRequired:
            self.add_error("note", "Write a short note. “Other” alone does not explain the reason.")
        return given
