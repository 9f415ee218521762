"""Rows, as they are read from one database, written to another, and compared.

They are written by plain INSERTs: ``save`` and ``bulk_create`` would put today's time into columns such as
dj-stripe's ``djstripe_updated``, and ``save`` would write audit entries.
"""

import datetime
import hashlib
import json
from collections.abc import Iterator
from decimal import Context, Decimal
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, models, transaction
from django.db.models.functions import Cast

from billing.moving.tables import Table

BATCH = 500
EXACT = Context(prec=10_000)
Row = tuple[Any, ...]


class CannotHold(Exception):
    """The new database does not take a row."""


def batches(table: Table, using: str, *, after: str = "") -> Iterator[list[Row]]:
    """Yield the rows of a table in the order of its key, from the key ``after`` on."""
    rows = table._base_manager.using(using).order_by("pk").values_list(*map(_as_read, _columns(table)))
    last = table._meta.pk.to_python(after) if after else None
    while batch := list((rows if last is None else rows.filter(pk__gt=last))[:BATCH]):
        yield batch
        last = batch[-1][_key(table)]


def key_of(table: Table, row: Row) -> str:
    return str(row[_key(table)])


def write(table: Table, rows: list[Row], connection: Any) -> None:
    """Insert the rows. Call this in a transaction.

    Raises:
        CannotHold: says which row, and why.
    """
    columns, quoted = _columns(table), connection.ops.quote_name
    names, places = ", ".join(quoted(one.column) for one in columns), ", ".join(["%s"] * len(columns))
    insert = f"INSERT INTO {quoted(table._meta.db_table)} ({names}) VALUES ({places})"  # noqa: S608
    values = [
        [_as_written(field, value, connection) for field, value in zip(columns, row, strict=True)] for row in rows
    ]
    with connection.cursor() as cursor:
        try:
            with transaction.atomic(using=connection.alias):
                cursor.executemany(insert, values)
        except (OperationalError, InterfaceError):  # no row is wrong: the database is lost
            raise
        except (DatabaseError, ValueError) as error:
            raise _which_row(cursor, insert, table, rows, values) from error


def _which_row(cursor: Any, insert: str, table: Table, rows: list[Row], values: list[list[Any]]) -> Exception:
    for row, one in zip(rows, values, strict=True):
        try:
            with transaction.atomic(using=cursor.db.alias):
                cursor.execute(insert, one)
        except (OperationalError, InterfaceError):
            raise
        except (DatabaseError, ValueError) as error:
            return CannotHold(f"{table._meta.db_table}, row {key_of(table, row)}: {str(error).strip()}")
    return CannotHold(f"{table._meta.db_table}: the rows from {key_of(table, rows[0])} on were not taken.")


def checksum(table: Table, using: str) -> tuple[int, str]:
    """Return how many rows there are, and a checksum of them that does not depend on the form of the database.

    It is the sum of the rows' SHA-256, because two databases can sort the same text keys differently.
    """
    count, total = 0, 0
    for batch in batches(table, using):
        count += len(batch)
        total += sum(int.from_bytes(hashlib.sha256(canonical(table, row)).digest()) for row in batch)
    return count, f"{total % 2**256:064x}"


def canonical(table: Table, row: Row) -> bytes:
    """Return the same bytes for the same values, whatever database they come from."""
    values = [
        {"json": json.loads(value, parse_float=Decimal, parse_int=Decimal)} if _is_json(field) and value else value
        for field, value in zip(_columns(table), row, strict=True)
    ]
    return json.dumps(values, sort_keys=True, default=_plain).encode()


def _plain(value: Any) -> list[str]:
    if isinstance(value, Decimal):
        value = value.normalize(EXACT)
    elif isinstance(value, datetime.datetime):
        value = value.astimezone(datetime.UTC).isoformat()
    elif isinstance(value, (memoryview, bytes)):
        value = bytes(value).hex()
    return [type(value).__name__, str(value)]


def _columns(table: Table) -> list[Any]:
    return list(table._meta.local_concrete_fields)


def _key(table: Table) -> int:
    return _columns(table).index(table._meta.pk)


def _is_json(field: Any) -> bool:
    return isinstance(field, models.JSONField)


def _as_read(field: Any) -> Any:
    """Read JSON as text: as values, JSON's null and an empty column would be the same."""
    return Cast(field.attname, models.TextField()) if _is_json(field) else field.attname


def _as_written(field: Any, value: Any, connection: Any) -> Any:
    if _is_json(field):
        return value if value is None else json.dumps(json.loads(value))
    return field.get_db_prep_save(value, connection=connection)
