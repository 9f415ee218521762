"""The whole past of the demo, as its processes make it. What is right is counted by hand from ``demo.history``."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo import stack as stacks
from demo.seed_names import PAST_DAYS
from tests.processes import OF_TESTS, without

pytestmark = pytest.mark.slow
Rows = Callable[[str], list[list[Any]]]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    """Return a function that asks the database of a demo, which was made once for all tests here."""
    folder: Path = tmp_path_factory.mktemp("demo")
    with (
        without(*OF_TESTS),
        stacks.running(
            folder, web_port=stacks.free_port(), stripe_port=stacks.free_port(), past=timedelta(days=PAST_DAYS)
        ) as stack,
    ):
        told: list[str] = []
        stack.make_past(told.append)
        stack.seed()
        clock = httpx.get(f"{stack.stripe}/_sandbox/clock").json()
        assert abs(clock["offset"]) <= 1, "it ends at the present moment"
        assert len(told) in (14, 15), told

        def asked(query: str) -> list[list[Any]]:
            command = [sys.executable, "-m", "demo.smoke_rows", query]
            printed = subprocess.run(
                command, cwd=stacks.ROOT, env=stack.environment, capture_output=True, text=True, check=True
            ).stdout
            return json.loads(printed)

        yield asked


def test_each_movement_of_mrr_counts_as_what_it_was(rows):
    found = rows("SELECT kind, count(*) FROM billing_movement GROUP BY kind ORDER BY kind")

    assert dict(found) == {"churn": 3, "contraction": 1, "expansion": 7, "new": 21, "reactivation": 1}


def test_each_month_of_the_past_has_money(rows):
    months = {at[:7] for (at,) in rows("SELECT created_at FROM billing_payment WHERE status = 'succeeded'")}

    assert len(months) >= 14


def test_subscriptions_changed_when_stripe_says_so(rows):
    began = rows(
        "SELECT c.at, s.created_at FROM billing_subscriptionchange c JOIN billing_subscription s "
        "ON s.id = c.subscription_id WHERE c.status_before = ''"
    )
    ended = rows(
        "SELECT c.at, s.ended_at FROM billing_subscriptionchange c JOIN billing_subscription s "
        "ON s.id = c.subscription_id WHERE c.status_after = 'canceled'"
    )

    assert (len(began), len(ended)) == (25, 3)  # 23 Offices, one of which came back, and a start that was declined
    for seen, at_stripe in began + ended:
        assert abs(_time(seen) - _time(at_stripe)) < timedelta(minutes=30)


def test_who_owes_now_and_what_waits(rows):
    assert rows("SELECT name FROM billing_office WHERE subscription_status = 'past_due'") == [["Willow Women's Health"]]
    assert rows("SELECT count(*) FROM billing_approvalrequest WHERE outcome = ''") == [[1]]
    assert rows("SELECT count(*) FROM billing_adjustment WHERE kind = 'dispute'") == [[1]]
    assert rows("SELECT count(*) FROM billing_office WHERE subscription_status = 'trialing'") == [[2]]


def test_everything_was_applied_and_no_office_got_an_email(rows):
    assert rows("SELECT count(*) FROM billing_receivedevent WHERE status IN ('waiting', 'parked')") == [[0]]
    assert rows("SELECT count(*) FROM billing_operation WHERE status IN ('open', 'unknown')") == [[0]]
    mailed = {kind for (kind,) in rows("SELECT kind FROM billing_notification")}
    assert mailed <= {"approval_waits", "invitation", "emergency_role"}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)
