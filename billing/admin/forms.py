"""The forms that ask for the reason of an act. Every act in the admin needs one."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from billing import errors, neutral_text
from billing.operations.engine import reasons

LONGEST_NOTE = 120


class ReasonForm(forms.Form):
    """A form for the reason in the person's own words."""

    reason = forms.CharField(
        min_length=3,
        max_length=200,
        help_text="Kept in the audit trail. Never a patient's name.",
        widget=UnfoldAdminTextInputWidget,
    )


class WhyForm(forms.Form):
    """A form for a reason from the catalogue, with a note. ``cleaned_data["reason"]`` has both in words."""

    why = forms.ChoiceField(
        choices=[("", "Choose …"), *reasons.CATALOGUE.items()], label="Reason", widget=UnfoldAdminSelectWidget
    )
    note = forms.CharField(
        required=False,
        max_length=LONGEST_NOTE,
        help_text="Kept in the audit trail for years. Never anything about a patient.",
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name not in ("why", "note")])

    def clean_note(self) -> str:
        try:
            return neutral_text.checked(self.cleaned_data["note"])
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
