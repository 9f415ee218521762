"""The command ``migrate``, faster on an empty database, and able to apply two migrations that were added late.

dj-stripe's migrations build and rebuild about fifty tables (its second one has 523 operations). This takes most of a
minute. If none of its tables exists yet, they are created in their last form, and its migrations are recorded as
applied. tests/config/test_first_migrate.py compares the two ways.

Afterwards the names that are not folded yet are folded. In a migration that would be one long transaction.

Two of our migrations were put before others that were already on main. Django refuses a database that ran those
others before it runs anything, so a migration cannot repair this.
"""

from typing import Any

from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from billing import folded_names

APP = "djstripe"
FOLDED_NAMES = "0015_folded_names"
PUT_BEFORE = {"0005_subscription_terms": "0006_payment_methods", "0007_invoices": "0008_adjustments"}
"""The migrations that came later to main, each with the one that it was put before. Never add to this."""


class Command(migrate.Command):
    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--step-by-step", action="store_true", help="Run dj-stripe's own migrations one by one.")

    def handle(self, *args: Any, **options: Any) -> Any:
        step_by_step = options.pop("step_by_step", False)
        whole_project = not options["app_label"] and not options["plan"] and not options["check_unapplied"]
        connection = connections[options["database"]]
        if not options["plan"] and not options["check_unapplied"] and not options["fake"]:
            for name in apply_what_was_put_before(connection):
                self.stdout.write(f"  Applied billing.{name}, which comes before {PUT_BEFORE[name]}")
        if whole_project and not step_by_step and not options["fake"] and is_empty(connection):
            call_command("migrate", "billing", "0001", database=options["database"], verbosity=options["verbosity"])
            create_tables(connection)
        super().handle(*args, **options)
        if not options["plan"] and not options["check_unapplied"] and not options["fake"]:
            fold_names(connection)


def is_empty(connection: Any) -> bool:
    """Return whether no table of dj-stripe exists and none of its migrations is recorded."""
    recorder = MigrationRecorder(connection)
    if any(app == APP for app, _ in recorder.applied_migrations()):
        return False
    return not any(name.startswith(f"{APP}_") for name in connection.introspection.table_names())


def create_tables(connection: Any) -> None:
    """Create dj-stripe's tables as its last migration leaves them, and record its migrations as applied."""
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


def fold_names(connection: Any) -> None:
    """The folded names are right, in a database that has their columns."""
    if ("billing", FOLDED_NAMES) in MigrationRecorder(connection).applied_migrations():
        folded_names.fold_all(using=connection.alias)


def apply_what_was_put_before(connection: Any) -> list[str]:
    """Apply each migration of PUT_BEFORE if the one that it was put before is applied. Return their names.

    The models must be as this database has them, because SQLite copies a table by the columns in the models.
    """
    executor = MigrationExecutor(connection)
    ours = {name for app, name in executor.loader.applied_migrations if app == "billing"}
    left_out = [name for name, later in PUT_BEFORE.items() if later in ours and name not in ours]
    if not left_out:
        return []
    migrations = {name: one for (app, name), one in executor.loader.disk_migrations.items() if app == "billing"}
    state = executor.loader.project_state(("billing", "0004_worker"))
    for name in sorted(name for name in ours & set(migrations) if name > "0005"):
        state = migrations[name].mutate_state(state, preserve=False)
    for name in left_out:
        state = executor.apply_migration(state, migrations[name])
    return left_out
