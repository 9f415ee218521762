"""What is to happen in the demo's past, whatever the day on which somebody makes the demo."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from demo.history import HISTORY, Ago
from demo.seed import MEMBERS_OF, OFFICES
from demo.seed_names import PAST_DAYS

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
days = some.integers(0, 16 * 366).map(lambda n: BEGIN + timedelta(days=n, hours=n % 24))


@given(days)
def test_everything_happens_after_the_clock_begins_and_before_now(now):
    moments = [ago.before(now) for acts in HISTORY.values() for ago, _ in acts]

    assert min(moments) >= now - timedelta(days=PAST_DAYS)
    assert max(moments) < now


@given(days)
def test_each_office_does_its_acts_in_the_order_in_which_they_are_written(now):
    for name, acts in HISTORY.items():
        moments = [ago.before(now) for ago, _ in acts]
        assert moments == sorted(set(moments)), name


@pytest.mark.parametrize(
    ("ago", "then"),
    [
        (Ago(0, 6), datetime(2027, 3, 24, tzinfo=UTC)),
        (Ago(1, 0), datetime(2027, 2, 28, tzinfo=UTC)),
        (Ago(3, 10), datetime(2026, 12, 20, tzinfo=UTC)),
        (Ago(13, 2), datetime(2026, 2, 26, tzinfo=UTC)),
    ],
)
def test_how_long_ago_is_counted_by_the_calendar(ago, then):
    assert ago.before(datetime(2027, 3, 30, tzinfo=UTC)) == then


def test_the_office_with_the_demos_members_has_the_longest_past():
    assert max(HISTORY, key=lambda name: HISTORY[name][0][0]) == MEMBERS_OF


def test_no_office_has_the_address_of_another():
    names = {name for name, _, _ in OFFICES} | set(HISTORY)

    assert len({name.split()[0] for name in names}) == len(names)
