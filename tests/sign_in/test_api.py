"""Tokens and the second factor, and one's own password, over the API."""

import pytest
from rest_framework.test import APIClient

from billing.models import AccessToken, User
from tests.conftest import PASSWORD, a_member
from tests.sign_in.browser import Browser, entries

pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "impatient", "optional"]
)  # what follows enrolling follows its commit
STAFF = "operator@vendor.example"
NEW = "seven wild geese over a lake"


@pytest.fixture(autouse=True)
def required(settings):
    settings.REQUIRE_SECOND_FACTOR = True


@pytest.fixture
def api():
    return APIClient()


def token(api, email, **more):
    return api.post("/api/v1/auth/token/", {"email": email, "password": PASSWORD, **more}, format="json")


def offices(api, answer):
    return api.get("/api/v1/offices/", headers={"Authorization": f"Token {answer.data['token']}"})


@pytest.fixture
def enrolled(operator):
    browser = Browser()
    browser.sign_in(STAFF)
    browser.enrol()
    return browser


def test_the_password_of_staff_alone_gives_no_token_and_it_says_where_to_enrol(api, operator):
    answer = token(api, STAFF)

    assert (answer.status_code, answer.data["code"]) == (403, "second_factor_to_enrol")
    assert "http://127.0.0.1:8000/account/2fa/" in answer.data["detail"]
    assert entries() == [("refusal", STAFF, "API token: second_factor_to_enrol")]


@pytest.mark.parametrize(
    ("given", "code"),
    [({}, "second_factor_missing"), ({"code": ""}, "invalid"), ({"code": "000000"}, "second_factor_wrong")],
)
def test_without_a_right_code_there_is_no_token(api, enrolled, given, code):
    answer = token(api, STAFF, **given)

    assert answer.status_code in (400, 403)
    assert answer.data["code"] == code
    assert not AccessToken.objects.exists()


def test_with_a_code_there_is_one_and_the_code_is_used_up(api, enrolled):
    code = enrolled.code()

    answer = token(api, STAFF, code=code)

    assert answer.status_code == 200
    assert offices(api, answer).status_code == 200
    assert token(api, STAFF, code=code).data["code"] == "second_factor_wrong"


def test_a_recovery_code_gives_one_too(api, enrolled):
    assert token(api, STAFF, code=enrolled.recovery_codes[0]).status_code == 200
    assert token(api, STAFF, code=enrolled.recovery_codes[0]).status_code == 403


def test_a_code_says_nothing_about_a_wrong_password(api, enrolled):
    answer = api.post("/api/v1/auth/token/", {"email": STAFF, "password": "x", "code": enrolled.code()}, format="json")

    assert (answer.status_code, answer.data["code"]) == (401, "authentication_failed")


def test_a_token_from_before_does_not_work_for_staff_who_have_not_enrolled(api, operator, settings):
    settings.REQUIRE_SECOND_FACTOR = False
    answer = token(api, STAFF)
    settings.REQUIRE_SECOND_FACTOR = True

    refused = offices(api, answer)

    assert refused.status_code == 401
    assert "/account/2fa/" in refused.data["detail"]


def test_a_token_that_a_password_alone_gave_ends_when_the_person_enrols(api, office):
    owner = a_member(office, "owner")
    answer = token(api, owner.email)
    assert offices(api, answer).status_code == 200
    browser = Browser()
    browser.sign_in(owner.email)

    browser.enrol()

    assert offices(api, answer).status_code == 401
    assert token(api, owner.email).data["code"] == "second_factor_missing"
    assert token(api, owner.email, code=browser.code()).status_code == 200
    assert ("act", owner.email, "ended: 1 API tokens, 0 sessions") in entries(owner)


def test_staff_pay_one_query_more_and_others_none(api, enrolled, office, django_assert_num_queries):
    path = f"/api/v1/offices/{office.public_id}/entitlement/"
    for email, code, queries in ((a_member(office, "owner").email, "", 2), (STAFF, enrolled.code(), 3)):
        held = token(api, email, **({"code": code} if code else {})).data["token"]
        with django_assert_num_queries(queries):
            assert api.get(path, headers={"Authorization": f"Token {held}"}).status_code == 200


@pytest.fixture
def owner(api, office):
    person = a_member(office, "owner")
    api.credentials(HTTP_AUTHORIZATION=f"Token {token(api, person.email).data['token']}")
    return person


def change(api, current, new):
    return api.post("/api/v1/account/password/", {"current": current, "new": new}, format="json")


def test_ones_own_password_is_changed_and_everything_that_the_old_one_opened_ends(api, owner):
    browser = Browser()
    browser.sign_in(owner.email)
    assert browser.get("/account/").status_code == 200

    assert change(api, PASSWORD, NEW).status_code == 204

    assert change(api, NEW, PASSWORD).status_code == 401  # the token
    assert browser.get("/account/").status_code == 302  # the session
    assert User.objects.get(pk=owner.pk).check_password(NEW)
    assert entries(owner)[-2:] == [
        ("act", owner.email, "changed the password"),
        ("act", owner.email, "ended: 1 API tokens, 1 sessions"),
    ]


@pytest.mark.parametrize(
    ("current", "new", "expected"),
    [
        ("something else", NEW, (403, "wrong_password")),
        (PASSWORD, "too short", (422, "password_too_weak")),
        (PASSWORD, "owner@maple.example", (422, "password_too_weak")),
        (PASSWORD, "", (400, "invalid")),
    ],
)
def test_a_wrong_or_weak_password_changes_nothing(api, owner, current, new, expected):
    answer = change(api, current, new)

    assert (answer.status_code, answer.data["code"]) == expected
    assert User.objects.get(pk=owner.pk).check_password(PASSWORD)
    assert "too short" not in str(entries())


def test_nobody_changes_a_password_without_a_token(db):
    assert change(APIClient(), PASSWORD, NEW).status_code == 401
