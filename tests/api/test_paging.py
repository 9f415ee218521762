"""Lists come in pages that stay as they are while rows come, and an address refuses what it cannot be asked with."""

import re

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.generics import ListAPIView

from billing.api import document
from billing.api.paging import MOST_ON_A_PAGE, Pages
from billing.api.views import ApiView
from billing.models import Office
from tests.api.test_api import signed_in
from tests.api.test_odd_input import ADDRESSES, filled, methods_of
from tests.conftest import a_member, a_person, an_office

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
