"""With the database locked or away Stripe is told in time to come again; a commit is on disk."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from billing import time_limits
from billing.models import ReceivedEvent
from config import databases, logs
from config.environment import Problems
from tests.conftest import post_delivery
from tests.other_connections import embedded_only, locked_by_another, out_of_reach
from tests.webhooks.test_receive import signed

BOTH = ["default", "impatient"]
THREADS = 4
"""Of a web process, as the Procfile starts it."""


@pytest.fixture
def delivery(stripe):
    body = '{"object": "event", "id": "evt_1", "type": "customer.updated", "livemode": false, "data": {"object": {}}}'
    from djstripe.models import WebhookEndpoint

    return {"url": WebhookEndpoint.objects.get().url, "headers": signed(body), "body": body}


@pytest.mark.django_db(transaction=True, databases=BOTH)
def test_with_the_database_locked_stripe_is_told_within_two_seconds_to_come_again(delivery, caplog):
    with locked_by_another("billing_receivedevent"):
        began = time.monotonic()
        answer = post_delivery(delivery)
        took = time.monotonic() - began

    assert (answer.status_code, took < 2) == (503, True), took
    [line] = caplog.records
    assert "Traceback" not in logs.Line(logs.JSON, ()).format(line)
    time_limits.forget()  # a second later
    assert post_delivery(delivery).status_code == 200
    assert ReceivedEvent.objects.count() == 1


@embedded_only
@pytest.mark.django_db(transaction=True, databases=BOTH)
def test_of_sixteen_that_come_together_only_those_wait_that_came_first(delivery):
    def sent(_):
        try:
            return post_delivery(delivery).status_code
        finally:
            connections.close_all()

    with locked_by_another("billing_receivedevent"), ThreadPoolExecutor(THREADS) as web:
        began = time.monotonic()
        answers = list(web.map(sent, range(16)))
        took = time.monotonic() - began

    assert answers == [503] * 16
    assert took < 2 * databases.IMPATIENT_SECONDS  # without that, four times as long


@pytest.mark.django_db(transaction=True, databases=BOTH)
def test_with_the_database_away_stripe_is_told_to_come_again(delivery):
    with out_of_reach("impatient"):
        assert post_delivery(delivery).status_code == 503


def test_a_server_that_accepts_and_stays_silent_is_given_up_within_two_seconds():
    from django.db.backends.postgresql.base import DatabaseWrapper

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing"
        patient = databases.database(url, base_dir=Path(), problems=Problems())
        limited = databases.with_limits(patient, seconds=databases.IMPATIENT_SECONDS)
        settings = {**connections.configure_settings({"default": limited})["default"]}
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(**DatabaseWrapper(settings).get_connection_params())
        assert time.monotonic() - began < 2.5


@embedded_only
@pytest.mark.django_db(transaction=True, databases=BOTH)
@pytest.mark.parametrize(("alias", "waits"), [("default", 20), ("impatient", 1.4)])
def test_a_commit_of_a_database_file_is_on_disk_and_only_the_receiver_is_impatient(alias, waits):
    connection: Any = connections[alias]
    with connection.cursor() as cursor:
        seen = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")]
        assert seen == [2, "wal"]
    assert connection.longest_wait == waits
