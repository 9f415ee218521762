"""Staff reach nothing before a second factor was enrolled and used."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.urls import URLResolver, get_resolver
from rest_framework.test import APIClient

from billing import errors
from billing.access import encrypted, second_factor, tokens
from billing.audit import actor, trail
from billing.models import AuditEntry, CachedValue, Notification, User
from billing.outbox import delivery
from tests.conftest import PASSWORD, a_member, a_person
from tests.sign_in.browser import Browser, entries, totp

pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "impatient", "optional"]
)  # what follows enrolling follows its commit
STAFF = "operator@vendor.example"
OFFICES = "/admin/billing/office/"
SECOND_FACTOR = "/account/2fa/"


@pytest.fixture(autouse=True)
def required(settings):
    settings.REQUIRE_SECOND_FACTOR = True


@pytest.fixture
def browser(operator):
    return Browser()


@pytest.fixture
def enrolled(browser):
    browser.sign_in(STAFF)
    browser.enrol()
    return browser


def where(answer):
    assert answer.status_code == 302, answer.content
    return answer.headers["Location"]


def test_the_codes_are_those_of_rfc_6238():
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the RFC's own, appendix B; its codes have eight digits
    assert [totp(secret, at=at) for at in (59, 1111111109, 2000000000)] == ["287082", "081804", "279037"]


def test_a_password_alone_leads_staff_to_the_page_where_they_enrol(browser):
    answer = browser.sign_in(STAFF, to=OFFICES)

    assert where(answer) == OFFICES
    assert where(browser.get(OFFICES)) == SECOND_FACTOR
    assert "must have a second factor" in browser.get(SECOND_FACTOR).content.decode()


def test_enrolling_opens_everything_and_shows_the_recovery_codes_once(browser):
    browser.sign_in(STAFF)

    assert where(browser.enrol()) == "/account/2fa/recovery-codes/"
    assert len(browser.recovery_codes) == 10
    assert browser.recovery_codes[0] not in browser.get("/account/2fa/recovery-codes/").content.decode()
    assert browser.get(OFFICES).status_code == 200


def test_the_next_session_asks_for_the_code(enrolled):
    enrolled.post("/account/logout/")

    assert where(enrolled.sign_in(STAFF, to=OFFICES)) == "/account/2fa/authenticate/"
    assert where(enrolled.get(OFFICES)).startswith("/admin/login/")
    assert enrolled.give_code("000000").status_code == 200
    assert where(enrolled.give_code(enrolled.code())) == OFFICES
    assert enrolled.get(OFFICES).status_code == 200


def test_a_code_works_once(enrolled):
    code = enrolled.code()
    for expected in (302, 200):
        other = Browser()
        other.sign_in(STAFF)
        assert other.give_code(code).status_code == expected


def test_a_code_that_was_used_is_known_to_every_process(enrolled):
    enrolled.post("/account/logout/")
    enrolled.sign_in(STAFF)
    enrolled.give_code(enrolled.code())

    assert CachedValue.objects.filter(cache_key__contains="totp.used").count() == 1


def test_a_recovery_code_works_once(enrolled):
    for expected in (302, 200):
        other = Browser()
        other.sign_in(STAFF)
        assert other.give_code(enrolled.recovery_codes[3]).status_code == expected


def test_after_five_wrong_codes_a_right_one_waits(enrolled):
    enrolled.post("/account/logout/")
    enrolled.sign_in(STAFF)
    for number in range(5):
        enrolled.give_code(f"00000{number}")

    answer = enrolled.give_code(enrolled.code())

    assert "too many wrong tries" in answer.content.decode()


def test_a_session_from_before_enrolling_ends(browser):
    other = Browser()
    other.sign_in(STAFF)
    assert other.get(SECOND_FACTOR).status_code == 200
    browser.sign_in(STAFF)

    browser.enrol()

    assert where(other.get(SECOND_FACTOR)).startswith("/account/login/")


def test_a_session_without_the_factor_cannot_remove_it_or_see_its_codes(enrolled, operator):
    other = Browser()
    operator.user.refresh_from_db()
    other.force_login(operator.user)

    for page in (OFFICES, SECOND_FACTOR, "/account/2fa/app/remove/", "/account/2fa/recovery-codes/make/", "/account/"):
        assert where(other.get(page)).startswith("/account/2fa/reauthenticate/?next="), page
        assert where(other.post(page)).startswith("/account/2fa/reauthenticate/?next="), page
    assert where(other.post("/account/2fa/reauthenticate/", {"code": enrolled.code(), "next": OFFICES})) == OFFICES
    assert other.get(OFFICES).status_code == 200


def test_staff_cannot_remove_their_only_factor(enrolled):
    answer = enrolled.post("/account/2fa/app/remove/")

    assert "First add another" in answer.content.decode()
    assert Authenticator.objects.filter(type="totp").exists()


def test_somebody_who_becomes_staff_needs_it_at_once(settings, db):
    person = a_person("new@vendor.example")
    browser = Browser()
    browser.sign_in(person.email)
    assert browser.get("/account/").status_code == 200

    with trail.acting(actor.job("tests")):
        person.is_staff = True
        person.save()

    assert where(browser.get("/admin/")).startswith("/admin/login/")  # another role ends what was begun before it
    browser.sign_in(person.email)
    assert where(browser.get("/admin/")) == SECOND_FACTOR


def test_who_lost_everything_starts_again_after_a_command_on_the_server(enrolled, operator):
    call_command("remove_second_factor", STAFF.upper())

    assert where(enrolled.get(OFFICES)).startswith("/admin/login/")
    assert not Authenticator.objects.exists()
    assert where(enrolled.sign_in(STAFF, to=OFFICES)) == OFFICES
    assert where(enrolled.get(OFFICES)) == SECOND_FACTOR
    assert ("act", "remove_second_factor", "removed all second factors and recovery codes") in entries(operator.user)
    for nobody, says in ((STAFF, "no second factor"), ("x@y.example", "No user")):
        with pytest.raises(CommandError, match=says):
            call_command("remove_second_factor", nobody)


def lost(user):
    return f"/admin/billing/user/{user.pk}/remove-second-factor/"


@pytest.fixture
def chief(administrator):
    client = Browser()
    client.sign_in(administrator.user.email)
    client.enrol()
    return client


def test_an_administrator_removes_the_lost_factors_of_another_person(
    chief, enrolled, operator, administrator, mailoutbox
):
    key = APIClient()
    key.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(User.objects.get(pk=operator.user.pk))[1]}")
    assert (enrolled.get(OFFICES).status_code, key.get("/api/v1/offices/").status_code) == (200, 200)
    person = f"/admin/billing/user/{operator.user.pk}/change/"
    assert lost(operator.user) in chief.get(person).content.decode()
    assert STAFF in chief.get(lost(operator.user)).content.decode()

    assert where(chief.post(lost(operator.user), {"reason": "the phone was stolen"})) == person

    assert not Authenticator.objects.filter(user=operator.user).exists()
    assert Authenticator.objects.filter(user=administrator.user).count() == 2
    assert where(enrolled.get(OFFICES)).startswith("/admin/login/")
    assert key.get("/api/v1/offices/").status_code == 401
    assert lost(operator.user) not in chief.get(person).content.decode()
    by = administrator.user.email
    assert [one for one in entries(operator.user) if one[1] == by] == [
        ("act", by, "removed all second factors and recovery codes"),
        ("act", by, "ended: 1 API tokens, 1 sessions"),
    ]
    assert set(
        AuditEntry.objects.filter(actor=administrator.user, object_id=operator.user.pk, kind="act").values_list(
            "reason", flat=True
        )
    ) == {"the phone was stolen"}
    delivery.work_off()
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == ([STAFF], "Your second factor was removed")
    assert "phone" not in mail.body
    assert where(enrolled.sign_in(STAFF, to=OFFICES)) == OFFICES
    assert where(enrolled.get(OFFICES)) == SECOND_FACTOR
    again = chief.post(lost(operator.user), {"reason": "to be sure"})
    assert "This person has no second factor" in again.content.decode()
    assert len(mailoutbox) == Notification.objects.count() == 1


def test_nobody_removes_their_own_nor_without_the_role_or_a_reason(chief, enrolled, operator, administrator):
    assert (
        "You cannot remove all of your own second factors here"
        in chief.post(lost(administrator.user), {"reason": "a new phone"}).content.decode()
    )
    assert enrolled.get(lost(administrator.user)).status_code == 403
    assert enrolled.post(lost(administrator.user), {"reason": "a new phone"}).status_code == 403
    chief.post(lost(operator.user), {"reason": ""})
    with pytest.raises(errors.NotPermitted):
        second_factor.remove_all_for(administrator.user, by=operator, reason="MRN 883122")
    with pytest.raises(errors.ReasonRequired):
        second_factor.remove_all_for(operator.user, by=administrator, reason=" ")

    assert Authenticator.objects.count() == 4
    assert not Notification.objects.exists()
    own = [one for one in entries(administrator.user) if one[0] == "refusal"]
    assert ("refusal", administrator.user.email, "remove all second factors of their own") in own


def test_the_command_tells_the_person_too(enrolled, operator):
    call_command("remove_second_factor", STAFF)

    assert [(mail.kind, mail.user) for mail in Notification.objects.all()] == [("second_factor_removed", operator.user)]


def pages_by_session():
    """Every address without an argument that a session opens."""

    def walk(resolver, before):
        for entry in resolver.url_patterns:
            at = before + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry, at)
            elif not any(sign in at for sign in "<(^"):
                yield "/" + at

    without = ("/account/", "/api/", "/stripe/", "/healthz", "/metrics")
    return sorted({one for one in walk(get_resolver(), "") if not one.startswith(without)})


def test_no_page_opens_before_the_second_factor(browser, no_limit_is_reached):
    browser.sign_in(STAFF)
    assert len(pages_by_session()) > 40

    for page in pages_by_session():
        for method in (browser.get, browser.post):
            assert where(method(page)) == SECOND_FACTOR, page


def test_the_demo_is_one_password_away(settings, browser):
    settings.REQUIRE_SECOND_FACTOR = False

    assert where(browser.sign_in(STAFF, to=OFFICES)) == OFFICES
    assert browser.get(OFFICES).status_code == 200


def test_an_office_person_is_offered_it_and_may_remove_it(office):
    owner = a_member(office, "owner")
    browser = Browser()
    assert where(browser.sign_in(owner.email)) == "/"
    assert where(browser.get("/")) == "/billing/"
    browser.enrol()

    assert where(browser.post("/account/2fa/app/remove/")) == SECOND_FACTOR
    assert not Authenticator.objects.exists()


def test_secrets_are_encrypted_at_rest_also_while_somebody_enrols(browser):
    browser.sign_in(STAFF)
    secret = browser.get("/account/2fa/app/").content.decode().partition('class="secret">')[2].partition("<")[0]
    assert len(secret) == 32
    assert all(secret not in str(one.get_decoded()) for one in Session.objects.all())

    browser.enrol()

    app, codes = Authenticator.objects.get(type="totp"), Authenticator.objects.get(type="recovery_codes")
    assert browser.secret not in json.dumps(app.data)
    assert encrypted.decrypt(app.data["secret"]) == browser.secret
    assert len(encrypted.decrypt(codes.data["seed"])) == 80


def test_each_act_is_in_the_trail_and_no_secret(enrolled, operator):
    enrolled.post("/account/logout/")
    enrolled.sign_in(STAFF, "not the password")
    enrolled.sign_in("nobody-knows@elsewhere.example", "not the password")
    enrolled.sign_in(STAFF)
    enrolled.give_code("000000")
    enrolled.give_code(enrolled.code())

    somebody = "somebody who is not signed in"
    assert entries() == [
        ("act", STAFF, "signed in with a password"),
        ("act", STAFF, "enrolled an authenticator app"),
        ("act", STAFF, "made recovery codes"),
        ("act", STAFF, "signed out"),
        ("refusal", somebody, "sign-in: wrong address or password"),
        ("refusal", somebody, "sign-in: wrong address or password"),
        ("refusal", somebody, "second factor: wrong code"),
        ("act", STAFF, "used a second factor: an authenticator app"),
        ("act", STAFF, "signed in with a password and an authenticator app"),
    ]
    kept = str(list(AuditEntry.objects.values_list()))
    for secret in (PASSWORD, "not the password", enrolled.secret, *enrolled.recovery_codes, "nobody-knows"):
        assert secret not in kept
