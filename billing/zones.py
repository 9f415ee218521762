"""Days and times as people read them: in one zone, which is named. The zone of what concerns an Office is the Office's.

Everything is stored and sent in UTC. An Office's zone is the name that it has in the IANA list: America/New_York.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


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


def end_of(day: date, zone: str) -> datetime:
    """Return the moment when the day ends in the zone, in UTC. A day can have 23 or 25 hours."""
    return start_of(day + timedelta(days=1), zone)


def day(at: datetime, zone: str) -> str:
    """Write the day: 2 December 2026 (America/New_York)."""
    return f"{bare_day(at, zone)} ({name(zone)})"


def moment(at: datetime, zone: str) -> str:
    """Write the day and the time: 2 December 2026, 21:00 (America/New_York)."""
    local = at.astimezone(of(zone))
    return f"{bare_day(at, zone)}, {local:%H:%M} ({name(zone)})"


def bare_day(at: datetime, zone: str) -> str:
    """Write the day without the zone, where the zone is named beside it: 2 December 2026."""
    local = day_of(at, zone)
    return f"{local.day} {local:%B %Y}"


def _found(zone: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
