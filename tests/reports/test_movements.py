"""Movements of MRR, and the months that are made of them. What is right was worked out by hand."""

from datetime import datetime, timedelta, timezone

import pytest

from billing import clock
from billing.models import Movement, Office, Subscription
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.reports.pictures import pictures
from billing.reports.rolling import roll_up
from tests.conftest import subscribed_office
from tests.reports.made import NOW, begun, changed, day, known_since

pytestmark = pytest.mark.usefixtures("in_june")


def months(currency="usd", *, at=NOW):
    """The known months as (month, opening, movements, closing), in minor units."""
    while roll_up():
        pass
    return [
        (
            f"{one.since:%Y-%m}",
            one.opening.amount,
            {kind: moved.money.amount for kind, moved in one.movements.items()},
            one.closing.amount,
        )
        for one in pictures(at=at).mrr.get(currency, [])
        if one
    ]


def test_an_office_comes_grows_shrinks_leaves_and_comes_back():
    office = known_since(day(1, 1))
    first = begun(office, day(2, 3))
    changed(first, day(2, 3), 0, 19_600, was="")  # four seats of 49.00
    changed(first, day(3, 7), 19_600, 29_400)  # six seats
    changed(first, day(4, 7), 29_400, 9_800)  # two seats
    changed(first, day(5, 7), 9_800, 0, to="canceled")
    changed(begun(office, day(6, 2)), day(6, 2), 0, 14_700, was="")  # three seats

    assert months() == [
        ("2030-02", 0, {"new": 19_600}, 19_600),
        ("2030-03", 19_600, {"expansion": 9_800}, 29_400),
        ("2030-04", 29_400, {"contraction": -19_600}, 9_800),
        ("2030-05", 9_800, {"churn": -9_800}, 0),
        ("2030-06", 0, {"reactivation": 14_700}, 14_700),
    ]


def test_who_changes_twice_in_a_month_is_in_both_movements():
    first = begun(known_since(day(4, 1)), day(5, 2))
    changed(first, day(5, 2), 0, 10_000, was="")
    changed(first, day(6, 3), 10_000, 30_000)
    changed(first, day(6, 9), 30_000, 25_000)

    assert months()[-1] == ("2030-06", 10_000, {"expansion": 20_000, "contraction": -5_000}, 25_000)


def test_who_comes_and_leaves_within_a_month_is_new_and_lost():
    first = begun(known_since(day(6, 1)), day(6, 2))
    changed(first, day(6, 2), 0, 19_900, was="")
    changed(first, day(6, 9), 19_900, 0, to="canceled")

    assert months() == [("2030-06", 0, {"new": 19_900, "churn": -19_900}, 0)]


def test_the_currencies_of_an_office_are_apart():
    office = known_since(day(4, 1))
    dollars, euros = begun(office, day(5, 2)), begun(office, day(6, 2), currency="eur")
    changed(dollars, day(5, 2), 0, 19_900, was="")
    changed(dollars, day(6, 2), 19_900, 0, to="canceled")
    changed(euros, day(6, 2), 0, 18_900, was="")

    assert months() == [("2030-05", 0, {"new": 19_900}, 19_900), ("2030-06", 19_900, {"churn": -19_900}, 0)]
    assert months("eur")[-1] == ("2030-06", 0, {"reactivation": 18_900}, 18_900)


def test_what_an_adopted_office_paid_before_is_no_growth_and_months_before_are_unknown():
    adopted = known_since(day(4, 20))
    changed(begun(adopted, day(1, 5, year=2029)), day(4, 20), 0, 19_900, was="")
    changed(begun(known_since(day(5, 1), "Oak Clinic"), day(5, 3)), day(5, 3), 0, 4_900, was="")

    assert months() == [
        ("2030-04", 0, {"adopted": 19_900}, 19_900),
        ("2030-05", 19_900, {"new": 4_900}, 24_800),
        ("2030-06", 24_800, {}, 24_800),
    ]
    shown = pictures(at=NOW)
    assert [one is None for one in shown.mrr["usd"]] == [True] * 9 + [False] * 3
    assert f"{shown.adopted_in['usd']:%Y-%m}" == "2030-04"


def test_an_office_adopted_in_its_trial_is_new_when_it_begins_to_pay():
    adopted = begun(known_since(day(5, 20)), day(5, 10))
    changed(adopted, day(5, 20), 0, 0, was="", to="trialing")
    changed(adopted, day(6, 3), 0, 19_900, was="trialing")

    assert months() == [("2030-06", 0, {"new": 19_900}, 19_900)]


def test_a_second_live_subscription_is_an_expansion_and_its_end_a_contraction():
    office = known_since(day(4, 1))
    changed(begun(office, day(5, 2)), day(5, 2), 0, 19_900, was="")
    second = begun(office, day(5, 9))
    changed(second, day(5, 9), 0, 4_900, was="")
    changed(second, day(6, 9), 4_900, 0, to="canceled")

    assert [one[2] for one in months()] == [{"new": 19_900, "expansion": 4_900}, {"contraction": -4_900}]


def test_past_due_moves_nothing_and_unpaid_is_churn_until_it_is_paid():
    first = begun(known_since(day(3, 1)), day(4, 2))
    changed(first, day(4, 2), 0, 19_900, was="")
    changed(first, day(5, 2), 19_900, 19_900, to="past_due")
    changed(first, day(5, 23), 19_900, 0, was="past_due", to="unpaid")
    changed(first, day(6, 3), 0, 19_900, was="unpaid")

    assert [one[2] for one in months()] == [{"new": 19_900}, {"churn": -19_900}, {"reactivation": 19_900}]


def test_a_month_begins_and_ends_at_midnight_in_utc():
    new_york = timezone(-timedelta(hours=4))
    office = known_since(day(4, 1))
    changed(begun(office, day(5, 1)), datetime(2030, 5, 31, 19, 59, 59, 999_999, new_york), 0, 100, was="")
    changed(begun(office, day(5, 1)), datetime(2030, 5, 31, 20, 0, tzinfo=new_york), 0, 10, was="")

    assert [(one[0], one[3]) for one in months()] == [("2030-05", 100), ("2030-06", 110)]


def test_rolling_up_again_changes_nothing_and_finds_what_was_committed_late():
    first = known_since(day(5, 1))
    changed(begun(first, day(6, 15, 11)), day(6, 15, 11) + timedelta(minutes=30), 0, 10_000, was="")
    before = months()
    assert months() == before

    late = begun(known_since(day(5, 1), "Oak Clinic"), day(6, 15, 11))
    changed(late, day(6, 15, 11) + timedelta(minutes=15), 0, 4_900, was="")

    assert months() == [("2030-06", 0, {"new": 14_900}, 14_900)]


def test_a_month_without_a_movement_carries_the_mrr_on():
    changed(begun(known_since(day(5, 1)), day(6, 2)), day(6, 2), 0, 10_000, was="")
    assert months() == [("2030-06", 0, {"new": 10_000}, 10_000)]

    clock.follow(lambda: day(8, 20) - clock.wall())

    assert months(at=day(8, 20)) == [
        ("2030-06", 0, {"new": 10_000}, 10_000),
        ("2030-07", 10_000, {}, 10_000),
        ("2030-08", 10_000, {}, 10_000),
    ]


def test_a_month_that_is_not_rolled_up_yet_is_not_shown_as_nothing():
    changed(begun(known_since(day(5, 1)), day(6, 2)), day(6, 2), 0, 10_000, was="")
    months()

    assert pictures(at=day(7, 1)).mrr["usd"][-1] is None


def test_before_anything_is_known_there_is_no_picture(db):
    assert months() == []
    assert pictures(at=NOW).rolled_up_at is not None


@pytest.fixture
def at_stripes_clock(in_june, stripe):
    from billing.stripe_api import sandbox_clock

    sandbox_clock.follow()
    return stripe


def test_the_closing_mrr_is_what_the_subscriptions_bill(at_stripes_clock, operator, office):
    stripe = at_stripes_clock
    subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)
    other = known_since(office.created_at, "Oak Clinic")
    subscribed_office(other, by=operator)
    perform(CancelSubscription(at_period_end=False), Office.objects.get(pk=other.pk), by=operator, reason="closed")
    stripe.deliver_and_apply()

    ((_, opening, moved, closing),) = months(at=clock.billing())

    assert (opening, moved, closing) == (0, {"new": 14_700 + 19_900, "churn": -19_900}, 14_700)
    assert sum(one.monthly_amount for one in Subscription.objects.filter(status="active")) == closing
    assert Movement.objects.count() == 3
