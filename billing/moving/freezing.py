"""Nothing is written to a database that is being moved: triggers on each table refuse it.

Every process obeys them, also one that was started before the move, of whatever version. The webhook receiver answers
503, so Stripe sends the event again, and it arrives at the new database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, transaction

from billing.moving import mark

REFUSAL = "database_move_refuse"
SAID = "This database is being moved or was moved. Nothing is written here any more: see manage.py move_database."
VERBS = ("INSERT", "UPDATE", "DELETE")
LOCK_SECONDS = 20


def freeze(connection: Any, moving: mark.Mark) -> None:
    """Put the mark, and refuse every write from now on. Both at once, after the writes that are under way."""
    tables = [name for name in connection.introspection.table_names() if name != mark.TABLE]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        mark.put(connection, moving)
        if connection.vendor == "postgresql":
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            cursor.execute(
                f"CREATE FUNCTION {REFUSAL}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{SAID}' USING ERRCODE = 'read_only_sql_transaction'; END $$"
            )
        for table in tables:
            for statement in _triggers(connection, table):
                cursor.execute(statement)


def thaw(connection: Any) -> None:
    """Take the mark and the triggers away."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP FUNCTION {REFUSAL}() CASCADE")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in cursor.fetchall():
                if name.startswith(f"{mark.TABLE}_"):
                    cursor.execute(f"DROP TRIGGER {connection.ops.quote_name(name)}")
        mark.remove(connection)


def _triggers(connection: Any, table: str) -> list[str]:
    quoted = connection.ops.quote_name
    if connection.vendor == "postgresql":
        return [
            f"CREATE TRIGGER {mark.TABLE} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {quoted(table)} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {REFUSAL}()"
        ]
    return [
        f"CREATE TRIGGER {quoted(f'{mark.TABLE}_{table}_{verb.lower()}')} BEFORE {verb} ON {quoted(table)} "
        f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
        for verb in VERBS
    ]


def others_connected(connection: Any) -> bool | None:
    """Return whether another process has this database open. None: a libSQL server does not tell.

    A web server or worker keeps a connection open from its start on.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND usename = current_user AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            return bool(cursor.fetchone()[0])
    if "://" in str(connection.settings_dict["NAME"]):
        return None
    with _without_waiting(connection), connection.cursor() as cursor:
        try:
            cursor.execute("PRAGMA journal_mode = DELETE")  # SQLite takes it only from the last connection
        except OperationalError:
            return True
        cursor.execute("PRAGMA journal_mode = WAL")
    return False


@contextmanager
def _without_waiting(connection: Any) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        usual = cursor.fetchone()[0]
        cursor.execute("PRAGMA busy_timeout = 500")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")
