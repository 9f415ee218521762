"""Triggers of the database that refuse to change or delete what is in a table, whoever asks: a query, SQL, a tool.

The rows of ``TABLES`` are only added. Those of ``KEPT`` are other evidence (billing/audit/lives.py): they change while
they are worked on, and are not deleted.

They are made after each ``migrate``, because SQLite drops a table's triggers when Django copies it. ``faults`` compares
them with what should stand. Whoever owns the table can drop them; the seals show then what was changed.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from django.db import connections, transaction

TABLES = ("billing_auditentry", "billing_auditseal", "billing_sealedentry", "billing_trailreview")
KEPT = (
    *("billing_operation", "billing_operationstep", "billing_finding", "billing_agreement", "billing_vouching"),
    *("billing_approvalrequest", "billing_emergencyrole"),
)
KEYS = {"billing_auditseal": "number", "billing_sealedentry": "position"}
FUNCTION = "billing_append_only"
BODY = " BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END "


def protect_after_migrate(*, using: str, **_: Any) -> None:
    """Make the triggers once the tables are there."""
    connection = connections[using]
    if has_tables(connection):
        protect(connection)


def has_tables(connection: Any) -> bool:
    return set(TABLES) <= set(connection.introspection.table_names())


def protect(connection: Any) -> None:
    """Make the triggers that are missing, or not as they should be. Repeating is a no-op."""
    if not faults(connection):
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${BODY}$$")
        for table in (*TABLES, *KEPT):
            for name, sql in _wanted(connection.vendor, table).items():
                cursor.execute(_drop(connection.vendor, name, table))
                cursor.execute(sql)


def faults(connection: Any) -> list[str]:
    """Return the triggers that do not stand as they should, by name. Empty if all do."""
    with connection.cursor() as cursor:
        wanted = {name: sql for table in (*TABLES, *KEPT) for name, sql in _wanted(connection.vendor, table).items()}
        found = _found_on_postgresql(cursor) if connection.vendor == "postgresql" else _found_on_sqlite(cursor)
    return sorted(name for name, sql in wanted.items() if found.get(name) != sql)


@contextlib.contextmanager
def lifted(connection: Any) -> Iterator[None]:
    """Let the tables be changed inside, in one transaction that puts the triggers back.

    Only for what says in the trail what it did. On PostgreSQL only the owner of the tables can do it.
    """
    with transaction.atomic(using=connection.alias):
        _lift(connection)
        yield
        protect(connection)


def _lift(connection: Any) -> None:
    with connection.cursor() as cursor:
        for table in (*TABLES, *KEPT):
            for name in _wanted(connection.vendor, table):
                cursor.execute(_drop(connection.vendor, name, table))


def _wanted(vendor: str, table: str) -> dict[str, str]:
    """Return the triggers of a table by name, each as the database gives it back."""
    if vendor == "postgresql":
        row_event = "BEFORE DELETE" if table in KEPT else "BEFORE DELETE OR UPDATE"
        when = {"unchanged": row_event, "kept": "BEFORE TRUNCATE"}
        each = {"unchanged": "ROW", "kept": "STATEMENT"}
        return {
            f"{table}_{name}": f"CREATE TRIGGER {table}_{name} {event} ON {table} "
            f"FOR EACH {each[name]} EXECUTE FUNCTION {FUNCTION}()"
            for name, event in when.items()
        }
    when = {
        "unchanged": "BEFORE UPDATE ON {table}",
        "kept": "BEFORE DELETE ON {table}",
        # INSERT OR REPLACE deletes what has this key, and no trigger sees that
        "not_replaced": "BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})",
    }
    if table in KEPT:
        when = {"kept": when["kept"]}
    return {
        f"{table}_{name}": f"CREATE TRIGGER {table}_{name} {event.format(table=table, key=KEYS.get(table, 'id'))} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for name, event in when.items()
    }


def _drop(vendor: str, name: str, table: str) -> str:
    return f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if vendor == "postgresql" else "")


def _found_on_sqlite(cursor: Any) -> dict[str, str]:
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return dict(cursor.fetchall())


def _found_on_postgresql(cursor: Any) -> dict[str, str]:
    """Return the triggers that fire, where the function is as it should be."""
    cursor.execute(
        "SELECT tgname, pg_get_triggerdef(oid, true) FROM pg_trigger "
        "WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') "
        "AND (SELECT array_agg(prosrc) FROM pg_proc WHERE proname = %s) = ARRAY[%s]",
        [FUNCTION, BODY],
    )
    return dict(cursor.fetchall())
