"""An Office's owners and the vendor's auditors export the trail over HTTP, and verify it without us."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from billing import sealing
from billing.audit import actor, append_only, keys, trail, verifier
from billing.models import AuditEntry, AuditSeal
from tests.api.test_api import path, signed_in
from tests.conftest import a_member, a_person, an_office

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
ADMIN = reverse("admin:billing_auditentry_export")


@pytest.fixture
def owner(office):
    made = a_member(office, "owner")
    with trail.acting(actor.person(made), reason="we move"):
        trail.record_act(office, "thought of moving", office=office)
    with trail.acting(actor.person(a_person("olive@vendor.example", group="operator")), reason="a note of ours"):
        trail.record_act(office, "thought of them", office=office)
    an_office("Another Practice")
    sealing.seal()
    return made


def got(answer):
    assert answer.status_code == 200, answer.content
    assert answer.streaming
    return b"".join(answer.streaming_content)


def entries(body):
    return [json.loads(line) for line in body.splitlines()[1:-1]]


def verified(body, tmp_path):
    file = tmp_path / "export.jsonl"
    file.write_bytes(body)
    key = next(iter(keys.public_keys().values())).hex()
    command = [sys.executable, "-I", str(Path(verifier.__file__)), str(file), "--key", key]
    done = subprocess.run(command, cwd="/", env={}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_an_owner_exports_the_offices_trail_and_the_verifier_takes_it(office, owner, tmp_path):
    body = got(signed_in(owner).get(path(office, "audit-trail/export/")))

    code, said = verified(body, tmp_path)
    assert code == 0, said
    sealed = office.audit_entries.count() - 1
    assert said.startswith(f"VERIFIED: {sealed} entries are in the trail")
    assert [line["entry"] for line in entries(body)] == list(
        office.audit_entries.order_by("pk").values_list("pk", flat=True)
    )


def test_the_vendors_people_are_not_named_to_an_owner_and_are_to_an_auditor(office, owner, tmp_path):
    body = got(signed_in(owner).get(path(office, "audit-trail/export/")))
    assert b"vendor.example" not in body
    assert b"a note of ours" not in body
    assert b"thought of moving" in body
    assert "has the hash only" in verified(body, tmp_path)[1]

    auditor = a_person("auditor@vendor.example", group="auditor")
    body = got(signed_in(auditor).get(path(office, "audit-trail/export/")))
    assert b"a note of ours" in body
    assert b"Another Practice" not in body
    assert verified(body, tmp_path)[0] == 0


def test_only_what_was_between_the_two_times_is_in_it(office, owner, tmp_path):
    own = office.audit_entries.get(what="thought of moving")
    asked = {
        "from": own.timestamp.isoformat(),
        "to": office.audit_entries.get(what="thought of them").timestamp.isoformat(),
    }

    body = got(signed_in(owner).get(path(office, "audit-trail/export/"), asked))

    assert [line["entry"] for line in entries(body)] == [own.pk]
    assert verified(body, tmp_path)[0] == 0


def test_a_head_that_was_kept_is_shown_to_be_its_beginning(office, owner, tmp_path):
    kept = AuditSeal.objects.first()
    an_office("Third Practice")
    sealing.seal()

    body = got(signed_in(owner).get(path(office, "audit-trail/export/"), {"earlier_size": kept.size}))

    assert list(json.loads(body.splitlines()[0])["consistency"]) == [str(kept.size)]
    assert verified(body, tmp_path)[0] == 0


@pytest.mark.parametrize(
    "cut", [lambda lines: lines[:-1], lambda lines: lines[:2] + lines[3:], lambda lines: lines[:1]]
)
def test_an_export_that_ends_too_early_or_lacks_a_line_is_not_verified(office, owner, tmp_path, cut):
    lines = got(signed_in(owner).get(path(office, "audit-trail/export/"))).splitlines(keepends=True)

    assert verified(b"".join(cut(lines)), tmp_path)[0] == 1


def test_it_is_on_record_before_anything_is_sent(office, owner):
    answer = signed_in(owner).get(path(office, "audit-trail/export/"), {"reason": "our yearly review"})

    entry = office.audit_entries.get(what__startswith="exported")  # nothing was read of the answer yet
    assert (entry.actor, entry.reason) == (owner, "our yearly review")
    answer.close()


@contextlib.contextmanager
def full():
    """Let the database take no entry."""
    name = "no_entry"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE TRIGGER {name} BEFORE INSERT ON billing_auditentry "
                f"FOR EACH ROW EXECUTE FUNCTION {append_only.FUNCTION}()"
            )
        else:
            cursor.execute(
                f"CREATE TRIGGER {name} BEFORE INSERT ON billing_auditentry BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
        yield
        cursor.execute(f"DROP TRIGGER {name}" + (" ON billing_auditentry" if connection.vendor == "postgresql" else ""))


def test_without_that_entry_there_is_no_export(office, owner):
    client = signed_in(owner)
    client.raise_request_exception = False

    with full():
        answer = client.get(path(office, "audit-trail/export/"))

    assert answer.status_code >= 500
    assert not answer.streaming
    assert b"moving" not in answer.content


@pytest.mark.parametrize("role", ["manager", "viewer"])
def test_others_of_the_office_do_not(office, role):
    answer = signed_in(a_member(office, role)).get(path(office, "audit-trail/export/"))

    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


def test_an_auditor_exports_all_or_one_office_in_the_admin(office, owner, tmp_path):
    client = Client()
    client.force_login(a_person("auditor@vendor.example", group="auditor"))
    assert "Export" in client.get(reverse("admin:billing_auditentry_changelist")).content.decode()
    assert client.get(ADMIN).status_code == 200

    answer = client.post(ADMIN, {"reason": "the yearly review"})
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    body = got(answer)
    assert len(entries(body)) == AuditEntry.objects.count()
    assert verified(body, tmp_path)[0] == 0

    body = got(client.post(ADMIN, {"reason": "one of them", "office": office.pk, "first_day": "2026-01-01"}))
    assert b"Another Practice" not in body
    assert AuditEntry.objects.filter(what__startswith="exported", reason="one of them", office=office).exists()


def test_without_a_reason_the_admin_exports_nothing(office, owner):
    client = Client()
    client.force_login(a_person("auditor@vendor.example", group="auditor"))

    assert not client.post(ADMIN, {"reason": ""}).streaming
    assert not AuditEntry.objects.filter(what__startswith="exported").exists()
