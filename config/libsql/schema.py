"""Changing tables: a new column that is not null is added in place, where Django's SQLite backend copies the table.

SQLite can add such a column if it has a constant default that stays. Then no row is written, and nobody waits.
Source: https://www.sqlite.org/lang_altertable.html#alter_table_add_column
"""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.sqlite3 import schema
from django.db.models import Value


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    def add_field(self, model: Any, field: Any) -> None:
        if _can_be_added(field):
            BaseDatabaseSchemaEditor.add_field(self, model, field)
        else:
            super().add_field(model, field)


def _can_be_added(field: Any) -> bool:
    """Return whether the column has a constant default in the database, and nothing that SQLite cannot add."""
    is_plain = not (field.primary_key or field.unique or field.remote_field or getattr(field, "generated", False))
    return is_plain and field.has_db_default() and isinstance(field._db_default_expression, Value)
