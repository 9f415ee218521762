"""The first screen of the admin."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing import clock, operations
from billing.audit import actor, trail
from billing.findings import report
from billing.models import Finding, Office, Operation, ReceivedEvent, Reconciliation, WorkerHeartbeat
from tests.admin.test_offices import signed_in
from tests.conftest import a_person, an_office, determined, price

FIRST = reverse("admin:index")


def shown(by):
    return " ".join(re.sub(r"<[^>]*>", " ", signed_in(by.user).get(FIRST).content.decode()).split())


@pytest.fixture
def subscribed(stripe, operator, office):
    given = {"reason": "agreed", "payment_method": "pm_card_visa"}
    operations.subscribe(office, price("practice-monthly"), by=operator, **given)
    stripe.deliver_and_apply()
    return Office.objects.get(pk=office.pk)


@pytest.fixture
def worker_lives(db):
    WorkerHeartbeat.objects.create(name="host:1", seen_at=clock.wall())


def test_where_nothing_waits_it_says_so_and_shows_what_is_billed_and_paid(
    subscribed, worker_lives, operator, administrator, auditor
):
    determined(operator, administrator)

    told = shown(auditor)

    assert "Nothing waits for you" in told
    assert "Billed a month 199.00 USD" in told
    assert "Paid in the last 30 days 199.00 USD" in told
    assert "Owed now –" in told
    assert "active 1" in told
    assert "Worker seen 0 seconds ago" in told or "Worker seen 1 seconds ago" in told
    assert "First steps" not in told


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

    told = shown(auditor)

    for line in (
        "No worker lives",
        "1 event could not be applied",
        "1 critical finding is open",
        "1 warning finding is open",
        "1 operation has no outcome yet",
        "StripeUnavailable: try later",
    ):
        assert line in told
    assert "Nothing waits for you" not in told
    page = signed_in(auditor.user).get(FIRST).content.decode()
    critical = reverse("admin:billing_finding_changelist") + "?severity__exact=critical&amp;resolved_at__isempty=1"
    assert critical in page
    listed = signed_in(auditor.user).get(critical.replace("&amp;", "&")).content.decode()
    assert "customer deleted" in listed
    assert "events missed" not in listed


def test_every_link_of_the_page_opens(subscribed, stripe, administrator):
    client = signed_in(administrator.user)
    main = client.get(FIRST).content.decode().partition('id="content"')[2]
    addresses = {one.replace("&amp;", "&") for one in re.findall(r'href="(/admin/billing/[^"]*)"', main)}

    assert len(addresses) >= 8
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address


def test_an_office_that_is_past_due_is_named_with_what_it_owes(subscribed, stripe, operator, auditor):
    stripe.post(
        f"customers/{subscribed.payment_provider_customer_id}",
        **{"invoice_settings[default_payment_method]": a_card_that_is_declined(stripe, subscribed)},
    )
    stripe.advance(days=32)
    stripe.deliver_and_apply()

    told = shown(auditor)

    assert "Past due longest Maple Street Family Practice 199.00 USD since" in told
    assert "may use the product until" in told
    assert "past due 1" in told
    assert "Owed now 199.00 USD" in told

    stripe.advance(days=20)
    stripe.deliver_and_apply()
    assert "may not use the product" in shown(auditor)


def a_card_that_is_declined(stripe, office):
    card = "pm_card_chargeCustomerFail"
    return stripe.post(f"payment_methods/{card}/attach", customer=office.payment_provider_customer_id)["id"]


def test_on_a_new_database_the_first_steps_are_shown_up_to_the_first_subscription(stripe, administrator):
    told = shown(administrator)
    assert "Connect the Stripe account · done" in told
    assert "Make a plan and publish its price · done" in told
    assert "Add the first Office The practice's name" in told.replace("&#x27;", "'")
    page = signed_in(administrator.user).get(FIRST).content.decode()
    assert reverse("admin:billing_office_add") in page

    office = an_office()

    page = signed_in(administrator.user).get(FIRST).content.decode()
    assert reverse("admin:billing_office_change", args=[office.pk]) in page


def test_staff_without_a_role_are_told_how_to_get_one(db):
    person = a_person("new@vendor.example")
    with trail.acting(actor.job("tests"), reason="hired"):
        person.is_staff = True
        person.save()

    told = " ".join(signed_in(person).get(FIRST).content.decode().split())

    assert "Your account has no role yet" in told
    assert "Billed a month" not in told


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
    assert len(few) <= 30
