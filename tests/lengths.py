"""A text that is too long for its column is refused on each database, as PostgreSQL does. SQLite would store it.

So what would fail on PostgreSQL alone fails in ``make test`` too.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DataError, connection, models

_kept = True


def kept_on_each_database() -> None:
    """Let each text that Django writes be measured. It goes for all rows that are saved, in bulk or one by one."""
    prepared = models.CharField.get_db_prep_save

    def measured(field: Any, value: Any, connection: Any) -> Any:
        if _kept and isinstance(value, str) and field.max_length is not None and len(value) > field.max_length:
            raise DataError(f"value too long for type character varying({field.max_length}): {field}")
        return prepared(field, value, connection)

    models.CharField.get_db_prep_save = measured  # type: ignore[method-assign, assignment]


@contextlib.contextmanager
def not_kept() -> Iterator[None]:
    """Write what is too long. A test with it is of no use on PostgreSQL, and skipped there."""
    global _kept  # noqa: PLW0603
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL does not store it")
    _kept = False
    try:
        yield
    finally:
        _kept = True
