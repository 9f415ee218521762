"""An administrator sees where a person is signed in, and ends it."""

import pytest
from django.test import Client

from billing import errors
from billing.access import ending, tokens
from billing.audit import actor
from billing.models import AuditEntry, User
from tests.sign_in.browser import Browser

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])


@pytest.fixture
def person(operator):
    browser = Browser(headers={"User-Agent": "Firefox of the operator"}, REMOTE_ADDR="203.0.113.7")
    browser.sign_in(operator.user.email)
    operator.user.refresh_from_db()
    _, operator.user.held = tokens.make(operator.user, scope=tokens.Scope.READ)
    operator.user.browser = browser
    return operator.user


def as_staff(by):
    browser = Client()
    browser.force_login(User.objects.get(pk=by.user.pk))
    return browser


def page(person, rest="change/"):
    return f"/admin/billing/user/{person.pk}/{rest}"


def test_the_persons_page_shows_sessions_and_tokens_and_no_secret(administrator, person):
    shown = as_staff(administrator).get(page(person)).content.decode()

    assert "Firefox of the operator" in shown
    assert "203.0.113.7" in shown
    assert "With an API token for look only" in shown
    assert person.held[:15] not in shown
    assert person.browser.cookies["sessionid"].value not in shown


def test_somebody_who_is_signed_in_nowhere_is_shown_so(administrator, auditor):
    assert "Nowhere" in as_staff(administrator).get(page(auditor.user)).content.decode()


def test_an_administrator_ends_them_with_a_reason(administrator, person):
    answer = as_staff(administrator).post(page(person, "end-access/"), {"reason": "the laptop was stolen"})

    assert answer.status_code == 302
    assert person.browser.get("/admin/").status_code == 302
    headers = {"Authorization": f"Token {person.held}"}
    assert Client().get("/api/v1/offices/", headers=headers).status_code == 401
    entry = AuditEntry.objects.get(what="ended: 1 API tokens, 1 sessions")
    assert (entry.actor_label, entry.object_id) == (administrator.user.email, person.pk)
    assert entry.reason == "the laptop was stolen"


def test_without_a_reason_nothing_ends(administrator, person):
    assert as_staff(administrator).post(page(person, "end-access/"), {"reason": ""}).status_code == 200
    assert person.browser.get("/admin/").status_code == 200


def test_who_may_not_end_them_neither_sees_nor_ends_them(auditor, person):
    browser = as_staff(auditor)

    assert "203.0.113.7" not in browser.get(page(person)).content.decode()
    assert browser.post(page(person, "end-access/"), {"reason": "the laptop was stolen"}).status_code == 403
    with pytest.raises(errors.NotPermitted):
        ending.end_for(person, by=actor.person(auditor.user), reason="the laptop was stolen")
    assert person.browser.get("/admin/").status_code == 200
