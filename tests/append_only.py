"""Tests empty every table after themselves, the append-only ones too. Nothing outside of tests can do that."""

from typing import Any

from django.core.management.commands import flush
from django.db import connections
from django.db.models import QuerySet
from django.test import TransactionTestCase

from billing.audit import append_only


def empty_after_each_test() -> None:
    """Let the test case lift the triggers where it empties the tables. To be called once, before the first test."""
    setattr(TransactionTestCase, "_fixture_teardown", _empty)  # noqa: B010  its stubs do not know it


def _empty(self: Any) -> None:
    for name in self._databases_names(include_mirrors=False):
        with append_only.lifted(connections[name]):
            flush.Command().handle(
                verbosity=0, interactive=False, database=name, reset_sequences=False, allow_cascade=False
            )


def rewrite(entries: QuerySet[Any], **values: Any) -> None:
    """Change rows of an append-only table, as its owner can who drops the triggers."""
    with append_only.lifted(connections[entries.db]):
        QuerySet.update(entries, **values)
