"""An owner can require a second factor of the Office's members. Who has none then sees nothing of that Office."""

import pytest
from rest_framework.test import APIClient

from billing.access import grants
from billing.access.roles import Power
from billing.audit import actor, trail
from billing.models import AuditEntry, Membership, Office
from tests.conftest import PASSWORD, a_member, a_person, an_office
from tests.sign_in.browser import Browser

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])


@pytest.fixture
def people(office):
    return {role: a_member(office, role) for role in ("owner", "manager", "viewer")}


def api(person, **code):
    client = APIClient()
    given = {"email": person.email, "password": PASSWORD, **code}
    token = client.post("/api/v1/auth/token/", given, format="json").data["token"]
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def enrolled(person):
    browser = Browser()
    browser.sign_in(person.email)
    browser.enrol()
    return api(person, code=browser.code())


def at(office, rest=""):
    return f"/api/v1/offices/{office.public_id}/{rest}"


def require(client, office, required=True):
    return client.put(at(office, "second-factor/"), {"required_of_members": required}, format="json")


def test_members_without_one_see_nothing_of_the_office_until_they_enrol(people, office):
    owner, viewer = enrolled(people["owner"]), api(people["viewer"])
    assert require(owner, office).data == {"required_of_members": True}

    for rest in ("", "entitlement/", "invoices/", "second-factor/"):
        answer = viewer.get(at(office, rest))
        assert (answer.status_code, answer.data["code"]) == (403, "second_factor_to_enrol"), rest
        assert "/account/2fa/" in answer.data["detail"]
    assert viewer.get("/api/v1/offices/").data["results"] == []
    assert not grants.may(actor.person(people["viewer"]), Power.LOOK, Office.objects.get())
    assert owner.get(at(office)).status_code == 200

    browser = Browser()
    browser.sign_in(people["viewer"].email)
    assert "Maple Street Family Practice requires a second factor" in browser.get("/account/").content.decode()
    now = enrolled(people["viewer"])
    assert now.get(at(office)).status_code == 200
    assert [one["id"] for one in now.get("/api/v1/offices/").data["results"]] == [str(office.public_id)]


def test_their_other_offices_stay_as_they_were_and_others_learn_nothing(people, office):
    other = an_office("Another Practice")
    with trail.acting(actor.job("tests")):
        grants.write_grants(Membership.objects.create(user=people["viewer"], office=other, role="viewer"))
    require(enrolled(people["owner"]), office)

    assert api(people["viewer"]).get(at(other)).status_code == 200
    assert api(a_person("outsider@elsewhere.example")).get(at(office)).status_code == 404


def test_the_owner_can_take_it_back_and_the_trail_has_both(people, office):
    owner = enrolled(people["owner"])
    require(owner, office)
    require(owner, office)
    require(owner, office, required=False)

    assert api(people["viewer"]).get(at(office)).status_code == 200
    told = AuditEntry.objects.filter(office=office, changes__has_key="requires_second_factor").order_by("pk")
    # the first is that of the Office itself, when it was made
    changes = [(one.actor_label, one.changes["requires_second_factor"]) for one in told]
    assert changes[1:] == [("owner@maple.example", ["False", "True"]), ("owner@maple.example", ["True", "False"])]


@pytest.mark.parametrize("role", ["manager", "viewer"])
def test_only_an_owner_decides_it(people, office, role):
    answer = require(enrolled(people[role]), office)

    assert (answer.status_code, answer.data["code"]) == (403, "not_permitted")
    assert AuditEntry.objects.filter(kind="refusal", what__startswith="require a second factor: ").count() == 1
    assert not Office.objects.get().requires_second_factor


def test_staff_do_not_decide_it(operator, office):
    assert require(api(operator.user), office).status_code == 403


def test_an_owner_without_one_is_told_to_enrol_first(people, office):
    answer = require(api(people["owner"]), office)

    assert (answer.status_code, answer.data["code"]) == (403, "second_factor_to_enrol")
    assert not Office.objects.get().requires_second_factor


def test_staff_see_the_office_by_their_role_as_before(people, office, operator):
    require(enrolled(people["owner"]), office)

    assert api(operator.user).get(at(office)).status_code == 200
