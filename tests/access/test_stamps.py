"""An old page cannot bring back what was withdrawn after it was opened."""

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse

from billing import clock
from billing.access import grants
from billing.access.roles import Power
from billing.audit import actor, trail
from billing.models import AuditEntry, Membership, User
from tests.conftest import a_member, a_person


@pytest.fixture
def client(administrator):
    client = Client()
    client.force_login(administrator.user)
    return client


def opened(client, row, **changed):
    """What the form of this row's page would send, with these values changed."""
    page = reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk])
    shown = client.get(page)
    form = shown.context["adminform"].form
    given = {}
    for name, field in form.fields.items():
        value = form.initial.get(name, field.initial)
        if name in ("password", "user", "office") or value in (None, False):
            continue
        given[name] = [one.pk for one in value] if isinstance(value, list) else ("on" if value is True else value)
    stamp = re.search(r'name="stamp" value="(\w+)"', shown.content.decode())
    return page, {**given, "stamp": stamp[1]} | changed


def sent(client, page, form):
    return client.post(page, {name: value for name, value in form.items() if value is not None})


def test_a_form_that_is_fresh_is_saved(client):
    person = a_person("nina@vendor.example", group="operator")

    page, form = opened(client, person, name="Nina")
    assert sent(client, page, form).status_code == 302
    page, form = opened(client, person, is_active=None)
    assert sent(client, page, form).status_code == 302

    person.refresh_from_db()
    assert (person.name, person.is_active) == ("Nina", False)


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "is deactivated": ({"is_active": False}, "not active"),
    "is staff no more": ({"is_staff": False}, "not staff"),
    "has another password": ({"password": make_password("another one of these")}, "active, staff"),
    "has another address": ({"email": "other@vendor.example"}, "active, staff"),
}


@pytest.mark.parametrize("what", [*CHANGES, "lost a role"])
def test_a_person_who_meanwhile(client, what):
    person = a_person("nina@vendor.example", group="operator finance")
    page, form = opened(client, person, name="Nina")
    with trail.acting(actor.job("tests")):
        if what in CHANGES:
            values, says = CHANGES[what]
            for name, value in values.items():
                setattr(person, name, value)
            person.save()
        else:
            person.groups.remove(person.groups.get(name="finance"))
            says = "roles: operator."

    shown = sent(client, page, form)

    kept = User.objects.get(pk=person.pk)
    assert (kept.name, kept.is_active, kept.is_staff) == ("", person.is_active, person.is_staff)
    assert (kept.password, kept.email) == (person.password, person.email)
    assert kept.groups.count() == person.groups.count()
    assert shown.status_code == 200
    assert "Somebody changed this after you opened the page" in shown.content.decode()
    assert says in shown.content.decode()
    assert AuditEntry.objects.filter(kind="refusal", content_type__model="user", object_id=person.pk).count() == 1
    assert sent(client, page, {**form, "stamp": ""}).status_code == 200  # and the stamp cannot be left out
    assert User.objects.get(pk=person.pk).name == ""


def test_saving_the_refused_page_again_does_not_help(client):
    person = a_person("nina@vendor.example", group="operator")
    page, form = opened(client, person)
    person.is_active = False
    with trail.acting(actor.job("tests")):
        person.save()

    refused = sent(client, page, form).content.decode()
    again = re.search(r'name="stamp" value="(\w*)"', refused)
    sent(client, page, {**form, "stamp": again[1]})

    assert not User.objects.get(pk=person.pk).is_active


def test_a_membership_that_ended_meanwhile_stays_ended(client, office):
    person = a_member(office, "owner")
    row = Membership.objects.get()
    page, form = opened(client, row, role="manager")
    row.ended_at = clock.wall()
    with trail.acting(actor.job("tests")):
        row.save()
        grants.write_grants(row)

    shown = sent(client, page, form).content.decode()

    row.refresh_from_db()
    assert (row.role, row.ended_at is None) == ("owner", False)
    assert not grants.may(actor.person(person), Power.LOOK, office)
    assert "ends or ended" in shown


def test_an_end_that_is_set_in_advance_is_kept_and_gives_access_until_then(client, office):
    person = a_member(office, "owner")
    page, form = opened(client, Membership.objects.get(), ended_at_0="2999-01-01", ended_at_1="12:00:00")

    assert sent(client, page, form).status_code == 302

    assert Membership.objects.get().ended_at.year == 2999
    assert grants.may(actor.person(person), Power.MANAGE, office)
