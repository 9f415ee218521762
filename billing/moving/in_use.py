"""Whether another process has the database open that is to be moved."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError

from config.databases import is_libsql_server


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
    if is_libsql_server(connection.settings_dict):
        return None
    with _without_waiting(connection), connection.cursor() as cursor:
        try:
            cursor.execute("PRAGMA journal_mode = DELETE")  # SQLite takes it only from the last connection
        except OperationalError as error:
            if not _is_busy(error):
                raise
            return True
        cursor.execute("PRAGMA journal_mode = WAL")
    return False


def _is_busy(error: OperationalError) -> bool:
    """Whether another process holds the file, rather than something being wrong with it."""
    code: int = getattr(error.__cause__, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF == sqlite3.SQLITE_BUSY


@contextmanager
def _without_waiting(connection: Any) -> Iterator[None]:
    usual, connection.longest_wait = connection.longest_wait, 0.0
    try:
        yield
    finally:
        connection.longest_wait = usual
