"""The backfill: an empty database beside an account that was used before becomes Offices, with all of their past."""

import uuid
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import clock, errors
from billing.audit import actor
from billing.findings import report
from billing.models import (
    AuditEntry,
    Finding,
    Invoice,
    Job,
    Office,
    Payment,
    Plan,
    PlanPrice,
    ReceivedEvent,
    Reconciliation,
)
from billing.projection import OLDEST, apply
from billing.reconciliation import begin, carry_on, reconcile
from billing.stripe_api import gateway
from billing.stripe_api.inbound.states import Snapshot
from tests.conftest import an_office
from tests.reconciliation.conftest import equal, subscribed

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
BY = actor.job("tests")


def adopted(**how):
    return reconcile(by=BY, reason="taking over an account", adopts=True, **how)


def test_every_subscribed_customer_is_an_office_with_all_of_its_past(account):
    one = subscribed(account)
    other = subscribed(account, name="Elm Street Clinic", email="pay@elm.example", price=account.seat, quantity=4)
    account.advance(days=65)
    account.post("refunds", charge=account.listed("charges", customer=one)[0]["id"], amount=500)
    invoice = account.listed("invoices", customer=other)[0]["id"]
    account.post("credit_notes", invoice=invoice, amount=700, credit_amount=700)

    run = adopted()

    assert (run.counts["Offices adopted"], run.counts["prices adopted"]) == (2, 2)
    assert equal(account, one) == []
    assert equal(account, other) == []
    elm = Office.objects.get(payment_provider_customer_id=other)
    assert (elm.name, elm.billing_email, elm.locale) == ("Elm Street Clinic", "pay@elm.example", "es")
    assert (elm.current_plan.name, elm.quantity, elm.has_payment_method) == ("Practice", 4, True)
    assert (Invoice.objects.count(), Payment.objects.count()) == (6, 6)


def test_it_costs_a_request_a_page_and_no_look(account):
    for number in range(5):
        subscribed(account, name=f"Practice number {number}")
    account.forget_requests()

    run = adopted()

    assert "looks" not in run.counts
    # prices, customers, schedules, subscriptions, and each list of their past once
    assert len(account.requests("GET")) == 9
    assert {one["method"] for one in account.requests()} == {"GET"}


def test_adopting_again_changes_nothing(account):
    subscribed(account)
    adopted()
    before = AuditEntry.objects.count()

    run = adopted()

    assert "Offices adopted" not in run.counts
    assert "looks" not in run.counts
    assert AuditEntry.objects.count() == before + 1  # that it was begun
    assert (Office.objects.count(), Plan.objects.count(), PlanPrice.objects.count()) == (1, 1, 2)


def test_a_price_says_what_is_for_sale_and_whether_by_seats(account):
    subscribed(account, price=account.seat, quantity=3)
    account.post(f"prices/{account.price}", active="false")

    adopted()

    flat, seat = (PlanPrice.objects.get(stripe_price_id=one) for one in (account.price, account.seat))
    assert (seat.code, seat.per_seat, seat.active_until) == ("seats", True, None)
    assert flat.active_until is not None
    assert not flat.per_seat


def test_customers_of_other_products_do_not_enter(account):
    other = account.post("products", name="Something else")["id"]
    recurring = {"recurring[interval]": "month", "product": other, "currency": "usd"}
    account.post("customers", name="Nobody", email="nobody@elsewhere.example")
    foreign = account.post("prices", unit_amount=900, **recurring)["id"]
    kept = subscribed(account)
    subscribed(account, price=foreign)
    ours = account.listed("products")[1]["id"]

    run = adopted(products=(ours,))

    assert set(Office.objects.values_list("payment_provider_customer_id", flat=True)) == {kept}
    assert run.counts["subscriptions of others"] == 1
    assert not Invoice.objects.exclude(office__payment_provider_customer_id=kept).exists()


def test_a_price_by_the_week_is_no_plan(account):
    product = account.listed("products")[0]["id"]
    account.post("prices", unit_amount=900, product=product, currency="usd", **{"recurring[interval]": "week"})

    run = adopted()

    assert run.counts["prices that cannot be plans"] == 1
    assert PlanPrice.objects.count() == 2


def test_an_office_of_a_database_that_was_lost_has_its_id_again(account):
    old = uuid.uuid4()
    customer = subscribed(account)
    account.post(f"customers/{customer}", **{"metadata[office]": str(old)})

    adopted()

    assert Office.objects.get().public_id == old


def test_a_second_subscription_and_an_ended_one_are_there_too(account):
    customer = subscribed(account)
    ended = account.listed("subscriptions", customer=customer)[0]["id"]
    account.delete(f"subscriptions/{ended}")
    account.advance(days=3)
    account.post("subscriptions", customer=customer, **{"items[0][price]": account.price})

    adopted()

    assert equal(account, customer) == []
    assert Office.objects.get().subscription_status == "active"


def test_a_customer_without_a_name_or_address_is_adopted_and_told(account):
    subscribed(account, name="", email="")

    adopted()

    assert Finding.objects.get(kind="contact_missing").office == Office.objects.get()


def test_a_look_is_newer_than_what_was_adopted(account):
    customer = subscribed(account)
    adopted()
    account.post(f"customers/{customer}", balance=-900)

    reconcile(by=BY, reason="again")

    office = Office.objects.get()
    assert (office.credit_balance, office.customer_ticket) == (900, 1)
    assert equal(account, customer) == []


def test_how_many_statements_a_page_takes_does_not_grow_with_the_offices(account):
    subscribed(account)
    adopted()
    with CaptureQueriesContext(connection) as few:
        reconcile(by=BY, reason="again", everything=True)
    for number in range(4):
        subscribed(account, name=f"Further practice {number}")
    adopted()

    with CaptureQueriesContext(connection) as many:
        reconcile(by=BY, reason="again", everything=True)

    assert len(many) == len(few)


def test_a_second_subscription_is_adopted_and_no_drift(account):
    customer = subscribed(account)
    account.post("subscriptions", customer=customer, **{"items[0][price]": account.seat})
    account.advance(days=65)

    adopted()

    assert not Finding.objects.filter(kind="drift").exists()
    assert equal(account, customer) == []


def test_with_repairs_off_an_adopted_office_is_whole(account, settings):
    settings.RECONCILE_REPAIRS = False
    customer = subscribed(account)
    account.post("subscriptions", customer=customer, **{"items[0][price]": account.seat})

    adopted()

    assert equal(account, customer) == []


def test_a_customer_that_says_it_is_an_office_of_ours_gets_no_second_one(account):
    office = an_office("Ours")
    customer = subscribed(account)
    account.post(f"customers/{customer}", **{"metadata[office]": str(office.public_id)})

    adopted()

    assert Office.objects.get() == office
    assert Finding.objects.get(kind="customer_not_linked").office == office


def test_adopting_that_reads_no_events_says_nothing_of_them(account):
    report("events_missed", "webhooks", office=None, detail="x")
    subscribed(account)

    adopted()

    assert Finding.objects.get(kind="events_missed").resolved_at is None


def test_adopting_everything_reads_the_events_too(account):
    subscribed(account)
    account.forget_requests()

    adopted(everything=True)

    assert "/v1/events" in {one["path"] for one in account.requests("GET")}


def test_a_plan_of_another_product_brings_nobody_in(account):
    other = account.post("products", name="For patients")["id"]
    recurring = {"recurring[interval]": "month", "product": other, "currency": "usd"}
    foreign = account.post("prices", unit_amount=900, **recurring)["id"]
    adopted(products=(other,))
    subscribed(account, name="A stranger", price=foreign)
    (ours,) = [one["id"] for one in account.listed("products") if one["id"] != other]

    run = adopted(products=(ours,))

    assert not Office.objects.exists()
    assert run.counts["subscriptions of others"] == 1


def test_a_product_that_is_none_is_told_before_anything_is_read(account):
    with pytest.raises(errors.ProductUnknown):
        adopted(products=("prod_nope",))

    assert not Reconciliation.objects.exists()


def test_what_was_told_before_the_office_was_there_is_looked_at(account):
    customer = subscribed(account)
    run = begin(by=BY, reason="a test", adopts=True)
    ReceivedEvent.objects.create(
        stripe_id="evt_early", type="customer.updated", customer_id=customer, created_at=clock.wall(), status="ignored"
    )
    while run.ended_at is None:
        assert carry_on(run, by=BY)

    assert Job.objects.filter(name=f"look:{Office.objects.get().public_id}").exists()


def test_what_a_look_wrote_and_what_is_there_is_not_written_from_a_page(account):
    customer = subscribed(account)
    adopted()
    invoice = Invoice.objects.get()
    state = replace(gateway.invoices.fetch_invoice(invoice.stripe_id), status="void")

    apply(Snapshot(invoice.office_id, OLDEST, clock.wall(), None, invoices=(state,)))

    assert Invoice.objects.get().status == "paid"
    assert equal(account, customer) == []
