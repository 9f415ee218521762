"""Days and times as people read them: in one zone, which is named. The zone of what concerns an Office is the Office's.

Everything is stored and sent in UTC. An Office's zone is the name that it has in the IANA list: America/New_York.

An end is the first moment that no longer belongs to a period. So what ends on 6 January at midnight has 5 January as
its last day, and people read that day.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

OF_MANY = "UTC"
"""The zone of what is about many Offices: a page, or an e-mail to staff."""


def exists(zone: str) -> bool:
    return _found(zone) is not None


def of(zone: str) -> tzinfo:
    """Return the zone with this name, or UTC if there is none: a time that says UTC is right, whatever was typed."""
    return _found(zone) or UTC


def name(zone: str) -> str:
    return zone if exists(zone) else "UTC"


def day_of(at: datetime, zone: str) -> date:
    """Return the day of this moment in the zone."""
    return at.astimezone(of(zone)).date()


def start_of(day: date, zone: str) -> datetime:
    """Return the moment when the day begins in the zone, in UTC."""
    return datetime.combine(day, time(), of(zone)).astimezone(UTC)


def at(day: date, time_of_day: time, zone: str) -> datetime:
    """Return the moment when the clocks in the zone show this time on this day, in UTC."""
    return datetime.combine(day, time_of_day, of(zone)).astimezone(UTC)


def end_of(day: date, zone: str) -> datetime:
    """Return the moment when the day ends in the zone, in UTC. A day can have 23 or 25 hours."""
    return start_of(day + timedelta(days=1), zone)


def last_day_of(end: datetime, zone: str) -> date:
    """Return the last day in the zone that begins before this end."""
    return day_of(end - timedelta.resolution, zone)


def end_time(end: datetime, zone: str) -> str:
    """Return the time of this end on its last day: 19:00, or 24:00 at midnight."""
    return f"{end.astimezone(of(zone)):%H:%M}" if day_of(end, zone) == last_day_of(end, zone) else "24:00"


def day(at: datetime, zone: str) -> str:
    """Write the day: 2 December 2026 (America/New_York)."""
    return f"{bare_day(at, zone)} ({name(zone)})"


def moment(at: datetime, zone: str) -> str:
    """Write the day and the time: 2 December 2026, 21:00 (America/New_York)."""
    local = at.astimezone(of(zone))
    return f"{bare_day(at, zone)}, {local:%H:%M} ({name(zone)})"


def bare_day(at: datetime, zone: str) -> str:
    """Write the day without the zone, where the zone is named beside it: 2 December 2026."""
    return _written(day_of(at, zone))


def last_day(end: datetime, zone: str) -> str:
    """Write the last day before this end: 5 January 2027 (America/New_York)."""
    return f"{_written(last_day_of(end, zone))} ({name(zone)})"


def bare_last_day(end: datetime, zone: str) -> str:
    """Write the last day before this end without the zone, where the zone is named beside it: 5 January 2027."""
    return _written(last_day_of(end, zone))


def end(at: datetime, zone: str) -> str:
    """Write this end with its time: 5 January 2027, 24:00 (America/New_York)."""
    return f"{bare_end(at, zone)} ({name(zone)})"


def bare_end(at: datetime, zone: str) -> str:
    """Write this end with its time, without the zone, where the zone is named beside it."""
    return f"{_written(last_day_of(at, zone))}, {end_time(at, zone)}"


def bare_period(start: datetime, end: datetime, zone: str) -> str:
    """Write the first and the last day of a period, without the zone: 6 December 2026 to 5 January 2027."""
    first, last = day_of(start, zone), last_day_of(end, zone)
    return f"{_written(first)} to {_written(last)}" if first < last else _written(first)


def _written(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _found(zone: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
