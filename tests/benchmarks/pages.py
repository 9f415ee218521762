"""Measures each page of the admin and the API's lists among 100,000 Offices: ``make bench-pages``.

Each page is asked for through the whole product, without a server, by people who look at it for the first time, so that
their look is written down too. The time of the database is that of the page's statements, repeated with reading their
rows. Where a page misses its goal, its slowest statement is printed with the plan. The rows are made by SQL, in
minutes: SCALE=0.1 makes fewer. With BENCH_POSTGRES_URL all is done on PostgreSQL too. With PAGES_DATABASE_URL, this
database is used and kept: it is filled where it is empty. ONLY=invoice measures the pages whose name has this word.
"""

import contextlib
import gzip
import os
import re
import time
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from config.rate_limits import DEFAULTS
from tests.benchmarks import bulk, stage

ROUNDS = 5
GOALS = {"overview": 100.0, "search: an invoice's number": 10.0, "audit entries": 30.0, "API": 10.0, "list": 10.0}
"""Milliseconds of the database by how a page's name begins."""
GOAL = 30.0
MOST_STATEMENTS = {"overview": 15, "office: page": 15, "office: statement": 8}
LISTS = 50
VIEWS = ("owing", "trial-ends", "card-expires", "no-subscription", "ends")
FILLING = ("fold-names", "search-parts")
"""The jobs that make rows from other rows."""


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
    def of_database(self) -> float:
        return sum(self.milliseconds)

    @property
    def of_writes(self) -> float:
        """Return what was written in all: an entry of who looked, and each minute the session's last moment."""
        both = zip(self.statements, self.milliseconds, strict=True)
        return sum(spent for (sql, _), spent in both if not sql.startswith("SELECT"))


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
        run_jobs()
        print(f"{made.offices:,} Offices made in {time.perf_counter() - began:,.0f} s", flush=True)
    people, programs = staff(), members()
    print(
        f"{'page':52} {'stm':>4} {'database ms':>12} {'writes':>7} {'all ms':>7} {'bytes':>8} {'gzip':>7}", flush=True
    )
    only = os.environ.get("ONLY", "")
    for name, path in pages().items():
        if only in name:
            report(asked(name, path, programs if path.startswith("/api/") else people))


def run_jobs() -> None:
    """Run, as a worker does, what would be run in the first hour."""
    from billing import jobs

    for name in FILLING:
        while name in jobs.KINDS and jobs.KINDS[name].work():
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


def members() -> list[Any]:
    """Return the programs of the person who belongs to ten thousand Offices."""
    from rest_framework.test import APIClient

    from billing.models import User

    program = APIClient(HTTP_HOST=stage.HOST, **{"wsgi.url_scheme": "https"})
    program.force_authenticate(User.objects.get(email="many@practice.example"))
    return [program] * (ROUNDS + 1)


def pages() -> dict[str, str]:
    """Return the address of each page: the registry's lists, a row of each, and what is made by hand."""
    from django.contrib import admin
    from django.urls import NoReverseMatch, reverse

    from billing.models import Membership, Office

    middle = Office.objects.order_by("pk")[Office.objects.count() // 2 + 21]
    owing = Office.objects.filter(subscription_status="past_due").order_by("pk")[10]
    member = Office.objects.get(pk=Membership.objects.filter(user__email="many@practice.example").first().office_id)
    after = b64encode(urlencode({"p": Office.objects.order_by("name", "pk")[4_999].name}).encode()).decode()
    found = {"overview": "/admin/"}
    for model, ours in admin.site._registry.items():
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        found[f"list: {model._meta.verbose_name_plural}"] = reverse(f"admin:{label}_changelist")
        row = middle if model is Office else model._default_manager.order_by("pk").last()
        if row is not None and ours.has_view_permission:
            found[f"row: {model._meta.verbose_name}"] = reverse(f"admin:{label}_change", args=[row.pk])
    for path in ("journal", "worklist"):
        try:
            found[path] = reverse(f"admin:billing_{path}")
        except NoReverseMatch:
            continue
    offices, of_middle = "/admin/billing/office/", f"/admin/billing/office/{middle.pk}"
    last = found.pop("list: audit entries")
    found["audit entries: list"] = last
    found["office: page"] = found.pop("row: office")
    return {
        **found,
        "office: page of one that owes": f"{offices}{owing.pk}/change/",
        "office: statement": f"{of_middle}/account/",
        "office: timeline": f"{of_middle}/timeline/",
        **{f"list: Offices, page {number}": address for number, address in _later(500)},
        "list: Offices by period": f"{offices}?o=4",
        "list: Offices by amount due": f"{offices}?o=-5",
        **{f"list: Offices, view {name}": f"{offices}?view={name}" for name in VIEWS},
        "list: Offices with access": f"{offices}?access=full",
        "list: Offices without access": f"{offices}?access=none",
        "list: Offices on a plan": f"{offices}?current_plan__id__exact={middle.current_plan_id}",
        "list: Offices that are past due": f"{offices}?subscription_status__exact=past_due",
        "list: payments that failed": "/admin/billing/payment/?status__exact=failed",
        "list: open invoices": "/admin/billing/invoice/?status__exact=open",
        "search: Offices by a common part of names": f"{offices}?q=dental",
        "search: Offices by a rare part of names": f"{offices}?q=elan+vit",
        "search: Offices by two words": f"{offices}?q=maple+99971",
        "search: Offices by an e-mail address": f"{offices}?q=billing{middle.pk}@practice",
        "search: Offices, nothing is found": f"{offices}?q=nothing+has+this",
        "search: an invoice's number (list)": f"/admin/billing/invoice/?q={middle.invoices.order_by('pk')[3].number}",
        "search: invoices of an Office": "/admin/billing/invoice/?q=elan+vit",
        "search: payments of an Office": "/admin/billing/payment/?q=elan+vit",
        **{
            f"search: {name}": f"/admin/search/?extended=1&s={typed}"
            for name, typed in {
                "an invoice's number": middle.invoices.order_by("pk")[4].number,
                "the box, a common part": "dental",
                "the box, a rare part": "élan vit",
                "the box, an e-mail address": middle.billing_email,
                "the box, a member": "invented person 777",
                "the box, last four": middle.payment_method_last4,
                "the box, a customer at Stripe": middle.payment_provider_customer_id,
                "the box, a payment intent": middle.invoices.order_by("pk")[5].payment_intent_id,
                "the box, our id": str(middle.invoices.order_by("pk")[6].public_id),
                "the box, nothing": "nothing has this",
            }.items()
        },
        "audit entries: of an Office": f"/admin/billing/auditentry/?about_office={middle.public_id}",
        "audit entries: refusals": "/admin/billing/auditentry/?kind__exact=refusal",
        "API: a person with 10,000 grants": "/api/v1/offices/",
        "API: the same, after 5,000": f"/api/v1/offices/?cursor={quote(after)}",
        "API: invoices of an Office": f"/api/v1/offices/{member.public_id}/invoices/",
        "API: payments of an Office": f"/api/v1/offices/{member.public_id}/payments/",
    }


def _later(number: int) -> list[tuple[int, str]]:
    """Return the address of a later page of the Offices: as far as there are so many."""
    from billing.models import Office

    number = min(number, Office.objects.count() // LISTS - 1)
    try:
        from billing.admin import paging
    except ImportError:
        return [(number, f"/admin/billing/office/?p={number}")]
    before = Office.objects.order_by("name", "pk")[LISTS * (number - 1) - 1]
    return [(number, f"/admin/billing/office/?{paging.AFTER}={before.pk}")]


def asked(name: str, path: str, clients: list[Any]) -> Seen:
    """Ask for the page as each of these people. The first one only warms it up."""
    from django.db import connections

    seen, spent = Seen(name), []
    clients[0].get(path, secure=True)
    for client in clients[1:]:
        one = Seen(name)
        began = time.perf_counter()
        with contextlib.ExitStack() as noting:
            for connection in connections.all():  # what people look at is written by one of its own
                noting.enter_context(connection.execute_wrapper(one.noted))
            answer = client.get(path, secure=True)
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
        for place, (sql, params) in enumerate(seen.statements):
            if not sql.startswith("SELECT"):
                continue
            spent = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                cursor.execute(sql, params)
                cursor.fetchall()
                spent.append((time.perf_counter() - began) * 1_000)
            seen.milliseconds[place] = min(spent)  # what else runs on the machine only adds to it


def report(seen: Seen) -> None:
    goal = next((most for start, most in GOALS.items() if seen.name.startswith(start)), GOAL)
    most = MOST_STATEMENTS.get(seen.name, 0)
    reads = seen.of_database - seen.of_writes  # a write waits for the disk, whatever the page is
    missed = ["SLOW"] if reads > goal else []
    missed += ["MANY"] if most and len(seen.statements) > most else []
    missed += [f"ANSWERED {seen.status}"] if seen.status != 200 else []
    print(
        f"{seen.name:52} {len(seen.statements):4} {seen.of_database:12.1f} {seen.of_writes:7.1f} "
        f"{seen.of_page:7.0f} {seen.size:8,} {seen.zipped:7,} {' '.join(missed)}",
        flush=True,
    )
    if reads > goal:
        _explain(seen)


def _explain(seen: Seen) -> None:
    from django.db import connection

    read = [place for place, (sql, _) in enumerate(seen.statements) if sql.startswith("SELECT")]
    longest = max(read, key=seen.milliseconds.__getitem__)
    sql, params = seen.statements[longest]
    shown = re.sub(r"SELECT (DISTINCT )?.*? FROM", r"SELECT \1… FROM", sql, count=1)
    print(f"    {seen.milliseconds[longest]:.1f} ms: {shown[:700]}", flush=True)
    how = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{how} {sql}", params)
        for row in cursor.fetchall():
            print(f"      {str(row[-1])[:160]}", flush=True)


if __name__ == "__main__":
    run()
