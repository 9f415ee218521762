"""A new password by a link: who gets one, what ends it, and what it ends."""

from datetime import timedelta

import pytest
from django.test import Client
from knox.models import get_token_model

from billing import clock, errors
from billing.access import links, passwords, tokens
from billing.audit import actor
from billing.models import AuditEntry, Notification, OneTimeLink, User
from tests.conftest import a_person, can_sign_in

pytestmark = pytest.mark.django_db
NEW = "a dozen blue kettles"


@pytest.fixture
def mira(db):
    return a_person("mira@maple.example")


def secret_for(user):
    return links.to_set_password(user).partition("?link=")[2]


def test_a_link_sets_the_password_once_and_ends_sessions_and_tokens(mira):
    browser = Client()
    browser.force_login(mira)
    tokens.make(mira)
    others_token, _ = tokens.make(a_person("other@maple.example"))
    first, second = secret_for(mira), secret_for(mira)

    passwords.set_by_link(first, NEW)

    assert (can_sign_in(mira.email, NEW), browser.get("/admin/").status_code) == (True, 302)
    assert list(get_token_model().objects.all()) == [others_token]
    for secret in (first, second):
        with pytest.raises(errors.LinkNotValid):
            passwords.set_by_link(secret, "another long password")
    entry = AuditEntry.objects.get_for_object(mira).get(kind="act", what="set a new password")
    assert entry.actor == mira


def expired(user):
    OneTimeLink.objects.update(expires_at=clock.wall() - timedelta(seconds=1))


def deactivated(user):
    User.objects.filter(pk=user.pk).update(is_active=False)


def with_another_address(user):
    User.objects.filter(pk=user.pk).update(email="elsewhere@maple.example")


def with_another_password(user):
    user.set_password("chosen in another way")
    User.objects.filter(pk=user.pk).update(password=user.password)


@pytest.mark.parametrize("change", [expired, deactivated, with_another_address, with_another_password])
def test_a_link_is_over_when_what_it_was_made_for_has_changed(mira, change):
    secret = secret_for(mira)
    assert passwords.person_of(secret) == mira

    change(mira)

    for look in (passwords.person_of, lambda secret: passwords.set_by_link(secret, NEW)):
        with pytest.raises(errors.LinkNotValid):
            look(secret)
    assert not User.objects.get(pk=mira.pk).check_password(NEW)


def test_a_link_lasts_an_hour(mira):
    links.to_set_password(mira)

    link = OneTimeLink.objects.get()
    assert link.expires_at - link.made_at == timedelta(hours=1)


def test_an_invitation_is_no_way_to_set_a_password(mira):
    secret = secret_for(mira)
    with pytest.raises(errors.LinkNotValid):
        links.find(secret, links.Purpose.INVITATION, lock=False)


def test_however_often_somebody_asks_there_is_one_e_mail_in_five_minutes(mira, monkeypatch):
    moment = clock.wall().replace(minute=2, second=0)
    for minutes in (0, 0, 1, 2, 4, 9):
        monkeypatch.setattr(clock, "wall", lambda passed=minutes: moment + timedelta(minutes=passed))
        passwords.ask_for_reset(mira, by=actor.service("a visitor"))

    assert Notification.objects.filter(user=mira, kind="password_reset").count() == 3  # at 0, from 3 on, from 8 on
    asked = AuditEntry.objects.get_for_object(mira).filter(kind="act")
    assert [entry.what for entry in asked] == ["asked for a link to set a new password"] * 3


def test_who_cannot_sign_in_with_a_password_gets_no_link(mira):
    elsewhere = a_person("elsewhere@vendor.example")
    elsewhere.set_unusable_password()
    mira.is_active = False
    for user in (mira, elsewhere):
        passwords.ask_for_reset(user, by=actor.service("a visitor"))

    assert not Notification.objects.exists()


def test_an_administrator_sends_a_link_and_is_on_record_and_others_may_not(mira, administrator, operator):
    with pytest.raises(errors.NotPermitted):
        passwords.send_reset_link(mira, by=operator)
    assert not Notification.objects.exists()

    passwords.send_reset_link(mira, by=administrator)

    assert Notification.objects.get().user == mira
    assert AuditEntry.objects.get_for_object(mira).get(kind="act").actor == administrator.user
