"""Whatever a query of an admin's list says, the page answers. It never fails (500)."""

import re
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.urls import reverse

from billing.models import Operation
from tests.access.addresses import ADMIN, named
from tests.access.test_matrix import rows
from tests.conftest import a_person, rolled_back

ODD = {"a NUL": "\0", "half a pair": "%ED%A0%80", "beyond 64 bits": "9" * 30, "no date": "2026-99-99", "a list": "[]"}
FIELD = re.compile(r'<(?:input|select|textarea)\b[^>]*\bname="([^"]+)"')
TIMES = {"timestamp__gte": "0001-01-01T00:00:00+14:00", "timestamp__year": "99999"}


def names_of(model_admin) -> list[str]:
    """The parameters that a list takes: its own, and those of its filters."""
    filters = [one[0] if isinstance(one, tuple) else one for one in model_admin.list_filter]
    own = [one if isinstance(one, str) else getattr(one, "parameter_name", "") for one in filters]
    looked_up = [f"{one}__{how}" for one in own if one for how in ("exact", "gte", "lt", "isnull", "id__exact", "in")]
    return ["q", "p", "o", "e", "all", "_facets", "pk", *filter(None, own), *looked_up]


@pytest.mark.slow
@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_a_list_takes_whatever_comes(stripe, value: str, no_limit_is_reached) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(a_person("everything@vendor.example", group="administrator operator finance auditor"))
    for model, model_admin in admin.site._registry.items():
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for name in names_of(model_admin):
            query = f"{name}={value}" if "%" in value else urlencode({name: value})
            answer = client.get(f"{address}?{query}")
            assert answer.status_code < 500, (address, query)


NO_KEYS = ["a\0b", "somebody", "9" * 30, "-1", "1.5", "٣٠"]
IN_NO_ROW = {"-1", "٣٠"}
"""Numbers. A row could have them as its key."""
CHOSEN = [
    (model, name) for model, model_admin in admin.site._registry.items() for name in model_admin.autocomplete_fields
]
"""Fields whose choices are searched: the page sends the key of what was found."""


@pytest.mark.parametrize(("model", "name"), CHOSEN, ids=[f"{model.__name__}-{name}" for model, name in CHOSEN])
def test_what_is_no_key_is_refused_at_a_field_whose_choices_are_searched(stripe, administrator, model, name: str):
    client = Client(raise_request_exception=False)
    client.force_login(administrator.user)
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    answers = {value: client.post(address, {name: value}) for value in NO_KEYS}
    assert {value: answer.status_code for value, answer in answers.items()} == dict.fromkeys(NO_KEYS, 200)
    for answer in answers.values():
        assert answer.context["adminform"].form.errors[name]
        assert not model.objects.exists()


def test_what_is_no_key_is_refused_as_a_role(stripe, administrator, operator):
    client = Client(raise_request_exception=False)
    client.force_login(administrator.user)
    address = reverse("admin:billing_user_change", args=[operator.user.pk])
    stamp = client.get(address).context["stamp"]
    for value in NO_KEYS:
        answer = client.post(address, {"is_active": "on", "groups": value, "stamp": stamp})
        assert answer.status_code == 200, value
        assert answer.context["adminform"].form.errors["groups"], value


def test_what_is_no_key_is_refused_where_rows_of_a_list_are_chosen(stripe, administrator, office):
    client = Client(raise_request_exception=False)
    client.force_login(administrator.user)
    asked = 0
    for model, model_admin in admin.site._registry.items():
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for name in model_admin.actions or ():
            for value in [one for one in NO_KEYS if one not in IN_NO_ROW]:
                answer = client.post(address, {"action": name, "index": 0, "_selected_action": value})
                assert answer.status_code == 400, (address, name, value)
                asked += 1
    assert asked >= 20


@pytest.mark.slow
def test_a_form_with_a_nul_in_each_field_changes_nothing(stripe, office, administrator, operator, no_limit_is_reached):
    """PostgreSQL cannot be asked for a NUL. The forms are those of the pages, with every field that they show."""
    at = rows(office, administrator, operator)
    client = Client(raise_request_exception=False)
    client.force_login(a_person("everything@vendor.example", group="administrator operator finance auditor"))
    filled = 0
    for name in ADMIN:
        path, _ = named()[f"admin:{name}"]
        address = "/" + re.sub(r"<[^>]+>", str(at.get(name.split("_")[1], 0)), path)
        with rolled_back():
            shown = client.get(address)
            names = set(FIELD.findall(b"".join(shown).decode(errors="replace")))
            before = Operation.objects.count()
            answer = client.post(address, dict.fromkeys(names - {"csrfmiddlewaretoken"}, "a\0b"))
            assert answer.status_code < 500, (name, names)
            assert Operation.objects.count() == before, name
        filled += len(names) > 1
    assert filled > 40


@pytest.mark.parametrize("name", TIMES)
def test_a_time_that_is_in_no_calendar_is_refused(stripe, name: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(a_person("auditor@vendor.example", group="auditor"))
    answer = client.get(reverse("admin:billing_auditentry_changelist"), {name: TIMES[name]})
    in_its_calendar = connection.vendor == "postgresql" and name == "timestamp__gte"  # it has times before year 1
    assert answer.status_code == (200 if in_its_calendar else 400)
