"""Django's SQLite backend with the options under which writers wait for one another and a commit is on disk.

WAL, ``synchronous=FULL``, ``BEGIN IMMEDIATE`` and a busy timeout: without IMMEDIATE, concurrent
read-then-write transactions fail with "database is locked" however long the timeout is.
Source: https://docs.djangoproject.com/en/5.2/ref/databases/#sqlite-notes
"""

from typing import Any

from django.db.backends.sqlite3 import base

DURABLE = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
BUSY_TIMEOUT_SECONDS = 20


class DatabaseWrapper(base.DatabaseWrapper):
    """Keeps the vendor "sqlite", so that Django's SQL for SQLite applies."""

    display_name = "libSQL (embedded)"

    def get_connection_params(self) -> dict[str, Any]:
        options = self.settings_dict["OPTIONS"]
        options.setdefault("timeout", BUSY_TIMEOUT_SECONDS)
        options.setdefault("transaction_mode", "IMMEDIATE")
        options.setdefault("init_command", DURABLE)
        return super().get_connection_params()
