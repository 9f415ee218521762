"""A database file: Django's SQLite backend with options so that writers wait for one another and a commit is on disk.

WAL, ``synchronous=FULL``, ``BEGIN IMMEDIATE`` and a busy timeout. Without IMMEDIATE, concurrent transactions that
read and then write fail with "database is locked", however long the timeout is.
Source: https://docs.djangoproject.com/en/5.2/ref/databases/#sqlite-notes
"""

from typing import Any

from django.db.backends.sqlite3 import base

from config.libsql.schema import DatabaseSchemaEditor

WAIT_SECONDS = 20
"""How long a writer waits for another one."""


class DatabaseWrapper(base.DatabaseWrapper):
    """Keeps the vendor "sqlite", so that Django's SQL for SQLite applies."""

    display_name = "libSQL (embedded)"
    SchemaEditorClass = DatabaseSchemaEditor
    our_options: dict[str, Any] = {
        "timeout": WAIT_SECONDS,
        "transaction_mode": "IMMEDIATE",
        # the last one reads: an open connection that has read holds the file, see config/libsql/encryption.py
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA user_version",
    }

    def get_connection_params(self) -> dict[str, Any]:
        """Django's, and our options where the settings give none. The settings are shared: nothing is written there."""
        shared = self.settings_dict
        self.settings_dict = {**shared, "OPTIONS": {**self.our_options, **shared["OPTIONS"]}}
        try:
            return super().get_connection_params()
        finally:
            self.settings_dict = shared
