"""The daily job reads what is new, and once a week everything. What protects the trail is told if it is missing."""

from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test import Client

from billing import clock, jobs, sealing
from billing.admin.tasks import tasks_of
from billing.checks import warn_of_unprotected_trail
from billing.models import AuditEntry, AuditSeal, Finding, Job, SealedEntry, TrailProgress, WorkerHeartbeat
from billing.monitoring import summary
from billing.monitoring.outcome import Seen
from billing.reports import waiting
from tests.audit.test_seals import changed
from tests.conftest import a_person, an_office

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient"])


def tasks(person):
    """What the first page tells this person to do, with how urgent it is."""
    counted = waiting.counted(person, at=clock.billing(), now=clock.wall())
    return {task.title: task.tone for task in tasks_of(person, summary.latest(), counted)}


@pytest.fixture
def sealed(monkeypatch):
    monkeypatch.setattr(sealing, "VERIFIED_TOGETHER", 1)
    for name in ("Maple", "Oak", "Elm"):
        an_office(name)
        sealing.seal()


def progress():
    return TrailProgress.objects.get()


def verified():
    """Run the job until it has nothing more to do. Return how often it ran."""
    times = 1
    while sealing.verify_trail():
        times += 1
    return times


def forge(place):
    changed(AuditEntry, SealedEntry.objects.get(position=place).entry, what="forged")


def test_it_verifies_a_part_at_a_time_and_only_what_is_new_the_next_day(sealed):
    assert verified() == 3
    assert (progress().seal, progress().whole_at is not None) == (3, True)
    an_office("Ash")
    sealing.seal()

    assert verified() == 1
    assert progress().seal == 4


def test_a_worker_runs_it_to_its_end(sealed):
    Job.objects.create(name="verify-audit", due_at=clock.wall())
    while jobs.run_due():
        pass

    assert progress().seal == 3
    assert Job.objects.get(name="verify-audit").due_at > clock.wall() + timedelta(hours=23)


def test_a_change_of_what_is_new_is_a_critical_finding_that_names_it(sealed):
    verified()
    an_office("Ash")
    sealing.seal()
    place = SealedEntry.objects.filter(seal=4)[0]
    forge(place.position)

    verified()

    finding = Finding.objects.get(kind="audit_trail_changed")
    assert (finding.severity, finding.resolved_at) == ("critical", None)
    assert f"entry {place.entry}: was changed after it was sealed" in finding.detail


def test_a_change_of_what_was_verified_is_found_within_a_week(sealed):
    verified()
    forge(0)

    verified()
    assert not Finding.objects.exists()
    TrailProgress.objects.update(began_at=clock.wall() - timedelta(days=7))
    verified()

    assert Finding.objects.filter(kind="audit_trail_changed", resolved_at=None).exists()


def test_the_finding_ends_only_when_everything_was_read_again_and_is_whole(sealed):
    entry = SealedEntry.objects.get(position=0).entry
    was = AuditEntry.objects.get(pk=entry).what
    forge(0)
    verified()
    assert progress().seal == 0

    changed(AuditEntry, entry, what=was)
    verified()

    assert Finding.objects.get(kind="audit_trail_changed").resolved_at
    assert progress().seal == 3


def test_a_seal_whose_peaks_were_changed_is_no_beginning(sealed):
    verified()
    changed(AuditSeal, 3, peaks=["00" * 32])

    verified()

    assert "seal 3: the tree does not grow from its root" in Finding.objects.get().detail


def without_a_trigger():
    on = " ON billing_auditentry" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER billing_auditentry_kept{on}")


def test_a_missing_trigger_is_told_at_the_start_on_the_health_page_and_on_the_first_page(caplog, auditor):
    WorkerHeartbeat.objects.create(name="host:1", seen_at=clock.wall())
    assert "trail_triggers" not in Client().get("/healthz").json()["codes"]
    without_a_trigger()

    assert "trail_triggers" in Client().get("/healthz").json()["codes"]
    [warning] = [
        one for one in run_checks(tags=["billing"], include_deployment_checks=True) if one.id == "billing.W009"
    ]
    assert "billing_auditentry_kept" in warning.msg
    warn_of_unprotected_trail()
    assert "billing_auditentry_kept" in caplog.text
    assert "The audit trail is not protected" in tasks(auditor.user)
    sealing.verify_trail()
    assert "the protection billing_auditentry_kept" in Finding.objects.get(kind="audit_trail_changed").detail


@pytest.mark.parametrize(("seconds", "is_told"), [(290, False), (310, True)])
def test_entries_that_wait_for_a_seal_are_amber_after_five_minutes(seconds, is_told):
    person = a_person("auditor@vendor.example", group="auditor")
    AuditEntry.objects.latest("pk")
    an_office("Maple")
    changed(AuditEntry, AuditEntry.objects.order_by("pk")[0].pk, timestamp=clock.wall() - timedelta(seconds=seconds))

    seen = Seen()

    assert seen.figures["oldest_unsealed_seconds"] in (seconds, seconds + 1)
    told = tasks(person)
    assert told.get("The audit trail is not sealed") == ("warning" if is_told else None)


def test_what_is_sealed_does_not_wait(sealed):
    assert Seen().figures["oldest_unsealed_seconds"] is None
