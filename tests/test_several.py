"""Doing the same with many things at once: what the threads keep, and how it ends."""

import threading
import time

import pytest
from django.db import connections, transaction

from billing import several
from billing.audit import actor, trail
from billing.models import Office
from billing.reconciliation import runs
from billing.stripe_api import pace, turns
from tests.conftest import an_office, subscribed_office

pytestmark = pytest.mark.django_db(transaction=True)


def test_several_are_under_way_at_once_and_never_more():
    together = threading.Barrier(4)  # it breaks if fewer come
    present, most = set(), []

    def work(number):
        present.add(threading.get_ident())
        most.append(len(present))
        together.wait(10)
        present.discard(threading.get_ident())
        return number

    assert sorted(several.each(work, range(8), at_once=4)) == list(range(8))
    assert max(most) <= 4


def test_the_threads_have_the_actor_and_the_deadline_of_the_caller():
    def work(_):
        return trail.current().actor, pace._give_up(), pace._kept.get()

    with trail.acting(actor.job("tests"), reason="tests"), pace.kept(), pace.one_look():
        mine = work(0)
        assert set(several.each(work, range(6), at_once=3)) == {mine}


def test_after_an_error_nothing_more_is_begun_and_it_is_raised():
    begun = []

    def work(number):
        begun.append(number)
        if number == 1:
            raise LookupError(number)

    with pytest.raises(LookupError):
        several.each(work, range(1_000), at_once=2)
    assert len(begun) < 10


@pytest.mark.parametrize("at_once", [1, 3])
def test_it_ends_when_it_shall_not_go_on(at_once):
    assert len(several.each(lambda number: number, range(1_000), at_once=at_once, go_on=lambda: False)) <= at_once


@pytest.mark.parametrize("at_once", [1, 3])
def test_an_error_of_asking_whether_to_go_on_is_raised_too(at_once):
    def go_on():
        raise LookupError

    with pytest.raises(LookupError):
        several.each(lambda number: number, range(10), at_once=at_once, go_on=go_on)


def test_after_ctrl_c_nothing_more_is_begun(monkeypatch):
    begun, main = [], threading.current_thread()
    join = threading.Thread.join

    def interrupted(thread, *given):
        if threading.current_thread() is main and not begun[5:]:
            monkeypatch.setattr(threading.Thread, "join", join)
            raise KeyboardInterrupt
        join(thread, *given)

    def work(number):
        begun.append(number)
        time.sleep(0.2)

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        several.each(work, range(1_000), at_once=2)
    ended = len(begun)
    time.sleep(0.5)
    assert len(begun) == ended < 10


def test_inside_a_transaction_there_are_no_threads(db):
    with transaction.atomic():
        made = an_office()
        seen = several.each(lambda key: Office.objects.get(pk=key).name, [made.pk], at_once=5)
        transaction.set_rollback(True)
    assert seen == [made.name]


def test_each_thread_closes_its_connection():
    opened = []

    def work(_):
        Office.objects.count()
        opened.append(connections["default"])
        return opened[-1].connection is not None

    assert all(several.each(work, range(4), at_once=2))
    assert [one.connection for one in opened] == [None] * 4


def test_a_comparison_repairs_several_offices_at_once(stripe, operator, settings):
    settings.STRIPE_REQUESTS_PER_SECOND = settings.STRIPE_REQUESTS_PER_ENDPOINT = 1_000
    settings.WORKER_LOOKS_AT_ONCE = 4
    turns.forget()
    for number in range(8):
        subscribed_office(an_office(f"Office {number}"), by=operator)
    stripe.deliver_and_apply()
    Office.objects.first().subscriptions.model.objects.update(quantity=7)
    stripe.control("settings", latency_seconds=0.3)
    stripe.forget_requests()

    run = runs.reconcile(by=actor.job("tests"), reason="tests")

    turns.forget()
    looked = [one["came"] for one in stripe.requests() if one["path"].startswith("/v1/customers/cus_")]
    assert len(looked) == 8
    assert 1 < max(sum(at <= other < at + 0.3 for other in looked) for at in looked) <= 4
    assert run.counts["drifted"] == 8
    assert not Office.objects.exclude(subscriptions__quantity=1).exists()
