"""The ends of a subscription, on its own page and on its Office's."""

from datetime import datetime

from django.utils.formats import date_format
from unfold.decorators import display

from billing import zones
from billing.models import Office, Subscription


class Ends:
    """The columns that are ends, with their times in the zone that the page names."""

    @display(description="Current period end")
    def period_ends(self, row: Office | Subscription) -> str:
        return written(row.current_period_end, _zone(row))

    @display(description="Trial end")
    def trial_ends(self, row: Office | Subscription) -> str:
        return written(row.trial_end, _zone(row))

    @display(description="Cancel at")
    def ends(self, row: Office | Subscription) -> str:
        return written(row.cancel_at, _zone(row))


def written(end: datetime | None, zone: str) -> str:
    """Write it as the admin writes moments: 5 Jan 2027, 24:00."""
    return f"{date_format(zones.last_day_of(end, zone))}, {zones.end_time(end, zone)}" if end else "–"


def _zone(row: Office | Subscription) -> str:
    return row.time_zone if isinstance(row, Office) else row.zone
