"""Many looks at once in one worker: how many, at whom, and what one of them does to the others."""

import threading
import time

import pytest
from django.db import OperationalError, connections

from billing import beside
from billing.models import Office, ReceivedEvent
from billing.stripe_api import turns
from billing.webhooks import inbox
from tests.conftest import an_office, post_delivery, subscribed_office
from tests.processes import PATIENCE_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 4
SECONDS = 0.5


@pytest.fixture(autouse=True)
def pace_of_nobody_else(settings):
    settings.STRIPE_REQUESTS_PER_SECOND = settings.STRIPE_REQUESTS_PER_ENDPOINT = 1_000
    turns.forget()
    yield
    turns.forget()


@pytest.fixture
def looking():
    """A function that starts so many lookers. They end with the test."""
    stop, running = threading.Event(), []

    def start(count=AT_ONCE):
        running.extend(beside.lookers(count, stop))
        for one in running:
            one.start()
        return running

    yield start
    stop.set()
    for one in running:
        one.join(10)
        assert not one.is_alive()
    assert [one.name for one in running if one.died] == []


@pytest.fixture
def offices(stripe, operator):
    """Eight Offices with events that wait."""
    made = [an_office(f"Office {number}") for number in range(8)]
    for office in made:
        subscribed_office(office, by=operator)
    stripe.deliver()
    return [Office.objects.get(pk=office.pk) for office in made]


def none_waits():
    return not ReceivedEvent.objects.filter(status="waiting").exists()


def under_way(asked):
    """The most requests that were under way at one moment."""
    return max(sum(one["came"] <= at["came"] < one["came"] + SECONDS for one in asked) for at in asked)


def test_several_customers_are_looked_at_at_once_and_never_more_than_the_setting(stripe, offices, looking):
    stripe.control("settings", latency_seconds=SECONDS)
    stripe.forget_requests()
    looking()
    until(none_waits)
    assert 1 < under_way(stripe.requests()) <= AT_ONCE
    assert set(ReceivedEvent.objects.values_list("status", flat=True)) == {"applied"}


def test_no_customer_is_looked_at_twice_at_once_and_what_comes_meanwhile_takes_one_look(stripe, offices, looking):
    customer = offices[0].payment_provider_customer_id
    inbox.work_off()
    for number in range(6):
        stripe.post(f"customers/{customer}", **{"metadata[round]": number})
    first, *others = stripe.taken()
    stripe.forget_requests()
    stripe.control("settings", latency_seconds=SECONDS)
    post_delivery(first)
    looking()
    until(lambda: ReceivedEvent.objects.filter(status="waiting", claim_id__isnull=False).exists())
    for one in others:
        post_delivery(one)
    until(none_waits)
    read = [one for one in stripe.requests() if one["method"] == "GET" and one["path"] == f"/v1/customers/{customer}"]
    assert len(read) == 2


@pytest.fixture
def held_up(monkeypatch):
    """A function that lets no look at these customers begin, until its result is set."""
    handle = inbox.handle

    def hold(*customers):
        may_go_on = threading.Event()

        def handle_later(mine, events):
            if events[0].customer_id in customers:
                may_go_on.wait(PATIENCE_SECONDS)
            handle(mine, events)

        monkeypatch.setattr(inbox, "handle", handle_later)
        return may_go_on

    return hold


def test_an_office_with_a_thousand_events_holds_up_nobody(stripe, offices, looking, held_up):
    customer = offices[0].payment_provider_customer_id
    first = ReceivedEvent.objects.filter(customer_id=customer).order_by("pk")[0]
    for number in range(1_000):
        first.pk, first.stripe_id = None, f"evt_copy_{number}"
        first.save(force_insert=True)
    may_go_on = held_up(customer)
    looking()
    waiting = ReceivedEvent.objects.filter(status="waiting")
    until(lambda: not waiting.exclude(customer_id=customer).exists())
    assert waiting.exclude(claim_id=None).count() == inbox.MOST_TOGETHER
    may_go_on.set()
    until(none_waits)


def test_where_nothing_waits_the_database_is_asked_no_more_often_than_by_one(looking, monkeypatch):
    asked = []
    monkeypatch.setattr(inbox, "claim", lambda **_: asked.append(1))
    looking(8)
    time.sleep(2)
    assert len(asked) <= 8 + 2 / beside.ASKED_EVERY + 2


@pytest.mark.parametrize("held", [1, 3])
def test_while_some_wait_for_stripe_another_takes_what_comes(stripe, offices, looking, held_up, held):
    inbox.work_off()
    customers = [office.payment_provider_customer_id for office in offices[: held + 1]]
    for customer in customers:
        stripe.post(f"customers/{customer}", **{"metadata[round]": 1})
    *before, last = stripe.taken()
    may_go_on = held_up(*customers[:held])
    looking()
    for one in before:
        post_delivery(one)
    claimed = ReceivedEvent.objects.filter(status="waiting", claim_id__isnull=False)
    until(lambda: claimed.count() == held)
    post_delivery(last)
    until(lambda: not ReceivedEvent.objects.filter(status="waiting", customer_id=customers[held]).exists())
    assert claimed.count() == held
    may_go_on.set()
    until(none_waits)


def test_a_database_that_fails_in_one_thread_ends_none(stripe, offices, looking, monkeypatch):
    monkeypatch.setattr(beside, "AFTER_TROUBLE_SECONDS", 0.2)
    claim, failed = inbox.claim, []

    def failing(**given):
        if len(failed) < 5:
            failed.append(1)
            raise OperationalError("away")
        return claim(**given)

    monkeypatch.setattr(inbox, "claim", failing)
    looking()
    until(none_waits)


def test_each_thread_closes_its_connection(stripe, offices):
    stop, opened = threading.Event(), []

    class Watched(beside.Looker):
        def do_one(self):
            done = super().do_one()
            opened.append(connections["default"])
            return done

    one = Watched(1, stop, beside.Looking())
    one.start()
    until(none_waits)
    stop.set()
    one.join(10)
    assert opened[0].connection is None
