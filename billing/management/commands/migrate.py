"""The command ``migrate``: one at a time, faster on an empty database, and able to apply two late migrations.

dj-stripe's migrations build and rebuild about fifty tables (its second one has 523 operations). This takes most of a
minute. If none of its tables exists yet, they are created in their last form, and its migrations are recorded as
applied. tests/config/test_first_migrate.py compares the two ways.

Afterwards the names that are not folded yet are folded. In a migration that would be one long transaction. And the
grants of members are written as the table of roles says, which may be newer than they are.

Two of our migrations were put before others that were already on main. Django refuses a database that ran those
others before it runs anything, so a migration cannot repair this.

While one ``migrate`` runs, another one on the same database is refused: see billing/migrate_lease.py.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from billing import folded_names, member_grants, search_parts
from billing.migrate_lease import LASTS, HeldByAnother, Lease

APP = "djstripe"
FOLDED_NAMES, SEARCH_PARTS = "0015_folded_names", "0044_search_and_lists"
PUT_BEFORE = {"0005_subscription_terms": "0006_payment_methods", "0007_invoices": "0008_adjustments"}
"""The migrations that came later to main, each with the one that it was put before. Never add to this."""

PAUSE_AFTER_SECONDS, PAUSE_SECONDS = 1.0, 0.15
"""SQLite has one writer at a time. Whoever waits for it looks again soon. Only a process of the version before, which
may still run, may sleep for 0.1 s (``sqliteDefaultBusyCallback`` in SQLite's source). So if ``migrate`` has run for a
while, it lets others write between two migrations. Nobody writes into an empty database."""

RARELY = 50_000
"""Python collects garbage when there are this many new objects. Its own number is 700, and 2,000 since 3.13."""


class Command(migrate.Command):
    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--step-by-step", action="store_true", help="Run dj-stripe's own migrations one by one.")
        parser.add_argument(
            "--lease",
            type=int,
            metavar="SECONDS",
            default=int(LASTS.total_seconds()),
            help="How long another migrate is refused after the last step of one that was killed. "
            "It must be longer than your longest migration takes. Default: %(default)s.",
        )

    def handle(self, *args: Any, **options: Any) -> Any:
        lasts = timedelta(seconds=options.pop("lease"))
        step_by_step = options.pop("step_by_step", False)
        if options["plan"] or options["check_unapplied"]:
            return super().handle(*args, **options)
        connection = connections[options["database"]]
        self.lease = Lease(connection, lasts=lasts)
        self.lets_others_write = connection.vendor == "sqlite" and not is_empty(connection)
        self.paused = time.monotonic()
        try:
            with self.lease.held(), garbage_collected_rarely():
                self._migrate(connection, *args, step_by_step=step_by_step, **options)
        except HeldByAnother as error:
            raise CommandError(str(error)) from None

    def _migrate(self, connection: Any, *args: Any, step_by_step: bool, **options: Any) -> None:
        if not options["fake"]:
            for name in apply_what_was_put_before(connection):
                self.stdout.write(f"  Applied billing.{name}, which comes before {PUT_BEFORE[name]}")
            if not options["app_label"] and not step_by_step and is_empty(connection):
                first = {"app_label": "billing", "migration_name": "0001", "run_syncdb": False, "prune": False}
                super().handle(*args, **{**options, **first})
                create_tables(connection)
        super().handle(*args, **options)
        if not options["fake"]:
            fold_names(connection)
            mend_grants(connection)

    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        if action in ("apply_start", "unapply_start"):
            self.lease.renew()
        super().migration_progress_callback(action, migration, fake)
        ended = action in ("apply_success", "unapply_success")
        if ended and self.lets_others_write and time.monotonic() - self.paused > PAUSE_AFTER_SECONDS:
            time.sleep(PAUSE_SECONDS)
            self.paused = time.monotonic()


@contextmanager
def garbage_collected_rarely() -> Iterator[None]:
    """Let more garbage wait before Python collects it. Django makes all its model classes anew for most operations.

    So an empty file is migrated in about four fifths of the time, and the process takes more memory meanwhile.
    """
    youngest, *older = gc.get_threshold()
    gc.set_threshold(RARELY, *older)
    try:
        yield
    finally:
        gc.set_threshold(youngest, *older)


def is_empty(connection: Any) -> bool:
    """Return whether no table of dj-stripe exists and none of its migrations is recorded."""
    recorder = MigrationRecorder(connection)
    if any(app == APP for app, _ in recorder.applied_migrations()):
        return False
    return not any(name.startswith(f"{APP}_") for name in connection.introspection.table_names())


def create_tables(connection: Any) -> None:
    """Create dj-stripe's tables as its last migration leaves them, and record its migrations as applied."""
    loader = MigrationLoader(connection)
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    with connection.schema_editor() as editor:  # in one transaction, so that one that is killed leaves nothing
        for model in loader.project_state().apps.get_app_config(APP).get_models():
            if model._meta.managed and not model._meta.proxy:
                editor.create_model(model)
        for app, name in loader.disk_migrations:
            if app == APP:
                recorder.record_applied(app, name)


def fold_names(connection: Any) -> None:
    """The folded names and the parts by which they are found are right, in a database that has their columns."""
    applied = MigrationRecorder(connection).applied_migrations()
    if ("billing", FOLDED_NAMES) in applied:
        folded_names.fold_all(using=connection.alias)
    if ("billing", SEARCH_PARTS) in applied:
        search_parts.write_all(using=connection.alias)


def mend_grants(connection: Any) -> None:
    """Write the grants of members as the table of roles says, in the product's database with all its columns."""
    executor = MigrationExecutor(connection)
    if connection.alias == DEFAULT_DB_ALIAS and not executor.migration_plan(
        executor.loader.graph.leaf_nodes("billing")
    ):
        member_grants.mend()


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
