"""Owners see, add, change and remove the members of their Office over the API."""

from datetime import timedelta

import pytest

from billing import clock, errors
from billing.access import grants, members
from billing.access.roles import Power
from billing.audit import actor, trail
from billing.models import AuditEntry, Membership, Office
from billing.operations.engine.begin import perform
from billing.operations.offices.archive import ArchiveOffice
from tests.api.test_api import path, signed_in
from tests.conftest import a_member, a_person, an_office


@pytest.fixture
def owner(office):
    return a_member(office, "owner")


@pytest.fixture
def client(owner):
    return signed_in(owner)


def post(client, office, rest, **given):
    return client.post(path(office, f"members/{rest}"), given, format="json")


def listed(client, office):
    return {one["email"]: one["role"] for one in client.get(path(office, "members/")).json()}


def test_an_owner_adds_changes_and_removes_a_member_and_each_is_in_the_trail(client, owner, office):
    person = a_person("nina@maple.example")

    added = post(client, office, "", email="NINA@maple.example", role="viewer")
    assert (added.status_code, added.json()["role"], added.json()["until"]) == (201, "viewer", None)
    assert listed(client, office) == {"owner@maple.example": "owner", "nina@maple.example": "viewer"}
    changed = post(client, office, f"{person.public_id}/change/", role="manager")
    assert (changed.status_code, changed.json()["role"]) == (200, "manager")
    assert grants.may(actor.person(person), Power.MANAGE, office)
    removed = post(client, office, f"{person.public_id}/remove/")
    assert removed.status_code == 200
    assert listed(client, office) == {"owner@maple.example": "owner"}
    assert not grants.may(actor.person(person), Power.LOOK, office)

    entries = AuditEntry.objects.filter(content_type__model="membership", actor=owner, office=office)
    assert [sorted(one.changes) for one in entries.order_by("pk")][1:] == [["role"], ["ended_at"]]


def test_repeating_changes_nothing(client, owner, office):
    person = a_person("nina@maple.example")
    for _ in range(2):
        assert post(client, office, "", email=person.email, role="viewer").status_code == 201
    for _ in range(2):
        assert post(client, office, f"{person.public_id}/change/", role="manager").status_code == 200

    assert AuditEntry.objects.filter(content_type__model="membership", actor=owner).count() == 2


def test_one_who_was_removed_is_not_brought_back_by_a_change_and_is_by_being_added(client, office):
    person = a_person("nina@maple.example")
    post(client, office, "", email=person.email, role="manager")
    post(client, office, f"{person.public_id}/remove/")

    stale = post(client, office, f"{person.public_id}/change/", role="manager")
    assert (stale.status_code, stale.json()["code"]) == (404, "not_a_member")
    assert post(client, office, f"{person.public_id}/remove/").status_code == 404
    assert not grants.may(actor.person(person), Power.LOOK, office)

    assert post(client, office, "", email=person.email, role="viewer").status_code == 201
    assert grants.may(actor.person(person), Power.LOOK, office)
    assert not grants.may(actor.person(person), Power.MANAGE, office)


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"email": "unknown@maple.example", "role": "viewer"}, 422, "nobody_to_add"),
        ({"email": "operator@vendor.example", "role": "viewer"}, 422, "nobody_to_add"),
        ({"email": "gone@maple.example", "role": "viewer"}, 422, "nobody_to_add"),
        ({"email": "owner@maple.example", "role": "viewer"}, 409, "already_member"),
        ({"email": "nina@maple.example", "role": "viewer", "until": "2001-01-01T00:00:00Z"}, 422, "date_invalid"),
        ({"email": "nina@maple.example", "role": "king"}, 400, "invalid"),
        ({"email": "nina", "role": "viewer"}, 400, "invalid"),
        ({}, 400, "invalid"),
    ],
)
def test_who_cannot_be_added_is_said(client, office, operator, given, status, code):
    a_person("nina@maple.example")
    gone = a_person("gone@maple.example")
    gone.is_active = False
    with trail.acting(actor.job("tests")):
        gone.save()

    answer = post(client, office, "", **given)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Membership.objects.count() == 1


def test_the_last_owner_stays(client, owner, office):
    person, at = a_person("nina@maple.example"), f"{owner.public_id}/"
    later = (clock.wall() + timedelta(days=1)).isoformat()
    post(client, office, "", email=person.email, role="owner", until=later)  # an owner who leaves is not enough

    for rest, given in (
        ("remove/", {}),
        ("change/", {"role": "manager"}),
        ("change/", {"role": "owner", "until": later}),
    ):
        answer = post(client, office, at + rest, **given)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner"), rest
    assert AuditEntry.objects.filter(kind="refusal", actor=owner, office=office).count() == 3

    post(client, office, f"{person.public_id}/change/", role="owner")
    assert post(client, office, at + "remove/").status_code == 200
    assert signed_in(owner).get(path(office, "members/")).status_code == 404


def test_the_vendor_may_take_the_last_owner_away(owner, office, administrator):
    members.remove(office, owner, by=administrator)

    assert not grants.may(actor.person(owner), Power.LOOK, office)


@pytest.mark.parametrize("role", ["manager", "viewer"])
def test_who_is_no_owner_may_not(office, owner, role):
    client, person = signed_in(a_member(office, role)), a_person("nina@maple.example")

    assert client.get(path(office, "members/")).status_code == 403
    assert post(client, office, "", email=person.email, role="owner").status_code == 403
    assert post(client, office, f"{owner.public_id}/remove/").status_code == 403
    assert Membership.objects.in_force().count() == 2


def test_an_owner_of_one_office_is_nobody_at_another(client, office, owner):
    other = an_office("Another Practice")
    person = a_person("nina@maple.example")

    assert client.get(path(other, "members/")).status_code == 404
    assert post(client, other, "", email=owner.email, role="owner").status_code == 404
    assert post(client, office, f"{person.public_id}/remove/").status_code == 404


def test_members_of_an_archived_office_are_not_changed(office, owner, operator, administrator):
    perform(ArchiveOffice(), office, by=operator, reason="it closed")

    with pytest.raises(errors.OfficeArchived):
        members.remove(Office.objects.get(), owner, by=administrator)


def test_a_membership_ends_at_the_moment_that_was_set_whether_or_not_anything_runs(client, office):
    person = a_person("nina@maple.example")
    ends = clock.wall() + timedelta(hours=2)
    post(client, office, "", email=person.email, role="manager", until=ends.isoformat())
    theirs, by = signed_in(person), actor.person(person)
    assert theirs.get(path(office)).status_code == 200

    Membership.objects.filter(user=person).update(ended_at=clock.wall())  # as if that moment had come

    assert not grants.may(by, Power.LOOK, office)
    assert not grants.offices_where(person, Power.LOOK).exists()
    assert theirs.get(path(office)).status_code == 404
    with pytest.raises(errors.NotPermitted):
        perform(ArchiveOffice(), office, by=by, reason="to see")
    assert "nina@maple.example" not in listed(client, office)
