"""A person saves what they choose in the filters of a list, sees it beside the list, and removes it again."""

import html
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.test import Client
from django.urls import reverse

from billing.admin import saved_views
from billing.audit import search
from billing.models import AuditEntry, User
from tests.conftest import a_person, an_office

OFFICES = "/admin/billing/office/"
SAVE = f"{OFFICES}saved-views/"


@pytest.fixture
def client(stripe, operator):
    client = Client()
    client.force_login(operator.user)
    return client


def saved(user) -> dict[str, list[dict[str, str]]]:
    return User.objects.get(pk=user.pk).saved_views or {}


def links(answer) -> dict[str, str]:
    """The saved views that a page shows, by their words."""
    nav = answer.content.decode().partition('aria-label="Your saved views"')[2].partition("</nav>")[0]
    found = re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', nav)
    return {html.unescape(words): html.unescape(link) for link, words in found}


def test_a_view_is_saved_shown_and_removed(client, operator):
    an_office("Maple Street Family Practice")
    shown = client.get(f"{OFFICES}?access=none&subscription_status__exact=active")
    assert "Save this view" in shown.content.decode()

    saved_now = client.post(SAVE, {"query": "subscription_status__exact=active&access=none", "save": ""}, follow=True)
    assert "The view is saved: access: None, subscription status: active." in saved_now.content.decode()
    assert "Remove this view" in saved_now.content.decode()
    address = {"Access: None, subscription status: active": "?access=none&subscription_status__exact=active"}
    assert links(client.get(OFFICES)) == address
    assert links(client.get("/admin/billing/invoice/")) == {}

    client.post(SAVE, {"query": "access=none&subscription_status__exact=active", "save": ""})  # sent twice
    assert links(client.get(OFFICES)) == address

    client.post(SAVE, {"query": "access=none&subscription_status__exact=active", "remove": ""})
    assert links(client.get(OFFICES)) == {}
    said = AuditEntry.objects.filter(kind="act", content_type__model="user").order_by("pk")
    assert [one.what for one in said] == [
        "saved the view “access: None, subscription status: active” of the list of offices",
        "removed a view of the list of offices",
    ]
    assert not AuditEntry.objects.filter(object_pk=str(operator.user.pk), changes__has_key="saved_views").exists()


def test_each_person_has_their_own(client, operator):
    client.post(SAVE, {"query": "access=none", "save": ""})
    other = Client()
    other.force_login(a_person("second@vendor.example", group="operator"))
    assert links(other.get(OFFICES)) == {}
    assert len(links(client.get(OFFICES))) == 1


@pytest.mark.parametrize(
    "query",
    [
        *("", "q=Maple", "access=maybe", "name__icontains=maple", "access=none&name=x", "x=1", "view=none", "o=1"),
        *("access=John+Doe&access=none", "subscription_status__exact=active&subscription_status__exact=John"),
        *("view=owing", f"access=none&x={'y' * 1_000}"),
        *("subscription_status__exact=active&subscription_status__isnull=John", "subscription_status__isnull=John"),
    ],
)
def test_only_what_is_chosen_is_saved_and_nothing_that_was_typed(client, operator, query):
    assert "Save this view" not in client.get(f"{OFFICES}?{query}").content.decode()
    assert client.post(SAVE, {"query": query, "save": ""}).status_code == 400
    assert saved(operator.user) == {}


def test_what_is_chosen_in_a_drop_down_is_saved_and_its_empty_neighbours_do_not_matter(stripe):
    trail, whole = "/admin/billing/auditentry/", a_person("whole@vendor.example", group="auditor")
    client = Client()
    client.force_login(whole)
    (kind, words), *_ = AuditEntry.Kind.choices
    (unusual, unusual_words), *_ = search.UNUSUAL.items()
    sent = f"since=&until=&person=&kind__exact={kind}&unusual={unusual}"
    assert "Save this view" in client.get(f"{trail}?{sent}").content.decode()

    for same in (sent, f"kind__exact={kind}&unusual={unusual}"):
        client.post(f"{trail}saved-views/", {"query": same, "save": ""})

    assert "Remove this view" in client.get(f"{trail}?{sent}").content.decode()
    assert [one["words"] for one in saved(whole)["billing_auditentry"]] == [
        f"kind: {words}, what is unusual: {unusual_words}"
    ]
    for refused in (
        *(f"{sent}&since=2026-01-01", f"person=Doe&kind__exact={kind}", "kind__exact=x", "kind__exact=", "since="),
        *(f"kind__exact={kind}&kind__exact=x", f"kind__exact={kind}&x=", f"kind__exact={kind}&kind__isnull=Jane+Doe"),
    ):
        assert client.post(f"{trail}saved-views/", {"query": refused, "save": ""}).status_code == 400, refused
    assert len(saved(whole)["billing_auditentry"]) == 1


class Next:
    """A filter whose parameter begins as the name of a column does."""

    title = "what comes next"

    def expected_parameters(self):
        return ["next"]

    def choices(self, changelist):
        yield {"selected": False, "query_string": changelist.get_query_string(remove=["next"]), "display": "All"}
        yield {"selected": True, "query_string": changelist.get_query_string({"next": "trial"}), "display": "Trial"}


@pytest.mark.parametrize(("beside", "words"), [({}, "what comes next: Trial"), ({"next_payment_attempt": "Jane"}, "")])
def test_a_link_chooses_nothing_but_the_parameters_of_its_filter(rf, beside, words):
    shown: Any = ChangeList.__new__(ChangeList)
    shown.params, shown.filter_specs = {"next": "trial", **beside}, [Next()]
    shown.filter_params = {name: [value] for name, value in shown.params.items()}

    assert saved_views.in_words(shown, urlencode(shown.params))[0] == words


@pytest.mark.parametrize("model", [one._meta.model_name for one in admin.site._registry])
def test_a_view_that_no_row_can_be_in_is_refused(stripe, model):
    client = Client(raise_request_exception=False)
    client.force_login(a_person("everything@vendor.example", group="administrator operator finance auditor"))
    address = reverse(f"admin:billing_{model}_saved_views")
    columns = ("created_at", "timestamp", "asked_at", "id")
    for query in [f"{name}__{how}" for name in columns for how in ("year=99999", "gte=0001-01-01T00:00:00%2B14:00")]:
        assert client.post(address, {"query": query, "save": ""}).status_code in (400, 403), query


def test_a_search_the_page_and_the_order_are_left_out(client, operator):
    client.post(SAVE, {"query": "access=none&q=Maple&o=1&after=3&e=1", "save": ""})
    assert [one["query"] for one in saved(operator.user)["billing_office"]] == ["access=none"]


def test_there_is_an_end_to_them(client, operator, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST", 1)
    client.post(SAVE, {"query": "access=none", "save": ""})
    refused = client.post(SAVE, {"query": "access=full", "save": ""}, follow=True)
    assert "Remove one first" in refused.content.decode()
    assert len(links(client.get(OFFICES))) == 1


def test_nobody_saves_a_view_of_a_list_that_they_may_not_see(stripe):
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        address = reverse(f"admin:{name}_saved_views")
        support = a_person(f"{name}@vendor.example", group="support")
        client = Client()
        client.force_login(support)
        may = client.get(reverse(f"admin:{name}_changelist")).status_code == 200
        answer = client.post(address, {"query": "x=1", "remove": ""})
        assert answer.status_code == (302 if may else 403), name
        assert client.get(address).status_code == (302 if may else 403), name
