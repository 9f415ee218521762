from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from billing import clock
from billing.models import ReceivedEvent, WorkerHeartbeat
from tests.other_connections import out_of_reach


def asked():
    answer = Client().get("/healthz")
    return answer.status_code, answer.json()


@pytest.fixture
def worker(one_connection):
    return WorkerHeartbeat.objects.create(name="host:1", seen_at=clock.wall() - timedelta(seconds=3))


def test_with_a_living_worker_all_is_well(worker, django_assert_num_queries):
    ago = clock.wall() - timedelta(seconds=90)
    for number, status in enumerate(("waiting", "parked", "parked", "applied")):
        ReceivedEvent.objects.create(
            stripe_id=f"evt_{number}", type="x", created_at=ago, received_at=ago, status=status
        )
    with django_assert_num_queries(7 if connection.vendor == "postgresql" else 6):
        status, seen = asked()

    assert status == 200
    assert seen.pop("heartbeat_seconds") in (3, 4)
    assert seen.pop("oldest_waiting_seconds") in (90, 91)
    assert seen == {
        **{"ok": True, "database": True, "waiting": 1, "parked": 2},
        **{"oldest_unsealed_seconds": None, "unprotected": 0},
    }


@pytest.mark.parametrize("age", [None, 121])
def test_without_a_living_worker_it_is_not_well(worker, age):
    WorkerHeartbeat.objects.all().delete()
    if age:
        WorkerHeartbeat.objects.create(name="host:2", seen_at=clock.wall() - timedelta(seconds=age))

    status, seen = asked()

    assert (status, seen["ok"], seen["database"]) == (503, False, True)


@pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
def test_without_a_database_it_is_not_well():
    with out_of_reach("impatient"):
        assert asked() == (503, {"ok": False, "database": False})
