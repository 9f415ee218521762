"""The pages around signing in: where they lead, what they end, and which pages do not exist."""

import re

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import NoReverseMatch, reverse
from rest_framework.test import APIClient

from billing.access import invitations, links, tokens
from billing.audit import trail
from billing.limits.lockout import UNKNOWN
from billing.models import AccessToken, Notification, User
from tests.conftest import PASSWORD, a_member
from tests.sign_in.browser import Browser, entries

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
STAFF = "operator@vendor.example"
NEW = "seven wild geese over a lake"


def where(answer):
    assert answer.status_code == 302, answer.content
    return answer.headers["Location"]


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/admin/billing/plan/?q=a%20b", "/admin/billing/plan/?q=a%20b"),
        ("https://elsewhere.example/admin/", "/admin/"),
        ("//elsewhere.example/", "/admin/"),
        ("javascript:alert(1)", "/admin/"),
        ("", "/admin/"),
    ],
)
def test_the_admin_leads_to_the_one_sign_in_page_and_back_to_where_somebody_wanted_to_go(operator, wanted, leads_to):
    browser = Browser()
    page = browser.get("/admin/login/", {"next": wanted}, follow=True)
    assert page.redirect_chain[0][0].startswith("/account/login/")
    hidden = re.search(r'name="next" value="([^"]*)"', page.content.decode())[1]

    assert where(browser.sign_in(STAFF, to=hidden)) == leads_to
    assert where(browser.get("/admin/login/", {"next": wanted})) == leads_to


def test_the_sign_in_page_itself_leads_to_no_other_site(operator):
    assert where(Browser().sign_in(STAFF, to="https://elsewhere.example/")) == "/"


def test_the_front_page_leads_each_person_to_their_own(operator, office):
    owner = a_member(office, "owner")
    browser = Browser()
    assert where(browser.get("/")) == "/account/login/"
    browser.sign_in(owner.email)
    assert where(browser.get("/")) == "/billing/"
    browser.post("/account/logout/")
    browser.sign_in(STAFF)
    assert where(browser.get("/")) == "/admin/"


def test_an_office_person_at_the_admin_is_told_where_their_own_page_and_the_api_are(office):
    browser = Browser()
    browser.sign_in(a_member(office, "owner").email)

    for page in ("/admin/", "/admin/billing/office/"):
        answer = browser.get(page, follow=True)

        assert answer.status_code == 403
        said = answer.content.decode()
        assert "for the vendor's staff" in said
        for address in (reverse("api:docs"), reverse("account")):
            assert f'href="{address}"' in said
            assert browser.get(address).status_code == 200


def test_signing_out_of_the_admin_leads_to_the_sign_in_page(operator):
    browser = Browser()
    browser.sign_in(STAFF)

    assert where(browser.post("/admin/logout/")) == "/account/login/"
    assert where(browser.get("/admin/")).startswith("/admin/login/")


@pytest.mark.parametrize("page", ["signup/", "email/", "password/set/", "3rdparty/", "confirm-email/", "login/code/"])
def test_pages_of_allauth_without_a_use_here_do_not_exist(page):
    assert Client().get(f"/account/{page}").status_code == 404


def test_nobody_signs_up():
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")


@pytest.mark.parametrize("email", [STAFF, "nobody@elsewhere.example", "switched-off@vendor.example"])
def test_a_refused_sign_in_says_the_same_whoever_is_meant(operator, email):
    if email.startswith("switched"):
        with trail.acting(operator):
            User.objects.create_user(email, PASSWORD, is_active=False)
    password = PASSWORD if email.startswith("switched") else "not the password"

    answer = Browser().sign_in(email, password)

    assert "The e-mail address or the password is wrong." in answer.content.decode()


def test_a_new_password_ends_tokens_and_other_sessions_and_not_this_one(operator):
    browser, other = Browser(), Browser()
    for one in (browser, other):
        one.sign_in(STAFF)
    tokens.make(operator.user)

    answer = browser.post(
        "/account/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}, follow=True
    )

    assert "Your password is changed." in answer.content.decode()
    assert browser.get("/admin/").status_code == 200
    assert where(other.get("/admin/")).startswith("/admin/login/")
    assert not AccessToken.objects.exists()
    assert ("act", STAFF, "changed the password") in entries(operator.user)
    assert "Where you are signed in" in browser.get("/account/sessions/").content.decode()
    assert UserSession.objects.count() == 1


def test_the_admins_own_page_for_a_password_leads_to_the_one_page(operator):
    browser = Browser()
    browser.sign_in(STAFF)
    assert where(browser.get("/admin/password_change/")) == "/account/password/change/"


def link_for(user):
    """Ask for an e-mail, and return the link that the worker puts into it, without the host."""
    answer = Browser().post("/account/password/reset/", {"email": user.email.upper()})
    assert where(answer) == "/account/password/reset/done/"
    assert Notification.objects.get(kind=Notification.Kind.PASSWORD_RESET).user == user
    return links.to_set_password(user).removeprefix(settings.SITE_URL)


def set_password(link):
    return Browser().post(link, {"new_password1": NEW, "new_password2": NEW}, follow=True)


def test_a_forgotten_password_is_replaced_with_a_link_that_works_once(operator):
    signed_in = Browser()
    signed_in.sign_in(STAFF)
    link = link_for(operator.user)
    tokens.make(operator.user)

    assert "Your new password is set" in set_password(link).content.decode()

    assert User.objects.get().check_password(NEW)
    assert where(signed_in.get("/admin/")).startswith("/admin/login/")
    assert not AccessToken.objects.exists()
    assert "Your new password is set" not in set_password(link).content.decode()
    assert ("act", STAFF, "set a new password") in entries(operator.user)


def test_the_link_gives_no_way_past_the_second_factor(operator):
    browser = Browser()
    browser.sign_in(STAFF)
    browser.enrol()

    set_password(link_for(operator.user))

    after = Browser()
    assert where(after.get("/admin/")).startswith("/admin/login/")
    assert where(after.sign_in(STAFF, NEW)) == "/account/2fa/authenticate/"


def test_an_unknown_address_is_answered_alike_and_gets_no_mail(db):
    answer = Browser().post("/account/password/reset/", {"email": "nobody@elsewhere.example"})

    assert where(answer) == "/account/password/reset/done/"
    assert not Notification.objects.exists()


def test_a_person_sees_their_own_sessions_and_ends_one_or_all_others(operator, auditor):
    browsers = [Browser(headers={"user-agent": f"Browser {number}"}) for number in range(3)]
    for one in browsers:
        one.sign_in(STAFF)
    stranger = Browser(headers={"user-agent": "A stranger's"})
    stranger.sign_in("auditor@vendor.example")
    first = browsers[0]

    page = first.get("/account/sessions/").content.decode()
    assert all(f"Browser {number}" in page for number in range(3))
    assert "stranger" not in page

    for session in UserSession.objects.filter(user_agent__in=["Browser 1", "A stranger's"]):
        first.post("/account/sessions/", {"session": session.pk})
    assert [one.get("/admin/").status_code for one in (*browsers, stranger)] == [200, 302, 200, 200]
    assert first.post("/account/sessions/", {"session": "x"}).status_code == 302

    first.post("/account/sessions/")
    assert [one.get("/admin/").status_code for one in (*browsers, stranger)] == [200, 302, 302, 200]


@pytest.mark.parametrize(
    ("trusted", "forwarded", "seen"),
    [
        (0, "203.0.113.7", "127.0.0.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "spoofed, 203.0.113.7", "203.0.113.7"),
        (2, "203.0.113.7", "203.0.113.7"),
        (1, "no address", UNKNOWN),
        (1, "", "127.0.0.1"),
    ],
)
def test_the_address_of_a_session_comes_through_as_many_proxies_as_are_trusted(
    operator, settings, trusted, forwarded, seen
):
    settings.TRUSTED_PROXIES = trusted

    Browser(headers={"x-forwarded-for": forwarded}).sign_in(STAFF)

    assert UserSession.objects.get().ip == seen


PAGES = """login/ logout/ password/change/ password/reset/ password/reset/done/ 2fa/ 2fa/app/
2fa/recovery-codes/make/ 2fa/webauthn/ 2fa/webauthn/add/ sessions/ inactive/ provider/cancelled/ provider/error/"""


@pytest.mark.parametrize("page", ["", *PAGES.split()])
def test_no_page_has_code_in_it_or_asks_another_host(operator, page):
    browser = Browser()
    if page != "login/":
        browser.sign_in(STAFF)

    answer = browser.get(f"/account/{page}", follow=True)

    shown = answer.content.decode()
    assert "<h1>" in shown
    assert not re.search(r"<script(?![^>]*(?:src=\"/|type=\"application/json\"))", shown)
    assert not re.search(r"<style|style=\"|\son[a-z]+=\"", shown)
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", shown)


@pytest.mark.parametrize("password", ["  Seven Wild Geese over a Lake  ", "x9fQ-" * 40, "ключ Под третьим камнем " * 3])
def test_a_password_counts_exactly_as_it_was_typed(operator, password):
    browser = Browser()
    browser.sign_in(STAFF)
    browser.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": password, "password2": password})

    for other in {password.lower(), password.strip(), password[:-1], password[:64]} - {password}:
        assert Browser().sign_in(STAFF, other).status_code == 200
    assert Browser().sign_in(STAFF, password).status_code == 302
    given = {"email": STAFF, "password": password}
    assert APIClient().post("/api/v1/auth/token/", given, format="json").status_code == 200


PASSWORD_FIELD = re.compile(r"<input[^>]*name=\"[^\"]*password[^\"]*\"[^>]*>")


def test_each_field_for_a_password_hides_it_and_lets_a_password_manager_fill_it(operator, administrator):
    link = links.to_set_password(operator.user)
    invited = links.to_accept(invitations.invite("new@vendor.example", "auditor", by=administrator))
    browser = Browser()
    browser.sign_in(STAFF)
    pages = [
        (Browser(), "/account/login/"),
        (Browser(), link.removeprefix(settings.SITE_URL)),
        (Browser(), invited.removeprefix(settings.SITE_URL)),
        (browser, "/account/password/change/"),
        (browser, "/account/reauthenticate/?next=/account/2fa/"),
    ]

    for one, page in pages:
        fields = PASSWORD_FIELD.findall(one.get(page).content.decode())
        assert fields, page
        for field in fields:
            assert 'type="password"' in field, (page, field)
            assert re.search(r'autocomplete="(current|new)-password"', field), (page, field)
            assert "paste" not in field


@pytest.mark.parametrize("page", ["/account/", "/account/2fa/", "/account/sessions/", "/account/password/change/"])
def test_the_way_out_is_on_each_page_of_ones_own(operator, page):
    browser = Browser()
    browser.sign_in(STAFF)

    assert 'href="/account/logout/"' in browser.get(page).content.decode()


@pytest.mark.parametrize("page", ["/admin/", "/admin/billing/office/", "/admin/billing/user/"])
def test_the_way_out_is_on_each_page_of_the_admin(operator, page):
    browser = Browser()
    browser.sign_in(STAFF)

    assert 'action="/admin/logout/"' in browser.get(page).content.decode()


def test_signing_in_begins_a_session_with_another_key(operator):
    browser = Browser()
    before = browser.session
    before["put_there_by"] = "somebody else"
    before.save()
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value

    browser.sign_in(STAFF)

    assert browser.cookies[settings.SESSION_COOKIE_NAME].value != key
    assert not Session.objects.filter(pk=key).exists()


def test_after_signing_out_the_old_cookie_opens_nothing(operator):
    browser = Browser()
    browser.sign_in(STAFF)
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    assert browser.get("/admin/").status_code == 200

    browser.post("/account/logout/")

    browser.cookies[settings.SESSION_COOKIE_NAME] = key
    assert where(browser.get("/admin/")).startswith("/admin/login/")
    assert not Session.objects.filter(pk=key).exists()
