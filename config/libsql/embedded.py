"""A database file: Django's SQLite backend with options so that writers wait for one another and a commit is on disk.

WAL, ``synchronous=FULL``, ``BEGIN IMMEDIATE`` and a wait. Without IMMEDIATE, concurrent transactions that read and then
write fail with "database is locked", however long they wait.
Source: https://docs.djangoproject.com/en/5.2/ref/databases/#sqlite-notes

While another connection writes, SQLite naps before it tries again, and its naps become longer, up to 0.1 s
(``sqliteDefaultBusyCallback`` in its source). Twelve threads that write for some milliseconds each would mostly sleep.
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
_turns: dict[str, threading.Lock] = defaultdict(threading.Lock)
"""For each file, who holds this is the one thread of this process that tries."""


class WaitingCursor:
    """Executes each statement when others have written. Put before the cursor that executes it."""

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
        """Do what Django does, and leave long waits to us. The commands of the options waited as SQLite does."""
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
            if not self._did_nothing(error):
                raise
            locked = error
        turn = _turns[str(self.settings_dict["NAME"])]
        if not turn.acquire(timeout=max(0.0, self.longest_wait - (time.monotonic() - began))):
            raise locked
        try:
            while time.monotonic() - began < self.longest_wait:
                try:
                    return execute(*statement)
                except self.Database.OperationalError as error:
                    if not self._did_nothing(error):
                        raise
                    locked = error
        finally:
            turn.release()
        raise locked

    def _did_nothing(self, error: Exception) -> bool:
        """Return whether another connection writes. A transaction of ours has the lock already."""
        return str(error) == "database is locked" and not self.connection.in_transaction
