"""Django's SQLite backend with options that make writers wait for one another and put a commit on disk.

The options are WAL, ``synchronous=FULL``, ``BEGIN IMMEDIATE`` and a busy timeout. Without IMMEDIATE, concurrent
transactions that read and then write fail with "database is locked", however long the timeout is.
Source: https://docs.djangoproject.com/en/5.2/ref/databases/#sqlite-notes
"""

from typing import Any

from django.db.backends.sqlite3 import base

DURABLE = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
BUSY_TIMEOUT_SECONDS = 20


class DatabaseWrapper(base.DatabaseWrapper):
    """The backend. It keeps the vendor "sqlite", so that Django's SQL for SQLite applies."""

    display_name = "libSQL (embedded)"

    def get_connection_params(self) -> dict[str, Any]:
        options = self.settings_dict["OPTIONS"]
        options.setdefault("timeout", BUSY_TIMEOUT_SECONDS)
        options.setdefault("transaction_mode", "IMMEDIATE")
        options.setdefault("init_command", DURABLE)
        return super().get_connection_params()
