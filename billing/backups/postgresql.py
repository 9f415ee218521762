"""PostgreSQL's own programs, which dump and restore. Their environment has the password, and no argument has it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from psycopg import pq

from billing.backups import NotDone, last_line

PATIENT = "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"
"""The defaults of the product's role would end what takes long."""


def dump(connection: Any, to: Path) -> None:
    """Write the whole database, as it is at one moment, into a file of pg_dump's own format. Raises: NotDone."""
    _run(
        ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={to}"],
        env=_environment(connection),
    )


def restore(connection: Any, script: Path) -> None:
    """Run the script in one transaction. If it fails, the database is as before. Raises: NotDone."""
    _run(
        ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", f"--file={script}"],
        env=_environment(connection),
    )


def as_script(dump: Path, to: Path) -> None:
    """Write the SQL that makes what the dump holds. Raises: NotDone."""
    _run(["pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", f"--file={to}", str(dump)], env=None)


def rows(dump: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each row in the dump: the table without its schema, and its values as text by column. No server is asked.

    Source: https://www.postgresql.org/docs/current/sql-copy.html (text format)
    Raises: NotDone.
    """
    command = [_program("pg_restore"), "--data-only", "--exit-on-error", "--file=-", str(dump)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reading:  # noqa: S603
        assert reading.stdout
        assert reading.stderr
        table, columns = "", [""]
        for line in reading.stdout:
            if not table and line.startswith(b"COPY "):
                name, _, rest = line.decode().removeprefix("COPY ").partition(" (")
                table = name.rpartition(".")[2].strip('"')
                columns = [one.strip('" ') for one in rest.partition(")")[0].split(",")]
            elif table and line == b"\\.\n":
                table = ""
            elif table:
                yield table, dict(zip(columns, line.decode().rstrip("\n").split("\t"), strict=True))
        said = reading.stderr.read()
    if reading.returncode:
        raise NotDone(f"pg_restore cannot read the dump: {last_line(said, default='it said nothing')}")


def _run(command: list[str], *, env: dict[str, str] | None) -> None:
    done = subprocess.run(  # noqa: S603
        [_program(command[0]), *command[1:]], env=env, capture_output=True, check=False
    )
    if done.returncode:
        raise NotDone(f"{command[0]} failed: {last_line(done.stderr, default='it said nothing')}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NotDone(
            f"{name} is not installed. Install the client programs of PostgreSQL, of the server's version or newer."
        )
    return found


def _environment(connection: Any) -> dict[str, str]:
    """Return the environment in which a program of PostgreSQL finds this database."""
    given = connection.get_connection_params()
    names = {one.keyword.decode(): one.envvar.decode() for one in pq.Conninfo.get_defaults() if one.envvar}
    found = {names[keyword]: str(value) for keyword, value in given.items() if keyword in names and value is not None}
    return {**os.environ, **found, "PGOPTIONS": PATIENT}
