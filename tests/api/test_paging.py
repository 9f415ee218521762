"""Lists come in pages that stay as they are while rows come, and an address refuses what it cannot be asked with."""

import re

import pytest
from django.utils.dateparse import parse_datetime
from drf_spectacular.generators import SchemaGenerator
from rest_framework.generics import ListAPIView

from billing.api import document
from billing.api.paging import MOST_ON_A_PAGE, Pages
from billing.api.views import ApiView
from billing.models import Office
from billing.operations.engine.begin import perform
from billing.operations.money.charges import ChargeOffice
from billing.operations.subscriptions.change import ChangeSubscription
from tests.api.test_api import path, signed_in
from tests.api.test_odd_input import ADDRESSES, filled, methods_of
from tests.conftest import a_member, a_person, an_office, price_id, subscribed_office

LISTS = [(route, view.cls) for route, view in ADDRESSES if issubclass(getattr(view, "cls", object), ListAPIView)]


def test_each_list_has_pages_with_a_ceiling_that_a_cursor_leads_through():
    assert len(LISTS) > 5
    for route, view in LISTS:
        assert issubclass(view.pagination_class, Pages), route
        assert view.pagination_class.max_page_size == MOST_ON_A_PAGE, route


@pytest.mark.django_db
def test_the_pages_of_offices_neither_repeat_nor_skip_a_row_while_others_come():
    for name in ("Birch", "Cedar", "Elm", "Elm", "Fir"):
        an_office(name)
    client = signed_in(a_person("operator@vendor.example", group="operator"))
    seen, address = [], "/api/v1/offices/?page_size=2"
    while address:
        page = client.get(address).json()
        seen += [one["name"] for one in page["results"]]
        an_office("Alder")  # comes before what was seen
        address = page["next"]

    assert seen == ["Birch", "Cedar", "Elm", "Elm", "Fir"]
    assert Office.objects.count() > len(seen)


ONE_ROW_HAS_THEM = {"/api/v1/offices/{public_id}/invoices/{invoice_id}/lines/"}
"""What an invoice is for lies in its own row: whoever reads the row has all of it."""


def test_no_answer_is_a_list_without_pages():
    made = SchemaGenerator().get_schema(request=None, public=True)
    answers = {
        path: answer["content"]["application/json"]["schema"]
        for path, method, about in document.operations(made)
        for code, answer in about["responses"].items()
        if method == "get" and code == "200" and "application/json" in answer["content"]
    }
    assert {path for path, shown in answers.items() if shown.get("type") == "array"} == ONE_ROW_HAS_THEM
    paged = {path for path, shown in answers.items() if "/Paginated" in shown.get("$ref", "")}
    assert {path.rstrip("/").rpartition("/")[2] for path in paged} >= {"cycles", "invitations", "members", "offices"}


def followed(client, address):
    """Return the rows of each page, beginning with this one."""
    found = []
    while address:
        page = client.get(address).json()
        found.append(page["results"])
        address = page["next"]
    return found


def test_members_and_invitations_come_newest_first_in_pages(stripe, office):
    client = signed_in(a_member(office, "owner"))
    a_member(office, "manager")
    a_member(office, "viewer")
    for name in ("ann", "bob", "cleo"):
        asked = {"email": f"{name}@elm.example", "role": "viewer"}
        assert client.post(path(office, "members/"), asked, format="json").status_code == 202

    members = followed(client, path(office, "members/?page_size=2"))
    invited = followed(client, path(office, "invitations/?page_size=2"))

    assert [[one["role"] for one in page] for page in members] == [["viewer", "manager"], ["owner"]]
    assert [[one["email"][:3] for one in page] for page in invited] == [["cle", "bob"], ["ann"]]


def test_cycles_come_newest_first_in_pages(stripe, operator, office):
    office = subscribed_office(office, by=operator)
    perform(ChargeOffice(charge="training", amount=1_000), office, by=operator, reason="agreed")
    ends = [office.current_period_end]
    for _ in range(2):
        stripe.advance(days=32)
        stripe.deliver_and_apply()
        office.refresh_from_db()
        ends.append(office.current_period_end)
    perform(ChangeSubscription(price=price_id("practice-yearly")), office, by=operator, reason="agreed")
    stripe.deliver_and_apply()
    office.refresh_from_db()
    ends.append(office.current_period_end)

    shown = followed(signed_in(a_member(office, "viewer")), path(office, "cycles/?page_size=3"))

    assert [len(page) for page in shown] == [3, 1]
    assert [parse_datetime(one["end"]) for page in shown for one in page] == ends[::-1]


@pytest.mark.django_db
def test_a_size_that_no_page_has_is_refused_and_a_larger_one_gets_what_there_is_at_most(office):
    client = signed_in(a_member(office, "owner"))
    for size in ("x", "0", "-1", "", "1.5"):
        answer = client.get(path(office, "members/"), {"page_size": size})
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["page_size"]), size
    for size in ("1", str(MOST_ON_A_PAGE + 1), "9" * 30):
        assert client.get(path(office, "members/"), {"page_size": size}).status_code == 200, size


@pytest.mark.django_db
def test_each_address_refuses_what_the_document_does_not_name(office, no_limit_is_reached):
    made = SchemaGenerator().get_schema(request=None, public=True)
    named = {
        (path, method): {one["name"] for one in about.get("parameters", ()) if one["in"] == "query"}
        for path, method, about in document.operations(made)
    }
    client = signed_in(a_member(office, "owner"))
    tried = 0
    for route, view in ADDRESSES:
        for method in methods_of(view) - {"options"} if issubclass(getattr(view, "cls", object), ApiView) else ():
            answer = getattr(client, method)(f"{filled(route, office)}?stauts=open")
            assert answer.status_code == 400, (route, method)
            [[says]] = [answer.json()["fields"][one] for one in ("stauts",)]
            known = re.fullmatch(r"There is no such parameter\. This address knows (.+)\.", says)[1]
            path = re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{route}")
            assert known == "none" or set(known.split(", ")) == named[path, method], (path, method)
            assert (known == "none") == (not named[path, method]), (path, method)
            tried += 1
    assert tried > 60
