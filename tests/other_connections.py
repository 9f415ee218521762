"""The tests' database: which form it has, held by another connection, or out of reach."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections

from config.databases import is_libsql_server

ON_SERVER = is_libsql_server(settings.DATABASES["default"])
not_on_libsql_server = pytest.mark.skipif(ON_SERVER, reason="a libSQL server has no read-only connections, and no file")
embedded_only = pytest.mark.skipif(
    ON_SERVER or settings.DATABASES["default"]["ENGINE"] != "config.libsql", reason="about the embedded file"
)


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
