"""Days as staff write them: whole days in the Office's own time zone."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from billing import errors
from billing.admin.forms import WhyForm
from billing.models import Office


class DayField(forms.DateField):
    def __init__(self, label: str, help_text: str = "") -> None:
        widget = UnfoldAdminTextInputWidget(attrs={"type": "date"})
        super().__init__(required=False, label=label, help_text=help_text, widget=widget)


class DayForm(WhyForm):
    """A form with a choice ``when``. One of its values needs a day: ``needed`` names the day's field and that value."""

    needed: ClassVar[tuple[str, str]]

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        name, choice = self.needed
        if given.get("when") == choice and not given.get(name) and name not in self.errors:
            self.add_error(name, "Choose the day.")
        return given


def start_of(day: date, office: Office) -> datetime:
    """Return the moment when the day begins in the Office's time zone, in UTC. Raises: DateInvalid."""
    return datetime.combine(day, time(), _zone(office)).astimezone(UTC)


def end_of(day: date, office: Office) -> datetime:
    """Return the moment when the day ends in the Office's time zone, in UTC. Raises: DateInvalid."""
    return start_of(day + timedelta(days=1), office)


def written(at: datetime, office: Office) -> str:
    local = at.astimezone(_zone(office))
    return f"{local.day} {local:%B %Y, %H:%M} ({office.time_zone})"


def _zone(office: Office) -> ZoneInfo:
    try:
        return ZoneInfo(office.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise errors.DateInvalid(
            f"The Office's time zone, {office.time_zone!r}, does not exist. Correct it on the Office's page, for "
            "example to America/New_York."
        ) from None
