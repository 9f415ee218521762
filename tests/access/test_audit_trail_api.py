"""An owner reads what was done to their Office, and not who of the vendor did it."""

from tests.api.test_api import path, signed_in
from tests.conftest import a_member, subscribed_office


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


def test_a_manager_does_not(stripe, office):
    client = signed_in(a_member(office, "manager"))

    answer = client.get(path(office, "audit-trail/"))

    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
