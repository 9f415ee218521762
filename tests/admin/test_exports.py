"""Lists as CSV and XLSX: the rows that the list shows, harmless, by role, and on record."""

import csv
import io
from datetime import UTC, datetime

import openpyxl
import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from billing import batches
from billing.audit import actor, trail
from billing.models import AuditEntry, Finding, Invoice, Office, User
from billing.reports import lists, tables
from tests.admin.test_offices import signed_in
from tests.conftest import a_person, an_office, subscribed_office
from tests.random_text import without_random

REASON = {"reason": "for the year's accounts"}
MODELS = ("office", "subscription", "invoice", "payment", "adjustment", "finding")


@pytest.fixture
def finance(db):
    return signed_in(a_person("fiona@vendor.example", group="finance"))


def page(model="office", query=""):
    return reverse(f"admin:billing_{model}_export") + query


def sent(client, model="office", form="csv", query=""):
    answer = client.post(page(model, query), {"form": form, **REASON})
    assert answer.streaming, answer.content.decode()
    return b"".join(answer.streaming_content)


def table(client, model="office", query=""):
    text = sent(client, model, query=query).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def sheet(client, model="office", query=""):
    book = openpyxl.load_workbook(io.BytesIO(sent(client, model, "xlsx", query)))
    return book.active


def of_eleven_dollars(**given):
    values = {"status": "open", "currency": "usd", "subtotal": 1_100, "total": 1_100, "amount_paid": 0, "ticket": 1}
    values |= {"amount_remaining": 1_100, "created_at": datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)}
    values |= {"stripe_id": f"in_{Invoice.objects.count()}", "number": "A-1", **given}
    with trail.acting(actor.job("tests"), reason="tests"):
        return Invoice.objects.create(**values)


def test_a_list_is_exported_with_its_filters_and_its_search(finance):
    for name, status in (("North Practice", "active"), ("North Clinic", "canceled"), ("South Practice", "active")):
        office = an_office(name)
        Office.objects.filter(pk=office.pk).update(subscription_status=status)

    assert [row["Office"] for row in table(finance)] == ["North Practice", "North Clinic", "South Practice"]
    assert [row["Office"] for row in table(finance, query="?q=north")] == ["North Practice", "North Clinic"]
    chosen = "?q=north&subscription_status__exact=active"
    assert [row["Office"] for row in table(finance, query=chosen)] == ["North Practice"]


def test_the_button_of_a_list_leads_to_the_export_of_the_same_rows(finance):
    shown = finance.get(reverse("admin:billing_office_changelist"), {"q": "north"}).content.decode()

    assert f'href="{page()}?q=north"' in shown
    asked = finance.get(page(query="?q=north")).content.decode()
    assert "0 rows: what the list shows with these filters: a search." in asked


def test_an_export_is_on_record_with_who_what_and_why_and_never_what_was_searched_for(finance):
    an_office("Maple Street Practice")
    Office.objects.update(subscription_status="active")
    an_office("Elm Clinic")

    sent(finance, query="?q=maple&subscription_status__exact=active")

    entry = AuditEntry.objects.filter(kind="act", what__startswith="exported").get()
    assert entry.what == "exported the list Offices as CSV, by a search, subscription status: 1 rows"
    assert (entry.actor.email, entry.reason) == ("fiona@vendor.example", "for the year's accounts")
    assert "maple" not in str(entry.additional_data).lower()


def test_without_a_reason_nothing_is_exported(finance):
    an_office("Maple Street Practice")

    answer = finance.post(page(), {"form": "csv", "reason": ""})

    assert not answer.streaming
    assert "This field is required" in answer.content.decode()
    assert not AuditEntry.objects.filter(what__startswith="exported").exists()


@pytest.mark.parametrize("group", ["support", "operator", "administrator"])
@pytest.mark.parametrize("model", MODELS)
def test_whoever_may_not_export_sees_no_button_and_gets_nothing(db, group, model):
    client = signed_in(a_person(f"{group}@vendor.example", group=group))

    assert page(model) not in client.get(reverse(f"admin:billing_{model}_changelist")).content.decode()
    assert client.post(page(model), {"form": "csv", **REASON}).status_code == 403


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "＝1"])
def test_a_text_that_begins_like_a_formula_is_none_in_the_file(finance, text):
    office = an_office("Maple Street Practice")
    Office.objects.filter(pk=office.pk).update(name=text)

    assert table(finance)[0]["Office"] == f"'{text}"
    cells = [cell for cell in sheet(finance)[2] if cell.value == f"'{text}"]
    assert [cell.data_type for cell in cells] == ["s"]


@pytest.mark.parametrize(
    ("currency", "minor", "written", "shown_as"),
    [
        ("usd", 123_456, "1234.56", "#,##0.00"),
        ("usd", -500, "-5.00", "#,##0.00"),
        ("usd", 0, "0.00", "#,##0.00"),
        ("jpy", 5_000, "5000", "#,##0"),
        ("kwd", 1_230, "1.230", "#,##0.000"),
        ("isk", 12_300, "123", "#,##0"),
    ],
)
def test_an_amount_is_a_number_of_its_currency_beside_it(finance, office, currency, minor, written, shown_as):
    of_eleven_dollars(office=office, currency=currency, total=minor)

    (row,) = table(finance, "invoice")
    assert (row["Total"], row["Currency"]) == (written, currency.upper())
    page = sheet(finance, "invoice")
    place = [cell.value for cell in page[1]].index("Total")
    cell = page[2][place]
    assert (cell.data_type, cell.number_format) == ("n", shown_as)
    assert cell.value == float(written)


def test_a_time_is_in_utc_and_its_column_says_so(finance, office):
    Office.objects.update(time_zone="America/Los_Angeles")
    of_eleven_dollars(office=office)

    (row,) = table(finance, "invoice")

    assert row["Made (UTC)"] == "2026-10-31 23:59:59"
    assert row["Paid in full (UTC)"] == ""


def test_each_list_has_its_columns_and_no_id_of_stripes(stripe, operator, office, finance, no_limit_is_reached):
    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    stripe.post("refunds", charge=stripe.listed("charges")[0]["id"], amount=500)
    stripe.deliver_and_apply()
    Finding.objects.create(kind="drift", subject="x", office=office, detail="It differs.")

    found = {model: table(finance, model) for model in MODELS}

    assert {model: len(rows) for model, rows in found.items()} == dict.fromkeys(MODELS, 1)
    assert found["office"][0]["Plan"] == "Practice"
    assert (found["subscription"][0]["A month"], found["subscription"][0]["Status"]) == ("199.00", "active")
    assert (found["invoice"][0]["Total"], found["invoice"][0]["Remaining"]) == ("199.00", "0.00")
    assert (found["payment"][0]["Amount"], found["payment"][0]["Given back"]) == ("199.00", "5.00")
    assert (found["adjustment"][0]["Kind"], found["adjustment"][0]["Amount"]) == ("Refund", "5.00")
    assert found["adjustment"][0]["Invoice"] == found["invoice"][0]["Number"] != ""
    for prefix in ("cus_", "sub_", "in_1", "ch_", "re_", "pi_"):
        assert prefix not in str(found)


def test_what_a_role_does_not_see_on_a_page_is_not_in_its_file_either(office):
    Group.objects.get(name="support").permissions.add(
        *Group.objects.get(name="auditor").permissions.filter(codename="export_lists")
    )
    Office.objects.update(billing_email="a@practice.example", payment_method_brand="visa", payment_method_last4="4242")

    (row,) = table(signed_in(a_person("sam@vendor.example", group="support")))

    assert row["Office"] == office.name
    assert "practice.example" not in str(row)
    assert "4242" not in without_random(str(row))


def test_no_page_offers_to_import(finance):
    names = [one for one in reverse.__globals__["get_resolver"]().reverse_dict if isinstance(one, str)]

    assert not [name for name in names if "import" in name]
    for model in MODELS:
        assert "import/" not in finance.get(reverse(f"admin:billing_{model}_changelist")).content.decode()


def test_more_rows_than_a_workbook_takes_are_refused_in_words(finance, monkeypatch):
    for name in ("One", "Two", "Three"):
        an_office(name)
    monkeypatch.setattr(tables, "MOST_ROWS_OF_XLSX", 3)

    refused = finance.post(page(), {"form": "xlsx", **REASON})

    assert (
        "The list has 3 rows, and an XLSX file takes at most 2. Choose CSV, or filter the list."
        in refused.content.decode()
    )
    assert len(table(finance)) == 3


def test_a_long_list_is_read_in_parts_and_no_row_is_lost_or_twice(finance, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(batches, "SIZE", 2)
    names = {f"Practice {number}" for number in range(5)}
    for name in names:
        an_office(name)

    with django_assert_max_num_queries(3):
        rows = list(lists.Offices().rows(Office.objects.all(), is_masked=False))

    assert sorted(row[1] for row in rows) == sorted(names)


def test_a_filter_that_no_row_can_have_is_refused(finance):
    assert finance.get(page(query="?nonsense=1")).status_code == 400


def test_each_list_says_what_it_shows_and_each_column_has_a_name_of_its_own():
    assert {model._meta.model_name for model in lists.LISTS} == set(MODELS)
    for one in lists.LISTS.values():
        names = one().names
        assert len(set(names)) == len(names)
        assert all(name[0].isupper() for name in names)
    assert User not in lists.LISTS
