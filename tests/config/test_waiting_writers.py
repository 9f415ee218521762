"""Writers of a database file wait for one another: not longer than they must, and not for ever."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.db.models import F

from billing.models import Office
from tests.conftest import an_office
from tests.other_connections import embedded_only, locked_by_another

pytestmark = [embedded_only, pytest.mark.django_db(transaction=True)]
HELD = 0.24
"""SQLite's own naps end after 228 and 328 ms (``sqliteDefaultBusyCallback``), so it would sleep on for 88 ms."""
TRIES = 3
THREADS, EACH = 8, 10


@contextmanager
def held_for(seconds: float) -> Iterator[None]:
    """Let another connection write for so long."""
    holds, begun = threading.Event(), threading.Event()

    def hold() -> None:
        with locked_by_another():
            holds.set()
            begun.wait(5)
            time.sleep(seconds)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(hold)
        holds.wait(5)
        begun.set()
        yield
        done.result()


def counted(office: Office) -> None:
    Office.objects.filter(pk=office.pk).update(look_ticket=F("look_ticket") + 1)


def counted_in_a_transaction(office: Office) -> None:
    with transaction.atomic():
        counted(office)


@pytest.mark.parametrize("write", [counted, counted_in_a_transaction])
def test_a_writer_goes_on_as_soon_as_the_one_before_has_ended(office, write):
    waited = []
    for _ in range(TRIES):
        with held_for(HELD):
            began = time.monotonic()
            write(office)
            waited.append(time.monotonic() - began)

    assert max(waited) > HELD - 0.05, waited
    assert min(waited) < HELD + 0.04, waited
    office.refresh_from_db()
    assert office.look_ticket == TRIES


def test_a_reader_does_not_wait(office):
    with held_for(HELD):
        began = time.monotonic()
        assert Office.objects.filter(pk=office.pk).exists()
        assert time.monotonic() - began < HELD / 2


def test_each_of_many_threads_has_its_turn(office):
    def work() -> None:
        try:
            for _ in range(EACH):
                with transaction.atomic():
                    before = Office.objects.get(pk=office.pk).look_ticket
                    time.sleep(0.002)
                    Office.objects.filter(pk=office.pk).update(look_ticket=before + 1)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        for one in [pool.submit(work) for _ in range(THREADS)]:
            one.result()

    office.refresh_from_db()
    assert office.look_ticket == THREADS * EACH


@pytest.mark.parametrize("write", [counted, counted_in_a_transaction])
def test_a_writer_gives_up_when_its_time_is_over_also_if_another_thread_has_the_turn(office, write, monkeypatch):
    def patient() -> None:
        try:
            write(office)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, held_for(1.0):
        other = pool.submit(patient)
        time.sleep(0.1)
        monkeypatch.setattr(connections["default"], "longest_wait", 0.3)
        began = time.monotonic()
        with pytest.raises(OperationalError, match="database is locked"):
            write(office)
        assert 0.25 < time.monotonic() - began < 0.6
        other.result()

    office.refresh_from_db()
    assert office.look_ticket == 1


def test_who_reads_what_is_not_the_newest_any_more_is_refused_at_once_and_holds_nobody_up(office):
    """No wait could help: the connection would have to end its reading first."""
    for number in range(200):  # more than Django fetches at once
        an_office(f"Practice {number}")
    rows: Any = Office.objects.iterator(chunk_size=10)
    next(rows)

    def write() -> float:
        began = time.monotonic()
        try:
            counted(office)
        finally:
            connection.close()
        return time.monotonic() - began

    with ThreadPoolExecutor(1) as pool:
        pool.submit(write).result()
        began = time.monotonic()
        with pytest.raises(OperationalError, match="database is locked"):
            counted(office)
        assert time.monotonic() - began < 1
        assert pool.submit(write).result() < 1

    rows.close()
    counted(office)
    office.refresh_from_db()
    assert office.look_ticket == 3


def test_what_is_wrong_with_a_statement_is_said_at_once(office):
    began = time.monotonic()
    with pytest.raises(OperationalError, match="no such table"), connection.cursor() as cursor:
        cursor.execute("UPDATE no_such_table SET x = 1")
    assert time.monotonic() - began < 1
