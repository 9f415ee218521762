"""Measures each page of the admin and the API's lists among 100,000 Offices: ``make bench-pages``.

Each page is asked for through the whole product, without a server, by people who look at it for the first time, so that
their look is written down too. The time of the database is that of the page's statements that read, repeated with
reading their rows; what is written waits for the disk, whatever the page is, and has a column of its own. Where a page
misses its goal, its statements are printed with the plan of the slowest, and the run fails. The rows are made by SQL,
in minutes: SCALE=0.1 makes fewer. With BENCH_POSTGRES_URL all is done on PostgreSQL too. With PAGES_DATABASE_URL, this
database is used and kept: it is filled where it is empty. ONLY=invoice measures the pages whose name has this word.
"""

import contextlib
import gzip
import os
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from config.rate_limits import DEFAULTS
from tests.benchmarks import addresses, bulk, stage
from tests.benchmarks.addresses import Page

ROUNDS = 5
ANY_NUMBER = 1_000


@dataclass(frozen=True, slots=True)
class Goal:
    """Milliseconds of the database, and statements that read."""

    milliseconds: float
    statements: int = ANY_NUMBER


GOALS = {
    "overview": Goal(100, 15),
    "office: page": Goal(60, 15),
    "office: statement": Goal(30, 8),
    "list: offices": Goal(5, 5),
    "list: Offices, page": Goal(5, 6),
    "list": Goal(10, 5),
    "list: Offices with": Goal(10, 6),
    "list: office/?on_plan": Goal(10, 6),
    "list: plans": Goal(50, 6),
    "list: worker heartbeats": Goal(10, 10),
    "list: worklist": Goal(30, 7),
    "API: a person": Goal(10, 4),
    "API": Goal(10),
    "search: an invoice's number": Goal(10),
    "": Goal(30),
}
"""By how a page's name begins: the longest beginning decides.

A list has five statements. A later page reads the row at its edge too, and Offices by their access those with more than
one live subscription, and those on a plan its name. The list of plans counts all live subscriptions. The worklist sorts
all that wait.
"""
FILLING = ("fold-names", "search-parts", "roll-up-reports", "check")
"""The jobs that make rows from other rows."""
READS = ("SELECT", "WITH")
SHOWN = 160
"""So many characters of a statement."""


@dataclass
class Seen:
    """What one page took."""

    name: str
    statements: list[tuple[str, Any]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    of_page: float = 0
    size: int = 0
    zipped: int = 0
    status: int = 0

    def noted(self, execute: Any, sql: str, params: Any, *more: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, *more)
        finally:
            self.statements.append((sql, params))
            self.milliseconds.append((time.perf_counter() - began) * 1_000)

    @property
    def read(self) -> list[int]:
        """Return the places of the statements that read."""
        return [
            place for place, (sql, _) in enumerate(self.statements) if sql.lstrip("( ").startswith(("SELECT", "WITH"))
        ]

    @property
    def of_reads(self) -> float:
        return sum(self.milliseconds[place] for place in self.read)

    @property
    def of_writes(self) -> float:
        """Return what was written in all: an entry of who looked, and each minute the session's last moment."""
        return sum(self.milliseconds) - self.of_reads

    @property
    def goal(self) -> Goal:
        return GOALS[max((start for start in GOALS if self.name.startswith(start)), key=len)]

    @property
    def missed(self) -> list[str]:
        """Return what is not as it should be. Nothing: the page passes."""
        found = ["slow"] if self.of_reads > self.goal.milliseconds else []
        found += ["many statements"] if len(self.read) > self.goal.statements else []
        return found + ([f"answered {self.status}"] if self.status != 200 else [])


def run() -> None:
    os.environ["RATE_LIMITS"] = ",".join(f"{name}=1000000/second" for name in DEFAULTS)
    if kept := os.environ.get("PAGES_DATABASE_URL", ""):
        os.environ["DATABASE_URL"] = kept
        measure()
    else:
        stage.on_each_database(measure)


def measure() -> None:
    stage.set_up()
    from django.conf import settings

    from billing.models import Office

    settings.REQUIRE_SECOND_FACTOR = False
    settings.STATICFILES_STORAGE = settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    print(stage.machine(), flush=True)
    if not Office.objects.exists():
        began = time.perf_counter()
        made = bulk.make(float(os.environ.get("SCALE", "1")))
        print(f"{made.offices:,} Offices made in {time.perf_counter() - began:,.0f} s", flush=True)
    run_jobs()
    people = staff()
    overview = people[0].get("/admin/", secure=True).content.decode()
    print(f"not measured, as no row is made: {', '.join(addresses.without_rows())}", flush=True)
    print(
        f"{'page':64} {'reads':>5} {'goal':>4} {'ms':>7} {'goal':>4} {'writes':>6} {'ms':>6} {'all ms':>6} "
        f"{'bytes':>8} {'gzip':>7}",
        flush=True,
    )
    only, measured, missed = os.environ.get("ONLY", ""), 0, []
    for page in addresses.pages(overview):
        if only in page.name:
            seen = asked(page, programs(page.email) if page.email else people)
            report(seen)
            measured += 1
            missed += [page.name] if seen.missed else []
    print(f"{measured} pages, {len(missed)} missed their goal{': ' if missed else ''}{', '.join(missed)}", flush=True)
    if not measured:
        sys.exit(f"No page has {only} in its name.")
    if missed:
        sys.exit(stage.GOAL_MISSED)


def run_jobs() -> None:
    """Run, as a worker does, what would be run in the first hour."""
    from billing import jobs, worker  # noqa: F401  it registers the jobs
    from billing.audit import actor, trail

    for name in FILLING:
        with trail.acting(actor.job(name)):
            while jobs.KINDS[name].work():
                pass


def staff() -> list[Any]:
    """Return the browsers of people with all of the vendor's roles but one: the first asks to warm up."""
    from django.contrib.auth.models import Group
    from django.test import Client

    from billing.audit import actor, trail
    from billing.models import User

    browsers = []
    with trail.acting(actor.job("benchmark")):
        for number in range(ROUNDS + 1):
            person = User.objects.create_user(f"staff{time.time_ns()}-{number}@vendor.example", is_staff=True)
            person.groups.set(Group.objects.exclude(name="support"))
            browser = Client(HTTP_HOST=stage.HOST, **{"wsgi.url_scheme": "https"})
            browser.force_login(person)
            browsers.append(browser)
    return browsers


def programs(email: str) -> list[Any]:
    """Return the program of this person, which asks each time."""
    from rest_framework.test import APIClient

    from billing.models import User

    program = APIClient(HTTP_HOST=stage.HOST, **{"wsgi.url_scheme": "https"})
    program.force_authenticate(User.objects.get(email=email))
    return [program] * (ROUNDS + 1)


def asked(page: Page, clients: list[Any]) -> Seen:
    """Ask for the page as each of these people. The first one only warms it up."""
    from django.db import connections

    seen, spent = Seen(page.name), []
    clients[0].get(page.path, secure=True)
    for client in clients[1:]:
        one = Seen(page.name)
        began = time.perf_counter()
        with contextlib.ExitStack() as noting:
            for connection in connections.all():  # what people look at is written by one of its own
                noting.enter_context(connection.execute_wrapper(one.noted))
            answer = client.get(page.path, secure=True)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        spent.append((time.perf_counter() - began) * 1_000)
        seen = max(seen, one, key=lambda asked: (len(asked.statements), -asked.of_writes))
    is_zipped = answer.headers.get("Content-Encoding") == "gzip"
    seen.status, seen.of_page = answer.status_code, min(spent)
    seen.size = len(gzip.decompress(body)) if is_zipped else len(body)
    seen.zipped = len(body) if is_zipped else len(gzip.compress(body, 6))
    _repeat(seen)
    return seen


def _repeat(seen: Seen) -> None:
    """Measure the statements that read again, with reading their rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        for place in seen.read:
            (sql, params), spent = seen.statements[place], []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                cursor.execute(sql, params)
                cursor.fetchall()
                spent.append((time.perf_counter() - began) * 1_000)
            seen.milliseconds[place] = min(spent)  # what else runs on the machine only adds to it


def report(seen: Seen) -> None:
    goal, reads = seen.goal, len(seen.read)
    print(
        f"{seen.name:64} {reads:5} {goal.statements if goal.statements < ANY_NUMBER else '':4} {seen.of_reads:7.1f} "
        f"{goal.milliseconds:4g} {len(seen.statements) - reads:6} {seen.of_writes:6.1f} {seen.of_page:6.0f} "
        f"{seen.size:8,} {seen.zipped:7,} {'MISSED: ' + ', '.join(seen.missed) if seen.missed else 'pass'}",
        flush=True,
    )
    if seen.missed:
        _explain(seen)


def _explain(seen: Seen) -> None:
    """Print the statements that read, and the plan of the slowest."""
    from django.db import connection

    for place in seen.read:
        print(f"    {seen.milliseconds[place]:6.1f} ms: {_short(seen.statements[place][0])[:SHOWN]}", flush=True)
    if not seen.read or seen.missed == ["many statements"]:
        return
    sql, params = seen.statements[max(seen.read, key=seen.milliseconds.__getitem__)]
    print(f"    {_short(sql)[:1_000]}", flush=True)
    how = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{how} {sql}", params)
        for row in cursor.fetchall():
            print(f"      {str(row[-1])[:SHOWN]}", flush=True)


def _short(sql: str) -> str:
    """Return the statement without the names of its columns."""
    return re.sub(r"SELECT (DISTINCT )?.*? FROM", r"SELECT \1… FROM", sql, count=1)


if __name__ == "__main__":
    run()
