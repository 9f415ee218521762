from datetime import UTC, datetime, timedelta

import pytest

from billing.entitlement import Access, Policy, entitlement
from billing.models import Office

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = Policy()


def office(**columns):
    values = {
        "current_period_start": NOW - 10 * DAY,
        "current_period_end": NOW + 20 * DAY,
        "confirmed_at": NOW - DAY,
        **columns,
    }
    return Office(name="x", **values)


@pytest.mark.parametrize(
    ("columns", "access", "reason"),
    [
        ({"subscription_status": ""}, Access.NONE, "no_subscription"),
        ({"subscription_status": "active"}, Access.FULL, "active"),
        ({"subscription_status": "trialing"}, Access.FULL, "trialing"),
        ({"subscription_status": "incomplete"}, Access.NONE, "incomplete"),
        ({"subscription_status": "incomplete_expired"}, Access.NONE, "incomplete_expired"),
        ({"subscription_status": "unpaid"}, Access.NONE, "unpaid"),
        ({"subscription_status": "paused"}, Access.NONE, "paused"),
        ({"subscription_status": "canceled"}, Access.NONE, "canceled"),
        ({"subscription_status": "past_due", "past_due_since": NOW - 13 * DAY}, Access.FULL, "past_due"),
        ({"subscription_status": "past_due", "past_due_since": NOW - 14 * DAY}, Access.NONE, "past_due"),
        ({"subscription_status": "active", "archived_at": NOW}, Access.NONE, "archived"),
        ({"subscription_status": "active", "customer_deleted_at": NOW}, Access.NONE, "customer_deleted"),
        ({"subscription_status": "active", "current_period_end": NOW - 2 * DAY}, Access.FULL, "active"),
        (
            {"subscription_status": "active", "current_period_end": NOW - DAY, "confirmed_at": NOW - 2 * DAY},
            Access.FULL,
            "unconfirmed",
        ),
        (
            {"subscription_status": "active", "current_period_end": NOW - 3 * DAY, "confirmed_at": NOW - 9 * DAY},
            Access.NONE,
            "unconfirmed",
        ),
        (
            {"subscription_status": "active", "current_period_end": NOW, "cancel_at": NOW, "confirmed_at": NOW - DAY},
            Access.NONE,
            "canceled",
        ),
    ],
)
def test_what_an_office_may_do(columns, access, reason):
    found = entitlement(office(**columns), POLICY, at=NOW)
    assert (found.access, found.reason) == (access, reason)


def test_until_is_the_next_moment_it_can_change():
    assert entitlement(office(subscription_status="active"), POLICY, at=NOW).until == NOW + 20 * DAY
