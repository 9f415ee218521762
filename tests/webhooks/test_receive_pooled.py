"""The receiver behind a pgbouncer that waits for one second, as docs/databases.md asks for."""

import contextlib
import os
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection, connections

from billing import time_limits
from tests.conftest import post_delivery
from tests.pgbouncer import SERVER, Pooler
from tests.webhooks.test_receive_locked import BOTH, delivery

__all__ = ["delivery"]
pytestmark = [
    pytest.mark.skipif(SERVER not in os.environ, reason="about pgbouncer: make test-pgbouncer"),
    pytest.mark.django_db(transaction=True, databases=BOTH),
]


@contextlib.contextmanager
def pooler(url):
    """The receiver's connection leads to a pgbouncer of its own, with one connection to the server of ``url``."""
    with tempfile.TemporaryDirectory() as folder:
        running = Pooler(url, Path(folder), connections=1, wait=1)
        running.start()
        receiver = connections["impatient"]
        receiver.close()
        own, receiver.settings_dict["PORT"] = receiver.settings_dict["PORT"], running.port
        try:
            yield running
        finally:
            receiver.close()
            receiver.settings_dict["PORT"] = own
            running.kill()


def timed(delivery):
    began = time.monotonic()
    return post_delivery(delivery).status_code, time.monotonic() - began


def own_database():
    return urlsplit(os.environ[SERVER])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def test_with_no_connection_free_stripe_is_told_within_two_seconds_to_come_again(delivery):
    with pooler(own_database()) as full:
        with psycopg.connect(full.url, prepare_threshold=None) as another:
            another.execute("SELECT 1")  # it holds the only connection until its transaction ends
            status, took = timed(delivery)

        assert (status, took < 2) == (503, True), took
        connections["impatient"].close()  # Django closes what failed before the next request
        time_limits.forget()  # a second later
        assert timed(delivery)[0] == 200


def test_with_the_server_away_stripe_is_told_within_two_seconds_to_come_again(delivery):
    with pooler("postgres://postgres@127.0.0.1:1/nothing"):
        status, took = timed(delivery)

    assert (status, took < 2) == (503, True), took
