"""The page with an Office's statement: each kind of amount in a column of its own, and few statements."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import history
from billing.admin.statement_lines import shown
from billing.audit import actor, reads, trail
from billing.models import Adjustment, Invoice, Office, Payment
from tests.admin.test_offices import page, signed_in
from tests.conftest import subscribed_office

MOST_STATEMENTS = 7
"""Four ask who it is, whether they may, and for the Office; one writes who looked; two read the statement.

Refunds, credit notes and disputes, if there are any, take one more.
"""


def at(day):
    return datetime(2026, 11, day, 12, tzinfo=UTC)


@pytest.fixture
@trail.acting(actor.job("tests"))
def lived(office):
    """An invoice of 199.00 USD that was refused once and then paid; 50.00 of it went back; one of 20.00 is open."""
    paid = Invoice.objects.create(
        **{"office": office, "stripe_id": "in_1", "ticket": 1, "number": "M-1", "status": "paid", "currency": "usd"},
        **{"subtotal": 19_900, "total": 19_900, "amount_paid": 19_900, "amount_remaining": 0},
        **{"created_at": at(1), "finalised_at": at(1), "paid_at": at(3), "kind": "cycle"},
    )
    Invoice.objects.create(
        **{"office": office, "stripe_id": "in_2", "ticket": 1, "number": "M-2", "status": "open", "currency": "usd"},
        **{"subtotal": 2_000, "total": 2_000, "amount_paid": 0, "amount_remaining": 2_000},
        **{"created_at": at(5), "finalised_at": at(5), "next_payment_attempt": at(9)},
    )
    for number, status, day in ((1, "failed", 2), (2, "succeeded", 3)):
        payment = Payment.objects.create(
            **{"office": office, "invoice": paid, "stripe_id": f"ch_{number}", "ticket": 1, "status": status},
            **{"currency": "usd", "amount": 19_900, "card_brand": "visa", "card_last4": "4242", "created_at": at(day)},
        )
    Adjustment.objects.create(
        **{"office": office, "payment": payment, "invoice": paid, "kind": "refund", "stripe_id": "re_1", "ticket": 1},
        **{"status": "succeeded", "currency": "usd", "amount": 5_000, "created_at": at(4)},
    )
    Office.objects.filter(pk=office.pk).update(currency="usd", balance_due=2_000)
    return Office.objects.get(pk=office.pk)


def test_what_was_charged_paid_and_given_back_stands_in_columns_of_their_own(lived):
    found = shown(history.account(lived))

    def words(amount):
        return str(amount) if amount is not None else ""

    assert [(one.text, words(one.charged), words(one.paid), words(one.given_back)) for one in found.lines] == [
        ("Invoice M-1", "199.00 USD", "", ""),
        ("Failed attempt of M-1, visa …4242: 199.00 USD", "", "", ""),
        ("Payment of M-1, visa …4242", "", "199.00 USD", ""),
        ("Refund of M-1", "", "", "50.00 USD"),
        ("Invoice M-2", "20.00 USD", "", ""),
    ]
    assert [str(one.owed) for one in found.lines] == [
        f"{one} USD" for one in ("199.00", "199.00", "0.00", "0.00", "20.00")
    ]
    assert [one.only_told for one in found.lines] == [False, True, False, False, False]


def test_in_each_currency_what_was_charged_less_what_was_paid_is_owed(lived):
    with trail.acting(actor.job("tests")):
        Invoice.objects.create(
            **{"office": lived, "stripe_id": "in_3", "ticket": 1, "number": "M-3", "status": "open", "currency": "jpy"},
            **{"subtotal": 500, "total": 500, "amount_paid": 0, "amount_remaining": 500, "created_at": at(6)},
        )

    found = shown(history.account(lived))

    assert [tuple(map(str, (one.charged, one.paid, one.given_back, one.owed))) for one in found.sums] == [
        ("500 JPY", "0 JPY", "0 JPY", "500 JPY"),
        ("219.00 USD", "199.00 USD", "50.00 USD", "20.00 USD"),
    ]


def test_the_page_mutes_what_failed_and_can_be_printed_without_the_frame(lived, auditor):
    html = signed_in(auditor.user).get(page("account/", lived)).content.decode()

    [muted] = re.findall(r'<tr class="[^"]*only-told.*?</tr>', html, re.S)
    assert "Failed attempt of M-1" in muted
    assert "billing/office_page.css" in html
    assert 'class="printed' in html


def test_what_is_read_at_once_is_what_is_read_one_by_one(stripe, operator, office):
    subscribed_office(office, by=operator, plan="seats-monthly", quantity=2)
    stripe.deliver_and_apply()
    stripe.advance(days=40)
    stripe.deliver_and_apply()
    office = Office.objects.get(pk=office.pk)

    account = history.account(office)

    assert account.statement == history.statement(office)
    assert [one.invoice for one in account.cycles] == list(history.cycles(office))
    assert all((one.start, one.end) == (one.invoice.period_start, one.invoice.period_end) for one in account.cycles)
    assert account.standing == history.standing(office)
    assert len(account.cycles) == 2


def test_the_page_takes_few_statements_with_the_entry_of_who_looked(lived, auditor):
    client = signed_in(auditor.user)
    client.get(page("account/", lived))
    reads.forget()
    with CaptureQueriesContext(connection) as asked:
        client.get(page("account/", lived))

    assert len(asked) <= MOST_STATEMENTS + 1, "\n".join(one["sql"][:150] for one in asked.captured_queries)
