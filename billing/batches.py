"""Rows in batches, each read by a query of its own that has ended.

So memory is bounded, and whoever goes through the rows may write meanwhile. With ``QuerySet.iterator`` they may not: a
database file refuses the write of a connection that is still reading if another connection has written since. And a
pooler such as pgbouncer knows no cursor that stays open between two transactions.
Source: https://www.sqlite.org/isolation.html
"""

from collections.abc import Iterator
from typing import TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
SIZE = 1_000


def batches(rows: QuerySet[Row], *, size: int | None = None) -> Iterator[list[Row]]:
    """Yield the rows in the order of their primary keys, at most ``size`` in each list (or SIZE), and no empty list."""
    rows, size = rows.order_by("pk"), size or SIZE
    batch = list(rows[:size])
    while batch:
        yield batch
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:size]) if len(batch) == size else []


def each(rows: QuerySet[Row], *, size: int | None = None) -> Iterator[Row]:
    """Yield the rows in the order of their primary keys."""
    for batch in batches(rows, size=size):
        yield from batch
