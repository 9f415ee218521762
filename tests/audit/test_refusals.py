"""A refusal is in the trail once for each actor, Office and kind in 15 minutes, and then with its number."""

from datetime import timedelta

import pytest
from django.test import Client
from rest_framework.test import APIClient

from billing import clock, errors
from billing.access import services
from billing.audit import actor, refusals, trail
from billing.counted_refusals import write_counts
from billing.models import AuditEntry, RefusalCount, ServiceIdentity, User
from billing.operations.engine.begin import perform
from billing.operations.offices.archive import ArchiveOffice
from billing.operations.subscriptions.cancel import CancelSubscription, ResumeRenewal
from tests.conftest import a_member, a_person, an_office

NOBODY = "somebody who is not signed in"


def found(**how) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(kind="refusal", **how).order_by("pk"))


def refused(operation, office, by, times=1):
    for _ in range(times):
        with pytest.raises(errors.NotPermitted):
            perform(operation, office, by=by, reason="to see who may")


def wrong_password(email, network):
    given = {"email": email, "password": "not the password"}
    return APIClient(REMOTE_ADDR=network).post("/api/v1/auth/token/", given, format="json")


def the_window_is_over():
    for row in RefusalCount.objects.all():
        RefusalCount.objects.filter(pk=row.pk).update(began=row.began - timedelta(minutes=15))


def test_the_first_is_written_at_once_and_the_others_as_a_number_when_the_window_is_over(stripe, office, outsider):
    other = an_office("Another Practice")
    refused(CancelSubscription(), office, outsider, times=4)
    refused(CancelSubscription(), other, outsider)
    refused(ResumeRenewal(), office, outsider)
    before = found()
    assert [(one.office, one.actor) for one in before] == [(one, outsider.user) for one in (office, other, office)]

    write_counts()
    assert found() == before

    the_window_is_over()
    write_counts()
    write_counts()
    [number] = found()[3:]
    assert (number.actor, number.office, number.object_pk) == (outsider.user, office, before[0].object_pk)
    assert number.what.startswith("3 more until ")
    assert number.what.endswith(f" UTC: {before[0].what}")
    assert not RefusalCount.objects.exists()


def test_each_actor_has_their_own(stripe, office, outsider, auditor):
    for by in (outsider, auditor):
        refused(CancelSubscription(), office, by, times=2)
    assert [one.actor for one in found()] == [outsider.user, auditor.user]


def test_nobody_who_is_signed_in_is_known_by_their_network_and_each_account_has_its_entry(stripe, operator, auditor):
    for network in ("203.0.113.7", "203.0.113.7", "198.51.100.9", "2001:db8::1", "2001:db8::2"):
        for email in ("operator@vendor.example", "zebedee@elsewhere.example"):
            wrong_password(email, network)

    assert [(one.remote_addr, one.object_repr) for one in found()] == [
        (network, about)
        for network in ("203.0.113.7", "198.51.100.9", "2001:db8::1")
        for about in ("operator@vendor.example", "nobody known here")
    ]
    assert "zebedee" not in str([(one.what, one.changes, one.object_repr) for one in found()])


def test_many_networks_cannot_fill_the_trail(stripe, monkeypatch):
    monkeypatch.setattr(refusals, "MOST_OF_VISITORS", 5)
    for number in range(9):
        wrong_password("zebedee@elsewhere.example", f"203.0.113.{number}")

    assert [one.what for one in found()][5:] == [refusals.MORE]
    assert RefusalCount.objects.get(times__gt=0).times == 3
    the_window_is_over()
    write_counts()
    assert found()[-1].what.startswith("3 more until ")
    assert found()[-1].actor_label == NOBODY


def test_one_visitor_hides_nobody_else(stripe, monkeypatch):
    monkeypatch.setattr(refusals, "MOST_AT_ONE", 3)
    monkeypatch.setattr(refusals, "MOST_OF_VISITORS", 6)
    people = [a_person(f"person{number}@elsewhere.example") for number in range(9)]
    for person in people:
        wrong_password(person.email, "203.0.113.7")
    wrong_password(people[0].email, "198.51.100.9")

    assert [(one.remote_addr, one.what == refusals.MORE_AT_ONE) for one in found()] == [
        *[("203.0.113.7", False)] * 3,
        ("203.0.113.7", True),
        ("198.51.100.9", False),
    ]


def test_whoever_fills_their_own_share_hides_nobody_else(stripe, office, outsider, auditor, monkeypatch):
    monkeypatch.setattr(refusals, "MOST", 2)
    for number in range(4):
        refused(CancelSubscription(), an_office(f"Practice {number}"), outsider)
    refused(CancelSubscription(), office, auditor)

    assert [one.actor for one in found()] == [outsider.user] * 3 + [auditor.user]
    more = found()[2]
    assert (more.what, more.object_repr) == (refusals.MORE, str(outsider.user))
    assert more.office is None  # it counts what was refused at several
    assert more.additional_data == {"code": "more"}


def test_what_was_refused_at_one_office_hides_nothing_at_another(stripe, office, outsider, monkeypatch):
    monkeypatch.setattr(refusals, "MOST_AT_ONE", 1)
    other = an_office("Another Practice")
    for operation in (CancelSubscription(), ResumeRenewal(), ArchiveOffice(), ResumeRenewal()):
        refused(operation, office, outsider)
    refused(ArchiveOffice(), other, outsider)

    assert [(one.office, one.what == refusals.MORE_AT_ONE) for one in found()] == [
        (office, False),
        (office, True),
        (other, False),
    ]
    the_window_is_over()
    write_counts()
    assert (found()[-1].office, found()[-1].what[:13]) == (office, "2 more until ")


def test_what_a_service_was_refused_is_counted_as_everything_else(db):
    with trail.acting(actor.job("tests")):
        service, other = (
            ServiceIdentity.objects.create(name=name, expires_at=clock.wall()) for name in ("One", "Other")
        )
    for one in (service, service, service, other):
        services.record_lacking_scope(one, "GET offices")

    assert [one.object_repr for one in found()] == [str(service), str(other)]
    assert RefusalCount.objects.get(times__gt=0).times == 2


def test_a_refusal_of_a_window_that_is_not_over_is_not_lost_to_the_job(stripe, office, outsider):
    refused(CancelSubscription(), office, outsider)
    the_window_is_over()
    [row] = refusals.over()
    refusals._came_again(row.pk, "default")

    assert not refusals.taken(row)
    write_counts()
    assert found()[-1].what.startswith("1 more until ")


def test_each_entry_says_where_from_through_trusted_proxies_only(stripe, office, settings):
    a_member(office, "viewer")
    viewer = User.objects.get(email="viewer@maple.example")
    client = APIClient()
    client.force_authenticate(viewer)
    for proxies, says in ((0, "127.0.0.1"), (1, "198.51.100.9"), (2, "203.0.113.7")):
        settings.TRUSTED_PROXIES = proxies
        answer = client.post(
            f"/api/v1/offices/{office.public_id}/{('archive', 'unarchive', 'contact')[proxies]}/",
            {},
            headers={"X-Forwarded-For": "203.0.113.7, 198.51.100.9"},
        )
        entry = found()[-1]
        assert (entry.remote_addr, entry.request_id) == (says, answer["X-Request-ID"])
        assert abs(entry.timestamp - clock.wall()) < timedelta(minutes=1)
        assert entry.billing_at


def test_what_cannot_be_read_as_an_address_is_no_address(stripe, settings):
    settings.TRUSTED_PROXIES = 1
    for said in ("unknown", "fe80::1%eth0", ""):
        Client().post("/account/login/", {"login": "a@b.example", "password": "x"}, headers={"X-Forwarded-For": said})
    assert [one.remote_addr for one in found()] == [None, "fe80::1", "127.0.0.1"]
