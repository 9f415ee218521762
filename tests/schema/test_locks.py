"""What of a migration would hold a table locked, or break the version that still runs, is told before it is on main."""

from typing import Any

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.migrations.state import ModelState, ProjectState

from tests.schema import locks

SEEN = models.Index(fields=["seats"], name="by_seats")


@pytest.fixture
def state():
    fields = [("id", models.BigAutoField(primary_key=True)), ("seats", models.IntegerField())]
    state = ProjectState()
    state.add_model(ModelState("billing", "Room", fields))
    return state


def added(**how):
    return migrations.AddField("room", "beds", models.IntegerField(**how))


def rules(state, *operations, atomic=True):
    migration: Any = migrations.Migration("0099_rooms", "billing")
    migration.operations, migration.atomic = list(operations), atomic
    return sorted({one.rule for one in locks.faults(migration, state)})


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (added(default=0), ["ban-drop-default"]),  # the old version would write no value where there is no default
        (migrations.RemoveField("room", "seats"), ["ban-drop-column"]),
        (migrations.RenameField("room", "seats", "beds"), ["renaming-column"]),
        (migrations.AlterField("room", "seats", models.TextField()), ["changing-column-type"]),
        (migrations.DeleteModel("room"), ["ban-drop-table"]),
        (migrations.AddIndex("room", SEEN), ["require-concurrent-index-creation"]),
        (AddIndexConcurrently("room", SEEN), ["ban-concurrent-index-creation-in-transaction"]),
        (
            migrations.AddConstraint("room", models.UniqueConstraint(fields=["seats"], name="one")),
            ["constraint-missing-not-valid", "disallowed-unique-constraint"],
        ),
        (
            migrations.AddConstraint("room", models.CheckConstraint(condition=models.Q(seats__gte=0), name="some")),
            ["constraint-missing-not-valid"],
        ),
        (
            migrations.RunSQL('ALTER TABLE "billing_room" ALTER COLUMN "seats" SET NOT NULL'),
            ["adding-not-nullable-field"],
        ),
        (migrations.RunPython(migrations.RunPython.noop), [locks.PYTHON]),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, migrations.operations.base.Operation) else "",
)
def test_it_is_told(state, operation, told):
    assert rules(state, operation) == told


def test_a_constraint_whose_name_only_a_database_knows_is_told(state, django_db_blocker):
    numbered = models.IntegerField(unique=True)
    state.add_field("billing", "room", "number", numbered, preserve_default=True)

    with django_db_blocker.unblock():  # it tries to, where nothing listens
        assert rules(state, migrations.AlterField("room", "number", models.IntegerField())) == [locks.NOT_OFFLINE]


@pytest.mark.parametrize("operation", [added(null=True), added(db_default=0)])
def test_a_column_that_the_old_version_can_leave_out_is_right(state, operation):
    assert rules(state, operation) == []


def test_a_new_table_is_right_with_its_indexes(state):
    fields = [("id", models.BigAutoField(primary_key=True)), ("room", models.ForeignKey("Room", models.PROTECT))]
    table = migrations.CreateModel("Bed", fields, {"indexes": [models.Index(fields=["room"], name="by_room")]})

    assert rules(state, table) == []


def test_an_index_that_is_built_beside_the_writing_is_right(state):
    assert rules(state, AddIndexConcurrently("room", SEEN), atomic=False) == []


def test_what_is_excused_is_not_told_and_an_excuse_for_nothing_is():
    found = [locks.Fault("0099_rooms", "ban-drop-column", "It drops.")]

    assert locks.unexcused(found, {"0099_rooms": {"ban-drop-column": "nothing reads it since 0098"}}) == []
    assert locks.unexcused(found, {}) == ["0099_rooms: ban-drop-column: It drops."]
    (told,) = locks.unexcused([], {"0099_rooms": {"ban-drop-column": "nothing reads it since 0098"}})
    assert "is not there" in told
