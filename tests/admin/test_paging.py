"""Big lists are turned page by page: nothing is counted, nothing before the page is read, and each row comes once."""

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import Office
from tests.conftest import OPERATOR, a_person

OFFICES = "/admin/billing/office/"
AT = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def staff(db):
    client = Client()
    client.force_login(a_person("operator@vendor.example", group=OPERATOR))
    return client


@pytest.fixture
def offices(db):
    """120 Offices: of three in a row two have one name, and every fourth has no period."""
    return Office.objects.bulk_create(
        Office(
            name=f"Practice {number // 3 * 3 + number % 2:03}",
            billing_email="billing@practice.example",
            subscription_status="active" if number % 4 else "",
            current_period_end=AT + timedelta(days=number % 10) if number % 4 else None,
            balance_due=number % 5,
        )
        for number in range(120)
    )


def pages(client, address):
    """Return the rows of each page, from this one on, and the addresses of the pages."""
    found, addresses = [], [address]
    while addresses[-1]:
        shown = client.get(OFFICES + addresses[-1]).context["cl"]
        found.append([one.pk for one in shown.result_list])
        addresses.append(shown.page_after)
        assert len(found) < 10
    return found, addresses[:-1]


ORDERS = {
    "?": ("name", "pk"),
    "?o=-1": ("-name", "-pk"),
    "?o=6": ("balance_due", "pk"),
    "?o=5": ("current_period_end", "pk"),
    "?o=-5": ("-current_period_end", "-pk"),
    "?o=-6": ("-balance_due", "-pk"),
    "?o=6.-5": ("balance_due", "-current_period_end", "-pk"),
    "?o=-6.5": ("-balance_due", "current_period_end", "pk"),
}


@pytest.mark.parametrize("query", ORDERS)
def test_each_row_comes_once_in_the_order_of_the_database(staff, offices, query):
    found, _ = pages(staff, query)

    assert [len(one) for one in found] == [50, 50, 20]
    assert [*itertools.chain(*found)] == list(Office.objects.order_by(*ORDERS[query]).values_list("pk", flat=True))


@pytest.mark.parametrize("query", ORDERS)
def test_the_way_back_shows_the_same_pages(staff, offices, query):
    found, addresses = pages(staff, query)

    back = staff.get(OFFICES + addresses[2]).context["cl"].page_before
    second = staff.get(OFFICES + back).context["cl"]
    first = staff.get(OFFICES + second.page_before).context["cl"]
    assert [one.pk for one in second.result_list] == found[1]
    assert [one.pk for one in first.result_list] == found[0]
    assert first.page_before == ""
    assert first.page_after


def test_nothing_is_counted_and_nothing_is_skipped(staff, offices):
    _, addresses = pages(staff, "?")
    for address in addresses:
        with CaptureQueriesContext(connection) as asked:
            staff.get(OFFICES + address)
        said = " ".join(one["sql"] for one in asked if 'FROM "billing_office"' in one["sql"])
        assert "COUNT(" not in said
        assert "OFFSET" not in said


def test_a_row_that_comes_meanwhile_moves_nothing(staff, offices):
    found, addresses = pages(staff, "?")
    Office.objects.bulk_create([Office(name="Aspen", billing_email="billing@aspen.example")])

    assert [one.pk for one in staff.get(OFFICES + addresses[1]).context["cl"].result_list] == found[1]


def test_where_the_row_at_the_edge_is_gone_the_first_page_is_shown(staff, offices):
    shown = staff.get(f"{OFFICES}?after=999999").context["cl"]

    assert shown.page_before == ""
    assert len(shown.result_list) == 50


@pytest.mark.parametrize("place", ["x", "1.5", "99999999999999999999999", "-1e9"])
def test_a_place_that_no_row_can_have_is_no_error(staff, offices, place):
    assert staff.get(f"{OFFICES}?after={place}", follow=True).status_code in (200, 400)


def test_the_page_says_more_than_where_there_is_more(staff, offices):
    assert "More than 50 Offices" in staff.get(OFFICES).content.decode()
    assert "30 Offices" in staff.get(f"{OFFICES}?subscription_status__exact=").content.decode()


def test_a_filter_begins_with_the_first_page(staff, offices):
    _, addresses = pages(staff, "?o=-5")
    text = staff.get(OFFICES + addresses[1]).content.decode()

    links = re.findall(r'href="(\?[^"]*subscription_status__exact=active[^"]*)"', text)
    assert links
    assert not [one for one in links if "after=" in one]


def test_a_column_that_is_not_offered_sorts_nothing(staff, offices):
    found, _ = pages(staff, "?o=3")

    assert [*itertools.chain(*found)] == list(Office.objects.order_by("name", "pk").values_list("pk", flat=True))


@pytest.mark.parametrize(
    "model", "subscription invoice payment adjustment operation receivedevent notification auditentry".split()
)
def test_the_other_big_lists_are_turned_in_this_way(staff, model):
    shown = staff.get(f"/admin/billing/{model}/").context["cl"]

    assert shown.is_whole
    assert shown.paginator.template_name == "billing/admin_paging.html"
