"""Owners see, add, change and remove the members of their Office over the API."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from billing import clock, errors
from billing.access import grants, invitations, links, members
from billing.access.roles import Power
from billing.audit import actor, trail
from billing.models import AuditEntry, Invitation, Membership, Notification, Office, User
from billing.operations.engine.begin import perform
from billing.operations.offices.archive import ArchiveOffice
from billing.outbox import delivery
from tests.admin.test_people import link_in
from tests.api.test_api import path, signed_in
from tests.conftest import a_member, a_person, an_office, refusals
from tests.pages.test_links import GOOD


@pytest.fixture
def owner(office):
    return a_member(office, "owner")


@pytest.fixture
def client(owner):
    return signed_in(owner)


def post(client, office, rest, **given):
    return client.post(path(office, f"members/{rest}"), given, format="json")


def accepted(email):
    """The invitation of this address, accepted by who has the address and is signed in."""
    row = Invitation.objects.get(email__iexact=email, accepted_at=None, withdrawn_at=None)
    secret = links.to_accept(row).partition("?link=")[2]
    return invitations.accept(secret, signed_in=User.objects.get(email__iexact=email))


def joined(client, office, person, **given):
    """This person, invited by the client and a member by their own consent."""
    assert post(client, office, "", email=person.email, **given).status_code == 202
    return accepted(person.email)


def listed(client, office):
    return {one["email"]: one["role"] for one in client.get(path(office, "members/")).json()["results"]}


def test_an_owner_adds_changes_and_removes_a_member_and_each_is_in_the_trail(client, owner, office):
    person = a_person("nina@maple.example")

    invited = post(client, office, "", email="NINA@maple.example", role="viewer")
    assert (invited.status_code, invited.json()["role"], invited.json()["until"]) == (202, "viewer", None)
    assert not grants.may(actor.person(person), Power.LOOK, office)
    accepted(person.email)
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
    answers = [post(client, office, "", email=person.email, role="viewer") for _ in range(2)]
    assert ([one.status_code for one in answers], answers[0].json()) == ([202, 202], answers[1].json())
    assert Notification.objects.count() == 1
    accepted(person.email)
    for _ in range(2):
        assert post(client, office, f"{person.public_id}/change/", role="manager").status_code == 200

    assert AuditEntry.objects.filter(content_type__model="membership", actor=owner).count() == 2


def test_one_who_was_removed_is_not_brought_back_by_a_change_and_is_by_being_added(client, office):
    person = a_person("nina@maple.example")
    joined(client, office, person, role="manager")
    post(client, office, f"{person.public_id}/remove/")

    stale = post(client, office, f"{person.public_id}/change/", role="manager")
    assert (stale.status_code, stale.json()["code"]) == (404, "not_a_member")
    assert post(client, office, f"{person.public_id}/remove/").status_code == 404
    assert not grants.may(actor.person(person), Power.LOOK, office)

    joined(client, office, person, role="viewer")
    assert grants.may(actor.person(person), Power.LOOK, office)
    assert not grants.may(actor.person(person), Power.MANAGE, office)


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"email": "owner@maple.example", "role": "viewer"}, 409, "already_member"),
        ({"email": "OWNER@maple.example", "role": "owner"}, 409, "already_member"),
        ({"email": "nina@maple.example", "role": "viewer", "until": "2001-01-01T00:00:00Z"}, 422, "date_invalid"),
        ({"email": "nina@maple.example", "role": "king"}, 400, "invalid"),
        ({"email": "nina", "role": "viewer"}, 400, "invalid"),
        ({}, 400, "invalid"),
    ],
)
def test_who_cannot_be_added_is_said(client, office, given, status, code):
    a_person("nina@maple.example")

    answer = post(client, office, "", **given)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Membership.objects.count() == 1
    assert not Invitation.objects.exists()
    assert not Notification.objects.exists()


def everybody_an_owner_can_name(operator):
    """An address of nobody, of a person of another Office, of the vendor's staff, and of somebody deactivated."""
    gone = a_person("gone@maple.example")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    return [
        "nobody@maple.example",
        a_person("nina@maple.example").email,
        operator.user.email,
        gone.email,
    ]


def test_an_owner_cannot_tell_whether_an_address_has_an_account(client, office, operator):
    post(client, office, "", email="first@maple.example", role="viewer")  # it asks what a process asks once
    told = []
    for email in everybody_an_owner_can_name(operator):
        with CaptureQueriesContext(connection) as asked:
            answer = post(client, office, "", email=email, role="viewer")
        shown = answer.json()
        assert (shown.pop("email"), bool(shown.pop("id")), bool(shown.pop("invited_at"))) == (email, True, True)
        kinds = [one["sql"].split()[0] for one in asked.captured_queries]
        told.append((answer.status_code, shown, kinds))

    assert told[0][:2] == (202, {"role": "viewer", "until": None})
    answers = [(status, shown) for status, shown, _ in told]
    assert answers == answers[:1] * 4
    assert [kinds for *_, kinds in told] == [told[0][2]] * 4  # and it takes as long
    assert listed(client, office) == {"owner@maple.example": "owner"}
    assert len(client.get(path(office, "invitations/")).json()["results"]) == 5


def test_an_invitation_of_the_vendors_staff_or_of_the_deactivated_is_not_sent_and_gives_nothing(
    client, office, operator, mailoutbox
):
    everybody = everybody_an_owner_can_name(operator)
    for email in everybody:
        post(client, office, "", email=email, role="owner")

    delivery.work_off()

    assert sorted(mail.to[0] for mail in mailoutbox) == sorted(everybody[:2])
    for email in everybody[2:]:
        with pytest.raises(errors.LinkNotValid):
            accepted(email)
    assert Membership.objects.count() == 1


def test_an_administrator_is_told_why_nobody_can_be_added(office, administrator, operator):
    for email in everybody_an_owner_can_name(operator)[2:]:
        with pytest.raises(errors.NobodyToAdd):
            members.add(office, email=email, role="viewer", by=administrator)
    assert not Invitation.objects.exists()


def test_a_person_with_an_account_is_no_member_before_they_accept_as_themselves(client, office):
    person, other = a_person("nina@maple.example"), a_person("other@maple.example")
    post(client, office, "", email=person.email, role="viewer")
    secret = links.to_accept(Invitation.objects.get()).partition("?link=")[2]

    for who in (None, other):
        with pytest.raises(errors.SignInToAccept):
            invitations.accept(secret, name="Nina", password="a dozen blue kettles", signed_in=who)
    assert Membership.objects.count() == 1

    invitations.accept(secret, signed_in=person)
    assert listed(client, office)["nina@maple.example"] == "viewer"


@pytest.mark.parametrize("until", [None, clock.wall().replace(microsecond=0) + timedelta(days=30)])
def test_an_address_that_nobody_has_is_invited_and_is_a_member_once_it_accepted(
    client, owner, office, mailoutbox, until
):
    given = {"email": "Nora@maple.example", "role": "manager", "until": until and until.isoformat()}

    answers = [post(client, office, "", **given) for _ in range(2)]  # the second one sends nothing

    assert [one.status_code for one in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    row = Invitation.objects.get()
    assert (row.email, row.role, row.office, row.until, row.made_by) == (
        "Nora@maple.example",
        "manager",
        office,
        until,
        owner,
    )
    assert set(answers[0].json()) == {"id", "email", "role", "until", "invited_at"}
    assert listed(client, office) == {"owner@maple.example": "owner"}
    assert Membership.objects.count() == 1
    delivery.work_off()
    (mail,) = mailoutbox
    assert mail.to == ["Nora@maple.example"]
    assert Client().post(link_in(mail), GOOD).status_code == 200
    assert listed(client, office)["Nora@maple.example"] == "manager"
    member = Membership.objects.get(user__email="Nora@maple.example")
    assert (member.ended_at, member.user.is_staff) == (until, False)
    assert {entry.actor for entry in AuditEntry.objects.get_for_object(row).filter(action=0)} == {owner}


def test_an_address_that_is_invited_is_not_invited_to_something_else(client, office):
    assert post(client, office, "", email="nora@maple.example", role="viewer").status_code == 202

    for given in ({"role": "owner"}, {"role": "viewer", "until": (clock.wall() + timedelta(days=1)).isoformat()}):
        answer = post(client, office, "", email="NORA@maple.example", **given)
        assert (answer.status_code, answer.json()["code"]) == (409, "invitation_open")
    other = an_office("Another Practice")
    assert a_member_elsewhere_invites(other).status_code == 202  # each Office by itself


def a_member_elsewhere_invites(office):
    person = a_person("owner@elsewhere.example")
    with trail.acting(actor.job("tests"), reason="the cast"):
        grants.write_grants(Membership.objects.create(user=person, office=office, role="owner"))
    return post(signed_in(person), office, "", email="nora@maple.example", role="viewer")


def test_too_many_invitations_are_refused_until_the_hour_is_over(client, office):
    for _ in range(invitations.TO_ADDRESS.times):
        invited = post(client, office, "", email="nora@maple.example", role="viewer")
        assert invited.status_code == 202
        client.post(path(office, f"invitations/{invited.json()['id']}/withdraw/"))

    refused = post(client, office, "", email="nora@maple.example", role="viewer")

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_invitations")
    assert 3_500 < int(refused.headers["Retry-After"]) <= 3_600
    assert refused.json()["detail"].endswith("This one was not sent. Try again in 60 minutes.")


@pytest.mark.parametrize(("of_vendor", "begins"), [(True, "The vendor"), (False, "owner@maple.example")])
def test_an_invitation_names_an_owner_and_none_of_the_vendors_people(
    owner, administrator, office, mailoutbox, of_vendor, begins
):
    by = administrator if of_vendor else actor.person(owner)
    members.add(office, email="new@maple.example", role="viewer", by=by)

    delivery.work_off()

    (mail,) = mailoutbox
    (as_html, _), *_ = mail.alternatives
    assert mail.body.startswith(f"{begins} invites you to Office Billing, where the billing of {office} is done.")
    assert f"{begins} invites you" in as_html
    assert "administrator" not in mail.body + as_html


def test_an_invitation_is_over_when_what_it_gives_is_over(client, office):
    ends = clock.wall() + timedelta(hours=1)
    post(client, office, "", email="nora@maple.example", role="viewer", until=ends.isoformat())
    row = Invitation.objects.get()
    secret = links.to_accept(row).partition("?link=")[2]
    assert invitations.open_by(secret)[0] == row
    Invitation.objects.update(until=clock.wall())  # as if that moment had come

    with pytest.raises(errors.LinkNotValid):
        invitations.accept(secret, name="Nora", password="a dozen blue kettles")
    delivery.work_off()

    assert Notification.objects.get().state == "dropped"
    assert not User.objects.filter(email="nora@maple.example").exists()


def test_an_older_invitation_does_not_change_a_membership_that_is_in_force(client, owner, office):
    invitation = invitations.invite("nora@maple.example", "owner", office=office, by=actor.person(owner))
    secret = links.to_accept(invitation).partition("?link=")[2]
    person, ends = a_person("nora@maple.example"), clock.wall() + timedelta(days=1)
    with trail.acting(actor.job("tests")):
        Membership.objects.create(user=person, office=office, role="viewer", ended_at=ends)

    invitations.accept(secret, signed_in=person)

    member = person.memberships.get()
    assert (member.role, member.ended_at) == ("viewer", ends)


def test_owners_see_and_withdraw_what_is_open_at_their_own_office_alone(client, owner, office, administrator):
    invitations.invite("nora@maple.example", "viewer", office=office, by=administrator)
    elsewhere = invitations.invite("n@elm.example", "viewer", office=an_office("Elm"), by=administrator)
    staff = invitations.invite("new@vendor.example", "auditor", by=administrator)
    (shown,) = client.get(path(office, "invitations/")).json()["results"]
    assert (shown["email"], shown["role"], shown["until"]) == ("nora@maple.example", "viewer", None)
    secret = links.to_accept(Invitation.objects.get(public_id=shown["id"])).partition("?link=")[2]

    for other in (elsewhere, staff):
        at = path(office, f"invitations/{other.public_id}/withdraw/")
        assert client.post(at).status_code == 404
    for _ in range(2):
        assert client.post(path(office, f"invitations/{shown['id']}/withdraw/")).status_code == 204

    assert client.get(path(office, "invitations/")).json()["results"] == []
    with pytest.raises(errors.LinkNotValid):
        invitations.accept(secret, name="Nora", password="a dozen blue kettles")
    assert Invitation.objects.filter(withdrawn_at=None).count() == 2
    withdrawn = AuditEntry.objects.get_for_object(Invitation.objects.get(public_id=shown["id"]))
    assert [one.actor for one in withdrawn if "withdrawn_at" in (one.changes or {}) and one.action == 1] == [owner]
    assert post(client, office, "", email="nora@maple.example", role="viewer").status_code == 202


def test_an_invitation_that_was_accepted_is_not_withdrawn(client, owner, office):
    invitation = invitations.invite("nora@maple.example", "viewer", office=office, by=actor.person(owner))
    invitations.accept(links.to_accept(invitation).partition("?link=")[2], name="Nora", password="a dozen blue kettles")

    answer = client.post(path(office, f"invitations/{invitation.public_id}/withdraw/"))

    assert (answer.status_code, answer.json()["code"]) == (409, "invitation_over")
    assert listed(client, office)["nora@maple.example"] == "viewer"


def test_the_last_owner_stays(client, owner, office):
    person, at = a_person("nina@maple.example"), f"{owner.public_id}/"
    later = (clock.wall() + timedelta(days=1)).isoformat()
    joined(client, office, person, role="owner", until=later)  # an owner who leaves is not enough

    for rest, given in (
        ("remove/", {}),
        ("change/", {"role": "manager"}),
        ("change/", {"role": "owner", "until": later}),
    ):
        answer = post(client, office, at + rest, **given)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner"), rest
    assert refusals(actor=owner, office=office) == 3

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
    assert post(client, office, "", email="nobody.has.this@maple.example", role="owner").status_code == 403
    assert not Invitation.objects.exists()
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
    joined(client, office, person, role="manager", until=ends.isoformat())
    theirs, by = signed_in(person), actor.person(person)
    assert theirs.get(path(office)).status_code == 200

    Membership.objects.filter(user=person).update(ended_at=clock.wall())  # as if that moment had come

    assert not grants.may(by, Power.LOOK, office)
    assert not grants.offices_where(person, Power.LOOK).exists()
    assert theirs.get(path(office)).status_code == 404
    with pytest.raises(errors.NotPermitted):
        perform(ArchiveOffice(), office, by=by, reason="to see")
    assert "nina@maple.example" not in listed(client, office)


def test_the_document_says_what_each_answer_means(db):
    document = APIClient().get("/api/v1/schema/", HTTP_ACCEPT="application/json").json()
    told = document["paths"]["/api/v1/offices/{public_id}/members/"]["post"]["responses"]

    assert {status: one["description"].split(".")[0] for status, one in told.items() if status < "300"} == {
        "202": "The address gets an e-mail with a link to accept the invitation",
    }
    shape = told["202"]["content"]["application/json"]["schema"]["$ref"]
    assert shape.rpartition("/")[2] == "Invitation"
