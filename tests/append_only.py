"""Tests empty every table after themselves, the append-only ones too. Nothing outside of tests can do that."""

from typing import Any

from django.core.management.commands import flush
from django.db import connections, transaction
from django.db.models import QuerySet
from django.test import TransactionTestCase

from billing.audit import append_only


def empty_after_each_test() -> None:
    """Let the test case lift the triggers where it empties the tables. To be called once, before the first test."""
    setattr(TransactionTestCase, "_fixture_teardown", _empty)  # noqa: B010  its stubs do not know it


def _empty(self: Any) -> None:
    names = self._databases_names(include_mirrors=False)
    for name in {connections[name].settings_dict["NAME"]: name for name in names}.values():
        if not _only_what_came(connections[name]):
            _everything(name)


def note_what_is_always_there(connection: Any) -> None:
    """Remember which rows `migrate` makes: of content types, permissions and roles. They stay between tests."""
    FIRST[connection.settings_dict["NAME"]] = {table: _count(connection, table) for table in _with_rows(connection)}


FIRST: dict[str, dict[str, int]] = {}


def _only_what_came(connection: Any) -> bool:
    """Empty the tables that were empty. Return False if this is not enough, because others have other rows now.

    Django's own way empties all tables and makes the rows of `migrate` again, which takes many times as long.
    """
    first = FIRST.get(connection.settings_dict["NAME"])
    if first is None or any(_count(connection, table) != count for table, count in first.items()):
        return False
    came = [table for table in _with_rows(connection) if table not in first]
    with append_only.lifted(connection), transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for table in came:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
    return True


def _with_rows(connection: Any) -> list[str]:
    tables = connection.introspection.django_table_names(only_existing=False, include_views=False)
    each = (f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(table)})" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        return [table for (table,) in cursor.fetchall()]


def _count(connection: Any, table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")
        return int(cursor.fetchone()[0])


def _everything(name: str) -> None:
    with append_only.lifted(connections[name]):
        flush.Command().handle(
            verbosity=0, interactive=False, database=name, reset_sequences=False, allow_cascade=False
        )


def rewrite(entries: QuerySet[Any], **values: Any) -> None:
    """Change rows of an append-only table, as its owner can who drops the triggers."""
    with append_only.lifted(connections[entries.db]):
        QuerySet.update(entries, **values)
