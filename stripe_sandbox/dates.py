"""Calendar periods, in seconds since 1970, UTC."""

import calendar
from datetime import UTC, datetime
from typing import Any

HOUR, DAY = 3_600, 86_400


def add_interval(start: int, recurring: dict[str, Any], times: int) -> int:
    """Add ``times`` intervals to ``start``. A month keeps the day; in a shorter month it is the last day."""
    count = recurring["interval_count"] * times
    days = {"day": 1, "week": 7}.get(recurring["interval"])
    if days:
        return start + count * days * DAY
    return add_months(start, count * (12 if recurring["interval"] == "year" else 1))


def add_months(start: int, count: int) -> int:
    """Add ``count`` months to ``start``: the same day and time, or the last day of a shorter month."""
    at = datetime.fromtimestamp(start, UTC)
    months = at.month - 1 + count
    year, month = at.year + months // 12, months % 12 + 1
    day = min(at.day, calendar.monthrange(year, month)[1])
    return int(at.replace(year=year, month=month, day=day).timestamp())


def after_business_days(start: int, count: int) -> int:
    """Add ``count`` days of a bank to ``start``. Saturdays and Sundays do not count; holidays do."""
    at, left = start, count
    while left:
        at += DAY
        left -= datetime.fromtimestamp(at, UTC).weekday() < 5
    return at
