"""A column with a constant default is added in place, also to a table of a million rows."""

from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext, isolate_apps

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL never copies a table for that"),
]

NEW: "dict[str, tuple[models.Field[Any, Any], Any]]" = {
    "a number": (models.BigIntegerField(db_default=0), 0),
    "a number that may not be below zero": (models.PositiveIntegerField(db_default=7), 7),
    "a text": (models.CharField(max_length=4, blank=True, db_default="it's"), "it's"),
    "a boolean": (models.BooleanField(db_default=False), False),
    "a number that may be null": (models.BigIntegerField(null=True, db_default=5), 5),
}
COPIED: "dict[str, models.Field[Any, Any]]" = {
    "a default of Python's": models.BigIntegerField(default=0),
    "a unique one": models.BigIntegerField(null=True, unique=True),
}


@pytest.fixture
def table():
    """A table with one row, of a model that no migration knows."""
    with isolate_apps("billing"):

        class Thing(models.Model):
            name = models.CharField(max_length=10)

            class Meta:
                app_label = "billing"

            def __str__(self) -> str:
                return self.name

        with connection.schema_editor() as editor:
            editor.create_model(Thing)
        Thing._default_manager.create(name="old")
        yield Thing
        with connection.schema_editor() as editor:
            editor.delete_model(Thing)


def added(table, field):
    """Add the column, and return what was asked of the database for it."""
    field = field.clone()
    field.contribute_to_class(table, "added")
    with CaptureQueriesContext(connection) as asked, connection.schema_editor() as editor:
        editor.add_field(table, field)
    return [one["sql"] for one in asked if "billing_thing" in one["sql"]]


@pytest.mark.parametrize("what", NEW)
def test_a_constant_default_is_added_in_place_and_stays(table, what):
    field, default = NEW[what]

    statement, *others = added(table, field)

    assert statement.startswith('ALTER TABLE "billing_thing" ADD COLUMN')
    assert not any("new__" in one for one in [statement, *others])
    assert table.objects.get().added == default
    with connection.cursor() as cursor:  # the version before knows no such column
        cursor.execute("INSERT INTO billing_thing (name) VALUES ('new')")
    assert set(table.objects.values_list("added", flat=True)) == {default}


@pytest.mark.parametrize("what", COPIED)
def test_what_sqlite_cannot_add_is_added_by_copying(table, what):
    assert any('"new__billing_thing"' in one for one in added(table, COPIED[what]))
    assert table.objects.count() == 1
