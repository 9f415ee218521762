"""Databases that earlier versions made with their own code, for the test of upgrades.

The code of a version comes out of git's history. It runs with the libraries of today, in processes of its own.
"""

import contextlib
import io
import os
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.schema.kept import ROOT, NoHistory, git

KEY = "sk_test_only_for_upgrades"
MAKE = """
import demo.seed as seed
from django.core.management import call_command
from billing.audit import actor, trail
from billing.models import User
from billing.operations.catalogue import publish_plans
call_command("setup_stripe")
by = actor.job("demo")
with trail.acting(by, reason="the cast"):
    staff = seed.people("correct horse battery staple")
    seed.catalogue()
publish_plans(by=by, reason="the plans")
wanted = ("Maple", "Harbor", "Lakeview", "Old Mill", "Riverside", "Foxglove")
for name, price, given in seed.OFFICES:
    if name.startswith(wanted):
        seed.open_office(name, price, given, actor.person(staff))
"""
"""Offices of that version's demo: with a card, with seats, in a trial, cancelled, declined, without a subscription."""

FOLLOW = """
from django.core.management import call_command
call_command("reconcile")
call_command("worker", "--once")
"""
Rows = dict[str, dict[Any, dict[str, Any]]]
"""The rows of each table by primary key, each with its values by column."""


def code_of(commit: str, folder: Path) -> Path:
    """Put the code of this commit into the folder. Raises: NoHistory, where git does not have it."""
    if git(ROOT, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise NoHistory("the clone is shallow; git fetch --unshallow brings the rest")
    with tarfile.open(fileobj=io.BytesIO(git(ROOT, "archive", commit))) as archive:
        archive.extractall(folder, filter="data")
    return folder


@contextlib.contextmanager
def a_local_stripe() -> Iterator[str]:
    """Run a local Stripe that delivers nothing by itself, and yield its address."""
    command = [sys.executable, "-u", "-m", "stripe_sandbox", "--port", "0", "--delivery", "manual", "--secret-key", KEY]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline().strip().rpartition(" ")[2]
    finally:
        process.kill()
        process.communicate()


class Installation:
    """A database file and a local Stripe, on which the code of any version runs."""

    def __init__(self, file: Path, stripe: str) -> None:
        self.file, self.stripe = file, stripe
        own = {
            "ENV_FILE": os.devnull,  # no variables but these
            "DEBUG": "true",
            "SECRET_KEY": "only-for-tests-of-upgrades",
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_API_BASE": stripe,
            "STRIPE_WEBHOOK_SECRETS": "whsec_only_for_upgrades",
            "DATABASE_URL": f"libsql:///{file}",
            "LOG_LEVEL": "ERROR",
        }
        self.environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | own

    def run(self, code: Path, *arguments: str) -> str:
        """Run `manage.py` of this version, and return what it printed. It must end well."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=code, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments[0]}: {done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def make_with(self, code: Path) -> None:
        """Make the database with the code of an earlier version, and something at Stripe that others made."""
        self.run(code, "migrate", "--verbosity=0")
        self.run(code, "shell", "--verbosity=0", "-c", MAKE)
        self.others_act()
        self.run(code, "shell", "--verbosity=0", "-c", FOLLOW)

    def others_act(self) -> None:
        """Put a second item on a subscription, and a coupon on another one, as a person does in the dashboard."""
        product = self.post("products", name="Extra storage")["id"]
        recurring = {"recurring[interval]": "month", "currency": "usd", "unit_amount": "900"}
        price = self.post("prices", product=product, **recurring)["id"]
        newest, older, *_ = self.listed("subscriptions")
        self.post("subscription_items", subscription=older["id"], price=price, quantity="2")
        coupon = self.post("coupons", percent_off="10", duration="forever")["id"]
        self.post(f"subscriptions/{newest['id']}", **{"discounts[0][coupon]": coupon})

    def post(self, path: str, **given: str) -> dict[str, Any]:
        answer = httpx.post(f"{self.stripe}/v1/{path}", data=given, headers={"Authorization": f"Bearer {KEY}"})
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def listed(self, path: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.stripe}/v1/{path}", headers={"Authorization": f"Bearer {KEY}"})
        found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
        return found

    def rows(self) -> Rows:
        """Return every row of our tables."""
        with contextlib.closing(sqlite3.connect(self.file)) as connection:
            connection.row_factory = sqlite3.Row
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'billing_%'")
            return {
                name: {row[0]: dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')}
                for [name] in tables.fetchall()
            }

    def asked(self, question: str, *values: Any) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(question, values).fetchall()


def lost(before: Rows, after: Rows, *, may_change: set[str]) -> list[str]:
    """Return what is no longer there or no longer the same. Columns and rows that came are no loss."""
    found = []
    for table, rows in before.items():
        for key, row in rows.items():
            now = after.get(table, {}).get(key)
            if now is None:
                found.append(f"{table} {key} is gone")
                continue
            names = [name for name in row if name not in now or now[name] != row[name]]
            found += [
                f"{table}.{name} of {key}: {row[name]!r} is {now.get(name)!r}"
                for name in names
                if f"{table}.{name}" not in may_change
            ]
    return found
