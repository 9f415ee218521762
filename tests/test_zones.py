"""Days and times as people read and type them, in zones east and west of UTC and when clocks change. By hand."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from billing import zones

BILLING = Path(zones.__file__).parent
TEMPLATES = BILLING.parent / "templates"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("America/New_York", "2 December 2026, 21:00 (America/New_York)"),
        ("Pacific/Honolulu", "2 December 2026, 16:00 (Pacific/Honolulu)"),
        ("UTC", "3 December 2026, 02:00 (UTC)"),
        ("Asia/Tokyo", "3 December 2026, 11:00 (Asia/Tokyo)"),
        ("Asia/Kathmandu", "3 December 2026, 07:45 (Asia/Kathmandu)"),
        ("Pacific/Kiritimati", "3 December 2026, 16:00 (Pacific/Kiritimati)"),
        ("Mars/Olympus", "3 December 2026, 02:00 (UTC)"),
        ("../etc/passwd", "3 December 2026, 02:00 (UTC)"),
        ("", "3 December 2026, 02:00 (UTC)"),
    ],
)
def test_a_moment_is_shown_in_its_zone_and_the_zone_is_named(zone, shown):
    at = datetime(2026, 12, 3, 2, tzinfo=UTC)

    assert zones.moment(at, zone) == shown
    assert zones.day(at, zone) == re.sub(r", \d\d:\d\d", "", shown)


@pytest.mark.parametrize(
    ("zone", "day", "starts", "ends"),
    [
        ("America/New_York", date(2026, 3, 8), "2026-03-08T05:00", "2026-03-09T04:00"),  # 23 hours
        ("America/New_York", date(2026, 11, 1), "2026-11-01T04:00", "2026-11-02T05:00"),  # 25 hours
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00", "2026-03-29T22:00"),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00", "2026-10-25T23:00"),
        ("Asia/Tokyo", date(2026, 12, 3), "2026-12-02T15:00", "2026-12-03T15:00"),
        ("Africa/Cairo", date(2026, 4, 24), "2026-04-23T22:00", "2026-04-24T21:00"),  # its midnight does not exist
    ],
)
def test_a_day_begins_and_ends_in_its_zone_also_when_clocks_change(zone, day, starts, ends):
    assert f"{zones.start_of(day, zone):%Y-%m-%dT%H:%M}" == starts
    assert f"{zones.end_of(day, zone):%Y-%m-%dT%H:%M}" == ends


NOT_AN_OFFICE = {
    "zones.py": "the helper itself",
    "models/reconciliation.py": "a comparison is about the whole account: UTC",
    "reconciliation/runs.py": "a comparison is about the whole account: UTC, and it says so",
    "errors.py": "a comparison that is not finished: UTC, and it says so",
    "admin/agreements.py": "a determination is about the vendor: UTC, and it says so",
    "admin/tasks.py": "a determination",
    "stripe_api/charging.py": "a determination",
    "checks.py": "a determination",
}


def test_nothing_else_writes_a_day_by_itself():
    found = {
        str(file.relative_to(BILLING))
        for file in BILLING.rglob("*.py")
        if any(re.search(r"\{[^{}]*:[^{}]*%[Bb][^{}]*\}", line) for line in file.read_text().splitlines())
    }

    assert found == set(NOT_AN_OFFICE)


def test_every_template_with_a_day_names_a_zone():
    """A part of a page is on a page that names it. What is about a determination counts whole days in UTC."""
    parts = {"admin_preview.html"}
    with_days = [one for one in TEMPLATES.rglob("*.html") if "|date:" in one.read_text() and one.name not in parts]

    assert len(with_days) > 3
    for one in with_days:
        assert "admin_zone.html" in one.read_text() or "UTC" in one.read_text(), one.name
