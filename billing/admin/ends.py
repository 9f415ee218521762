"""The ends of a subscription, on its own page and on its Office's."""

from datetime import datetime

from django.utils.formats import date_format
from unfold.decorators import display

from billing import zones
from billing.models import Office, Subscription
from billing.templatetags.moments import shown


class Ends:
    """The columns that are ends, with their times in the zone that the page names."""

    @display(description="Current period end")
    def period_ends(self, row: Office | Subscription) -> str:
        return _written(row.current_period_end)

    @display(description="Trial end")
    def trial_ends(self, row: Office | Subscription) -> str:
        return _written(row.trial_end)

    @display(description="Cancel at")
    def ends(self, row: Office | Subscription) -> str:
        return _written(row.cancel_at)


def _written(end: datetime | None) -> str:
    """Write it as the admin writes moments, in the zone of the page: 5 Jan 2027, 24:00."""
    return shown(end, is_end=True, with_time=True) if end else "–"


def written(end: datetime | None, zone: str) -> str:
    """Write it in a zone, as a text: 5 Jan 2027, 24:00."""
    return f"{date_format(zones.last_day_of(end, zone))}, {zones.end_time(end, zone)}" if end else "–"
