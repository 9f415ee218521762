"""Who waits in the worklist, in which order, and what is known about each. The rows are made by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import clock, worklist
from billing.audit import actor, trail
from billing.models import FollowUp, Invoice, Office, Payment
from billing.next_steps import Step
from billing.worklist import Sort, What, Whose
from tests.conftest import a_person, an_office

DAY = timedelta(days=1)


@pytest.fixture
def person(db):
    return a_person("operator@vendor.example", group="operator")


def changed(office: Office, **values) -> Office:
    with trail.acting(actor.job("tests"), reason="tests"):
        for name, value in values.items():
            setattr(office, name, value)
        office.save()
    return office


def owing(name: str, *, days: int, amount: int = 19_900, currency: str = "usd", **values) -> Office:
    """Return an Office with one open invoice, finalised some days ago. Minor units."""
    at = clock.wall() - timedelta(days=days, minutes=1)
    office = changed(an_office(name), currency=currency, balance_due=amount, **values)
    an_invoice(office, at=at, amount=amount)
    return office


def an_invoice(office: Office, *, at: datetime, amount: int, **values) -> Invoice:
    given = {"status": "open", "finalised_at": at, "created_at": at, "attempt_count": 1, **values}
    with trail.acting(actor.job("tests"), reason="tests"):
        return Invoice.objects.create(
            office=office,
            stripe_id=f"in_{office.pk}_{at.timestamp()}",
            ticket=0,
            currency=office.currency,
            subtotal=amount,
            total=amount,
            amount_paid=0,
            amount_remaining=amount,
            **given,
        )


def declined(invoice: Invoice, code: str, *, at: datetime) -> None:
    with trail.acting(actor.job("tests"), reason="tests"):
        Payment.objects.create(
            office=invoice.office,
            invoice=invoice,
            stripe_id=f"ch_{invoice.pk}_{at.timestamp()}",
            ticket=0,
            status="failed",
            currency="usd",
            amount=1,
            decline_code=code,
            created_at=at,
        )


def followed(office: Office, **values) -> None:
    with trail.acting(actor.job("tests"), reason="tests"):
        FollowUp.objects.create(office=office, **values)


def names(person, what=What.OWES, whose=Whose.TO_DO, sort=Sort.DAYS, after="") -> list[str]:
    return [row.office.name for row in worklist.page(what, whose, sort, person=person, after=after).rows]


def test_who_owes_waits_and_who_has_owed_longest_is_first(person):
    owing("Three", days=3)
    owing("Twenty", days=20)
    paid = owing("Paid", days=9)
    Invoice.objects.filter(office=paid).update(status="paid", amount_remaining=0)
    changed(owing("Archived", days=30), archived_at=clock.wall())

    assert names(person) == ["Twenty", "Three"]
    [row, _] = worklist.page(What.OWES, Whose.TO_DO, Sort.DAYS, person=person).rows
    assert row.days(clock.billing()) == 20


def test_amounts_are_ordered_within_their_currency_and_never_across(person):
    owing("Small dollars", days=1, amount=100)
    owing("Yen", days=1, amount=9_000_000, currency="jpy")
    owing("Large dollars", days=1, amount=50_000)
    owing("Euros", days=1, amount=200, currency="eur")

    assert names(person, sort=Sort.AMOUNT) == ["Euros", "Yen", "Large dollars", "Small dollars"]


def test_of_several_invoices_the_oldest_counts_and_one_that_is_sent_counts_from_its_due_day(person):
    office = owing("Both", days=2)
    an_invoice(office, at=clock.wall() - 8 * DAY, amount=100, due_at=clock.wall() + 6 * DAY, collection="send_invoice")

    [row] = worklist.page(What.OWES, Whose.TO_DO, Sort.DAYS, person=person).rows

    assert row.days(clock.billing()) == 2
    assert Office.objects.get().balance_due == 19_900


@pytest.mark.parametrize(
    ("whose", "seen"),
    [
        (Whose.TO_DO, {"Mine", "Another's", "Nobody's", "Was aside"}),
        (Whose.MINE, {"Mine"}),
        (Whose.UNASSIGNED, {"Nobody's", "Was aside"}),
        (Whose.SNOOZED, {"Aside"}),
        (Whose.ALL, {"Mine", "Another's", "Nobody's", "Aside", "Was aside"}),
    ],
)
@pytest.mark.parametrize("what", What)
def test_whose_are_shown(person, what, whose, seen):
    now, other = clock.wall(), a_person("other@vendor.example", group="operator")
    card = {"payment_method_brand": "visa", "payment_method_last4": "4242"}
    last_month = (now.replace(day=1) - DAY).strftime("%Y-%m")
    waits = {
        What.OWES: {},
        What.TRIAL: {"subscription_status": "trialing", "trial_end": now + DAY},
        What.CARD: {
            "subscription_status": "active",
            "current_period_end": now + DAY,
            "payment_method_expires": last_month,
            **card,
        },
    }[what]
    made = {name: owing(name, days=2, **waits) for name in ("Mine", "Another's", "Nobody's", "Aside", "Was aside")}
    followed(made["Mine"], assigned_to=person)
    followed(made["Another's"], assigned_to=other)
    followed(made["Aside"], assigned_to=person, snoozed_until=now + DAY)
    followed(made["Was aside"], snoozed_until=now - DAY)

    assert set(names(person, what, whose)) == seen


@pytest.mark.parametrize("sort", Sort)
def test_the_pages_together_have_each_office_once(person, monkeypatch, sort):
    monkeypatch.setattr(worklist, "PAGE", 2)
    made = [owing(f"Office {number}", days=number // 2, amount=100 * (number // 2 + 1)) for number in range(5)]
    found, after = [], ""
    for _ in range(3):
        page = worklist.page(What.OWES, Whose.TO_DO, sort, person=person, after=after)
        found += [row.office.name for row in page.rows]
        after = page.after

    assert sorted(found) == sorted(office.name for office in made)
    assert after == ""


@pytest.mark.parametrize("after", ["x", "~", "2026-01-01T00:00:00~1", "2026-01-01T00:00:00+00:00~x", "9" * 40, "~~~~"])
def test_a_place_that_cannot_be_read_begins_anew(person, after):
    owing("One", days=1)

    assert names(person, after=after) == ["One"]
    assert names(person, what=What.TRIAL, after=after) == []


@pytest.mark.parametrize(
    ("ends_in", "brand", "status", "waits"),
    [(3, "", "trialing", True), (3, "visa", "trialing", False), (15, "", "trialing", False), (3, "", "active", False)],
)
def test_a_trial_waits_if_it_ends_soon_and_nothing_is_on_file(person, ends_in, brand, status, waits):
    at = clock.billing() + timedelta(days=ends_in)
    changed(an_office("Trial"), subscription_status=status, trial_end=at, payment_method_brand=brand)

    assert names(person, what=What.TRIAL) == (["Trial"] if waits else [])


@pytest.mark.parametrize(("ends_after", "waits"), [(None, True), (timedelta(0), False), (DAY, True)])
def test_a_trial_that_was_canceled_does_not_wait(person, ends_after, waits):
    at = clock.billing() + timedelta(days=3)
    ends = None if ends_after is None else at + ends_after
    changed(an_office("Trial"), subscription_status="trialing", trial_end=at, cancel_at=ends)

    assert names(person, what=What.TRIAL) == (["Trial"] if waits else [])


@pytest.mark.parametrize(
    ("charged", "expires", "waits"),
    [
        (datetime(2027, 1, 10, tzinfo=UTC), "2026-12", True),
        (datetime(2027, 1, 10, tzinfo=UTC), "2027-01", False),  # a card is valid to the end of its month
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "2026-12", False),
        (datetime(2027, 1, 1, tzinfo=UTC), "2026-12", True),
        (datetime(2026, 12, 28, tzinfo=UTC), "2026-11", True),
        (datetime(2027, 1, 10, tzinfo=UTC), "", False),
        (datetime(2027, 2, 20, tzinfo=UTC), "2026-12", False),  # more than a month ahead
    ],
)
def test_a_card_waits_if_it_will_have_expired_at_the_next_charge(person, monkeypatch, charged, expires, waits):
    monkeypatch.setattr(clock, "billing", lambda: datetime(2026, 12, 20, 12, tzinfo=UTC))
    changed(
        an_office("Card"),
        subscription_status="active",
        current_period_end=charged,
        payment_method_brand="visa",
        payment_method_last4="4242",
        payment_method_expires=expires,
    )

    assert names(person, what=What.CARD) == (["Card"] if waits else [])


def test_a_card_of_a_subscription_that_does_not_renew_does_not_wait(person):
    ends = clock.billing() + 5 * DAY
    values = {"subscription_status": "active", "current_period_end": ends, "payment_method_expires": "2020-01"}
    changed(an_office("Ends"), cancel_at=ends, **values)
    changed(an_office("Ends later"), cancel_at=ends + DAY, **values)

    assert names(person, what=What.CARD) == ["Ends later"]


@pytest.mark.parametrize(
    ("code", "card", "step"),
    [
        ("insufficient_funds", True, Step.PAY),
        ("expired_card", True, Step.CARD_LINK),
        ("insufficient_funds", False, Step.CARD_LINK),
    ],
)
def test_the_step_fits_the_last_decline_and_what_is_on_file(person, code, card, step):
    office = owing("One", days=4, payment_method_brand="visa" if card else "")
    invoice = office.invoices.get()
    declined(invoice, "processing_error", at=clock.wall() - 4 * DAY)
    declined(invoice, code, at=clock.wall() - DAY)

    [row] = worklist.page(What.OWES, Whose.TO_DO, Sort.DAYS, person=person).rows

    assert row.debt
    assert row.debt.decline
    assert (row.debt.decline.code, row.step) == (code, step)


def test_a_page_takes_four_statements_however_many_offices_wait(person):
    for number in range(5):
        owing(f"Office {number}", days=number)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        for row in worklist.page(What.OWES, Whose.TO_DO, Sort.DAYS, person=person).rows:
            assert row.follow_up is None
            assert row.office.current_plan is None

    assert len(seen) == 4  # who owes, the invoices, what was tried, and what is not settled


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL chooses by what it counted")
@pytest.mark.parametrize("whose", Whose)
def test_only_what_is_owed_is_read_and_not_all_invoices(person, whose):
    asked = []

    def noted(execute, sql, params, *more):
        asked.append((sql, params))
        return execute(sql, params, *more)

    with connection.execute_wrapper(noted):
        worklist.page(What.OWES, whose, Sort.DAYS, person=person)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked[0][0]}", asked[0][1])  # values that are given beside stay there
        plan = " ".join(row[-1] for row in cursor.fetchall())

    assert "COVERING INDEX invoice_owed_since" in plan
