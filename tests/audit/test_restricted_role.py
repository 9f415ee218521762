"""The SQL of docs/trail.md, exactly as it is there, on a real server."""

import contextlib
import os
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from billing import sealing
from billing.audit import verify
from billing.models import AuditEntry, Finding
from tests.audit.test_append_only import attacks
from tests.audit.test_retiring import old
from tests.conftest import an_office

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="roles are PostgreSQL's"),
]
__all__ = ["old"]
DOCUMENT = Path(__file__).parents[2] / "docs" / "trail.md"


@pytest.fixture
def restricted():
    """Give the session the role of the documents. Its name is this test process's own."""
    role = f"billing_{os.getpid()}"
    [written] = re.findall(r"^```sql\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    sql = re.sub(r"\b(TO|FROM) billing;", rf"\1 {role};", written).replace("billing_owner", "CURRENT_USER")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role}")
        try:
            cursor.execute(sql)
            yield as_role(cursor, role)
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute(f"DROP OWNED BY {role}")
            cursor.execute(f"DROP ROLE {role}")


@contextlib.contextmanager
def as_role(cursor, role):
    cursor.execute(f"SET ROLE {role}")
    yield
    cursor.execute("RESET ROLE")


def tried():
    """Return each way to change the trail that is refused whoever asks, and those that only its owner has."""
    name = "billing_auditentry_unchanged"
    return [
        *attacks(),
        f"DROP TRIGGER {name} ON billing_auditentry",
        "ALTER TABLE billing_auditentry DISABLE TRIGGER ALL",
        "ALTER TABLE billing_auditseal ADD COLUMN x integer",
        "DROP TABLE billing_sealedentry",
        "CREATE OR REPLACE FUNCTION billing_append_only() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN END$$",
        "CREATE RULE x AS ON INSERT TO billing_auditentry DO INSTEAD NOTHING",
        "SET session_replication_role = replica",
        "SELECT 1 FROM billing_auditseal FOR UPDATE",
        "DELETE FROM billing_operation",
        "DELETE FROM billing_finding",
    ]


def test_the_role_adds_and_reads_and_nothing_else(restricted):
    with restricted:
        an_office("Maple")
        sealing.seal()
        sealing.verify_trail()
        Finding.objects.create(kind="x", subject="x", detail="x")
        for sql in tried():
            refused = pytest.raises(DatabaseError, match=r"permission denied|must be owner|append-only")
            with refused, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql)
                pytest.fail(sql)
        found = verify.verify()

    assert (found.faults, found.unsealed) == ([], 0)
    assert AuditEntry.objects.count() == found.entries == 1


def test_the_role_cannot_retire_anything_although_it_is_due(old, restricted):
    with restricted, pytest.raises(CommandError, match="must be owner"):
        call_command("retire_audit", "--yes")

    assert AuditEntry.objects.count() == 4
    assert verify.verify().is_whole
