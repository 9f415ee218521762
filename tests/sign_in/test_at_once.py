"""What can be used once is used once, also by two requests at the same moment."""

import threading

import pytest
from allauth.mfa.models import Authenticator
from django.db import connections
from django.test import Client
from rest_framework.test import APIClient

from billing.access import invitations, links
from billing.models import AccessToken, AuditEntry, Invitation, User
from tests.conftest import PASSWORD, a_person, an_office
from tests.pages.test_links import GOOD, page_of
from tests.sign_in.browser import Browser

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
STAFF = "operator@vendor.example"


@pytest.fixture(autouse=True)
def required(settings):
    settings.REQUIRE_SECOND_FACTOR = True


@pytest.fixture
def enrolled(operator):
    browser = Browser()
    browser.sign_in(STAFF)
    browser.enrol()
    return browser


def at_once(*do):
    """Do all of it at the same moment, each in a thread of its own. Return the status of each answer, sorted."""
    together, told = threading.Barrier(len(do)), []

    def one(ask):
        try:
            together.wait()
            told.append(ask().status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(ask,)) for ask in do]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(told)


def token(code):
    given = {"email": STAFF, "password": PASSWORD, "code": code}
    return lambda: APIClient().post("/api/v1/auth/token/", given, format="json")


@pytest.mark.parametrize("which", ["app", "recovery"])
def test_a_code_makes_one_token(enrolled, which):
    code = enrolled.code() if which == "app" else enrolled.recovery_codes[3]

    assert at_once(*[token(code)] * 4) == [200, 403, 403, 403]

    assert AccessToken.objects.count() == 1
    assert AuditEntry.objects.filter(kind="refusal", what="API token: second_factor_wrong").count() == 1


@pytest.mark.parametrize("which", ["app", "recovery"])
def test_a_code_opens_one_session(enrolled, which):
    code = enrolled.code() if which == "app" else enrolled.recovery_codes[3]
    browsers = [Browser() for _ in range(3)]
    for browser in browsers:
        browser.sign_in(STAFF)

    asked = [lambda browser=browser: browser.give_code(code) for browser in browsers]

    assert at_once(*asked) == [200, 200, 302]
    assert sorted(one.get("/admin/").status_code for one in browsers) == [200, 302, 302]


def a_key(user):
    return Authenticator.objects.create(user=user, type="webauthn", data={"name": "A key", "credential": {}})


def test_two_last_factors_are_not_removed_at_once(enrolled, operator):
    factors, other = Authenticator.objects.exclude(type="recovery_codes"), Browser()
    other.cookies = enrolled.cookies.copy()
    pages = {"totp": "/account/2fa/app/remove/", "webauthn": "/account/2fa/webauthn/{}/remove/"}
    for _ in range(6):  # two requests do not always meet
        a_key(operator.user)
        first, second = [pages[one.type].format(one.pk) for one in factors.order_by("pk")]

        at_once(lambda to=first: enrolled.post(to), lambda to=second: other.post(to))

        assert factors.count() == 1


def test_a_link_sets_one_password(db):
    mira = a_person("mira@maple.example")
    address = page_of(links.to_set_password(mira))
    chosen = [f"a dozen blue kettles {number}" for number in range(3)]

    asked = [lambda new=new: Client().post(address, {"new_password1": new, "new_password2": new}) for new in chosen]

    assert at_once(*asked) == [200, 404, 404]
    mira.refresh_from_db()
    assert [mira.check_password(new) for new in chosen].count(True) == 1
    assert AuditEntry.objects.filter(what="set a new password").count() == 1


def test_an_invitation_is_accepted_once(administrator, office):
    made = invitations.invite("nora@maple.example", "viewer", office=office, by=administrator)
    address = page_of(links.to_accept(made))

    assert at_once(*[lambda: Client().post(address, GOOD)] * 3) == [200, 404, 404]

    nora = User.objects.get(email="nora@maple.example")
    assert nora.memberships.count() == 1
    assert AuditEntry.objects.get_for_object(Invitation.objects.get()).filter(actor=nora).count() == 1


def test_a_link_that_is_used_while_it_is_opened_is_not_valid(administrator, office, monkeypatch):
    made = invitations.invite("nora@maple.example", "viewer", office=office, by=administrator)
    address, holds = page_of(links.to_accept(made)), invitations.holds

    def accepted_just_then(invitation):
        held = holds(invitation)
        monkeypatch.setattr(invitations, "holds", holds)
        assert Client().post(address, GOOD).status_code == 200
        return held

    monkeypatch.setattr(invitations, "holds", accepted_just_then)

    assert Client().post(address, GOOD).status_code == 404


def test_two_invitations_of_one_person_make_one_account_and_the_other_asks_to_sign_in(administrator, office):
    both = [
        invitations.invite("nora@maple.example", "viewer", office=one, by=administrator)
        for one in (office, an_office("Another"))
    ]
    addresses = [page_of(links.to_accept(made)) for made in both]

    told = at_once(*[lambda to=to: Client().post(to, GOOD) for to in addresses])

    assert set(told) <= {200, 302}
    nora = User.objects.get(email="nora@maple.example")
    assert nora.memberships.count() == 1
    assert Invitation.objects.filter(accepted_at=None).count() == 1
