"""Months and weeks as reports count them: in UTC, half-open, and weeks from Monday."""

from datetime import UTC, date, datetime, time, timedelta

WEEK = timedelta(days=7)


def month_of(at: datetime) -> date:
    """Return the first day of the month of this moment."""
    return at.astimezone(UTC).date().replace(day=1)


def month_after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def months(first: date, last: date) -> list[date]:
    """Return the months from the first to the last, both included."""
    found = []
    while first <= last:
        found.append(first)
        first = month_after(first)
    return found


def last_months(count: int, *, at: datetime) -> list[date]:
    """Return the last months, the present one included, the oldest first."""
    month = month_of(at)
    found = [month]
    for _ in range(count - 1):
        month = month_before(month)
        found.append(month)
    return found[::-1]


def week_of(at: datetime) -> date:
    """Return the Monday of the week of this moment."""
    day = at.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def last_weeks(count: int, *, at: datetime) -> list[date]:
    """Return the Mondays of the last weeks, the present one included, the oldest first."""
    monday = week_of(at)
    return [monday - WEEK * back for back in reversed(range(count))]


def begins(day: date) -> datetime:
    """Return the moment when the day begins in UTC."""
    return datetime.combine(day, time(), UTC)
