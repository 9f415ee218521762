"""What asks Stripe in several threads at once keeps every rule, and a thread that was forgotten asks nothing."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from billing import errors
from billing.audit import actor, trail
from billing.stripe_api import client, gateway, pace, turns

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 16


def in_a_plain_thread(ask):
    """What it returned or raised."""

    def asked():
        try:
            return ask()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        found = threads.submit(asked)
        return found.exception() or found.result()


def ask():
    return gateway.looks.customer_of("ch_1")


def ask_with_pace():
    with pace.kept():
        return ask()


def ask_with_deadline():
    with pace.one_look():
        return ask()


def ask_with_both():
    with pace.kept(), pace.one_look():
        return ask()


@pytest.mark.parametrize("how", [ask, ask_with_pace, ask_with_deadline])
def test_a_worker_asks_nothing_without_pace_and_deadline_whichever_thread_it_is(stripe, how):
    stripe.forget_requests()
    with pace.required(), pace.kept(), pace.one_look():
        assert isinstance(in_a_plain_thread(how), pace.Unpaced)
        assert stripe.requests() == []
        assert in_a_plain_thread(ask_with_both) == ask() == ""
    assert in_a_plain_thread(how) == ""  # in a web process


def test_a_deadline_is_never_later_than_that_of_the_work_around_it():
    with pace.one_look():
        first = pace._give_up()
        with pace.one_piece_of_work():
            assert pace._give_up() == first
    with pace.one_piece_of_work():
        later = pace._give_up()
        with pace.one_look():
            assert pace._give_up() < later


def test_a_process_that_ends_begins_no_request_after_its_last_moment(stripe, monkeypatch):
    monkeypatch.setattr(pace._process, "ends_at", float("inf"))  # and puts it back
    with pace.kept(), pace.one_look():
        assert ask() == ""
        pace.end_within(0)
        with pytest.raises(errors.StripeUnavailable):
            ask()


def test_the_actor_does_not_go_to_another_thread_by_itself():
    with trail.acting(actor.job("tests"), reason="tests"):
        assert in_a_plain_thread(lambda: trail.current().actor) is None


def test_threads_share_the_turns_of_their_process_and_none_is_used_twice(settings):
    settings.STRIPE_REQUESTS_PER_SECOND, settings.STRIPE_REQUESTS_PER_ENDPOINT = 1_000, 200
    turns.forget()
    used, lane = [], turns.lane_of("get /v1/customers/*")

    def use():
        with lane.wanted():
            for _ in range(10):
                used.append(turns._next(lane, lambda: float("inf"))[0])
        connections.close_all()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    turns.forget()
    assert len(set(used)) == len(used) == 80
    assert max(used) - min(used) > 0.3 * turns.MICROSECONDS  # 80 of 200 in a second


def test_each_of_many_threads_keeps_its_connection(stripe, caplog):
    caplog.set_level(logging.WARNING, logger="urllib3.connectionpool")
    assert AT_ONCE < client.MOST_CONNECTIONS
    stripe.control("settings", latency_seconds=0.3)
    everybody = threading.Barrier(AT_ONCE)

    def twice():
        try:
            for _ in range(2):
                everybody.wait()
                ask()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for one in [threads.submit(twice) for _ in range(AT_ONCE)]:
            one.result()
    assert not [line for line in caplog.messages if "pool is full" in line]
