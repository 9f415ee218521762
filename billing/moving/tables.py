"""Which tables are moved, and in which order, so that what a row refers to is there before it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.migrations.recorder import MigrationRecorder

from billing.migrate_lease import MigrateLease
from billing.moving import mark

Table = type[models.Model]


@dataclass(frozen=True, slots=True)
class Group:
    """Tables whose rows arrive in one transaction where they refer to one another, else batch by batch."""

    tables: tuple[Table, ...]
    refer_to_one_another: bool


def moved() -> list[Table]:
    """All tables of all apps, in the order of their names. A new database has its own list of migrations."""
    found = apps.get_models(include_auto_created=True)
    return sorted(
        (one for one in found if one._meta.managed and not one._meta.proxy), key=lambda one: one._meta.db_table
    )


def unknown_with_rows(connection: Any) -> list[str]:
    """Return the tables that hold rows and that this version does not know, so it cannot move them."""
    own = {
        MigrationRecorder.Migration._meta.db_table,
        MigrateLease._meta.db_table,
        mark.TABLE,
    }  # each database has its own
    known = {one._meta.db_table for one in moved()} | own
    found = []
    with connection.cursor() as cursor:
        for name in sorted(set(connection.introspection.table_names(cursor)) - known):
            cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(name)} LIMIT 1")  # noqa: S608
            if cursor.fetchone():
                found.append(name)
    return found


def in_order(using: str) -> list[Group]:
    """Return the tables that have rows, in groups: a group refers only to itself and to groups before it."""
    left = {table: _refers_to(table, using) for table in moved() if table._base_manager.using(using).exists()}
    left = {table: others & left.keys() for table, others in left.items()}
    groups = []
    while left:
        group = min((_reachable(table, left) for table in left), key=len)
        groups.append(Group(_by_name(group), any(left[table] & group for table in group)))
        left = {table: others - group for table, others in left.items() if table not in group}
    return groups


def _refers_to(table: Table, using: str) -> set[Table]:
    """Return the tables that a row of this one refers to. A column that is empty everywhere does not count."""
    rows = table._base_manager.using(using)
    return {
        field.remote_field.model
        for field in table._meta.local_concrete_fields
        if isinstance(field, models.ForeignKey) and rows.filter(**{f"{field.name}__isnull": False}).exists()
    }


def _reachable(table: Table, refers: dict[Table, set[Table]]) -> set[Table]:
    found: set[Table] = set()
    todo = [table]
    while todo:
        if (one := todo.pop()) not in found:
            found.add(one)
            todo += refers[one]
    return found


def _by_name(tables: Iterable[Table]) -> tuple[Table, ...]:
    return tuple(sorted(tables, key=lambda one: one._meta.db_table))
