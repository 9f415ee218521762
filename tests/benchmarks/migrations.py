"""The command ``python -m tests.benchmarks.migrations``. It measures ``migrate`` on a database that is full.

The database is made as it was at migration 0012, with many Offices and invoices. Then the present migrations run. One
run is killed after a second and repeated, on a copy of the same kind. While they run, another process inserts invoices
as the version of then does; how long one of them waited at most is printed.
BENCH_ROWS is how many Offices and invoices there are; BENCH_POSTGRES_URL measures on PostgreSQL too.
"""

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError

from tests.benchmarks import stage

OFFICES, INVOICES = (int(one) for one in os.environ.get("BENCH_ROWS", "100000,1000000").split(","))
THEN = "0012_event_indexes"
KILLED_AFTER_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 2.0


def main() -> None:
    stage.on_each_database(measure)


def measure() -> None:
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "ENV_FILE": str(stage.ENV_FILE)}
    os.environ["DATABASE_PLAIN_ON_LOOPBACK"] = "true"
    os.environ.setdefault("LOG_LEVEL", "CRITICAL")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    call_command("migrate", "billing", THEN, verbosity=0)
    filled(connection)
    connection.close()
    print(f"{stage.machine()}\n{OFFICES:,} Offices and {INVOICES:,} invoices, at {THEN}", flush=True)
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    killed = subprocess.Popen(migrate, cwd=stage.ROOT)
    time.sleep(KILLED_AFTER_SECONDS)
    killed.kill()
    killed.wait()
    began = time.monotonic()
    with Inserting(connection) as inserting:
        while said := refused_or_timed([*migrate[:-1], "--verbosity=1"]):
            assert "Another migrate runs" in said, said  # the killed one still holds its lease
            time.sleep(1)
    print(f"migrated to the present in {time.monotonic() - began:.1f} s, after one run was killed", flush=True)
    print(f"meanwhile {inserting.count:,} rows were inserted by the code of then", flush=True)
    print(f"and {len(inserting.refused)} were refused: {', '.join(sorted(set(inserting.refused))) or '–'}", flush=True)
    stage.verdict("the longest wait of one of them", inserting.longest, LONGEST_WAIT_SECONDS, least=False, unit=" s")


def refused_or_timed(migrate: list[str]) -> str:
    """Migrate, and print how long each step took that took a second. Return what it says if it is refused."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(migrate, cwd=stage.ROOT, env=environment, text=True, **pipes) as process:
        said, began = list[str](), time.monotonic()
        for line in process.stdout or ():
            now = time.monotonic()
            if said and "Applying" in line and now - began > 1:
                print(f"{now - began:6.1f} s until {line.strip()}", flush=True)
            said.append(line)
            began = now
    return "" if process.returncode == 0 else "".join(said)


class Inserting:
    """Inserts rows as the old version does, which knows no newer column, and remembers the longest wait."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.count, self.longest = connection, 0, 0.0
        self.refused: list[str] = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._insert)

    def __enter__(self) -> "Inserting":
        self.statement = copying(self.connection, "billing_office", 1, offset=10**9)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def _insert(self) -> None:
        own = self.connection.copy()
        while not self.ended.wait(0.01):
            began = time.monotonic()
            try:
                with own.cursor() as cursor:
                    cursor.execute(self.statement.replace(str(10**9), str(10**9 + self.count)))
                self.count += 1
            except DatabaseError as error:
                self.refused.append(str(error).strip())
                own.close()
            self.longest = max(self.longest, time.monotonic() - began)
        own.close()


def filled(connection: Any) -> None:
    """Fill the tables from one row each, by SQL."""
    from django.db.migrations.executor import MigrationExecutor

    apps = MigrationExecutor(connection).loader.project_state(("billing", THEN)).apps
    office = apps.get_model("billing", "Office").objects.create(name="Practice", billing_email="a@practice.example")
    with connection.cursor() as cursor:
        cursor.execute(copying(connection, "billing_office", OFFICES - 1))
    invoice = apps.get_model("billing", "Invoice")
    plain = {"IntegerField": 0, "DateTimeField": datetime(2026, 1, 1, tzinfo=UTC)}
    needed = {  # the columns that have no default
        one.attname: value
        for one in invoice._meta.concrete_fields
        for kind, value in plain.items()
        if one.get_internal_type().endswith(kind) and not (one.null or one.has_default() or one.primary_key)
    }
    invoice.objects.create(office=office, stripe_id="in_0", status="paid", currency="usd", **needed)
    with connection.cursor() as cursor:
        cursor.execute(copying(connection, "billing_invoice", INVOICES - 1))


def copying(connection: Any, table: str, count: int, *, offset: int = 0) -> str:
    """Return SQL that copies the table's first row so often, with new values in the columns that must be unique."""
    with connection.cursor() as cursor:
        columns = [one.name for one in connection.introspection.get_table_description(cursor, table)]
        rules = connection.introspection.get_constraints(cursor, table).values()
    unique = {one["columns"][0] for one in rules if one["unique"] and len(one["columns"]) == 1}
    sqlite = connection.vendor == "sqlite"
    uuid = "lower(hex(randomblob(16)))" if sqlite else "gen_random_uuid()"
    values = {
        name: name if name not in unique else uuid if name == "public_id" else f"'x' || (n + {offset})"
        for name in columns
        if name != "id"
    }
    values |= {
        name: f"CAST(NULL AS {'TEXT' if sqlite else 'varchar'})" for name in unique if name.endswith("customer_id")
    }
    numbers = (
        f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT {count})"
        if sqlite
        else f"WITH numbers(n) AS (SELECT generate_series(1, {count}))"
    )
    first = f"(SELECT * FROM {table} ORDER BY id LIMIT 1) AS first"
    return (
        f"INSERT INTO {table} ({', '.join(values)}) {numbers} SELECT {', '.join(values.values())} FROM numbers, {first}"
    )


if __name__ == "__main__":
    main()
