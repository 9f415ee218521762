"""How templates write an end, in the zone that the page names. ``billing.zones`` has the rule."""

from datetime import date, datetime

from django import template
from django.utils import timezone

from billing import zones

register = template.Library()


@register.filter
def last_day(end: datetime | None) -> date | None:
    """Return the last day before this end. The filter ``date`` writes it."""
    return zones.last_day_of(end, timezone.get_current_timezone_name()) if end else None


@register.filter
def end_moment(end: datetime | None) -> str:
    """Write this end with its time: 5 January 2027, 24:00."""
    return zones.bare_end(end, timezone.get_current_timezone_name()) if end else ""
