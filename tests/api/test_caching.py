"""What may be kept of an answer: of a read, to ask whether it is still right, and of anything else nothing."""

import pytest

from billing.models import Office
from tests.api.test_api import path, signed_in
from tests.api.test_odd_input import READS, filled
from tests.conftest import a_member

pytestmark = pytest.mark.django_db
FOR_ALL = ("api/v1/schema/", "api/v1/docs/", "api/v1/problems/")
A_STREAM = "audit-trail/export/"


@pytest.fixture
def owner(office, no_limit_is_reached):
    return signed_in(a_member(office, "owner"))


def test_each_read_that_succeeds_can_be_asked_whether_it_is_still_right(owner, office):
    kept = 0
    for route in set(READS) - set(FOR_ALL):
        first = owner.get(filled(route, office))
        if first.status_code != 200 or route.endswith(A_STREAM):
            assert first["Cache-Control"] == "no-store", route
            assert "ETag" not in first.headers, route
            continue
        if route.endswith("audit-trail/"):
            continue  # each read of it adds to it
        again = owner.get(filled(route, office), headers={"If-None-Match": first["ETag"]})
        assert first["Cache-Control"] == again["Cache-Control"] == "private, no-cache", route
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"]), route
        kept += 1
    assert kept > 10


def test_what_has_changed_is_sent_again(owner, office):
    first = owner.get(path(office))
    Office.objects.filter(pk=office.pk).update(billing_email="new@maple.example")
    again = owner.get(path(office), headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.json()["billing_email"]) == (200, "new@maple.example")
    assert again["ETag"] != first["ETag"]


def test_who_lost_access_does_not_learn_that_nothing_has_changed(owner, office, outsider):
    first = owner.get(path(office))
    stranger = signed_in(outsider.user)

    assert stranger.get(path(office), headers={"If-None-Match": first["ETag"]}).status_code == 404


def test_of_what_was_done_and_of_a_refusal_nothing_may_be_kept(stripe, owner, office):
    done = owner.post(path(office, "contact/"), {"locale": "es"}, format="json")
    refused = owner.post(path(office, "contact/"), {"locale": 7}, format="json")

    assert (done.status_code, done["Cache-Control"]) == (200, "no-store")
    assert (refused.status_code, refused["Cache-Control"]) == (400, "no-store")
