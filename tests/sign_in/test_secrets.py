"""The secrets of second factors at rest, and keys that are replaced."""

import io

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from billing import errors
from billing.access import encrypted
from tests.conftest import a_person
from tests.sign_in.browser import Browser

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
EMAIL = "person@maple.example"


@pytest.fixture
def keys(settings):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.SECRETS_KEYS = [old]
    return old, new


@pytest.fixture
def enrolled(keys):
    a_person(EMAIL)
    browser = Browser()
    browser.sign_in(EMAIL)
    browser.enrol()
    return browser


def rotate():
    said = io.StringIO()
    call_command("rotate_secrets", stdout=said)
    return said.getvalue()


def can_sign_in(browser):
    again = Browser()
    again.sign_in(EMAIL)
    return again.give_code(browser.code()).status_code == 302


def test_while_a_key_is_replaced_both_are_good_and_after_the_rotation_only_the_new_one(enrolled, keys, settings):
    old, new = keys
    settings.SECRETS_KEYS = [new, old]
    assert can_sign_in(enrolled)

    assert "newest key: 2" in rotate()
    assert "newest key: 0" in rotate()
    settings.SECRETS_KEYS = [new]

    assert can_sign_in(enrolled)
    assert Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes() == list(enrolled.recovery_codes)
    settings.SECRETS_KEYS = [old]
    with pytest.raises(errors.SecretUnreadable):
        encrypted.decrypt(Authenticator.objects.get(type="totp").data["secret"])


def test_a_key_that_is_missing_is_told_and_nothing_is_lost(enrolled, keys, settings):
    old, new = keys
    settings.SECRETS_KEYS = [new]

    with pytest.raises(CommandError, match=r"reads 2 of the secrets\. Put the key back"):
        rotate()

    settings.SECRETS_KEYS = [new, old]
    assert "newest key: 2" in rotate()
    assert can_sign_in(enrolled)


def test_a_changed_text_is_not_read(keys):
    text = encrypted.encrypt("JBSWY3DPEHPK3PXP")
    with pytest.raises(errors.SecretUnreadable):
        encrypted.decrypt(text[:-6] + "AAAA" + text[-2:])
