"""Rows that many tests begin with: written once by the product, and then put back as the database held them."""

import time

from django.db import connection, transaction

from billing.models import AuditEntry
from billing.moving import rows, tables


class KeptRows:
    """The rows of the tables that were empty before and have rows now."""

    def __init__(self, *, had_rows: set[tables.Table]) -> None:
        self.tables = [
            (table, [row for batch in rows.batches(table, "default") for row in batch])
            for group in tables.in_order("default")
            for table in group.tables
            if table not in had_rows
        ]
        self.began = time.monotonic()

    @property
    def age(self) -> float:
        """In seconds."""
        return time.monotonic() - self.began

    def fit(self) -> bool:
        """Return whether all these tables are empty."""
        return not any(table._base_manager.exists() for table, _ in self.tables)

    def put_back(self) -> None:
        with transaction.atomic():
            for table, values in self.tables:
                rows.write(table, values, connection)


def with_rows() -> set[tables.Table]:
    """Return the tables that have rows."""
    return {table for group in tables.in_order("default") for table in group.tables}


def nobody_was_here() -> bool:
    """Return whether nothing was done yet. Everything that is done leaves an audit entry."""
    return not AuditEntry._base_manager.exists()
