"""Acts of the worklist on an Office: a note, who works on it, and until when it is put aside."""

from datetime import date
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from billing import errors
from billing.admin.acts import OtherAct
from billing.admin.acts.days import DayField, name_zone
from billing.audit.actor import Actor
from billing.models import Office, OfficeNote, User
from billing.operations import follow_ups
from billing.text import gate
from billing.text.gate import Typed

GROUP = "Follow up"
REASON = "follow-up in the worklist"
"""What the trail says of who is assigned, and of what is put aside. A note says more."""


class NoteForm(forms.Form):
    kind = forms.ChoiceField(
        choices=OfficeNote.Kind.choices,
        initial=OfficeNote.Kind.NOTE,
        label="What it is",
        widget=UnfoldAdminRadioSelectWidget,
    )
    text = forms.CharField(
        min_length=3,
        max_length=200,
        help_text="Such as: will pay on Friday. All of the vendor's staff see it. It cannot be deleted. Write nothing "
        "about a patient. The software cannot recognise names.",
        widget=UnfoldAdminTextInputWidget,
    )

    def clean_text(self) -> str:
        try:
            return gate.checked(self.cleaned_data["text"], Typed.NOTE, called="note")
        except errors.TextNotNeutral as error:
            raise forms.ValidationError(str(error)) from None


class AssignForm(forms.Form):
    to = forms.ChoiceField(
        required=False,
        label="Who works on it",
        help_text="All staff see this name in the worklist. Nothing else changes.",
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = [(str(one.public_id), one.name or one.email) for one in follow_ups.colleagues()]
        self.fields["to"].choices = [("", "Nobody"), *people]  # type: ignore[attr-defined]

    def for_subject(self, office: Office) -> None:
        row = getattr(office, "follow_up", None)
        self.initial["to"] = str(row.assigned_to.public_id) if row and row.assigned_to else ""


class SnoozeForm(forms.Form):
    until = DayField("Until", "The worklist shows it again on this day. Leave it empty to show it now.")

    def for_subject(self, office: Office) -> None:
        name_zone(self, office)


def _note(office: Office, *, by: Actor, kind: str, text: str) -> None:
    follow_ups.write_note(office, by=by, kind=kind, text=text)


def _assign(office: Office, *, by: Actor, to: str) -> None:
    person = User.objects.get(public_id=to) if to else None
    follow_ups.assign(office, by=by, to=person, reason=REASON)


def _snooze(office: Office, *, by: Actor, until: date | None) -> None:
    follow_ups.snooze(office, by=by, until=until, reason=REASON)


ACTS = (
    OtherAct(
        name="note",
        title="Write a note",
        says="A note says what was agreed, or what somebody should know. It is never changed or deleted.",
        form=NoteForm,
        does=_note,
        needs=follow_ups.NEEDS,
        group=GROUP,
    ),
    OtherAct(
        name="assign",
        title="Assign",
        says="This says who works on the Office. It is shown in the worklist.",
        form=AssignForm,
        does=_assign,
        needs=follow_ups.NEEDS,
        group=GROUP,
    ),
    OtherAct(
        name="snooze",
        title="Put aside",
        says="The worklist does not show the Office until this day. Stripe still charges it as before.",
        form=SnoozeForm,
        does=_snooze,
        needs=follow_ups.NEEDS,
        group=GROUP,
    ),
)
