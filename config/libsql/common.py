"""What all forms of libSQL have in common: Django's SQLite backend, with options of ours."""

from typing import Any

from django.db.backends.sqlite3 import base

from config.libsql.schema import DatabaseSchemaEditor

WAIT_SECONDS = 20
"""How long a writer waits for another one."""


class DatabaseWrapper(base.DatabaseWrapper):
    """Keeps the vendor "sqlite", so that Django's SQL for SQLite applies."""

    SchemaEditorClass = DatabaseSchemaEditor
    our_options: dict[str, Any]

    def get_connection_params(self) -> dict[str, Any]:
        """Django's, and our options where the settings give none. The settings are shared: nothing is written there."""
        shared = self.settings_dict
        self.settings_dict = {**shared, "OPTIONS": {**self.our_options, **shared["OPTIONS"]}}
        try:
            return super().get_connection_params()
        finally:
            self.settings_dict = shared
