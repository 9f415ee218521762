"""What ends a person's sessions and API tokens: each cause, on each way that leads to it."""

import threading
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.test import Client
from rest_framework.test import APIClient

from billing import clock, lapsed
from billing.access import ending, links, tokens
from billing.audit import actor, trail
from billing.models import AccessToken, AuditEntry, Membership, User
from tests.conftest import PASSWORD, a_member, an_office
from tests.sign_in.browser import Browser, entries

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
NEW = "seven wild geese over a lake"


def signed_in(user):
    """Return a browser and an API client of this person, both of which are let in."""
    browser, api = Browser(), APIClient()
    assert browser.sign_in(user.email).status_code == 302
    answer = api.post("/api/v1/auth/token/", {"email": user.email, "password": PASSWORD}, format="json")
    api.credentials(HTTP_AUTHORIZATION=f"Token {answer.data['token']}")
    assert lets_in(browser, api) == (True, True)
    return browser, api


def lets_in(browser, api):
    return browser.get("/account/").status_code == 200, api.get("/api/v1/offices/").status_code == 200


def saved(user, **columns):
    row = User.objects.get(pk=user.pk)
    for name, value in columns.items():
        setattr(row, name, value)
    row.save()


def with_groups(user, change):
    change(User.objects.get(pk=user.pk).groups, Group.objects.get(name="support"), Group.objects.get(name="operator"))


def member(user, **columns):
    row = Membership.objects.get(user=user)
    for name, value in columns.items():
        setattr(row, name, value)
    row.save(update_fields=list(columns))


def admin_form(user, **changed):
    """Save the admin's page about this person, as an administrator does."""
    browser = Client()
    browser.force_login(User.objects.get(email="administrator@vendor.example"))
    page = f"/admin/billing/user/{user.pk}/change/"
    shown = browser.get(page).context
    form = shown["adminform"].form
    given = {name: form.initial.get(name) for name in form.fields} | changed
    given["groups"] = [getattr(one, "pk", one) for one in given["groups"]]
    given["stamp"] = shown["stamp"]
    answer = browser.post(page, {name: value for name, value in given.items() if value not in (None, False)})
    assert answer.status_code == 302, answer.context["errors"]


def by_mail(user, mailoutbox):
    link = links.to_set_password(user).removeprefix(settings.SITE_URL)
    assert Browser().post(link, {"new_password1": NEW, "new_password2": NEW}).status_code == 200


def in_browser(user, mailoutbox):
    browser = Browser()
    browser.sign_in(user.email)
    given = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert browser.post("/account/password/change/", given).status_code == 302
    assert browser.get("/account/").status_code == 200  # their own session goes on


def over_api(user, mailoutbox):
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(User.objects.get(pk=user.pk))[1]}")
    answer = api.post("/api/v1/account/password/", {"current": PASSWORD, "new": NEW}, format="json")
    assert answer.status_code == 204
    assert api.get("/api/v1/offices/").status_code == 401


def another_password(user, mailoutbox):
    row = User.objects.get(pk=user.pk)
    row.set_password(NEW)
    row.save(update_fields=["password"])


def reactivated(user, mailoutbox):
    saved(user, is_active=False)
    saved(user, is_active=True)


STAFF_CAUSES = {
    "the password, changed in the browser": in_browser,
    "the password, changed over the API": over_api,
    "the password, reset by mail": by_mail,
    "the password, saved by any code": another_password,
    "deactivation": lambda user, _: saved(user, is_active=False),
    "deactivation in the admin": lambda user, _: admin_form(user, is_active=False),
    "deactivation and reactivation": reactivated,
    "being staff no longer": lambda user, _: saved(user, is_staff=False),
    "a role in the admin": lambda user, _: admin_form(user, groups=[Group.objects.get(name="auditor")]),
    "a role more": lambda user, _: with_groups(user, lambda held, support, operator: held.add(support)),
    "a role less": lambda user, _: with_groups(user, lambda held, support, operator: held.remove(operator)),
    "other roles": lambda user, _: with_groups(user, lambda held, support, operator: held.set([support])),
    "no role": lambda user, _: with_groups(user, lambda held, support, operator: held.clear()),
    "a role's person less": lambda user, _: Group.objects.get(name="operator").user_set.remove(user),
    "a role's person more": lambda user, _: Group.objects.get(name="support").user_set.add(user),
    "a role's people, all": lambda user, _: Group.objects.get(name="operator").user_set.clear(),
    "a permission of one's own": lambda user, _: user.user_permissions.add(Permission.objects.first()),
}
OFFICE_CAUSES = {
    "the password, changed in the browser": in_browser,
    "the password, changed over the API": over_api,
    "the password, reset by mail": by_mail,
    "deactivation": lambda user, _: saved(user, is_active=False),
    "another address": lambda user, _: saved(user, email="another@maple.example"),
}
NO_CAUSES = {
    "another role": lambda user: member(user, role="viewer"),
    "a membership that ended": lambda user: member(user, ended_at=clock.wall()),
    "a second membership": lambda user: Membership.objects.create(user=user, office=an_office("Elm"), role="viewer"),
}
"""An owner of any Office can do this to a person, and must not sign them out of another."""


def caused(cause, user, mailoutbox):
    browser, api = signed_in(user)

    with trail.acting(actor.job("tests"), reason="tests"):
        cause(user, mailoutbox)

    assert lets_in(browser, api) == (False, False)
    assert not AccessToken.objects.filter(user=user).exists()
    ended = AuditEntry.objects.get(what__regex=r"^ended: \d API tokens, \d sessions")
    assert ended.object_id == user.pk
    assert ended.reason in {*ending.ENDS.values(), ending.ROLES}
    with trail.acting(actor.job("tests"), reason="tests"):
        saved(user, is_active=True)
    assert lets_in(browser, api) == (False, False)  # nothing comes back to life


@pytest.mark.parametrize("cause", STAFF_CAUSES)
def test_what_ends_all_access_of_staff(operator, administrator, mailoutbox, cause):
    caused(STAFF_CAUSES[cause], operator.user, mailoutbox)


@pytest.mark.parametrize("cause", OFFICE_CAUSES)
def test_what_ends_all_access_of_an_offices_person(office, mailoutbox, cause):
    caused(OFFICE_CAUSES[cause], a_member(office, "owner"), mailoutbox)


@pytest.mark.parametrize("cause", NO_CAUSES)
def test_what_an_owner_of_any_office_can_do_signs_nobody_out_of_another(office, cause):
    user = a_member(office, "owner")
    browser, api = signed_in(user)

    with trail.acting(actor.job("tests"), reason="tests"):
        NO_CAUSES[cause](user)

    assert lets_in(browser, api) == (True, True)


def test_each_column_that_lets_somebody_in_ends_access_when_it_changes():
    """A new column of a person is either a cause, or named here as one that lets nobody in or keeps nobody out."""
    harmless = {"id", "public_id", "name", "name_folded", "searched_as", "created_at", "last_login", "access_number"}
    harmless |= {"saved_views", "is_superuser"}  # nobody can be the latter
    assert {one.name for one in User._meta.concrete_fields} - harmless == set(ending.ENDS)


@pytest.mark.parametrize(
    "harmless",
    [
        lambda user: saved(user, name="Another Name"),
        lambda user: saved(user, last_login=clock.wall()),
        saved,
        lambda user: user.groups.add(Group.objects.get(name="operator")),
        lambda user: admin_form(user, name="Another Name"),
    ],
    ids=["name", "last login", "nothing", "a role again", "name, in the admin"],
)
def test_what_changes_nobodys_access_ends_nothing(operator, administrator, harmless):
    browser, api = signed_in(operator.user)

    with trail.acting(actor.job("tests"), reason="tests"):
        harmless(operator.user)

    assert lets_in(browser, api) == (True, True)


def test_a_row_that_was_read_before_does_not_bring_access_back_when_it_is_saved(operator):
    stale = User.objects.get(pk=operator.user.pk)
    _, held = tokens.make(stale)
    session = Session.objects
    browser, _ = signed_in(operator.user)
    kept = {row.pk: row.session_data for row in session.all()}
    with trail.acting(actor.job("tests"), reason="tests"):
        ending.end_access(operator.user, by=actor.job("tests"), reason="tests")
        stale.name = "Written by a form that was open all the time"
        stale.save()
    for key, data in kept.items():  # even if the rows were there again, such as from a backup
        session.create(pk=key, session_data=data, expire_date=clock.wall() + timedelta(hours=1))
        UserSession.objects.create(user=stale, session_key=key, ip="127.0.0.1", user_agent="")

    assert browser.get("/account/").status_code == 302
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Token {held}")
    assert api.get("/api/v1/offices/").status_code == 401


def test_a_token_that_is_being_made_while_access_ends_is_void(operator):
    reading = User.objects.get(pk=operator.user.pk)  # the sign-in has just checked the password
    with trail.acting(actor.job("tests"), reason="tests"):
        saved(operator.user, is_active=False)
        saved(operator.user, is_active=True)

    _, token = tokens.make(reading)

    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert api.get("/api/v1/offices/").status_code == 401


def test_a_password_that_is_not_saved_ends_nothing(operator):
    browser, api = signed_in(operator.user)
    row = User.objects.get(pk=operator.user.pk)
    row.set_password(NEW)
    with trail.acting(actor.job("tests"), reason="tests"):
        row.save(update_fields=["name"])

    assert lets_in(browser, api) == (True, True)


def test_nothing_to_end_leaves_no_entry(operator):
    ending.end_access(operator.user, by=actor.job("tests"), reason="tests")

    assert entries(operator.user) == []


def test_other_people_stay_signed_in(operator, auditor):
    browser, api = signed_in(auditor.user)
    with trail.acting(actor.job("tests"), reason="tests"):
        saved(operator.user, is_active=False)

    assert lets_in(browser, api) == (True, True)


def test_what_is_over_is_deleted_by_the_hourly_job(operator, auditor):
    signed_in(operator.user)
    signed_in(auditor.user)
    long_ago = clock.wall() - timedelta(hours=13)
    mine = UserSession.objects.filter(user=operator.user)
    Session.objects.filter(pk__in=mine.values("session_key")).update(expire_date=clock.wall() - timedelta(seconds=1))
    mine.update(created_at=long_ago)
    AccessToken.objects.filter(user=operator.user).update(expiry=clock.wall() - timedelta(seconds=1))

    lapsed.purge()

    assert [UserSession.objects.get().user, AccessToken.objects.get().user] == [auditor.user] * 2
    assert Session.objects.count() == 1


def test_two_who_end_the_same_persons_access_at_once_both_succeed(operator):
    signed_in(operator.user)
    before = User.objects.get(pk=operator.user.pk).access_number

    def end():
        ending.end_access(User.objects.get(pk=operator.user.pk), by=actor.job("tests"), reason="tests")

    threads = [threading.Thread(target=end) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert User.objects.get(pk=operator.user.pk).access_number == before + 2
    assert not AccessToken.objects.exists()
    assert not UserSession.objects.exists()
