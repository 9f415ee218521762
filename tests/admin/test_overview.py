"""The first screen of the admin."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing import clock
from billing.audit import actor, seals, trail
from billing.findings import report
from billing.models import (
    Adjustment,
    Backup,
    Finding,
    Office,
    Operation,
    ReceivedEvent,
    Reconciliation,
    WorkerHeartbeat,
)
from billing.monitoring import telling
from billing.operations.compliance import prepare_determination
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.start import StartSubscription
from billing.outbox import staff_digest
from billing.reports.rolling import roll_up
from tests.admin.test_offices import signed_in
from tests.conftest import ADMINISTRATOR, a_person, an_office, determined, price_id
from tests.operations.test_agreement import BAA

FIRST = reverse("admin:index")


def page(by):
    return signed_in(by.user).get(FIRST).content.decode().partition('id="content"')[2]


def told(by):
    """The words of the page. Whatever it leads to opens."""
    shown, client = page(by), signed_in(by.user)
    for address in {unescape(one) for one in re.findall(r'href="(/admin/[^"]*)"', shown)}:
        answer = client.get(address)
        assert answer.status_code == 200, address  # a filter that there is not leads elsewhere
        shown_as_chosen = [spec.used_parameters for spec in answer.context["cl"].filter_specs] if "?" in address else []
        assert set(parse_qs(urlsplit(address).query, keep_blank_values=True)) == set().union(*shown_as_chosen), address
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", shown).split()))


@pytest.fixture
def subscribed(stripe, operator, office):
    start = StartSubscription(price=price_id("practice-monthly"), payment_method="pm_card_visa")
    perform(start, office, by=operator, reason="agreed")
    stripe.deliver_and_apply()
    return Office.objects.get(pk=office.pk)


@pytest.fixture
def worker_lives(db):
    WorkerHeartbeat.objects.create(name="host:1", seen_at=clock.wall())


def test_where_nothing_waits_it_says_so_and_shows_what_is_billed_and_paid(
    subscribed, worker_lives, operator, administrator, auditor
):
    Backup.objects.create(name="newest.age", size=1, digest="5e" * 32, verified_at=clock.wall())
    determined(operator, administrator)
    roll_up()
    seals.seal()

    words = told(auditor)

    for shown in (
        "You have nothing to do",
        "Billed each month 199.00 USD",
        "Paid this week 199.00 USD",
        "Owed now –",
        "active 1",
        "Worker seen less than a minute ago",
    ):
        assert shown in words
    assert "First steps" not in words


def test_what_waits_for_somebody_comes_first_and_leads_there(subscribed, auditor):
    now = clock.wall()
    event = {"type": "x", "created_at": now, "status": "parked", "last_error": "KeyError: odd"}
    ReceivedEvent.objects.create(stripe_id="evt_1", **event)
    report("customer_deleted", "one", office=subscribed, severity="critical", detail="gone")
    report("drift", "other", office=subscribed, detail="differs")
    report("events_missed", "resolved", office=None, severity="critical", detail="missed")
    Finding.objects.filter(subject="resolved").update(resolved_at=now)
    Operation.objects.filter(office=subscribed).update(status="unknown", created_at=now - timedelta(hours=1))
    Reconciliation.objects.create(recent_since=now, reason="at night", last_error="StripeUnavailable: try later")

    words = told(auditor)

    places = [
        words.index(task)
        for task in (
            "No worker is running",
            "1 event could not be applied",
            "StripeUnavailable: try later",
            "Customer deleted (Maple Street Family Practice) gone",
            "1 critical finding needs attention",
            "1 warning needs attention",
            "1 operation without an outcome yet",
            "Billed each month",
        )
    ]
    assert places == sorted(places)
    assert "You have nothing to do" not in words


def test_a_list_that_it_leads_to_shows_what_was_counted(subscribed, auditor):
    report("customer_deleted", "one", office=subscribed, severity="critical", detail="gone")
    report("events_missed", "two", office=None, severity="critical", detail="missed")
    Finding.objects.filter(subject="two").update(resolved_at=clock.wall())
    (address,) = {unescape(one) for one in re.findall(r'href="([^"]*severity__exact=critical[^"]*)"', page(auditor))}

    listed = signed_in(auditor.user).get(address).context["cl"].queryset

    assert [one.kind for one in listed] == ["customer_deleted"]


def test_a_determination_waits_for_another_administrator_than_who_prepared_it(stripe, administrator):
    prepare_determination(BAA, by=administrator, reason="counsel signed")
    other = actor.person(a_person("second@vendor.example", group=ADMINISTRATOR))

    assert "A determination waits for your approval" in told(other)
    assert "A determination waits for your approval" not in told(administrator)


def test_an_office_that_is_past_due_is_named_with_what_it_owes(subscribed, stripe, auditor):
    customer = subscribed.payment_provider_customer_id
    declined = stripe.post("payment_methods/pm_card_chargeCustomerFail/attach", customer=customer)["id"]
    stripe.post(f"customers/{customer}", **{"invoice_settings[default_payment_method]": declined})
    stripe.advance(days=32)
    stripe.deliver_and_apply()

    words = told(auditor)

    assert "1 Office owes 199.00 USD Its subscription is past due. Maple Street" in words
    assert "Family Practice loses access next, on" in words
    assert "Owed the longest Maple Street Family Practice 199.00 USD since" in words
    assert "may use the product until" in words
    assert "past due 1" in words
    assert "Owed now 199.00 USD" in words

    stripe.advance(days=20)
    stripe.deliver_and_apply()
    words = told(auditor)
    assert "1 Office owes 199.00 USD Its subscription is canceled." in words
    assert re.search(r"Practice 199.00 USD since [^;]+\(UTC\); its subscription has ended may not use", words)


def test_on_a_new_database_the_first_steps_are_shown_up_to_the_first_subscription(stripe, administrator, operator):
    words = told(administrator)
    assert "Connect the Stripe account · done" in words
    assert "Make a plan with its first price · done" in words
    assert "Add the first Office The practice's name" in words
    assert reverse("admin:billing_office_add") in page(administrator)

    office = an_office()

    assert "no subscription 1" in told(administrator)
    assert reverse("admin:billing_office_change", args=[office.pk]) in page(administrator)

    perform(StartSubscription(price=price_id("practice-monthly"), trial_days=14), office, by=operator, reason="agreed")
    stripe.deliver_and_apply()

    assert "First steps" not in told(administrator)


def test_staff_without_a_role_are_told_how_to_get_one(db):
    person = a_person("new@vendor.example")
    with trail.acting(actor.job("tests"), reason="hired"):
        person.is_staff = True
        person.save()

    words = told(actor.person(person))

    assert "Your account has no role yet" in words
    assert "Billed each month" not in words


def test_it_takes_no_more_queries_for_more_offices(subscribed, auditor):
    client = signed_in(auditor.user)
    client.get(FIRST)
    with CaptureQueriesContext(connection) as few:
        client.get(FIRST)
    for number in range(5):
        an_office(f"Practice {number}")
    with CaptureQueriesContext(connection) as many:
        client.get(FIRST)

    assert len(many) == len(few)


def test_it_takes_at_most_15_statements_where_a_worker_runs_the_checks(subscribed, worker_lives, auditor):
    roll_up()
    telling.check()
    client = signed_in(auditor.user)
    client.get(FIRST)

    with CaptureQueriesContext(connection) as asked:
        client.get(FIRST)

    assert len(asked) <= 15, "\n".join(one["sql"][:150] for one in asked.captured_queries)


def test_a_dispute_has_the_same_day_here_and_in_the_digest(settings, db, office, operator):
    """The day of what is about many Offices is in UTC. In the vendor's own zone it is 31 January."""
    settings.VENDOR_TIME_ZONE = "America/Los_Angeles"
    due = datetime(2030, 2, 1, 2, tzinfo=UTC)
    given = {"stripe_id": "dp_1", "kind": "dispute", "status": "needs_response", "amount": 500, "currency": "usd"}
    with trail.acting(actor.job("tests"), reason="tests"):
        row = Adjustment.objects.create(office=office, created_at=clock.billing(), ticket=1, due_at=due, **given)
    report("dispute", str(row.public_id), office=office, severity="critical", detail="Disputed.")

    assert "Dispute of 5.00 USD: answer by 1 February 2030 (UTC)" in page(operator)
    assert [day for _, _, day in staff_digest.waiting()["disputes"]] == ["1 February 2030 (UTC)"]
