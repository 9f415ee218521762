"""Days and times as people read and type them, in zones east and west of UTC and when clocks change. By hand."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import timezone

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


@pytest.mark.parametrize(
    ("end", "zone", "last", "written"),
    [
        ("2027-01-06T05:00", "America/New_York", "5 January 2027", "5 January 2027, 24:00"),  # midnight in New York
        ("2027-01-06T05:00", "UTC", "6 January 2027", "6 January 2027, 05:00"),
        ("2027-01-06T00:00", "UTC", "5 January 2027", "5 January 2027, 24:00"),
        ("2027-01-06T00:00", "America/New_York", "5 January 2027", "5 January 2027, 19:00"),
        ("2027-01-06T18:00", "America/New_York", "6 January 2027", "6 January 2027, 13:00"),
        ("2027-01-05T15:00", "Asia/Tokyo", "5 January 2027", "5 January 2027, 24:00"),
        ("2027-01-01T05:00", "America/New_York", "31 December 2026", "31 December 2026, 24:00"),
        ("2026-03-09T04:00", "America/New_York", "8 March 2026", "8 March 2026, 24:00"),  # a day of 23 hours
        ("2026-04-23T22:00", "Africa/Cairo", "23 April 2026", "23 April 2026, 24:00"),  # the next one begins at 01:00
        ("2027-01-06T05:00", "Mars/Olympus", "6 January 2027", "6 January 2027, 05:00"),
    ],
)
def test_what_ends_at_midnight_has_the_day_before_as_its_last_day(end, zone, last, written):
    at = datetime.fromisoformat(end).replace(tzinfo=UTC)
    named = zone if zone != "Mars/Olympus" else "UTC"

    assert zones.last_day(at, zone) == f"{last} ({named})"
    assert zones.end(at, zone) == f"{written} ({named})"
    with timezone.override(zones.of(zone)):
        page = Template('{% load ends %}{{ end|last_day|date:"j F Y" }}; {{ end|end_moment }}; {{ no|last_day }}')
        assert page.render(Context({"end": at, "no": None})) == f"{last}; {written}; None"


@pytest.mark.parametrize(
    ("start", "end", "right"),
    [
        ("2026-12-06T05:00", "2027-01-06T05:00", "6 December 2026 to 5 January 2027"),
        ("2026-12-06T18:00", "2027-01-06T18:00", "6 December 2026 to 6 January 2027"),
        ("2027-01-06T05:00", "2027-01-07T05:00", "6 January 2027"),  # one day
        ("2027-01-06T05:00", "2027-01-06T05:00", "6 January 2027"),  # a moment: something charged at once
    ],
)
def test_a_period_is_its_first_and_its_last_day(start, end, right):
    first, last = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (start, end))
    assert zones.bare_period(first, last, "America/New_York") == right


@pytest.mark.parametrize("days", range(1, 40))
def test_the_last_day_ends_with_the_end_of_that_day(days):
    """For each day, in each zone, typed and read back."""
    for zone in ("America/New_York", "Africa/Cairo", "Asia/Kathmandu", "UTC"):
        day = date(2026, 3, 20) + timedelta(days=days)
        assert zones.last_day_of(zones.end_of(day, zone), zone) == day


AN_END = r"(\bend\b|_end\b|\b(?:ends?|over)_at\b|\buntil\b|cancel_at)"


def test_an_end_is_written_nowhere_as_if_it_belonged_to_the_period():
    """A page writes its last day, or its moment with 24:00."""
    for file in TEMPLATES.rglob("*.html"):
        written = re.findall(r"\{\{ ([^{}]*\|date:[^{}]*)\}\}", file.read_text())
        assert [one for one in written if re.search(AN_END, one.partition("|")[0]) and "|last_day|" not in one] == [], (
            file.name
        )
    for file in BILLING.rglob("*.py"):
        written = re.findall(r"zones\.(?:bare_)?(?:day|moment)\(([^()]*)\)", file.read_text())
        assert [one for one in written if re.search(AN_END, one)] == [], file.name


NOT_AN_OFFICE = {
    "zones.py": "the helper itself",
    "models/reconciliation.py": "a comparison is about the whole account: UTC",
    "reconciliation/runs.py": "a comparison is about the whole account: UTC, and it says so",
    "errors/requests.py": "a comparison that is not finished: UTC, and it says so",
    "admin/agreements.py": "a determination is about the vendor: UTC, and it says so",
    "admin/tasks.py": "a determination",
    "access/emergency.py": "a role of the vendor: UTC, and it says so",
    "models/emergency_role.py": "a role of the vendor: UTC, and it says so",
    "access/two_people.py": "an account of the vendor's people: UTC, and it says so",
    "stripe_api/reviewed.py": "the last day to look at a supplier's terms, which is a whole day that somebody typed",
    "admin/charts.py": "weeks and months of all Offices: UTC, and the page says so",
    "admin/filters/money.py": "weeks and months of all Offices: UTC, and it says so",
    "admin/overview.py": "a week of all Offices: UTC, and it says so",
    "reports/journal.py": "a month of all Offices: UTC, and it says so",
    "admin/office_page/months.py": "months in the Office's zone, which the page names",
    "admin/office_page/period.py": "days in the Office's zone, which the page names",
    "admin/services.py": "a service of the vendor: UTC, and it says so",
    "admin/acts/access.py": "sessions and tokens, of a person of any Office: UTC, and it says so",
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
    parts = {"admin_preview.html", *(one.name for one in (TEMPLATES / "billing" / "office").glob("*.html"))}
    with_days = [one for one in TEMPLATES.rglob("*.html") if "|date:" in one.read_text() and one.name not in parts]

    assert len(with_days) > 3
    for one in with_days:
        text = _with_what_it_extends(one)
        assert "admin_zone.html" in text or "UTC" in text, one.name


def _with_what_it_extends(template):
    """Return the text of the template, and that of those of ours that it extends."""
    text = template.read_text()
    extends = re.match(r'\{% extends "([^"]+)" %\}', text)
    parent = TEMPLATES / extends[1] if extends else None
    return text + (_with_what_it_extends(parent) if parent and parent.exists() else "")
