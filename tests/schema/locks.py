"""Checks that no migration locks a table for long, or breaks the version that still runs.

Run it as ``python -m tests.schema.locks``.

squawk reads the SQL that Django writes for PostgreSQL, without a server. What it cannot read, and what is intended, is
excused below with the reason.

Source: https://squawkhq.com/docs/rules
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).with_name("squawk.toml")
SQUAWK = Path(sys.executable).with_name("squawk")
NOWHERE = {"ENGINE": "django.db.backends.postgresql", "NAME": "nowhere", "HOST": "127.0.0.1", "PORT": "1"}
"""A connection for its SQL only. Nothing listens there."""
PYTHON, NOT_OFFLINE = "python", "not-offline"
"""Besides squawk's rules: a step in Python has no SQL, and some SQL needs a look at a database first."""

EARLY = "on main before this was held, when no installation had enough rows for a lock to be felt"
DEFAULT = f"{EARLY}; the version before it could not write that table meanwhile"
EXCUSED: dict[str, dict[str, str]] = {
    "0001_foundation": {"adding-foreign-key-constraint": "the first: its tables are empty and nothing runs"},
    "0004_worker": {"ban-drop-default": DEFAULT, "require-concurrent-index-creation": EARLY},
    "0005_subscription_terms": {"ban-drop-default": DEFAULT},
    "0006_payment_methods": {"ban-drop-default": DEFAULT},
    "0007_invoices": {"ban-drop-default": DEFAULT, "require-concurrent-index-creation": EARLY},
    "0008_adjustments": {"ban-drop-default": DEFAULT},
    "0009_manage_billing": {PYTHON: "renames one row of the permissions"},
    "0010_operation_without_hash": {"ban-drop-column": DEFAULT},
    "0011_reconciliation": {"ban-drop-default": DEFAULT},
    "0012_event_indexes": {
        "require-concurrent-index-creation": EARLY,
        "require-concurrent-index-deletion": EARLY,
    },
    "0013_heal_edited_migrations": {
        PYTHON: "adds a column whose default stays, which rewrites no row, and drops an index that no query uses"
    },
    "0016_what_others_made": {"ban-drop-default": "both columns can be null: the version before it writes neither"},
    "0019_other_credits": {"ban-drop-default": "the column can be null: the version before it does not write it"},
    "0023_outbox": {
        "adding-foreign-key-constraint": "nothing has written the tables that refer, so there is no row to check",
        "require-concurrent-index-creation": "of tables that are new, or that nothing has written",
    },
    "0024_roles": {PYTHON: "adds a few rows for the vendor's staff, of whom there are few"},
    "0029_approvals_and_emergency_roles": {
        "disallowed-unique-constraint": "its first table is new and empty; the other keeps the requests of one day",
        "adding-foreign-key-constraint": "the table keeps the requests of one day, and the column is empty",
    },
    "0031_seals": {
        "require-concurrent-index-creation": "the index has no row yet: the column was added in the same migration"
    },
    "0032_access_acts": {
        "adding-foreign-key-constraint": "the table has a row for each emergency role, of which there are few",
        "require-concurrent-index-creation": "the same table, and no row has a value there yet",
    },
    "0034_recorded_reads": {
        "require-concurrent-index-creation": "of a column that was added here, and of a table that is new: no row yet"
    },
    "0035_trail_reading": dict.fromkeys(
        ("constraint-missing-not-valid", "adding-foreign-key-constraint", "require-concurrent-index-creation"),
        "of a table that is new and empty; the indexes of the audit trail are built while others write it",
    ),
    "0038_addresses_beyond_ascii": {
        PYTHON: "rewrites only addresses with letters beyond ASCII, each by itself, and only where it is unchanged"
    },
    "0042_reports": dict.fromkeys(
        ("constraint-missing-not-valid", "adding-foreign-key-constraint", "require-concurrent-index-creation"),
        "of tables that are new and empty; the indexes of others are built while others write them",
    ),
    "0043_worklist_and_bulk_acts": dict.fromkeys(
        ("constraint-missing-not-valid", "adding-foreign-key-constraint", "require-concurrent-index-creation"),
        "of tables that are new and empty; the indexes of Offices are built while others write them",
    ),
    "0044_search_and_lists": dict.fromkeys(
        ("constraint-missing-not-valid", "adding-foreign-key-constraint", "require-concurrent-index-creation"),
        "of two tables that are new and empty; the indexes of other tables are built while others write them",
    ),
    "0046_plan_operations": dict.fromkeys(
        ("constraint-missing-not-valid", "adding-foreign-key-constraint", "require-concurrent-index-creation"),
        "of a table that is new and empty; the index of subscriptions is built while others write them",
    ),
}
"""The rules that a migration may break, and why. A rule that it does not break must not be here."""


@dataclass(frozen=True)
class Fault:
    migration: str
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.rule}: {self.what}"


def sql(migration: Any, state: Any) -> list[str]:
    """Return the statements that PostgreSQL would get, starting with the models of ``state``.

    Raises: OperationalError: Django would have to look at a database first, to find the name of a constraint.
    """
    from django.db.utils import ConnectionHandler
    from psycopg.sql import Literal

    def written_out(statement: str, parameters: Any) -> str:
        return statement % tuple(Literal(one).as_string(None) for one in parameters) if parameters else statement

    connection: Any = ConnectionHandler({"default": NOWHERE})["default"]
    connection.ops.compose_sql = written_out  # Django's own function asks a server
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        migration.apply(state, editor, collect_sql=True)
    return [line for line in editor.collected_sql if not line.startswith("--")]


def squawk(name: str, statements: list[str], *, atomic: bool) -> list[Fault]:
    """Return what squawk reports about the statements."""
    command = [str(SQUAWK), "--config", str(CONFIG), "--reporter", "json", "--stdin-filepath", name]
    if atomic:
        statements = ["BEGIN;", *statements, "COMMIT;"]
    done = subprocess.run(command, input="\n".join(statements), capture_output=True, text=True, check=False)
    return [Fault(name, one["rule_name"], one["message"]) for one in json.loads(done.stdout)]


def faults(migration: Any, state: Any) -> list[Fault]:
    """Return everything that is wrong with the migration, excused or not."""
    from django.db import OperationalError

    name = migration.name
    if not all(operation.reduces_to_sql for operation in migration.operations):
        return [Fault(name, PYTHON, "has a step in Python, which nothing can read for locks.")]
    try:
        statements = sql(migration, state)
    except OperationalError:
        return [Fault(name, NOT_OFFLINE, "has SQL that is not known without a database.")]
    return squawk(name, statements, atomic=migration.atomic)


def unexcused(found: list[Fault], excused: dict[str, dict[str, str]]) -> list[str]:
    """Return what is not excused, in sentences. An excuse without a fault is reported too."""
    wrong = [str(one) for one in found if one.rule not in excused.get(one.migration, {})]
    there = {(one.migration, one.rule) for one in found}
    for name, rules in excused.items():
        wrong += [f"{name}: {rule} is excused, and is not there." for rule in rules if (name, rule) not in there]
    return wrong


def main() -> int:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None)
    ours = sorted(key for key in loader.graph.nodes if key[0] == "billing")
    found = [one for key in ours for one in faults(loader.graph.nodes[key], loader.project_state(key, at_end=False))]
    wrong = unexcused(found, EXCUSED)
    if wrong:
        wrong += ["Do it in steps that hold no lock for long and that the version before can live with, or say in"]
        wrong += ["EXCUSED of tests/schema/locks.py why it may: https://squawkhq.com/docs/rules has each rule's way."]
    told = f"{len(ours)} migrations read for locks; {len(EXCUSED)} are excused something, with reasons."
    print("\n".join([*wrong, told]))  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
