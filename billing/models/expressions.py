"""Conditions that are written so that the database takes the index that fits."""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Concat
from django.db.models.lookups import In


class Constant(Value):
    """A word or a number of ours that is written into the SQL, so that SQLite uses an index of the rows that have it.

    A value that is given beside the SQL cannot prove to its planner that a partial index has the row.
    Source: https://www.sqlite.org/partialindex.html
    """

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        value = self.value if isinstance(self.value, int) else str(self.value)
        return str(connection.schema_editor().quote_value(value)), []


def one_of(column: str, words: Iterable[str]) -> Q:
    """Return the condition that the column has one of these words, for which no database takes an index of the column.

    It is for where another index fits better, mostly because most rows have one of them.
    """
    return Q(In(Concat(F(column), Value("")), [str(one) for one in words]))
