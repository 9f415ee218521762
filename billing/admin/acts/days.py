"""Days as staff write them: whole days in the Office's own time zone."""

from datetime import date, datetime
from typing import Any, ClassVar

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from billing import errors, zones
from billing.admin.forms import WhyForm
from billing.models import Office

NOT_ON_THE_CALENDAR = "Choose a day between the years 1 and 9999."


class DayField(forms.DateField):
    def __init__(self, label: str, help_text: str = "") -> None:
        widget = UnfoldAdminTextInputWidget(attrs={"type": "date"})
        super().__init__(required=False, label=label, help_text=help_text, widget=widget)


def name_zone(form: forms.Form, office: Office) -> None:
    """Say beside each day that is typed in which zone it is a day."""
    for field in form.fields.values():
        if isinstance(field, DayField):
            field.help_text = f"{field.help_text} A day in the time zone {zones.name(office.time_zone)}.".strip()


class DayForm(WhyForm):
    """A form with a choice ``when``. One of its values needs a day: ``needed`` names the day's field and that value."""

    needed: ClassVar[tuple[str, str]]

    def for_subject(self, office: Office) -> None:
        name_zone(self, office)

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        name, choice = self.needed
        if given.get("when") == choice and not given.get(name) and name not in self.errors:
            self.add_error(name, "Choose the day.")
        return given


def start_of(day: date, office: Office) -> datetime:
    """Return the moment when the day begins in the Office's time zone, in UTC. Raises: DateInvalid."""
    zone = _zone(office)
    try:
        return zones.start_of(day, zone)
    except OverflowError:
        raise errors.DateInvalid(NOT_ON_THE_CALENDAR) from None


def end_of(day: date, office: Office, *known: datetime | None) -> datetime:
    """Return the moment when the day ends in the Office's time zone, in UTC.

    If one of the ``known`` ends is on that day, it is exactly that end: whoever types the day on which the period ends
    means the end of the period. Raises: DateInvalid.
    """
    zone = _zone(office)
    meant = next((end for end in known if end and zones.day_of(end, zone) == day), None)
    try:
        return meant or zones.end_of(day, zone)
    except OverflowError:
        raise errors.DateInvalid(NOT_ON_THE_CALENDAR) from None


def _zone(office: Office) -> str:
    if not zones.exists(office.time_zone):
        raise errors.DateInvalid(
            f"The Office's time zone, {office.time_zone!r}, does not exist. Correct it on the Office's page, for "
            "example to America/New_York."
        )
    return office.time_zone
