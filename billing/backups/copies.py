"""A copy of the whole database as it is at one moment, made while web and worker run.

| form of the database | is copied by | and the copy is |
|---|---|---|
| a database file, plain or encrypted | ``VACUUM INTO``, which reads the WAL too | such a file, with the same key |
| a libSQL server | ``GET /dump``, from one read transaction | a plain database file |
| PostgreSQL | ``pg_dump``, from one snapshot | a dump of its custom format |
"""

import enum
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from billing.backups import NotDone, postgresql
from config.databases import is_libsql_server

SILENT_SECONDS = 60


class Form(enum.StrEnum):
    """What the copy is, so what it can be restored into."""

    FILE = "file"
    ENCRYPTED = "encrypted file"
    POSTGRESQL = "postgresql"


def form_of(entry: dict[str, Any]) -> Form:
    """Return the form of a copy of the database with these settings."""
    if entry["ENGINE"] == "django.db.backends.postgresql":
        return Form.POSTGRESQL
    return Form.ENCRYPTED if entry["PASSWORD"] and not is_libsql_server(entry) else Form.FILE


def make(connection: Any, to: Path) -> None:
    """Write the copy. Raises: NotDone, OperationalError."""
    if connection.vendor == "postgresql":
        postgresql.dump(connection, to)
    elif is_libsql_server(connection.settings_dict):
        _dump_of_server(connection.settings_dict, to)
    else:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(to)])


def _dump_of_server(entry: dict[str, Any], to: Path) -> None:
    """Write what the server dumps into a database file. Source: https://docs.turso.tech/cli/db/shell (.dump)"""
    server = urlsplit(str(entry["NAME"]))
    url = f"{'http' if server.scheme == 'ws' else 'https'}://{server.netloc}/dump"
    headers = {"Authorization": f"Bearer {entry['PASSWORD']}"} if entry["PASSWORD"] else {}
    try:
        with (
            requests.Session() as session,
            session.get(url, headers=headers, stream=True, timeout=SILENT_SECONDS) as answer,
        ):
            answer.raise_for_status()
            _run_script(answer, to)
    except requests.RequestException as error:
        raise NotDone(f"The libSQL server did not give its dump: {type(error).__name__}.") from error


def _run_script(answer: requests.Response, to: Path) -> None:
    """Run the statements one by one, so that they need not fit into memory. Raises: NotDone, if the end is missing."""
    copy = sqlite3.connect(to, isolation_level=None)
    try:
        statement, last = "", ""
        for line in _lines(answer):
            statement += line.decode() + "\n"
            if sqlite3.complete_statement(statement):
                copy.execute(statement)
                statement, last = "", statement.strip()
        if last != "COMMIT;":
            raise NotDone("The libSQL server did not send its dump to the end. Try again.")
    except sqlite3.Error as error:
        raise NotDone(f"The dump of the libSQL server cannot be read: {error}.") from error
    finally:
        copy.close()


def _lines(answer: requests.Response) -> Iterator[bytes]:
    """Yield what is between the line feeds. ``iter_lines`` adds one where a piece ends with one, perhaps in a text."""
    left = b""
    for piece in answer.iter_content(1 << 16):
        *whole, left = (left + piece).split(b"\n")
        yield from whole
    yield left
