"""Addresses that the version before wrote are brought into the form by which they are compared."""

import pytest
from django.db import connection

from billing import folded_addresses, jobs  # noqa: F401  for its job
from billing.models import AuditEntry, Finding, Job, User
from tests.conftest import a_person

pytestmark = pytest.mark.django_db


def written_by_the_version_before(user: User, address: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE billing_user SET email = %s WHERE id = %s", [address, user.pk])


def work_off() -> None:
    jobs.enqueue("fold-addresses")
    while jobs.run_due():
        pass


def test_who_could_not_be_found_is_found_and_the_trail_says_who_did_it():
    person = a_person("bob@vendor.example")
    written_by_the_version_before(person, "BOB@BÜCHER.example")

    work_off()

    assert User.objects.get(email__iexact="bob@bücher.example") == person
    entry = AuditEntry.objects.filter(object_id=person.pk).latest("pk")
    assert (entry.actor_kind, entry.actor_label) == ("job", "fold-addresses")
    assert Job.objects.get(name="fold-addresses").last_error == ""


@pytest.mark.skipif(connection.vendor == "postgresql", reason="its LOWER knows these letters: it keeps such two apart")
def test_two_that_would_be_the_same_stay_and_a_finding_says_so():
    one, other = a_person("bob@bücher.example"), a_person("other@vendor.example")
    written_by_the_version_before(other, "BOB@BÜCHER.example")

    work_off()
    work_off()

    [found] = Finding.objects.all()
    assert (found.kind, found.subject) == ("addresses_alike", f"user {other.public_id}")
    assert "bücher" not in found.detail
    assert User.objects.get(email__iexact="bob@bücher.example") == one
