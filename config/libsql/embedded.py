"""The embedded file: Django's SQLite backend with options so that writers wait for one another and a commit is on disk.

WAL, ``synchronous=FULL``, ``BEGIN IMMEDIATE`` and a busy timeout. Without IMMEDIATE, concurrent transactions that
read and then write fail with "database is locked", however long the timeout is.
Source: https://docs.djangoproject.com/en/5.2/ref/databases/#sqlite-notes
"""

from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

WAIT_SECONDS = 20
"""How long a writer waits for another one."""


class DatabaseWrapper(base.DatabaseWrapper):
    """Keeps the vendor "sqlite", so that Django's SQL for SQLite applies."""

    display_name = "libSQL (embedded)"
    our_options: dict[str, Any] = {
        "timeout": WAIT_SECONDS,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }

    def get_connection_params(self) -> dict[str, Any]:
        """Django's, and our options where the settings give none. The settings are shared: nothing is written there."""
        shared = self.settings_dict
        self.settings_dict = {**shared, "OPTIONS": {**self.our_options, **shared["OPTIONS"]}}
        try:
            return super().get_connection_params()
        finally:
            self.settings_dict = shared

    def connect(self) -> None:
        """Connect, unless the file was replaced by an encrypted one meanwhile. What is written to the old one is lost.

        Whoever replaces it holds it, and this waits. From the first read on, an open connection keeps it from that.
        """
        before = self._file_number()
        super().connect()
        if before not in (None, self._file_number()):
            self.close()
            raise OperationalError("The database file was replaced. Start this process again, with the new key.")

    def _file_number(self) -> int | None:
        try:
            return Path(self.settings_dict["NAME"]).stat().st_ino
        except OSError:
            return None  # in memory, on a server, or not made yet
