"""Fixtures for pages: one fixed day, and a Stripe clock that stands still. So pages depend only on what was done."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pytest
from django.core.management.color import no_style
from django.db import connection
from django.template.base import Template

from tests import conformance
from tests.conftest import LocalStripe
from tests.faces.stage import TODAY

SEED = 5
LOCAL_STRIPE = f"""
import runpy, sys, time
time.time = lambda: {TODAY.timestamp()}
sys.argv[0] = "stripe_sandbox"
runpy.run_module("stripe_sandbox", run_name="__main__")
"""


class Today(datetime):
    """A clock that says noon, and one microsecond more each time somebody asks."""

    asked = 0

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        cls.asked += 1
        return TODAY.astimezone(tz) + timedelta(microseconds=cls.asked)


@pytest.fixture(scope="session")
def stripe_server() -> Iterator[LocalStripe]:
    """Yield the local Stripe with a clock that moves only when a test moves it."""
    command = [sys.executable, "-u", "-c", LOCAL_STRIPE, "--port", "0", "--delivery", "manual", "--strict"]
    command += ["--secret-key", "sk_test_only_for_tests", "--webhook-secret", "whsec_only_for_tests"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
    try:
        assert process.stdout
        url = process.stdout.readline().strip().rpartition(" ")[2]
        assert url.startswith("http://127.0.0.1:"), "the local Stripe did not start"
        running = LocalStripe(url)
        running.control("reset", seed=SEED)
        yield running
        conformance.note(running.http)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the clock in the two modules that read it: ours and Django's."""
    Today.asked = 0
    monkeypatch.setattr("billing.clock.datetime", Today)
    monkeypatch.setattr("django.utils.timezone.datetime", Today)


@pytest.fixture(autouse=True)
def no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep no contexts of templates for tests. Nobody here reads them, and keeping them takes time."""
    monkeypatch.setattr(Template, "_render", lambda self, context: self.nodelist.render(context))


@pytest.fixture(autouse=True)
def no_limits(no_limit_is_reached: None) -> None:
    """The clock stands still here, so what is counted would never be forgotten."""


@pytest.fixture
def from_one_on(db: None) -> None:
    """Number the rows of each table from 1, whatever was in it before."""
    if connection.vendor != "sqlite":
        pytest.skip("rows that are equal in what a list is sorted by come in an order of their own here")
    tables: list[dict[str, Any]] = [
        {"table": name, "column": "id"} for name in connection.introspection.table_names() if "billing_" in name
    ]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_by_name_sql(no_style(), tables):
            cursor.execute(statement)
