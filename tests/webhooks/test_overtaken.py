"""A look that began before another one ended: what it saw may be gone."""

from typing import Any

import pytest
import requests
from django.db import connection

from billing import clock, jobs
from billing.audit import actor, trail
from billing.look import MOST_TIMES, look, queue_look
from billing.models import Invoice, Job, Office, Subscription
from billing.projection import apply, link_customer, take_ticket
from billing.stripe_api import gateway, sandbox_clock
from billing.stripe_api.inbound.states import Snapshot
from billing.webhooks import inbox
from tests import equality
from tests.at_stripe import made, scheduled
from tests.conftest import an_office, post_delivery, price
from tests.histories.worker import PLACES, Worker, sent_by_workers, stoppable


@pytest.fixture
def customer(stripe, monkeypatch):
    """Of an Office that has no rows of it yet."""
    monkeypatch.setattr(requests.Session, "send", sent_by_workers(requests.Session.send))
    card = {"payment_method": "pm_card_visa", "invoice_settings[default_payment_method]": "pm_card_visa"}
    customer = made(stripe, "customers", name="A practice", **card)["id"]
    with trail.acting(actor.job("tests"), reason="tests"):
        link_customer(an_office().pk, customer)
    stripe.taken()
    with stoppable():
        yield customer


def a_worker_that_fetched() -> Worker:
    """It has applied nothing yet."""
    worker = Worker()
    worker.go_on(lambda place: place == "fetched")
    assert not worker.over
    return worker


def test_a_worker_stops_nowhere_within_a_transaction(stripe, customer, monkeypatch):
    """Otherwise the others of this file, and the histories, would try what cannot happen."""
    monkeypatch.setattr(sandbox_clock, "FRESH_SECONDS", 0)
    item: dict[str, Any] = {"items[0][price]": price("practice-monthly").stripe_price_id}
    made(stripe, "subscriptions", customer=customer, **item)
    assert set(stripe.deliver()) == {200}

    worker, places = Worker(), []
    while not worker.over:
        worker.go_on(lambda _: True)
        assert connection.atomic_blocks[-1]._from_testcase  # type: ignore[attr-defined]
        places.append(worker.place)

    assert list(dict.fromkeys(places)) == list(PLACES)


def test_an_overtaken_look_brings_nothing_of_a_deleted_customer_to_life(stripe, customer):
    item: dict[str, Any] = {"items[0][price]": price("practice-monthly").stripe_price_id}
    made(stripe, "subscriptions", customer=customer, **item)
    assert set(stripe.deliver()) == {200}
    slow = a_worker_that_fetched()

    stripe.delete(f"customers/{customer}")
    stripe.deliver_and_apply()
    slow.go_on()

    inbox.work_off()
    assert Subscription.objects.get().status == "canceled"
    assert equality.differences(Office.objects.get(), equality.read(stripe, customer)) == []


def test_a_card_that_an_older_look_adds_after_a_newer_one_missed_it_is_not_kept(stripe, customer):
    card = stripe.post("payment_methods/pm_card_visa/attach", customer=customer)["id"]
    stripe.post(f"customers/{customer}", **{"invoice_settings[default_payment_method]": card})
    assert set(stripe.deliver()) == {200}
    older = a_worker_that_fetched()
    stripe.post(f"payment_methods/{card}/detach")
    assert set(stripe.deliver()) == {200}
    newer = a_worker_that_fetched()

    older.go_on()
    newer.go_on()

    inbox.work_off()
    assert equality.differences(Office.objects.get(), equality.read(stripe, customer)) == []


def test_an_overtaken_look_brings_no_schedule_back(stripe, customer):
    schedule = scheduled(stripe, customer)["id"]
    assert set(stripe.deliver()) == {200}
    slow = a_worker_that_fetched()

    stripe.post(f"subscription_schedules/{schedule}/cancel")
    stripe.deliver_and_apply()
    slow.go_on()

    inbox.work_off()
    assert equality.differences(Office.objects.get(), equality.read(stripe, customer)) == []


def test_what_a_look_saw_of_schedules_gives_way_only_to_a_newer_look_that_asked_for_them(stripe, customer):
    """Most looks have no reason to ask, so the newest look of the customer says nothing about its schedules."""
    schedule, office = scheduled(stripe, customer)["id"], Office.objects.get()

    def seen(**asked: list[str]) -> Snapshot:
        return gateway.looks.fetch(office, ticket=take_ticket(office.pk).look_ticket, at=clock.billing(), **asked)

    with trail.acting(actor.job("tests"), reason="tests"):
        first, second = seen(schedules=[schedule]), seen()
        apply(second)
        assert len(apply(first).coming_schedules or ()) == 1

        third = seen(schedules=[schedule])
        stripe.post(f"subscription_schedules/{schedule}/cancel")
        fourth = seen(schedules=[schedule])
        apply(fourth)
        assert apply(third).coming_schedules is None


def test_an_overtaken_look_leaves_no_draft_that_is_gone(stripe, customer):
    draft = made(stripe, "invoices", customer=customer)["id"]
    assert set(stripe.deliver()) == {200}
    slow = a_worker_that_fetched()

    stripe.delete(f"invoices/{draft}")
    stripe.deliver_and_apply()
    slow.go_on()

    inbox.work_off()
    assert Invoice.objects.get().deleted_at is not None


def test_a_look_that_is_overtaken_again_and_again_leaves_it_to_the_workers(stripe, customer, monkeypatch):
    draft = made(stripe, "invoices", customer=customer)["id"]
    fetch, times = gateway.looks.fetch, []

    def overtaken(office: Office, **how: Any) -> Snapshot:
        seen = fetch(office, **how)
        if not times:
            stripe.delete(f"invoices/{draft}")
        times.append(apply(fetch(office, ticket=take_ticket(office.pk).look_ticket, at=how["at"])))
        return seen

    monkeypatch.setattr(gateway.looks, "fetch", overtaken)
    with trail.acting(actor.job("tests"), reason="tests"):
        look(Office.objects.get(), invoices=[draft])

    assert len(times) == MOST_TIMES
    monkeypatch.setattr(gateway.looks, "fetch", fetch)
    assert jobs.run_due() == 1
    assert not Job.objects.exists()
    assert equality.differences(Office.objects.get(), equality.read(stripe, customer)) == []


def test_the_workers_look_sees_a_draft_that_is_gone(stripe, customer):
    draft = made(stripe, "invoices", customer=customer)["id"]
    stripe.deliver_and_apply()
    stripe.delete(f"invoices/{draft}")

    queue_look(Office.objects.get())
    jobs.run_due()

    assert Invoice.objects.get().deleted_at is not None


def test_a_dispute_that_is_told_before_its_invoice_belongs_to_it_in_the_end(stripe, customer):
    invoice = made(stripe, "invoices", customer=customer, auto_advance="true")["id"]
    made(stripe, "invoiceitems", customer=customer, invoice=invoice, amount=5_000, currency="usd")
    made(stripe, f"invoices/{invoice}/finalize")
    made(stripe, f"invoices/{invoice}/pay")
    (charge,) = stripe.listed("charges", customer=customer)
    stripe.control(f"charges/{charge['id']}/dispute")
    told = stripe.taken()

    for about_disputes in (True, False):
        for one in told:
            if one["type"].startswith("charge.dispute.") is about_disputes:
                assert post_delivery(one).status_code == 200
        inbox.work_off()

    assert equality.differences(Office.objects.get(), equality.read(stripe, customer)) == []
