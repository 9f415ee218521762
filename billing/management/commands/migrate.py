"""``migrate``, but quick on an empty database.

dj-stripe's migrations build and rebuild some fifty tables (523 operations in its second), which takes most
of a minute. Where none of its tables exists yet they are created as they end up, and its migrations are
recorded as applied. tests/config/test_first_migrate.py holds the two ways against each other.
"""

from typing import Any

from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

APP = "djstripe"


class Command(migrate.Command):
    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--step-by-step", action="store_true", help="Run dj-stripe's own migrations one by one.")

    def handle(self, *args: Any, **options: Any) -> Any:
        step_by_step = options.pop("step_by_step", False)
        whole_project = not options["app_label"] and not options["plan"] and not options["check_unapplied"]
        connection = connections[options["database"]]
        if whole_project and not step_by_step and not options["fake"] and is_empty(connection):
            call_command("migrate", "billing", "0001", database=options["database"], verbosity=options["verbosity"])
            create_tables(connection)
        return super().handle(*args, **options)


def is_empty(connection: Any) -> bool:
    """No table of dj-stripe exists, and none of its migrations is recorded."""
    recorder = MigrationRecorder(connection)
    if any(app == APP for app, _ in recorder.applied_migrations()):
        return False
    return not any(name.startswith(f"{APP}_") for name in connection.introspection.table_names())


def create_tables(connection: Any) -> None:
    """dj-stripe's tables stand as its last migration leaves them, and its migrations count as applied."""
    loader = MigrationLoader(connection)
    with connection.schema_editor() as editor:
        for model in loader.project_state().apps.get_app_config(APP).get_models():
            if model._meta.managed and not model._meta.proxy:
                editor.create_model(model)
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    for app, name in loader.disk_migrations:
        if app == APP:
            recorder.record_applied(app, name)
