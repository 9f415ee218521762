"""With the database locked or away Stripe is told in time to come again; a commit is on disk."""

import contextlib
import socket
import sqlite3
import time

import psycopg
import pytest
from django.db import connection, connections

from billing.models import ReceivedEvent
from config import environment
from tests.conftest import post_delivery
from tests.webhooks.test_receive import signed

BOTH = ["default", "impatient"]
embedded_only = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="about the embedded file")


@contextlib.contextmanager
def locked_by_another():
    """Another connection holds what an INSERT of an event needs."""
    other: sqlite3.Connection | psycopg.Connection
    if connection.vendor == "sqlite":
        other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
    else:
        other = psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None, "context": None})
        other.execute("LOCK TABLE billing_receivedevent IN ACCESS EXCLUSIVE MODE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


@pytest.fixture
def delivery(stripe):
    body = '{"object": "event", "id": "evt_1", "type": "customer.updated", "livemode": false, "data": {"object": {}}}'
    from djstripe.models import WebhookEndpoint

    return {"url": WebhookEndpoint.objects.get().url, "headers": signed(body), "body": body}


@pytest.mark.django_db(transaction=True, databases=BOTH)
def test_with_the_database_locked_stripe_is_told_within_two_seconds_to_come_again(delivery):
    with locked_by_another():
        began = time.monotonic()
        answer = post_delivery(delivery)
        took = time.monotonic() - began

    assert (answer.status_code, took < 2) == (503, True), took
    assert post_delivery(delivery).status_code == 200
    assert ReceivedEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True, databases=BOTH)
def test_with_the_database_away_stripe_is_told_to_come_again(delivery, tmp_path):
    away = connections["impatient"]
    away.close()
    named, here = ("NAME", str(tmp_path / "no" / "such.db")) if away.vendor == "sqlite" else ("PORT", "1"), {}
    here[named[0]] = away.settings_dict[named[0]]
    away.settings_dict[named[0]] = named[1]
    try:
        assert post_delivery(delivery).status_code == 503
    finally:
        away.settings_dict.update(here)
        away.close()


def test_a_server_that_accepts_and_stays_silent_is_given_up_within_two_seconds():
    from django.db.backends.postgresql.base import DatabaseWrapper

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing"
        patient = environment.database(url, None, environment.Problems())
        settings = {**connections.configure_settings({"default": environment.impatient(patient)})["default"]}
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(**DatabaseWrapper(settings).get_connection_params())
        assert time.monotonic() - began < 2.5


@embedded_only
@pytest.mark.django_db(transaction=True, databases=BOTH)
@pytest.mark.parametrize(("alias", "waits"), [("default", 20_000), ("impatient", 1_800)])
def test_a_commit_of_the_embedded_file_is_on_disk_and_only_the_receiver_is_impatient(alias, waits):
    with connections[alias].cursor() as cursor:
        seen = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")]
        assert seen == [2, "wal"]
        assert cursor.execute("PRAGMA busy_timeout").fetchone()[0] == waits
