"""An owner reads what was done to their Office, and not who of the vendor did it."""

from billing.audit import actor, trail
from tests.access.test_audit_trail_export import got
from tests.api.test_api import path, signed_in
from tests.conftest import a_member, a_person, subscribed_office


def entries(client, office):
    return client.get(path(office, "audit-trail/")).json()["results"]


def test_owners_read_the_trail_and_the_vendors_people_have_no_names(stripe, operator, office):
    owner = a_member(office, "owner")
    office = subscribed_office(office, by=operator)
    client = signed_in(owner)
    client.post(path(office, "subscription/cancel/"), {"reason": "we close"}, format="json")

    found = entries(client, office)

    assert {(one["by"], one["reason"]) for one in found if "operation" in one["what"]} == {
        ("the vendor", ""),
        ("owner@maple.example", "we close"),
    }
    assert "vendor.example" not in str(found)
    assert "new" in {one["reason"] for one in entries(signed_in(operator.user), office)}


def test_the_vendors_people_have_no_names_either_once_they_are_no_staff_any_more(stripe, operator, office):
    owner, former = signed_in(a_member(office, "owner")), a_person("former@vendor.example", group="operator")
    with trail.acting(actor.person(former), office=office, reason="a note of ours"):
        trail.record_act(office, "thought of moving")
    with trail.acting(operator):
        former.is_staff = False
        former.save()

    assert "thought of moving" in str(entries(owner, office))
    assert "former@vendor.example" not in str(entries(owner, office))
    assert owner.get(path(office, "audit-trail/"), {"person": "former@vendor.example"}).json()["results"] == []
    export = got(owner.get(path(office, "audit-trail/export/")))
    assert b"former@vendor.example" not in export


def test_who_is_of_the_staff_without_the_power_gets_what_an_owner_gets(stripe, operator, office):
    owner = a_member(office, "owner")
    with trail.acting(operator, office=office):
        owner.is_staff = True
        owner.save()
        trail.record_act(office, "thought of moving")

    assert operator.user.email not in str(entries(signed_in(owner), office))
    export = got(signed_in(owner).get(path(office, "audit-trail/export/")))
    assert operator.user.email.encode() not in export


def test_a_manager_does_not(stripe, office):
    client = signed_in(a_member(office, "manager"))

    answer = client.get(path(office, "audit-trail/"))

    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
