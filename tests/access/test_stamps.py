"""An old page cannot bring back what was withdrawn after it was opened."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse

from billing import clock
from billing.access import grants
from billing.access.roles import Power
from billing.admin.readonly import ReadOnly
from billing.admin.stamps import STAMPED, StampedAdmin, StampedForm
from billing.audit import actor, trail
from billing.models import Membership, User
from tests.api.services import a_service
from tests.conftest import a_member, a_person, an_office, refusals


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
        given[name] = (
            [getattr(one, "pk", one) for one in value]
            if isinstance(value, list)
            else ("on" if value is True else value)
        )
    stamp = re.search(r'name="stamp" value="(\w+)"', shown.content.decode())
    return page, {**given, "stamp": stamp[1]} | changed


def sent(client, page, form):
    return client.post(page, {name: value for name, value in form.items() if value is not None})


HARMLESS = {"office": "names and addresses", "plan": "what is for sale"}
"""Forms of the admin that can be saved and let nobody in."""


def a_person_of_staff(office):
    return a_person("nina@vendor.example", group="operator finance")


def a_membership(office):
    a_member(office, "owner")
    return Membership.objects.get()


def a_service_with_one_office(office):
    return a_service(office, by=actor.person(a_person("chief@vendor.example", group="administrator")))[0]


FORMS: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "user": (a_person_of_staff, {"name": "Nina"}, {"is_active": False}),
    "membership": (a_membership, {"role": "manager"}, {"ended_at": clock.wall()}),
    "serviceidentity": (a_service_with_one_office, {"scopes": ["offices:read"]}, {"networks": ["203.0.113.0/24"]}),
}
"""How a row is made, what a form changes about it, and what somebody else changes meanwhile."""


def test_each_form_of_the_admin_that_decides_access_is_walked_here():
    saved = {model._meta.model_name for model, page in admin.site._registry.items() if not isinstance(page, ReadOnly)}
    stamped = {model._meta.model_name for model in STAMPED}

    assert stamped == set(FORMS)
    assert saved - set(HARMLESS) == stamped
    for model in STAMPED:
        page = admin.site._registry[model]
        assert isinstance(page, StampedAdmin), model
        assert issubclass(page.form, StampedForm), model


def test_each_field_of_such_a_form_is_in_the_stamp(client, office):
    for make, _, _ in FORMS.values():
        row = make(office)
        page = reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk])
        fields = set(client.get(page).context["adminform"].form.fields)
        fields = {"expires_at" if name == "last_day" else name for name in fields}
        assert fields <= set(STAMPED[type(row)]), row


def kept_of(row):
    fresh = type(row).objects.get(pk=row.pk)
    return [getattr(fresh, one.name) for one in fresh._meta.concrete_fields]


@pytest.mark.parametrize("model", FORMS)
def test_a_stale_form_is_refused_and_a_fresh_one_is_saved(client, office, model):
    make, given, meanwhile = FORMS[model]
    row = make(office)
    page, form = opened(client, row, **given)
    fresh = type(row).objects.get(pk=row.pk)
    with trail.acting(actor.job("tests")):
        for name, value in meanwhile.items():
            setattr(fresh, name, value)
        fresh.save()
    before = kept_of(row)

    for stale in (form, {**form, "stamp": ""}, {**form, "stamp": None}):
        shown = sent(client, page, stale)
        assert shown.status_code == 200
        assert "Somebody changed this after you opened the page" in shown.content.decode()
        assert kept_of(row) == before
    assert refusals(content_type__model=model, object_id=row.pk) == 3
    page, form = opened(client, row, **given)
    assert sent(client, page, form).status_code == 302
    assert kept_of(row) != before


SERVICE_CHANGES = {
    "has other scopes": lambda row, _: setattr(row, "scopes", ["invoices:read"]),
    "sees all Offices": lambda row, _: setattr(row, "all_offices", True),
    "sees another Office": lambda row, other: row.offices.set([other]),
    "may ask from fewer networks": lambda row, _: setattr(row, "networks", ["203.0.113.0/24"]),
    "ends earlier": lambda row, _: setattr(row, "expires_at", clock.wall() + timedelta(days=1)),
}


@pytest.mark.parametrize("what", SERVICE_CHANGES)
def test_a_service_that_meanwhile(client, office, what):
    row = a_service_with_one_office(office)
    page, form = opened(client, row)
    with trail.acting(actor.job("tests")):
        SERVICE_CHANGES[what](row, an_office("Another Practice"))
        row.save()
    before, offices = kept_of(row), list(row.offices.all())

    shown = sent(client, page, form)

    assert "Somebody changed this after you opened the page" in shown.content.decode()
    assert (kept_of(row), list(row.offices.all())) == (before, offices)


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
    assert refusals(content_type__model="user", object_id=person.pk) == 1
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
