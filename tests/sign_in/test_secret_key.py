"""SECRET_KEY is replaced while people work: processes with the old key and with the new one serve the same people."""

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client, override_settings

from billing import errors
from billing.access import links
from billing.admin import stamps
from billing.models import OneTimeLink
from tests.conftest import a_member
from tests.sign_in.browser import Browser

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
OLD, NEW = "the old secret key of all processes", "the new secret key of all processes"
BEFORE = {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": []}
BOTH_WITH_OLD = {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": [NEW]}
BOTH_WITH_NEW = {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": [OLD]}
AFTER = {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": []}
RESTARTS = [(BEFORE, BOTH_WITH_OLD), (BOTH_WITH_OLD, BOTH_WITH_NEW), (BOTH_WITH_NEW, AFTER)]
"""The steps of docs/operations.md: in each, some processes were restarted and others were not."""


def is_signed_in(browser: Client) -> bool:
    return browser.get("/account/sessions/").status_code == 200


@pytest.mark.parametrize(("not_yet", "restarted"), RESTARTS)
def test_a_session_goes_on_whichever_process_answers(office, not_yet, restarted):
    person = a_member(office, "owner")
    for began_at in (not_yet, restarted):
        browser = Browser()
        with override_settings(**began_at):
            browser.sign_in(person.email)
        for asked in (not_yet, restarted, not_yet, restarted):
            with override_settings(**asked):
                assert is_signed_in(browser)
    assert UserSession.objects.filter(user=person).count() == 2


def test_an_ended_session_stays_ended(office):
    person = a_member(office, "owner")
    browser = Browser()
    with override_settings(**BEFORE):
        browser.sign_in(person.email)
    UserSession.objects.filter(user=person).delete()

    with override_settings(**BOTH_WITH_NEW):
        assert not is_signed_in(browser)


def test_without_the_old_key_everybody_signs_in_again(office):
    browser = Browser()
    with override_settings(**BEFORE):
        browser.sign_in(a_member(office, "owner").email)

    with override_settings(**AFTER):
        assert not is_signed_in(browser)


@pytest.mark.parametrize(("not_yet", "restarted"), RESTARTS)
def test_a_link_for_a_new_password_works_at_either(office, not_yet, restarted):
    person = a_member(office, "owner")
    for made_at, used_at in ((not_yet, restarted), (restarted, not_yet)):
        with override_settings(**made_at):
            secret = links.to_set_password(person).partition("?link=")[2]
        with override_settings(**used_at):
            assert links.find(secret, OneTimeLink.Purpose.PASSWORD_RESET, lock=False).user == person


def test_and_not_with_a_key_that_is_gone(office):
    with override_settings(**BEFORE):
        secret = links.to_set_password(a_member(office, "owner")).partition("?link=")[2]

    with override_settings(**AFTER), pytest.raises(errors.LinkNotValid):
        links.find(secret, OneTimeLink.Purpose.PASSWORD_RESET, lock=False)


@pytest.mark.parametrize(("not_yet", "restarted"), RESTARTS)
def test_a_page_that_was_opened_at_one_is_saved_at_the_other(office, not_yet, restarted):
    member = a_member(office, "viewer")
    for opened_at, saved_at in ((not_yet, restarted), (restarted, not_yet)):
        with override_settings(**opened_at):
            stamp = stamps.stamp_of(member)
        with override_settings(**saved_at):
            assert stamps.is_stamp_of(member, stamp)
            assert not stamps.is_stamp_of(member, "")
