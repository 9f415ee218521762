"""The quick first migrate makes the schema that dj-stripe's own migrations make."""

import json
import os
import subprocess
import sys
import uuid

import pytest
from django.db import connection

PRINT_SCHEMA = """
import json
from django.db import connection
kept = ("columns", "primary_key", "unique", "foreign_key", "index", "check")
schema = {}
with connection.cursor() as cursor:
    for table in connection.introspection.table_names(cursor):
        columns = connection.introspection.get_table_description(cursor, table)
        constraints = connection.introspection.get_constraints(cursor, table).values()
        schema[table] = [
            sorted(repr((c.name, c.type_code, c.null_ok, c.default, c.display_size)) for c in columns),
            sorted(repr([one[name] for name in kept]) for one in constraints),
        ]
    cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
    schema["migrations"] = cursor.fetchall()
print(json.dumps(schema))
"""


def schema_after(url, *arguments):
    environment = {**os.environ, "DATABASE_URL": url}

    def manage(*words):
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    manage("migrate", "--verbosity=0", *arguments)
    return json.loads(manage("shell", "--verbosity=0", "-c", PRINT_SCHEMA))


@pytest.fixture
def two_databases(tmp_path, django_db_blocker):
    if connection.vendor == "sqlite":
        yield [f"libsql:///{tmp_path / name}.db" for name in ("quick", "slow")]
        return
    base, names = os.environ["DATABASE_URL"].rpartition("/")[0], [f"test_{uuid.uuid4().hex}" for _ in range(2)]
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        for name in names:
            cursor.execute(f"CREATE DATABASE {name}")
    yield [f"{base}/{name}" for name in names]
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.slow
def test_the_quick_way_and_the_long_way_make_the_same_schema(two_databases):
    quick, slow = schema_after(two_databases[0]), schema_after(two_databases[1], "--step-by-step")

    assert quick["migrations"] == slow["migrations"]
    assert set(quick) == set(slow)
    assert {table for table in quick if quick[table] != slow[table]} == set()
    assert len(quick) > 60
