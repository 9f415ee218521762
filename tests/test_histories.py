"""Whatever order what happens at Stripe is told in, late, twice or in part not at all: our rows end as Stripe's.

HISTORIES_SEED, HISTORIES and HISTORIES_ORDERS say which lives are lived, how many, and in how many orders each is told:
every other one while it is lived, and the next one, to emptied rows, when it is over. The same seed lives and tells the
same again. ``make soak`` does it at length with a new seed. What can happen is in ``tests.histories``.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import requests

from billing import clock
from billing.audit import actor, trail
from billing.models import Office
from billing.projection import link_customer
from tests import equality
from tests.at_stripe import a_coupon
from tests.conftest import LocalStripe, an_office, rolled_back, stocked
from tests.histories.life import DAY, Life
from tests.histories.order import Order
from tests.histories.worker import sent_by_workers, stoppable
from tests.reports.tying import wrong_journals
from tests.statemachine.stage import COUPONS

FIRST = int(os.environ.get("HISTORIES_SEED") or "38")
HISTORIES = int(os.environ.get("HISTORIES") or "12")
ORDERS = int(os.environ.get("HISTORIES_ORDERS") or "2")
TOGETHER = int(os.environ.get("HISTORIES_TOGETHER") or "3")
SEEDS = range(FIRST, FIRST + HISTORIES)
CHUNKS = [SEEDS[at : at + TOGETHER] for at in range(0, HISTORIES, TOGETHER)]
FEWEST_STEPS, MOST_STEPS = 4, 9
MOST_BETWEEN = 5


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"seeds-{seeds[0]}-to-{seeds[-1]}")
def test_in_whatever_order_it_is_told_our_rows_end_as_stripes(empty_stripe, monkeypatch, record_property, seeds):
    counted: Counter[str] = Counter()
    monkeypatch.setattr(requests.Session, "send", sent_by_workers(requests.Session.send))
    try:
        for seed in seeds:
            for number in range(0, ORDERS, 2):
                live_and_tell(empty_stripe, counted, seed=seed, number=number)
            counted["histories"] += 1
    except Exception as error:
        error.add_note(f"again: HISTORIES_SEED={seed} HISTORIES=1 HISTORIES_ORDERS={ORDERS}; from order {number} on")
        raise
    finally:
        record_property("counted", json.dumps(counted))


def live_and_tell(stripe: LocalStripe, counted: Counter[str], *, seed: int, number: int) -> None:
    """One life, told in the order of this number while it is lived, and in that of the next one afterwards."""
    chance = random.Random(seed)
    with rolled_back():
        office, life = begin(stripe, chance, counted, seed=seed)
        with telling(Order(office, random.Random(f"{seed}/{number}"), counted)) as order:
            for _ in range(chance.randint(FEWEST_STEPS, MOST_STEPS)):
                life.goes_on()
                order.hears(stripe.taken())
                order.something_happens(up_to=MOST_BETWEEN)
            life.ends()
            order.hears(stripe.taken())
            theirs = equality.read(stripe, life.customer)
            order.come_to_rest(theirs)
            assert wrong_journals(office) == []
        counted["told while lived"] += 1
        if number + 1 < ORDERS:
            with telling(Order(office, random.Random(f"{seed}/{number + 1}"), counted)) as again:
                again.hears(order.heard)
                again.come_to_rest(theirs)


def begin(stripe: LocalStripe, chance: random.Random, counted: Counter[str], *, seed: int) -> tuple[Office, Life]:
    """A day of next year, an Office that has a customer, and nothing else of it here."""
    stripe.control("reset", seed=seed)
    stripe.control("clock", now=int(datetime(clock.wall().year + 1, 1, 1, tzinfo=UTC).timestamp()))
    stripe.control("clock", advance=chance.randrange(365 * DAY))
    stocked(stripe)
    for key, terms in COUPONS.items():
        a_coupon(stripe, key, **terms)
    office = an_office()
    life = Life(stripe, chance, counted, office=str(office.public_id))
    with trail.acting(actor.job("tests"), reason="tests"):
        return link_customer(office.pk, life.customer), life


@contextmanager
def telling(order: Order) -> Iterator[Order]:
    """What is told is forgotten afterwards, and nobody is left at work."""
    with rolled_back(), stoppable():
        try:
            yield order
        finally:
            order.all_are_killed()
        order.counted["orders"] += 1
