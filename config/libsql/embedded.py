"""A database file: Django's SQLite backend with options so that writers wait for one another and a commit is on disk.

WAL, ``synchronous=FULL``, ``BEGIN IMMEDIATE`` and a wait. Without IMMEDIATE, concurrent transactions that read and then
write fail with "database is locked", however long they wait.
Source: https://docs.djangoproject.com/en/5.2/ref/databases/#sqlite-notes

While another connection writes, SQLite naps before it tries again, and its naps become longer, up to 0.1 s
(``sqliteDefaultBusyCallback`` in its source). Many threads that write for some milliseconds each would mostly sleep.
So SQLite takes only its first naps here. After these the statement is tried again, until its time is over. One thread
of a process tries, and the others wait for their turn.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.db.backends.sqlite3 import base

from config.libsql import common

NAPS_MILLISECONDS = 8
"""SQLite's first three: 1, 2 and 5 ms."""
NO_NAP_SECONDS = 0.002
"""SQLite does not nap if no wait can help: this connection is reading, and what it reads is not the newest any more."""
_turns: dict[str, threading.Lock] = defaultdict(threading.Lock)
"""One lock for each file. The thread that holds it tries, and the other threads of this process wait for the lock."""


class WaitingCursor:
    """Waits until others have written. Name it before the driver's cursor among the base classes.

    ``executemany`` does not wait, because some of its rows may be written already. Call it in a transaction.
    """

    database: "DatabaseWrapper"

    def execute(self, *statement: Any) -> Any:
        return self.database.when_others_have_written(super().execute, *statement)  # type: ignore[misc]


class Cursor(WaitingCursor, base.SQLiteCursorWrapper):
    pass


class DatabaseWrapper(common.DatabaseWrapper):
    display_name = "libSQL (embedded)"
    our_options: dict[str, Any] = {
        "timeout": common.WAIT_SECONDS,
        "transaction_mode": "IMMEDIATE",
        # the last one reads: an open connection that has read holds the file, see config/libsql/encryption.py
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA user_version",
    }
    cursor_class: type[WaitingCursor] = Cursor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.longest_wait: float = {**self.our_options, **self.settings_dict["OPTIONS"]}["timeout"]
        """For how many seconds a statement waits for another connection that writes."""

    def init_connection_state(self) -> None:
        """Do what Django does, and leave long waits to us. ``init_command`` has run before, with SQLite's own naps."""
        super().init_connection_state()
        self.connection.execute(f"PRAGMA busy_timeout = {NAPS_MILLISECONDS}")

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = self.connection.cursor(factory=self.cursor_class)
        cursor.database = self
        return cursor

    def when_others_have_written(self, execute: Callable[..., Any], *statement: Any) -> Any:
        """Execute the statement, and again as long as another connection writes.

        Raises: OperationalError of the driver. The database is still locked after ``longest_wait``.
        """
        began = time.monotonic()
        try:
            return execute(*statement)
        except self.Database.OperationalError as error:
            left = self._left_to_wait(error, since=began, tried=began)
            if left <= 0 or not (turn := _turns[str(self.settings_dict["NAME"])]).acquire(timeout=left):
                raise
        try:
            while True:
                tried = time.monotonic()
                try:
                    return execute(*statement)
                except self.Database.OperationalError as error:
                    if self._left_to_wait(error, since=began, tried=tried) <= 0:
                        raise
        finally:
            turn.release()

    def _left_to_wait(self, error: Exception, *, since: float, tried: float) -> float:
        """Return for how many seconds the statement may be tried again. 0: it would not help, or could do harm.

        In a transaction nothing is tried again. Ours begin with IMMEDIATE, so they have the lock already.
        """
        now = time.monotonic()
        if str(error) != "database is locked" or self.connection.in_transaction or now - tried < NO_NAP_SECONDS:
            return 0.0
        return self.longest_wait - (now - since)
