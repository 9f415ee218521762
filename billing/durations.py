"""Numbers of things, and durations, in words. All code that writes how many days, or how long, takes it from here."""

from datetime import datetime, timedelta

DAY = timedelta(days=1)


def many(count: int, what: str) -> str:
    """Write how many there are: 1 day, 2,000 days."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def days_between(since: datetime, until: datetime) -> str:
    """Write how many whole days are between: "13 days", "1 day", "less than a day"."""
    days = (until - since) // DAY
    return many(days, "day") if days >= 1 else "less than a day"


def within(period: timedelta) -> str:
    """Write the whole days in which something comes: within 7 days."""
    return f"within {many(period // DAY, 'day')}"


def how_long(seconds: float) -> str:
    """Write how long something takes or took: one number with its unit."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size or (unit == "minute" and seconds >= size):
            return many(int(seconds // size), unit)
    return many(int(seconds), "second")


def to_wait(seconds: int) -> str:
    """Write how long to wait: in seconds, or in minutes if it is long. Rounded up, so that it is never too short."""
    return many(seconds, "second") if seconds < 90 else many(-(-seconds // 60), "minute")
