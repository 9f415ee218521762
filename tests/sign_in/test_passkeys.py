"""Passkeys and security keys: as a second factor, alone, and when they are removed."""

import json
import re

import pytest
from allauth.mfa.models import Authenticator

from tests.sign_in.browser import Browser, entries
from tests.sign_in.soft_key import SoftKey

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
STAFF = "operator@vendor.example"
ADD, LOGIN, CODE = "/account/2fa/webauthn/add/", "/account/2fa/webauthn/login/", "/account/2fa/authenticate/"


@pytest.fixture(autouse=True)
def required(settings):
    settings.REQUIRE_SECOND_FACTOR = True


@pytest.fixture
def browser(operator):
    one = Browser()
    one.sign_in(STAFF)
    return one


def options(page, kind):
    return json.loads(re.search(r'id="js_data"[^>]*>(.*?)</script>', page.content.decode(), re.S)[1])[kind]


def add(browser, key, **more):
    asked = options(browser.get(ADD), "creation_options")
    return browser.post(ADD, {"name": "phone", "credential": key.create(asked), **more})


def sign_in_with(browser, key):
    asked = browser.get(LOGIN, headers={"accept": "application/json"}).json()["request_options"]
    return browser.post(LOGIN, {"credential": key.get(asked)})


def test_a_key_opens_what_a_second_factor_opens(browser):
    key = SoftKey()

    assert add(browser, key).headers["Location"] == "/account/2fa/recovery-codes/"
    assert browser.get("/admin/").status_code == 200

    again = Browser()
    assert again.sign_in(STAFF).headers["Location"] == CODE
    answer = again.post(CODE, {"credential": key.get(options(again.get(CODE), "request_options"))})
    assert answer.status_code == 302, answer.content
    assert again.get("/admin/").status_code == 200
    assert ("act", STAFF, "signed in with a password and a passkey or security key") in entries()


def test_a_passkey_alone_signs_in_and_counts_as_a_second_factor(browser):
    key = SoftKey()
    add(browser, key, passwordless="on")

    again = Browser()
    assert sign_in_with(again, key).status_code == 302
    assert again.get("/admin/").status_code == 200
    assert ("act", STAFF, "signed in with a passkey or security key") in entries()


def test_a_key_that_asks_for_no_pin_does_not_sign_in_alone(browser):
    key = SoftKey(verifies=False)
    assert add(browser, key, passwordless="on").status_code == 200
    assert not Authenticator.objects.exists()
    add(browser, key)

    again = Browser()
    sign_in_with(again, key)
    assert again.get("/admin/").status_code == 302


def test_another_key_that_says_it_is_ours_opens_nothing(browser):
    own, stranger = SoftKey(), SoftKey()
    add(browser, own, passwordless="on")

    for name in (stranger.id, own.id):
        stranger.user, stranger.id = own.user, name
        again = Browser()
        sign_in_with(again, stranger)
        assert again.get("/admin/").status_code == 302


def test_who_was_switched_off_does_not_get_in_with_a_passkey(browser, operator):
    key = SoftKey()
    add(browser, key, passwordless="on")
    type(operator.user).objects.filter(pk=operator.user.pk).update(is_active=False)

    again = Browser()
    assert sign_in_with(again, key).headers["Location"] == "/account/inactive/"
    assert again.get("/admin/").status_code == 302


def test_staff_cannot_remove_their_last_key_and_can_remove_one_of_two(browser):
    first, second = SoftKey(), SoftKey()
    add(browser, first)
    (pk,) = Authenticator.objects.filter(type="webauthn").values_list("pk", flat=True)
    remove = f"/account/2fa/webauthn/{pk}/remove/"
    assert browser.get(remove).status_code == 200
    answer = browser.post(remove, follow=True)
    assert "First add another" in answer.content.decode()
    assert Authenticator.objects.filter(pk=pk).exists()

    add(browser, second)
    browser.post(remove)

    assert not Authenticator.objects.filter(pk=pk).exists()
    assert ("act", STAFF, "removed a passkey or security key") in entries()


def test_nobody_removes_or_renames_the_key_of_another_person(browser, auditor):
    add(browser, SoftKey())
    (pk,) = Authenticator.objects.filter(type="webauthn").values_list("pk", flat=True)
    other = Browser()
    other.sign_in("auditor@vendor.example")
    other.enrol()

    for act in ("remove", "edit"):
        assert other.post(f"/account/2fa/webauthn/{pk}/{act}/", {"name": "mine"}).status_code == 404


def test_changing_how_one_signs_in_asks_again_after_five_minutes(browser, settings):
    add(browser, SoftKey())
    session = browser.session
    for one in session["account_authentication_methods"]:
        one["at"] -= 301
    session.save()

    assert browser.get(ADD).headers["Location"].startswith("/account/reauthenticate/?next=")
    assert browser.get("/account/2fa/recovery-codes/make/").status_code == 302
    answer = browser.post("/account/reauthenticate/", {"password": "wrong", "next": ADD})
    assert "The password is wrong." in answer.content.decode()
    answer = browser.post("/account/reauthenticate/", {"password": "correct horse battery staple", "next": ADD})
    assert answer.headers["Location"] == ADD
    assert browser.get(ADD).status_code == 200
