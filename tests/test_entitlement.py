from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.entitlement import Access, Entitlement, Policy, entitlement, look_is_due
from billing.models import Office

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GRACE, BLIND = 14 * 24, 72
POLICY = Policy(past_due_grace=GRACE * HOUR, blind_grace=BLIND * HOUR)
LIVE = ("active", "trialing", "past_due")
FULL, NONE = Access.FULL, Access.NONE
COLUMNS = {
    "start": "current_period_start",
    "end": "current_period_end",
    "seen": "confirmed_at",
    "trial": "trial_end",
    "cancel": "cancel_at",
    "failed": "past_due_since",
    "archived": "archived_at",
    "deleted": "customer_deleted_at",
}


def office(status, **hours):
    """An Office with its moments given in hours from NOW."""
    moments = {COLUMNS[name]: None if at is None else NOW + at * HOUR for name, at in hours.items()}
    return Office(name="x", subscription_status=status, **moments)


def at_now(status, **hours):
    return entitlement(office(status, **hours), POLICY, at=NOW)


# Moments are hours from the one that is asked about: "end" of the period, last "seen", first "failed" attempt.
TABLE = [
    # status                moments                                                access  reason          until
    # -- no access, whatever the time and however old the look --
    ("",                    {},                                                    NONE, "no_subscription", None),
    ("incomplete",          {"end": 700, "seen": -1},                              NONE, "incomplete",      None),
    ("incomplete_expired",  {"end": 700, "seen": -1},                              NONE, "incomplete_expired", None),
    ("unpaid",              {"end": 700, "seen": -1},                              NONE, "unpaid",          None),
    ("unpaid",              {"end": -1, "seen": -2},                               NONE, "unpaid",          None),
    ("paused",              {"end": 700, "seen": -1},                              NONE, "paused",          None),
    ("paused",              {"end": -1, "seen": -2, "trial": -1},                  NONE, "paused",          None),
    ("canceled",            {"end": 700, "seen": -1},                              NONE, "canceled",        None),
    ("canceled",            {"end": -1, "seen": -2},                               NONE, "canceled",        None),
    ("a_future_status",     {"end": 700, "seen": -1},                              NONE, "a_future_status", None),
    # -- within the paid period or trial: as seen, also when the look is old --
    ("active",              {"end": 1, "seen": -1},                                FULL, "active",          1),
    ("active",              {"end": 1, "seen": -700},                              FULL, "active",          1),
    ("active",              {"end": 1, "seen": None},                              FULL, "active",          1),
    ("active",              {"end": None, "seen": -1},                             FULL, "active",          None),
    ("trialing",            {"end": 1, "trial": 1, "seen": -1},                    FULL, "trialing",        1),
    ("trialing",            {"end": 9, "trial": 1, "seen": -1},                    FULL, "trialing",        1),
    ("trialing",            {"end": None, "trial": 1, "seen": -1},                 FULL, "trialing",        1),
    ("active",              {"end": 9, "trial": -1, "seen": -2},                   FULL, "active",          9),
    # -- the period or trial is over, and it was not seen since: blind --
    ("active",              {"end": 0, "seen": -1},                                FULL, "unconfirmed",     72),
    ("active",              {"end": -71, "seen": -72},                             FULL, "unconfirmed",     1),
    ("active",              {"end": -72, "seen": -73},                             NONE, "unconfirmed",     None),
    ("active",              {"end": -1, "seen": None},                             FULL, "unconfirmed",     71),
    ("trialing",            {"end": 0, "trial": 0, "seen": -1},                    FULL, "unconfirmed",     72),
    ("trialing",            {"end": 9, "trial": -1, "seen": -2},                   FULL, "unconfirmed",     71),
    ("trialing",            {"end": -72, "trial": -72, "seen": -73},               NONE, "unconfirmed",     None),
    # -- it is over, and seen since, and Stripe still shows it live --
    ("active",              {"end": -1, "seen": -1},                               FULL, "active",          71),
    ("active",              {"end": -99, "seen": -71},                             FULL, "active",          1),
    ("active",              {"end": -99, "seen": -72},                             NONE, "unconfirmed",     None),
    ("trialing",            {"end": -2, "trial": -2, "seen": -1},                  FULL, "trialing",        71),
    # -- an end that was agreed needs no confirmation --
    ("active",              {"end": 5, "cancel": 5, "seen": -1},                   FULL, "active",          5),
    ("active",              {"end": 0, "cancel": 0, "seen": -1},                   NONE, "canceled",        None),
    ("active",              {"end": 0, "cancel": 0, "seen": 0},                    NONE, "canceled",        None),
    ("active",              {"end": 9, "cancel": 3, "seen": -1},                   FULL, "active",          3),
    ("active",              {"end": 9, "cancel": -1, "seen": -2},                  NONE, "canceled",        None),
    ("active",              {"end": -9, "cancel": 30, "seen": -10},                FULL, "unconfirmed",     30),
    ("active",              {"end": -72, "cancel": 30, "seen": -73},               NONE, "unconfirmed",     30),
    ("trialing",            {"end": 9, "trial": 9, "cancel": 9, "seen": -1},       FULL, "trialing",        9),
    ("past_due",            {"end": 9, "failed": -1, "cancel": -1, "seen": -2},    NONE, "canceled",        None),
    ("past_due",            {"end": 900, "failed": -1, "cancel": 9, "seen": -1},   FULL, "past_due",        9),
    ("past_due",            {"end": 900, "failed": -400, "cancel": 9, "seen": -1}, NONE, "past_due",        9),
    # -- past due: access for two weeks from the first failed attempt --
    ("past_due",            {"end": 700, "failed": -1, "seen": -1},                FULL, "past_due",        335),
    ("past_due",            {"end": 700, "failed": -335, "seen": -300},            FULL, "past_due",        1),
    ("past_due",            {"end": 700, "failed": -336, "seen": 0},               NONE, "past_due",        None),
    ("past_due",            {"end": 700, "failed": -400, "seen": -64},             NONE, "past_due",        None),
    ("past_due",            {"end": 700, "start": -20, "seen": -1},                FULL, "past_due",        316),
    ("past_due",            {"end": 9, "seen": -1},                                FULL, "past_due",        9),
    ("past_due",            {"end": None, "seen": -1},                             FULL, "past_due",        None),
    # -- past due and blind: the payment that would have ended the grace is what we could not see --
    ("past_due",            {"end": 700, "failed": -336, "seen": -1},              FULL, "unconfirmed",     72),
    ("past_due",            {"end": 700, "failed": -407, "seen": -72},             FULL, "unconfirmed",     1),
    ("past_due",            {"end": 700, "failed": -408, "seen": -73},             NONE, "unconfirmed",     None),
    ("past_due",            {"end": 700, "failed": -408, "seen": None},            NONE, "unconfirmed",     None),
    ("past_due",            {"end": None, "failed": -340, "seen": -5},             FULL, "unconfirmed",     68),
    # -- past due and blind past the period's end: as an active one, neither worse nor better --
    ("past_due",            {"end": -1, "failed": -99, "seen": -2},                FULL, "unconfirmed",     71),
    ("past_due",            {"end": -9, "failed": -340, "seen": -10},              FULL, "unconfirmed",     63),
    ("past_due",            {"end": -72, "failed": -99, "seen": -73},              NONE, "unconfirmed",     None),
    ("past_due",            {"end": -1, "failed": -400, "seen": -2},               NONE, "past_due",        None),
    ("past_due",            {"end": -9, "failed": -99, "seen": -5},                FULL, "past_due",        237),
    ("past_due",            {"end": -9, "failed": -337, "seen": -5},               FULL, "unconfirmed",     71),
    # -- these win over everything --
    ("active",              {"end": 9, "seen": -1, "archived": -1},                NONE, "archived",        None),
    ("active",              {"end": 9, "seen": -1, "deleted": -1},                 NONE, "customer_deleted", None),
    ("past_due",            {"end": 9, "archived": -1, "deleted": -1},             NONE, "archived",        None),
    ("active",              {"end": -1, "seen": -2, "archived": -1},               NONE, "archived",        None),
]  # fmt: skip


@pytest.mark.parametrize(("status", "moments", "access", "reason", "until"), TABLE)
def test_what_an_office_may_do(status, moments, access, reason, until):
    expected = Entitlement(access, reason, None if until is None else NOW + until * HOUR)
    assert at_now(status, **moments) == expected


STATUSES = ["", "incomplete", "incomplete_expired", "unpaid", "paused", "canceled", "a_future_status", *LIVE]
hours = st.one_of(st.none(), st.integers(-900, 900))
offices = st.builds(
    office,
    st.sampled_from([*STATUSES, *LIVE]),
    start=hours,
    end=hours,
    seen=hours,
    trial=hours,
    cancel=hours,
    failed=hours,
    archived=st.sampled_from([None, None, None, -1]),
    deleted=st.sampled_from([None, None, None, -1]),
)
moments_of_time = st.integers(-1_000, 1_000).map(lambda at: NOW + at * HOUR)


@given(offices, moments_of_time, st.integers(0, 4_000))
def test_nothing_changes_before_until(office, at, later):
    found = entitlement(office, POLICY, at=at)
    last = found.until - timedelta(microseconds=1) if found.until else at + 4_000 * HOUR
    then = min(at + later * HOUR, last)

    assert found.until is None or found.until > at
    assert entitlement(office, POLICY, at=then) == found
    assert entitlement(office, POLICY, at=last) == found


@given(offices, moments_of_time)
def test_something_changes_at_until(office, at):
    found = entitlement(office, POLICY, at=at)
    if found.until:
        assert entitlement(office, POLICY, at=found.until) != found


@given(offices, moments_of_time)
def test_access_that_time_has_taken_comes_back_only_by_a_look(office, at):
    found = entitlement(office, POLICY, at=at)
    while found.until:
        later = entitlement(office, POLICY, at=found.until)
        assert (found.access, later.access) != (NONE, FULL)
        found = later


@given(st.integers(-900, 0), st.integers(-900, 900), st.integers(-1_300, 0))
def test_for_blindness_alone_past_due_is_not_worse_off_than_active(seen, end, failed):
    """Both were seen with access, and not looked at since."""
    common = {"end": end, "seen": seen, "start": -900}
    was = entitlement(office("past_due", failed=failed, **common), POLICY, at=NOW + seen * HOUR)
    if was.access is FULL and seen < end and was.reason == "past_due":
        excused_until = min(end, failed + GRACE) + BLIND
        expected = FULL if excused_until > 0 else NONE
        assert at_now("past_due", failed=failed, **common).access is expected
        if end <= failed + GRACE:
            assert at_now("active", **common).access is expected


@given(offices, moments_of_time)
def test_whoever_is_unconfirmed_is_due_for_a_look(office, at):
    if entitlement(office, POLICY, at=at).reason == "unconfirmed":
        assert look_is_due(office, POLICY, at=at)


@pytest.mark.parametrize(
    ("status", "moments", "due"),
    [
        ("active", {"end": 1, "seen": -700}, False),
        ("active", {"end": 0, "seen": -1}, True),
        ("active", {"end": 0, "seen": 0}, False),
        ("active", {"end": -1, "seen": None}, True),
        ("active", {"end": -9, "seen": -0.5}, False),
        ("active", {"end": -9, "seen": -1}, True),
        ("active", {"end": 9, "cancel": 0, "seen": -1}, True),
        ("trialing", {"end": 9, "trial": 0, "seen": -1}, True),
        ("past_due", {"end": 700, "failed": -336, "seen": -1}, True),
        ("past_due", {"end": 700, "failed": -337, "seen": -0.5}, False),
        ("unpaid", {"end": -1, "seen": -2}, True),
        ("canceled", {"end": -1, "seen": -2}, False),
        ("", {}, False),
        ("active", {"end": -1, "seen": -2, "archived": -1}, False),
        ("active", {"end": -1, "seen": -2, "deleted": -1}, False),
    ],
)
def test_when_a_look_is_due(status, moments, due):
    assert look_is_due(office(status, **moments), POLICY, at=NOW) is due
