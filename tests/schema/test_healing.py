"""A database that ran a migration before it was edited on main becomes what a new one is, and keeps its rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext

from billing.audit import actor
from billing.models import Office, Reconciliation
from billing.reconciliation import reconcile
from tests.other_connections import ON_SERVER
from tests.schema.another_database import FIRST, TODAY, Databases, migrations_as, schema

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(ON_SERVER, reason="those commits refused a libSQL server, so none has such a database"),
]

NAMES = sorted(one.stem for one in TODAY.glob("0*.py"))
AT = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)

SIDES = {
    # what had been on main when it was migrated: up to which migration, and which in their first versions
    "0006 before there was a 0005": ("0006", ["0006"]),
    "0006 and 0008 before there were 0005 and 0007": ("0008", ["0006", "0008"]),
    "0011 without seen_to": ("0011", ["0011"]),
    "0011 without seen_to, 0012 with event_claim": ("0012", ["0011", "0012"]),
    "0011 without seen_to, 0012 of today": ("0012", ["0011"]),
    "0012 with event_claim": ("0012", ["0012"]),
    "all of today": ("0012", []),
}
WITHOUT_SEEN_TO = [side for side, (_, first) in SIDES.items() if "0011" in first]
OUT_OF_ORDER = "0006 and 0008 before there were 0005 and 0007"
HEALING = "0013_heal_edited_migrations"


def versions(side):
    last, first = SIDES[side]
    names = [name for name in NAMES if name[:4] <= last]
    if "0006" in first:  # it and 0008 were on main before 0005 and 0007 were
        names = [name for name in names if name[:4] not in ("0005", "0007")]
    return {name: FIRST if name[:4] in first else TODAY for name in names}


QUICK = (OUT_OF_ORDER, "0011 without seen_to, 0012 with event_claim", "all of today")
"""These have in them what each of the others has."""


def each(sides):
    return pytest.mark.parametrize(
        "side", [pytest.param(one, marks=[pytest.mark.slow] * (one not in QUICK)) for one in sides]
    )


class Stock:
    """One database of each side, as it was then and as it is healed, made when first asked for.

    What asks leaves them as they are, or takes a copy.
    """

    def __init__(self, folder):
        self.databases, self.folder, self.made = Databases(folder), folder, {}

    def then(self, side):
        """The name of the database with its rows, the models of then, and what the rows hold."""
        if side not in self.made:
            name = self.databases.make()
            with self.databases.default(name) as connection, migrations_as(versions(side), self.folder):
                executor = MigrationExecutor(connection)
                models = executor.migrate(executor.loader.graph.leaf_nodes("billing")).apps
                fill(models)
                self.made[side] = name, models, rows(connection)
        return self.made[side]

    def healed(self, side):
        """The name of the database, migrated to the present."""
        if ("healed", side) not in self.made:
            name = self.databases.make(like=self.then(side)[0])
            with self.databases.default(name):
                migrate()
            self.made["healed", side] = name
        return self.made["healed", side]

    def new(self):
        """The schema of a new database."""
        if "new" not in self.made:
            with self.databases.default(self.databases.make()) as connection:
                migrate()
                self.made["new"] = schema(connection)
        return self.made["new"]


@pytest.fixture(scope="module")
def stock(tmp_path_factory, django_db_blocker, django_db_setup):
    with django_db_blocker.unblock():
        made = Stock(tmp_path_factory.mktemp("stock"))
        yield made
        made.databases.drop()


@pytest.fixture
def healed(stock, side, django_db_blocker):
    """A database of that side after migrating to the present; the default connection leads to it."""
    with django_db_blocker.unblock(), stock.databases.default(stock.healed(side)) as connection:
        yield connection


def migrate():
    call_command("migrate", "billing", verbosity=0)


def fill(then):
    """A row in each table that the edited migrations, and what they were put behind, are about."""

    def row(model, **values):
        return then.get_model("billing", model).objects.create(**values)

    has = then.all_models["billing"]
    office = row("Office", name="Maple Street", billing_email="billing@maple.example", balance_due=300)
    common = {"office": office, "ticket": 7, "currency": "usd", "created_at": AT}
    subscription = row("Subscription", stripe_id="sub_1", status="active", quantity=3, **common)
    amounts = {"subtotal": 900, "total": 900, "amount_paid": 600, "amount_remaining": 300}
    invoice = row("Invoice", stripe_id="in_1", status="open", subscription=subscription, **amounts, **common)
    payment = row("Payment", stripe_id="ch_1", status="succeeded", amount=600, invoice=invoice, **common)
    said = {"kind": "x", "actor_kind": "job", "actor_label": "tests", "reason": "a test", "lease_until": AT}
    hashed = {"request_hash": "00"} if "request_hash" in fields(then) else {}
    row("Operation", office=office, **said, **hashed)
    row("ReceivedEvent", stripe_id="evt_1", type="invoice.paid", created_at=AT, due_at=AT)
    if "paymentmethod" in has:
        row("PaymentMethod", office=office, stripe_id="pm_1", ticket=7, last4="4242")
        then.get_model("billing", "Office").objects.update(credit_balance=1_234)
    if "adjustment" in has:
        row("Adjustment", kind="refund", stripe_id="re_1", status="x", amount=5, payment=payment, **common)
        then.get_model("billing", "Payment").objects.update(amount_refunded=5, disputed=True)
        then.get_model("billing", "Operation").objects.update(decline_code="expired_card")
    if "reconciliation" in has:
        row("Reconciliation", **under_way(), counts={"customers": 4})


def fields(then):
    return {one.name for one in then.get_model("billing", "Operation")._meta.get_fields()}


def under_way():
    return {"actor_label": "tests", "reason": "a test", "recent_since": AT - timedelta(days=35), "stage": "customers"}


def rows(connection):
    """Of each table of ours, its rows as the database holds them."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith("billing_"):
                cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
                names = [column.name if hasattr(column, "name") else column[0] for column in cursor.description]
                found[table] = [dict(zip(names, one, strict=True)) for one in cursor.fetchall()]
    return found


def without_defaults(found):
    return {table: {name: one[name] for name in ("columns", "rules")} for table, one in found.items()}


@each(SIDES)
def test_it_gets_the_schema_of_a_new_database(side, healed, stock):
    assert without_defaults(schema(healed)) == without_defaults(stock.new())
    assert len(stock.new()) > 20


@each(SIDES)
def test_migrating_once_more_changes_nothing(side, healed):
    before = schema(healed), rows(healed)

    loader = MigrationExecutor(healed).loader
    healing = loader.get_migration("billing", HEALING)
    with healed.schema_editor(atomic=healing.atomic) as editor:
        healing.apply(loader.project_state(("billing", "0012_event_indexes")), editor)

    assert (schema(healed), rows(healed)) == before


@each(SIDES)
def test_every_row_and_value_stays(side, healed, stock):
    _, _, before = stock.then(side)

    after = rows(healed)

    for table, were in before.items():
        kept = [{name: value for name, value in one.items() if name != "request_hash"} for one in were]  # 0010 drops it
        assert [{name: now[name] for name in was} for was, now in zip(kept, after[table], strict=True)] == kept
    healed.check_constraints()
    assert Office.objects.get().invoices.get().subscription.quantity == 3


@each(WITHOUT_SEEN_TO)
def test_a_comparison_that_was_under_way_is_carried_on_to_its_end(side, empty_stripe, healed, stock):
    with stock.databases.default(stock.databases.make(like=stock.healed(side))):
        assert Reconciliation.objects.get().seen_to == []

        reconcile(by=actor.job("tests"), reason="a test")

        assert Reconciliation.objects.filter(ended_at__isnull=False).count() == 2


@each(WITHOUT_SEEN_TO)
def test_the_version_that_knows_no_seen_to_still_begins_comparisons(side, healed, stock):
    begun = stock.then(side)[1].get_model("billing", "Reconciliation").objects
    with transaction.atomic():
        begun.update(ended_at=AT)

        begun.create(**under_way())

        assert Reconciliation.objects.get(ended_at=None).seen_to == []
        with pytest.raises(IntegrityError), transaction.atomic():  # at most one is under way, as before
            begun.create(**under_way())
        transaction.set_rollback(True)


@each(SIDES)
def test_a_default_is_left_in_the_database_where_seen_to_was_healed_and_nowhere_else(side, healed, stock):
    new = stock.new()

    differ = [table for table, found in schema(healed).items() if found["defaults"] != new[table]["defaults"]]

    assert differ == (["billing_reconciliation"] if side in WITHOUT_SEEN_TO else [])


def test_a_database_that_is_right_is_only_looked_at(stock, django_db_blocker):
    with django_db_blocker.unblock(), stock.databases.default(stock.then("all of today")[0]) as connection:
        healing = MigrationExecutor(connection).loader.get_migration("billing", HEALING)
        with CaptureQueriesContext(connection) as asked, connection.schema_editor(atomic=False) as editor:
            heal: Any = healing.operations[0]
            heal.code(None, editor)

    words = {query["sql"].split()[0].upper() for query in asked.captured_queries}
    assert words <= {"SELECT", "PRAGMA", "BEGIN", "COMMIT"}


@pytest.mark.parametrize("how", ["--plan", "--check", "--fake"])
def test_what_only_shows_or_records_puts_nothing_in_order(how, stock, django_db_blocker):
    with django_db_blocker.unblock(), stock.databases.default(stock.then(OUT_OF_ORDER)[0]) as connection:
        before = schema(connection)

        with pytest.raises(InconsistentMigrationHistory):
            call_command("migrate", how, verbosity=0)

        assert schema(connection) == before
