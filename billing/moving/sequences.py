"""The next keys: a new row gets a key that no row ever had, also none that was deleted."""

from typing import Any

from django.db import models
from django.db.models import Max

from billing.moving.tables import Table


def carry_over(tables: list[Table], source: Any, target: Any) -> None:
    """Let each table of the target count on from where the source is. Repeating is safe."""
    for table in tables:
        key = table._meta.pk
        if isinstance(key, models.AutoField | models.BigAutoField | models.SmallAutoField):
            highest = table._base_manager.using(target.alias).aggregate(n=Max("pk"))["n"] or 0
            used = max(_used(table, source), highest)
            if used:
                _count_from(table, used, target)


def _used(table: Table, connection: Any) -> int:
    """Return the last key that was given."""
    name, column = table._meta.db_table, table._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [connection.ops.quote_name(name), column])
            (sequence,) = cursor.fetchone()
            cursor.execute(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")  # noqa: S608
        else:
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [name])
        found = cursor.fetchone()
    return int(found[0]) if found else 0


def _count_from(table: Table, used: int, connection: Any) -> None:
    name, column = table._meta.db_table, table._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            quoted = connection.ops.quote_name(name)
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [quoted, column, used])
            return
        cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [used, name])
        if not cursor.rowcount:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [name, used])
