"""How many, and how long, in words: by hand, and that nothing else writes it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import billing
from billing import durations, errors

BILLING = Path(billing.__file__).parent
AT = datetime(2030, 1, 15, tzinfo=UTC)
WRITTEN = re.compile(r"\bdays?['\"] if|'days'|day\{['\"]{2}|within \d+ days|again in \{\w*\} seconds", re.IGNORECASE)


@pytest.mark.parametrize(
    ("lasts", "right"),
    [
        (timedelta(hours=23), "less than a day"),
        (timedelta(hours=24), "1 day"),
        (timedelta(hours=47), "1 day"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=1_200), "1,200 days"),
    ],
)
def test_between_two_moments_are_whole_days(lasts, right):
    assert durations.days_between(AT, AT + lasts) == right


@pytest.mark.parametrize(
    ("seconds", "right"),
    [
        (1, "1 second"),
        (2, "2 seconds"),
        (89, "89 seconds"),
        (90, "2 minutes"),
        (121, "3 minutes"),
        (3_600, "60 minutes"),
    ],
)
def test_who_must_wait_is_told_long_enough(seconds, right):
    assert durations.to_wait(seconds) == right
    for refusal in (errors.TooManyRequests, errors.TooManyInvitations, errors.TooManyTries):
        assert f"Try again in {right}." in str(refusal(seconds))


@pytest.mark.parametrize(
    ("seconds", "right"),
    [
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (7_199, "119 minutes"),
        (7_200, "2 hours"),
        (172_800, "2 days"),
    ],
)
def test_how_long_it_took_is_one_number_with_its_unit(seconds, right):
    assert durations.how_long(seconds) == right


def test_nothing_else_writes_days_or_how_long_to_wait():
    found = {
        f"{file.relative_to(BILLING)}: {one}"
        for file in BILLING.rglob("*.py")
        if file.name != "durations.py" and "migrations" not in file.parts
        for one in WRITTEN.findall(re.sub(r'"""[\s\S]*?"""', "", file.read_text()))
    }

    assert found == set()
