"""The journal's files, its page and its command: what the columns are, what is said, and who may."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from billing.audit import actor, trail
from billing.models import AuditEntry, Invoice, Payment
from tests.admin.test_offices import signed_in
from tests.conftest import a_person, an_office

PAGE = "/admin/billing/journal/"
REASON = {"reason": "for the accountant"}


@pytest.fixture
def finance(db):
    return signed_in(a_person("fiona@vendor.example", group="finance"))


@pytest.fixture
def october(db):
    with trail.acting(actor.job("tests"), reason="tests"):
        what_happened()


def what_happened():
    """Two Offices. One owes 107.70 USD with tax, and the other paid 50.00 USD and owes 700 JPY."""
    one, other = an_office("Maple Street Practice"), an_office("=Elm Clinic")
    at = datetime(2026, 10, 5, 9, tzinfo=UTC)
    rest = {"status": "open", "subtotal": 0, "amount_paid": 0, "ticket": 1, "created_at": at}
    values = {**rest, "currency": "usd", "total": 10_770, "tax": 770, "amount_remaining": 10_770}
    Invoice.objects.create(office=one, stripe_id="in_1", number="A-1", **values)
    values = {**rest, "status": "paid", "currency": "usd", "total": 5_000, "amount_paid": 5_000, "amount_remaining": 0}
    paid = Invoice.objects.create(office=other, stripe_id="in_2", number="B-1", **values)
    values = {**rest, "currency": "jpy", "total": 700, "amount_remaining": 700}
    Invoice.objects.create(office=other, stripe_id="in_3", number="B-2", **values)
    values = {"status": "succeeded", "currency": "usd", "amount": 5_000, "created_at": at, "ticket": 1}
    Payment.objects.create(office=other, invoice=paid, stripe_id="ch_1", **values)


def lines(client, form, **given):
    answer = client.post(PAGE, {"month": "2026-10", "form": form, **REASON, **given})
    assert answer.streaming, answer.content.decode()
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def test_the_detailed_file_says_what_is_not_in_it_and_each_entry_balances(finance, october, settings):
    settings.JOURNAL_ACCOUNTS = {**settings.JOURNAL_ACCOUNTS, "revenue": "4000"}
    found = lines(finance, "csv")

    assert found[0] == ["Journal of October 2026: from 2026-10-01 00:00 to 2026-11-01 00:00 UTC"]
    assert found[1] == ["Stripe's fees and payouts are not in it. Take them from Stripe's payout report."]
    names = found[4]
    end = found.index([], 5)
    rows = [dict(zip(names, line, strict=True)) for line in found[5:end]]
    assert [(row["Document"], row["Account"], row["Debit"], row["Credit"]) for row in rows] == [
        ("A-1", "Receivables", "107.70", ""),
        ("A-1", "4000", "", "100.00"),
        ("A-1", "Tax payable", "", "7.70"),
        ("B-1", "Receivables", "50.00", ""),
        ("B-1", "4000", "", "50.00"),
        ("B-2", "Receivables", "700", ""),
        ("B-2", "4000", "", "700"),
        ("B-1", "Stripe clearing", "50.00", ""),
        ("B-1", "Receivables", "", "50.00"),
    ]
    assert {row["Office"] for row in rows} == {"Maple Street Practice", "'=Elm Clinic"}
    assert {row["Currency"] for row in rows if row["Document"] == "B-2"} == {"JPY"}


def test_the_file_ends_with_what_ties_and_each_difference_is_zero(finance, october):
    found = lines(finance, "csv")

    ties = found[found.index(["Checks: each difference must be 0"]) + 2 :]
    receivables = {line[0]: line[2:] for line in ties if line[1].startswith("Receivables")}
    assert receivables == {"USD": ["107.70", "107.70", "0.00"], "JPY": ["700", "700", "0"]}
    assert {Decimal(line[4]) for line in ties} == {Decimal(0)}


def test_debits_and_credits_of_an_account_are_not_netted(finance, october):
    values = {"status": "paid", "currency": "usd", "total": -2_000, "subtotal": 0, "amount_paid": 0}
    at = datetime(2026, 10, 6, 9, tzinfo=UTC)
    rest = {"amount_remaining": 0, "ticket": 1, "created_at": at}
    with trail.acting(actor.job("tests"), reason="tests"):
        Invoice.objects.create(office=an_office("Given credit"), stripe_id="in_4", number="C-1", **values, **rest)

    found = lines(finance, "csv")

    # Revenue: 100.00 and 50.00 of what was invoiced, and 20.00 that an invoice below zero took back.
    assert ["USD", "Revenue", "0.00", "20.00", "150.00", "-130.00"] in found


def test_quickbooks_gets_its_columns_and_balanced_sums_of_the_month(finance, october):
    names, *found = lines(finance, "quickbooks")

    assert names == ["JournalNo", "JournalDate", "AccountName", "Debits", "Credits", "Description", "Name", "Currency"]
    assert found[-5:] == [
        ["2026-10-USD-01", "10/31/2026", "Receivables", "157.70", "", TEXT.format("Invoice", "USD"), "", "USD"],
        ["2026-10-USD-01", "10/31/2026", "Revenue", "", "150.00", TEXT.format("Invoice", "USD"), "", "USD"],
        ["2026-10-USD-01", "10/31/2026", "Tax payable", "", "7.70", TEXT.format("Invoice", "USD"), "", "USD"],
        ["2026-10-USD-02", "10/31/2026", "Receivables", "", "50.00", TEXT.format("Payment", "USD"), "", "USD"],
        ["2026-10-USD-02", "10/31/2026", "Stripe clearing", "50.00", "", TEXT.format("Payment", "USD"), "", "USD"],
    ]
    assert len(found) == 7


TEXT = "{}, October 2026, {} (Stripe's fees and payouts are not in it)"


def test_xero_gets_its_columns_with_a_debit_above_zero_and_one_currency(finance, october):
    refused = finance.post(PAGE, {"month": "2026-10", "form": "xero", **REASON}).content.decode()
    assert "This file has one currency only, and the month has several. Choose JPY or USD." in refused

    names, *found = lines(finance, "xero", currency="usd")

    assert ",".join(names) == (
        "*Narration,*Date,Description,*AccountCode,*TaxRate,*Amount,"
        "TrackingName1,TrackingOption1,TrackingName2,TrackingOption2"
    )
    assert [(line[1], line[3], line[4], line[5]) for line in found] == [
        ("31/10/2026", "Receivables", "Tax Exempt", "157.70"),
        ("31/10/2026", "Revenue", "Tax Exempt", "-150.00"),
        ("31/10/2026", "Tax payable", "Tax Exempt", "-7.70"),
        ("31/10/2026", "Receivables", "Tax Exempt", "-50.00"),
        ("31/10/2026", "Stripe clearing", "Tax Exempt", "50.00"),
    ]
    assert found[0][0] == TEXT.format("Invoice", "USD")
    assert {line[0] for line in found if line[2] == "2026-10-USD-02"} == {TEXT.format("Payment", "USD")}


def test_the_page_shows_the_accounts_and_that_everything_ties(finance, october):
    shown = finance.post(PAGE, {"month": "2026-10", "form": "page", **REASON}).content.decode()

    assert "All checks agree: each difference is 0." in shown
    assert "157.70" in shown
    assert "Stripe&#x27;s fees and payouts are not in it" in shown


def test_an_empty_month_says_so(finance):
    shown = finance.post(PAGE, {"month": "2026-10", "form": "page", **REASON}).content.decode()

    assert "There is nothing in this month or before it." in shown


def test_each_export_of_the_journal_is_on_record_and_needs_a_reason(finance, october):
    finance.post(PAGE, {"month": "2026-10", "form": "csv", "reason": ""})
    assert not AuditEntry.objects.filter(what__startswith="exported").exists()

    lines(finance, "csv")

    entry = AuditEntry.objects.get(what__startswith="exported")
    assert (entry.what, entry.reason) == ("exported the journal of 2026-10 for csv", "for the accountant")


@pytest.mark.parametrize("group", ["support", "operator", "administrator"])
def test_whoever_may_not_export_sees_no_journal(db, group):
    client = signed_in(a_person(f"{group}@vendor.example", group=group))

    assert client.get(PAGE).status_code == 403
    assert PAGE not in client.get(reverse("admin:index")).content.decode()


def test_the_menu_has_the_journal_and_its_page_has_the_same_name(finance):
    assert PAGE in finance.get(reverse("admin:index")).content.decode()
    assert "<h1" in finance.get(PAGE).content.decode()


def test_the_command_writes_the_same_file_and_fails_if_something_does_not_tie(finance, october, tmp_path, monkeypatch):
    file = tmp_path / "october.csv"

    call_command("journal", "2026-10", file=file, reason="for the accountant")

    ours = list(csv.reader(io.StringIO(file.read_text("utf-8-sig"))))
    assert ours[4:] == lines(finance, "csv")[4:]
    with pytest.raises(CommandError, match="exists already"):
        call_command("journal", "2026-10", file=file, reason="for the accountant")
    monkeypatch.setattr("billing.reports.journal_entries._of_payments", lambda *_: iter(()))
    with pytest.raises(CommandError, match=r"These sums do not agree: .*Clearing in this month.* \(USD\)"):
        call_command("journal", "2026-10", file=tmp_path / "again.csv", reason="for the accountant")
