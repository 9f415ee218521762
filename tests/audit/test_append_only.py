import contextlib
import io

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import ProtectedError

from billing import clock, sealing
from billing.audit import actor, append_only, trail
from billing.models import (
    ApprovalRequest,
    AuditEntry,
    AuditSeal,
    EmergencyRole,
    Finding,
    Operation,
    OperationStep,
    SealedEntry,
    Vouching,
)
from billing.models.audit import AppendOnlyError
from tests.conftest import a_person, an_office, determined

pytestmark = pytest.mark.django_db(transaction=True)
POSTGRESQL = connection.vendor == "postgresql"
COLUMNS = [field.column for field in AuditEntry._meta.concrete_fields]


@pytest.fixture
def entry():
    return AuditEntry.objects.get_for_object(an_office()).get()


def rows():
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM billing_auditentry ORDER BY id")
        return cursor.fetchall()


def attacks():
    """Return each way in which SQL could change or delete a row of each such table."""
    for model in (AuditEntry, AuditSeal, SealedEntry):
        table, key = model._meta.db_table, model._meta.pk.column
        columns = [field.column for field in model._meta.concrete_fields]
        written = next(name for name in columns if name != key)
        over = f"ON CONFLICT ({key}) DO UPDATE SET {written} = EXCLUDED.{written}"
        yield from (f"UPDATE {table} SET {name} = {name}" for name in columns)
        yield f"DELETE FROM {table}"
        yield f"DELETE FROM {table} WHERE {key} = (SELECT max({key}) FROM {table})"
        yield f"INSERT INTO {table} SELECT * FROM {table} WHERE true {over}"
        if POSTGRESQL:
            yield f"TRUNCATE {table} CASCADE"
        else:
            yield f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
            yield f"REPLACE INTO {table} SELECT * FROM {table}"
            yield f"UPDATE OR REPLACE {table} SET {key} = {key}"


@pytest.mark.parametrize("sql", list(attacks()))
def test_sql_cannot_change_or_delete_a_row(entry, sql):
    sealing.seal()
    before = rows()
    with contextlib.ExitStack() as stack, connection.cursor() as cursor:
        stack.enter_context(pytest.raises(DatabaseError, match="append-only"))
        stack.enter_context(transaction.atomic())
        cursor.execute(sql)

    assert rows() == before
    an_office("Another Practice")  # rows are still added
    assert len(rows()) == len(before) + 1


@pytest.mark.parametrize("table", append_only.KEPT)
def test_sql_cannot_delete_other_evidence(administrator, operator, office, table):
    an_operation(office)
    Finding.objects.create(kind="drift", subject="x", office=office, detail="x", resolved_at=clock.wall())
    determined(operator, administrator)
    decided(office, operator.user, administrator.user)
    for sql in (f"DELETE FROM {table}", *([f"TRUNCATE {table} CASCADE"] if POSTGRESQL else [])):
        with contextlib.ExitStack() as stack, connection.cursor() as cursor:
            stack.enter_context(pytest.raises(DatabaseError, match="append-only"))
            stack.enter_context(transaction.atomic())
            cursor.execute(sql)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET id = id")  # it is still worked on
        assert cursor.rowcount == 1


def decided(office, one, other):
    third, why = a_person("third@vendor.example"), {"reason": "tests"}
    with trail.acting(actor.job("tests"), reason="tests"):
        Vouching.objects.create(first=one, second=other, vouched_by=third, **why)
        EmergencyRole.objects.create(person=one, role="finance", given_by=other, **why)
        ApprovalRequest.objects.create(
            office=office, kind="adjust_credit", request={}, amount=1, currency="usd", requested_by=one
        )


def an_operation(office):
    with trail.acting(actor.job("tests"), reason="tests"):
        made = Operation.objects.create(office=office, kind="cancel", lease_until=clock.wall(), status="succeeded")
    OperationStep.objects.create(operation=made, name="x", first_asked_at=clock.wall(), last_asked_at=clock.wall())


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: AuditEntry.objects.update(what="x"),
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).delete(),
        lambda entry: AuditEntry.objects.bulk_create([entry]),
        lambda entry: AuditEntry.objects.bulk_update([entry], ["what"]),
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
        lambda entry: AuditEntry.objects.update_or_create(pk=entry.pk, defaults={"what": "x"}),
    ],
)
def test_nor_can_code_of_ours(entry, change):
    before = rows()

    with pytest.raises(AppendOnlyError):
        change(entry)

    assert rows() == before


@pytest.mark.parametrize(
    "past_the_manager",
    [
        lambda entry: models.QuerySet(AuditEntry).update(what="x"),
        lambda entry: models.QuerySet(AuditEntry).delete(),
        lambda entry: entry.save_base(raw=True),
    ],
)
def test_nor_code_that_goes_past_the_manager(entry, past_the_manager):
    before = rows()

    with pytest.raises((DatabaseError, AppendOnlyError)), transaction.atomic():
        past_the_manager(entry)

    assert rows() == before


def test_a_person_or_a_kind_of_row_that_is_in_the_trail_is_not_deleted():
    person = a_person("gone@vendor.example")
    with trail.acting(actor.person(person)):
        entry = trail.record_act(person, "something")

    for kept in (person, entry.content_type):
        with pytest.raises(ProtectedError):
            kept.delete()


@pytest.mark.parametrize("command", ["flush", "auditlogflush", "auditlogmigratejson"])
def test_a_command_that_would_erase_or_rewrite_it_is_refused(entry, command):
    before = rows()

    with pytest.raises(CommandError, match="refused"):
        call_command(command, stdout=io.StringIO())

    assert rows() == before


def spoiled():
    """Return each way in which somebody who owns the tables can take the protection away, as SQL."""
    name = "billing_auditentry_unchanged"
    if not POSTGRESQL:
        weaker = f"CREATE TRIGGER {name} BEFORE UPDATE ON billing_auditentry WHEN 0 BEGIN SELECT 1; END"
        return {"dropped": [f"DROP TRIGGER {name}"], "weakened": [f"DROP TRIGGER {name}", weaker]}
    weaker = append_only.BODY.replace("RAISE", "IF false THEN RAISE").replace("';", "'; END IF; RETURN NULL;")
    return {
        "dropped": [f"DROP TRIGGER {name} ON billing_auditentry"],
        "switched off": ["ALTER TABLE billing_auditentry DISABLE TRIGGER USER"],
        "weakened": [
            f"CREATE OR REPLACE FUNCTION {append_only.FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${weaker}$$"
        ],
    }


@pytest.mark.parametrize("how", spoiled())
def test_protection_that_was_taken_away_is_noticed_and_migrate_puts_it_back(entry, how):
    assert append_only.faults(connection) == []
    with connection.cursor() as cursor:
        for sql in spoiled()[how]:
            cursor.execute(sql)
    assert "billing_auditentry_unchanged" in append_only.faults(connection)

    call_command("migrate", verbosity=0)

    assert append_only.faults(connection) == []
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="append-only"):
        cursor.execute("UPDATE billing_auditentry SET what = 'x'")


def test_after_a_migration_that_copies_the_table_it_is_still_protected(entry):
    """On SQLite a changed column means another table, and its triggers go with the old one."""
    before, state = rows(), MigrationLoader(connection).project_state()
    alter(models.CharField(max_length=201, blank=True), state)
    assert rows() == before

    call_command("migrate", verbosity=0)

    assert append_only.faults(connection) == []
    alter(AuditEntry._meta.get_field("what"), state)
    append_only.protect(connection)


def alter(field, state):
    """Change the column ``what`` as a migration would."""
    operation, after = migrations.AlterField("auditentry", "what", field), state.clone()
    operation.state_forwards("billing", after)
    with connection.schema_editor() as editor:
        operation.database_forwards("billing", editor, state, after)


def test_what_lifts_the_protection_puts_it_back_or_changes_nothing(entry):
    before = rows()
    with contextlib.suppress(RuntimeError), append_only.lifted(connection):
        models.QuerySet(AuditEntry).delete()
        raise RuntimeError

    assert rows() == before
    assert append_only.faults(connection) == []
