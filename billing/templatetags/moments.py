"""How the admin writes a moment: the day, in the zone that the page names, with the time and the zone in a tooltip."""

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing import zones

register = template.Library()
ENDS = {"current_period_end", "trial_end", "cancel_at"}
"""Fields that are ends: people read their last day. ``billing.zones`` has the rule."""


def shown(at: datetime, *, is_end: bool = False, with_time: bool = False) -> SafeString:
    """Write the moment: 28 Dec 2026. Pages about one row have its time beside it, and lists have it in the tooltip."""
    zone = timezone.get_current_timezone_name()
    local = at.astimezone(zones.of(zone))
    day = date_format(zones.last_day_of(at, zone) if is_end else local.date())
    whole = f"{day}, {zones.end_time(at, zone) if is_end else f'{local:%H:%M}'}"
    return format_html(
        '<time datetime="{}" title="{} ({})">{}</time>',
        at.isoformat(timespec="seconds"),
        whole,
        zones.name(zone),
        whole if with_time else day,
    )


@register.simple_tag
def read_only(field: Any, *, in_table: bool = False) -> Any:
    """Return what is shown of a field: a moment with its zone, a dash for nothing, or what Unfold makes of it."""
    _, _, value = field.resolved_field or (None, None, None)
    if isinstance(value, datetime):
        return shown(value, is_end=field.field["name"] in ENDS, with_time=not in_table)
    contents = field.contents()
    return "–" if contents in ("", "-", "None") else contents
