"""Nothing is written to a database that is being moved: triggers on each table refuse it.

Every process obeys them, also one that was started before the move, of whatever version. The webhook receiver answers
503, so Stripe sends the event again, and it arrives at the new database.
"""

from typing import Any

from django.db import transaction

from billing.moving import mark

REFUSAL = "database_move_refuse"
SAID = "This database is being moved or was moved. Nothing is written here any more: see manage.py move_database."
LOCK_SECONDS = 20


def freeze(connection: Any, moving: mark.Mark) -> None:
    """Put the mark. From then on every write is refused, and the writes that were under way are committed."""
    tables = [name for name in connection.introspection.table_names() if name != mark.TABLE]
    if connection.vendor == "postgresql":
        _freeze_postgresql(connection, tables, moving)
    else:
        _freeze_sqlite(connection, tables, moving)


def thaw(connection: Any) -> None:
    """Take the mark and the triggers away."""
    if connection.vendor == "postgresql":
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(f"DROP FUNCTION {REFUSAL}() CASCADE")
            mark.remove(connection)
        return
    mark.take_off(connection)
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in cursor.fetchall():
            if name.startswith(f"{mark.TABLE}_"):
                cursor.execute(f"DROP TRIGGER {connection.ops.quote_name(name)}")
    mark.remove(connection)


def _freeze_postgresql(connection: Any, tables: list[str], moving: mark.Mark) -> None:
    """Make all triggers in one transaction: making one waits until no other transaction has written to its table."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        mark.put(connection, moving)
        cursor.execute(
            f"CREATE FUNCTION {REFUSAL}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{SAID}' USING ERRCODE = 'read_only_sql_transaction'; END $$"
        )
        for table in tables:
            cursor.execute(
                f"CREATE TRIGGER {mark.TABLE} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE "
                f"ON {connection.ops.quote_name(table)} FOR EACH STATEMENT EXECUTE FUNCTION {REFUSAL}()"
            )


def _freeze_sqlite(connection: Any, tables: list[str], moving: mark.Mark) -> None:
    """Make the triggers one by one. They refuse nothing until the mark is there, which is one write like any other.

    A libSQL server gives one transaction only five seconds. They refuse by a JSON path that cannot be. SQLite's own
    RAISE is an IntegrityError, which Django takes for a key that is there already, and tries with other keys for ever.
    """
    quoted = connection.ops.quote_name
    mark.make_table(connection)
    with connection.cursor() as cursor:
        for table in tables:
            for verb in ("INSERT", "UPDATE", "DELETE"):
                name = quoted(f"{mark.TABLE}_{table}_{verb.lower()}")
                when = f"WHEN EXISTS (SELECT 1 FROM {mark.TABLE})"  # noqa: S608
                cursor.execute(
                    f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {verb} ON {quoted(table)} {when} "
                    f"BEGIN SELECT json_extract('{{}}', '{SAID}'); END"
                )
    mark.put(connection, moving)
