"""The mark on a database that is being moved, was moved, or is being filled by a move.

It is one row in a table that exists only in such a database. No migration makes it, because it must be there before
the tables of a new database are, and a database that nobody moves has no use for it.
"""

import enum
import json
from dataclasses import asdict, dataclass
from typing import Any

from django.db import OperationalError
from django.db.backends.signals import connection_created

TABLE = "database_move"
UID = "refuse-moved-database"


class State(enum.StrEnum):
    MOVING = "moving"
    """The old database: its data is being copied."""
    MOVED = "moved"
    """The old database: its data is in the new one."""
    PREPARING = "preparing"
    """The new database: its tables are being made, and hold nothing of ours."""
    FILLING = "filling"
    """The new database: some rows have arrived."""
    COMPLETE = "complete"
    """The new database: everything has arrived and was compared."""


@dataclass(frozen=True, slots=True)
class Mark:
    """``move`` is the same in both databases; ``other`` says where the other one is, without credentials.

    ``done``, ``table`` and ``after`` say how far the new database is filled: the tables that are complete, and the last
    key of the table that is not.
    """

    state: State
    move: str
    other: str
    version: str
    began_at: str
    ended_at: str = ""
    done: tuple[str, ...] = ()
    table: str = ""
    after: str = ""


class DatabaseMoved(OperationalError):
    """The data is elsewhere. What expects trouble with the database treats it as such, and ``manage.py`` prints it."""


def read(connection: Any) -> Mark | None:
    """Return the mark on this database, if there is one."""
    query = f"SELECT to_regclass('{TABLE}')"
    if connection.vendor == "sqlite":
        query = f"SELECT name FROM sqlite_master WHERE type = 'table' AND name = '{TABLE}'"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = cursor.fetchone()
        if found is None or found[0] is None:
            return None
        cursor.execute(f"SELECT mark FROM {TABLE}")  # noqa: S608
        if (row := cursor.fetchone()) is None:
            return None
    given = json.loads(row[0])
    return Mark(**given | {"state": State(given["state"]), "done": tuple(given["done"])})


def make_table(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (id integer NOT NULL PRIMARY KEY, mark text NOT NULL)")


def put(connection: Any, mark: Mark) -> None:
    make_table(connection)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {TABLE} (id, mark) VALUES (1, %s)", [json.dumps(asdict(mark))])  # noqa: S608


def change(connection: Any, mark: Mark) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET mark = %s", [json.dumps(asdict(mark))])  # noqa: S608


def take_off(connection: Any) -> None:
    """Remove the mark, and leave its table."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")  # noqa: S608


def remove(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE}")


def watch() -> None:
    """Let no process work with a database that has a mark. Called once, when the apps are ready."""
    connection_created.connect(_refuse, dispatch_uid=UID)


def stop_watching() -> None:
    """For the move itself."""
    connection_created.disconnect(dispatch_uid=UID)


def _refuse(connection: Any, **_: Any) -> None:
    """Refuse a new connection. The impatient ones are left out, because they must cost no statement.

    A web server or worker opens the default connection when it starts, so it does not start on such a database.

    Raises:
        DatabaseMoved: with what to do.
    """
    if connection.alias != "default":
        return
    try:
        found = read(connection)
    except BaseException:
        connection.close()
        raise
    if found is not None:
        connection.close()
        raise DatabaseMoved(in_words(found))


def in_words(mark: Mark) -> str:
    """What a person reads who starts something on this database."""
    if mark.state is State.MOVED:
        return (
            f"The data of this database was moved to {mark.other} at {mark.ended_at} (version {mark.version}). Set "
            "DATABASE_URL to that database. To use this one again, as it was then, stop web and workers of the other "
            "one, and run: python manage.py move_database --abandon"
        )
    if mark.state is State.MOVING:
        return (
            f"This database is being moved to {mark.other} since {mark.began_at}. To continue, run move_database again "
            "with the same --to. To stay with this one, run: python manage.py move_database --abandon"
        )
    return (
        f"This database is being filled from {mark.other} since {mark.began_at}, and the move has not ended. To "
        "continue, set DATABASE_URL to the database that is moved, and run move_database again."
    )
