"""Measures searching the audit trail at a million entries: ``python -m tests.benchmarks.trail_search``.

Each page is asked for through the whole product, without a server: the admin's list with each filter, the timeline of
an Office, and the API. The figure is the time that the database takes for the page's statements about the trail. The
rows are made by SQL. With BENCH_POSTGRES_URL they are made and searched on PostgreSQL too.
"""

import os
import statistics
import time
from typing import Any

from config.rate_limits import DEFAULTS
from tests.benchmarks import stage

ENTRIES = 1_000_000
OFFICES = 1_000
PEOPLE = 200
ROUNDS = 15
GOAL = 50.0
"""Milliseconds."""
TOGETHER = 10
"""So many entries have one request id."""


def main() -> None:
    os.environ["RATE_LIMITS"] = ",".join(f"{name}=1000000/second" for name in DEFAULTS)
    stage.on_each_database(measure)


def measure() -> None:
    stage.set_up()
    print(stage.machine())
    auditor, owner, office = cast()
    began = time.perf_counter()
    fill()
    print(f"{ENTRIES:,} entries about {OFFICES:,} Offices, made in {time.perf_counter() - began:,.0f} s")
    for name, path in pages(office).items():
        report(name, asked(auditor if path.startswith("/admin") else owner, path))


def cast() -> tuple[Any, Any, Any]:
    """Return the clients of an auditor and of an owner, and the owner's Office."""
    from django.conf import settings
    from django.contrib.auth.models import Group
    from django.test import Client
    from rest_framework.test import APIClient

    from billing.access import grants
    from billing.audit import actor, trail
    from billing.models import Membership, Office, User

    settings.REQUIRE_SECOND_FACTOR = False
    settings.STATICFILES_STORAGE = settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    Office.objects.bulk_create(
        Office(name=f"Practice {number}", billing_email="billing@practice.example") for number in range(OFFICES)
    )
    office = Office.objects.all()[OFFICES // 2]
    with trail.acting(actor.job("benchmark")):
        person = User.objects.create_user("auditor@vendor.example", is_staff=True)
        person.groups.add(Group.objects.get(name="auditor"))
        owner = User.objects.create_user("owner@practice.example")
        grants.write_grants(Membership.objects.create(user=owner, office=office, role="owner"))
    there = {"HTTP_HOST": stage.HOST, "wsgi.url_scheme": "https"}
    browser, program = Client(**there), APIClient(**there)
    browser.force_login(person)
    program.force_authenticate(owner)
    return browser, program, office


def fill() -> None:
    """Write a million entries of one year: nine in ten are Stripe's webhooks, one in a hundred is a refusal."""
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection

    from billing.models import Office

    office = ContentType.objects.get_for_model(Office).pk
    first = Office.objects.order_by("pk").values_list("pk", flat=True)[0]
    is_postgres = connection.vendor == "postgresql"
    numbers = (
        f"SELECT n FROM generate_series(1, {ENTRIES}) AS numbers(n)"
        if is_postgres
        else f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ENTRIES}) "
        "SELECT n FROM numbers"
    )
    seconds = f"(n * 31536000.0 / {ENTRIES})"
    at = (
        f"TIMESTAMPTZ '2025-11-01 00:00:00+00' + {seconds} * INTERVAL '1 second'"
        if is_postgres
        else f"strftime('%Y-%m-%d %H:%M:%f', '2025-11-01', '+' || {seconds} || ' seconds')"
    )
    about = f"{first} + ((n / {TOGETHER}) * 7919) % {OFFICES}"
    who = f"CASE WHEN n % 10 = 0 THEN 'person' || ((n / 10) % {PEOPLE}) || '@vendor.example' ELSE 'Stripe webhooks' END"
    sql = f"""
        INSERT INTO billing_auditentry (timestamp, billing_at, kind, action, content_type_id, object_pk, object_id,
            object_repr, changes, changes_text, actor_kind, actor_label, office_id, reason, request_id, what, mac)
        SELECT {at}, {at}, CASE WHEN n % 100 = 0 THEN 'refusal' WHEN n % 10 = 0 THEN 'act' ELSE 'change' END, 1,
            {office}, {about}, {about}, 'Practice', {"'{}'::jsonb" if is_postgres else "'{}'"}, '',
            CASE WHEN n % 10 = 0 THEN 'person' ELSE 'service' END, {who}, {about}, 'a reason of some length',
            'request-' || (n / {TOGETHER}), CASE WHEN n % 10 = 0 THEN 'did something' ELSE '' END, ''
        FROM ({numbers}) AS made
    """
    with connection.cursor() as cursor:
        cursor.execute(sql)
        assert cursor.rowcount == ENTRIES
        cursor.execute("ANALYZE")


def pages(office: Any) -> dict[str, str]:
    every, of_office = "/admin/billing/auditentry/", f"/api/v1/offices/{office.public_id}/audit-trail/"
    admin = {
        "nothing": "",
        "person": "?person=person7@vendor.example",
        "service with most": "?person=Stripe+webhooks",
        "kind, few": "?kind__exact=refusal",
        "kind, most": "?kind__exact=change",
        "period": "?since=2026-03-01&until=2026-03-31",
        "request id": "?request=request-70000",
        "Office": f"?about_office={office.public_id}",
        "Office and person": f"?about_office={office.public_id}&person=Stripe+webhooks",
        "person and period": "?person=Stripe+webhooks&since=2026-03-01&until=2026-03-31",
        "last page": "?p=20",
    }
    api = {
        "nothing": "",
        "person": "?person=owner@practice.example",
        "kind": "?kind=refusal",
        "period": "?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z",
        "request id": "?request_id=request-70000",
    }
    return {
        **{f"admin, {name}": every + query for name, query in admin.items()},
        "timeline": f"/admin/billing/office/{office.pk}/timeline/",
        **{f"API, {name}": of_office + query for name, query in api.items()},
    }


def asked(client: Any, path: str) -> list[float]:
    """Return the milliseconds that the page's statements about the trail take, with reading their rows, each time."""
    from django.db import connection

    statements: list[tuple[str, Any]] = []

    def noted(execute: Any, sql: str, params: Any, *more: Any) -> Any:
        if 'FROM "billing_auditentry"' in sql:
            statements.append((sql, params))
        return execute(sql, params, *more)

    with connection.execute_wrapper(noted):
        answer = client.get(path, secure=True)
    assert answer.status_code == 200, (path, answer.status_code, answer.headers)
    assert statements, path
    spent = []
    with connection.cursor() as cursor:
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for sql, params in statements:
                cursor.execute(sql, params)
                cursor.fetchall()
            spent.append((time.perf_counter() - began) * 1_000)
    return spent


def report(name: str, spent: list[float]) -> None:
    met = "met" if max(spent) <= GOAL else "MISSED"
    print(f"  {name}: median {statistics.median(spent):.1f} ms, longest {max(spent):.1f} ms ({met})", flush=True)


if __name__ == "__main__":
    main()
