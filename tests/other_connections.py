"""The tests' database: which form it has, held by another connection, or out of reach."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from psycopg.pq import TransactionStatus

from config.databases import is_libsql_server

ON_SERVER = is_libsql_server(settings.DATABASES["default"])
not_on_libsql_server = pytest.mark.skipif(ON_SERVER, reason="a libSQL server has no read-only connections, and no file")
embedded_only = pytest.mark.skipif(
    ON_SERVER or settings.DATABASES["default"]["ENGINE"] != "config.libsql", reason="about a database file"
)
postgresql_only = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")


def keep_its_file_to_sqlite() -> None:
    """Let no test open the file of the tests' database, or its -shm file. This holds as long as the process lives.

    A process that closes a file loses all its locks on it, also those that SQLite holds. Another process on the same
    database may then think that it is the last one, and remove the -wal and -shm files, which this process still uses.
    From then on each new connection ends with "disk I/O error". Source: sqlite.org/howtocorrupt.html, 2.2.
    """

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            file, name = os.path.abspath(os.fsdecode(arguments[0])), str(settings.DATABASES["default"]["NAME"])
            if file in (name, f"{name}-shm"):
                raise AssertionError("a test opens its own database's file. Let another process do that")

    sys.addaudithook(refuse)


def refused_without_limits(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Let a statement of the impatient or the optional connection run within its time limits only. Wraps each."""
    raw, limits = context["connection"].connection, context["connection"].settings_dict["LIMITS"]
    if not sql.startswith(limits) and raw.info.transaction_status != TransactionStatus.INERROR:
        asked = "SELECT name || ' = ' || setting FROM pg_settings WHERE name = ANY(%s)"
        in_force = {one for (one,) in raw.execute(asked, [["statement_timeout", "lock_timeout"]])}
        assert in_force == set(limits.replace("SET LOCAL ", "").split("; ")), f"without its time limits: {sql}"
    return execute(sql, params, many, context)


def let_go_of(name: str) -> None:
    """Nobody is connected to this database of the tests' server any more: a pooler keeps connections that ended here.

    Without that, PostgreSQL neither drops nor copies it.
    """
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", [name])


@contextlib.contextmanager
def locked_by_another(*tables: str, mode: str = "ACCESS EXCLUSIVE") -> Iterator[None]:
    """Another connection holds these tables, or the whole file, for writing."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            if other.vendor == "sqlite":
                cursor.execute("BEGIN IMMEDIATE")
            else:
                cursor.execute(f"BEGIN; LOCK TABLE {', '.join(tables)} IN {mode} MODE")
            yield
            cursor.execute("ROLLBACK")
    finally:
        other.close()


@contextlib.contextmanager
def out_of_reach(alias: str) -> Iterator[None]:
    """The connection of this name leads to a place where no database is."""
    away = connections[alias]
    away.close()
    if is_libsql_server(away.settings_dict):
        name, nowhere = "NAME", "ws://127.0.0.1:1"
    elif away.vendor == "sqlite":
        name, nowhere = "NAME", str(Path("/no/such/folder/billing.db"))
    else:
        name, nowhere = "PORT", "1"
    kept, away.settings_dict[name] = away.settings_dict[name], nowhere
    try:
        yield
    finally:
        away.settings_dict[name] = kept
        away.close()
