"""What is collected by week: payments minus refunds, each in its own week, from Monday in UTC."""

from datetime import datetime, timedelta, timezone

import pytest
from django.db import connection

from billing.models import Payment
from billing.reports import rolling
from billing.reports.pictures import pictures
from billing.reports.rolling import roll_up
from tests.reports.made import NOW, day, known_since, paid, refunded

pytestmark = pytest.mark.usefixtures("in_june")


def weeks(currency="usd"):
    """The weeks in which something moved, as (Monday, paid, refunded, collected)."""
    roll_up()
    return [
        (f"{one.since:%m-%d}", one.paid.money.amount, one.refunded.money.amount, one.collected.amount)
        for one in pictures(at=NOW).collections.get(currency, [])
        if one.paid.n or one.refunded.n
    ]


def test_a_refund_counts_in_the_week_in_which_it_was_made():
    office = known_since(day(1))
    payment = paid(office, day(6, 5), 19_900)  # a Wednesday
    refunded(payment, day(6, 11), 4_900)

    assert weeks() == [("06-03", 19_900, 0, 19_900), ("06-10", 0, 4_900, -4_900)]


def test_a_week_begins_on_monday_at_midnight_in_utc():
    office = known_since(day(1))
    new_york = timezone(-timedelta(hours=4))
    paid(office, datetime(2030, 6, 9, 19, 59, 59, tzinfo=new_york), 100)
    paid(office, datetime(2030, 6, 9, 20, 0, tzinfo=new_york), 10)

    assert weeks() == [("06-03", 100, 0, 100), ("06-10", 10, 0, 10)]


def test_the_currencies_are_apart():
    office = known_since(day(1))
    paid(office, day(6, 11), 19_900)
    paid(office, day(6, 12), 18_900, currency="eur")

    assert weeks() == [("06-10", 19_900, 0, 19_900)]
    assert weeks("eur") == [("06-10", 18_900, 0, 18_900)]


def test_what_failed_or_came_back_is_not_counted():
    office = known_since(day(1))
    payment = paid(office, day(6, 11), 19_900)
    paid(office, day(6, 11), 4_900, status="failed")
    refunded(payment, day(6, 12), 1_000, status="failed")
    refunded(payment, day(6, 12), 2_000, status="canceled")
    refunded(payment, day(6, 12), 300, status="pending")

    assert weeks() == [("06-10", 19_900, 300, 19_600)]


def test_a_debit_that_a_bank_accepts_later_counts_in_the_week_in_which_it_was_made():
    debit = paid(known_since(day(1)), day(6, 4), 19_900, status="pending")
    assert weeks() == []

    Payment.objects.filter(pk=debit.pk).update(status="succeeded")

    assert weeks() == [("06-03", 19_900, 0, 19_900)]


def test_nobody_who_writes_waits_while_the_figures_are_calculated(monkeypatch):
    calculate, open_then = rolling._collections, []

    def watched(*given):
        open_then.append(list(connection.savepoint_ids))
        return calculate(*given)

    monkeypatch.setattr(rolling, "_collections", watched)
    roll_up()

    assert open_then == [connection.savepoint_ids]
