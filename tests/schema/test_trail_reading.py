"""The indexes of the trail are built beside its writing, so a migration that was killed is run again from its start."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.state import ProjectState

from billing.models import AuditEntry

MIGRATION = import_module("billing.migrations.0035_trail_reading")
INDEXES = {"audit_of_actor", "audit_of_kind", "audit_of_request"}


def there():
    with connection.cursor() as cursor:
        return INDEXES & set(connection.introspection.get_constraints(cursor, AuditEntry._meta.db_table))


@pytest.mark.django_db(transaction=True)
def test_building_them_again_leaves_each_once():
    after = ProjectState.from_apps(apps)
    steps = [one for one in MIGRATION.Migration.operations if isinstance(one, MIGRATION.AddIndexBeside)]
    try:
        with connection.schema_editor(atomic=False) as editor:
            steps[0].database_backwards("billing", editor, after, after)
        assert there() == INDEXES - {"audit_of_actor"}
    finally:
        with connection.schema_editor(atomic=False) as editor:
            for step in steps:
                step.database_forwards("billing", editor, after, after)
    assert there() == INDEXES
