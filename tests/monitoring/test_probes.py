"""/readyz for load balancers and /healthz for monitors."""

from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing import clock
from billing.audit import actor, trail
from billing.models import ReceivedEvent, StripeAccount, WorkerHeartbeat
from tests.other_connections import ON_SERVER, out_of_reach

TOKEN = "a token that nobody guesses"
EACH = ["default", "impatient", "optional"]
MOST_QUERIES = 30


def asked(path="/healthz", **headers):
    answer = Client().get(path, headers=headers)
    return answer.status_code, answer.json()


def ready(client=None, **how):
    answer = (client or Client(raise_request_exception=False)).get("/readyz", **how)
    return answer.status_code, answer.content.decode().strip()


def a_worker(seconds=3, name="host:1"):
    return WorkerHeartbeat.objects.create(name=name, seen_at=clock.wall() - timedelta(seconds=seconds))


@pytest.fixture
def worker(stripe):
    return a_worker()


def test_with_a_living_worker_all_is_well_and_nothing_is_told_without_a_token(worker):
    ReceivedEvent.objects.create(stripe_id="evt_1", type="x", created_at=clock.wall(), status="parked")

    assert asked() == (200, {"ok": True, "codes": []})


def test_with_the_token_each_check_and_the_figures_are_told(worker, settings):
    settings.HEALTH_TOKEN = TOKEN
    ago = clock.wall() - timedelta(seconds=90)
    for number, status in enumerate(("waiting", "parked", "parked", "applied")):
        ReceivedEvent.objects.create(
            stripe_id=f"evt_{number}", type="x", created_at=ago, received_at=ago, status=status
        )

    status, seen = asked(authorization=f"Bearer {TOKEN}")

    assert (status, seen["ok"], seen["codes"]) == (200, True, [])
    told = {one["check"]: one for one in seen["checks"]}
    assert (told["parked_events"]["level"], told["worker"]["level"]) == ("amber", "green")
    assert told["parked_events"]["todo"].endswith("Correct the cause, then read them again.")
    figures = seen["figures"]
    assert (figures.pop("heartbeat_seconds"), figures.pop("oldest_waiting_seconds")) in ((3, 90), (3, 91), (4, 91))
    assert figures == {
        **{"waiting": 1, "parked": 2, "heartbeats_ahead": 0},
        **{"oldest_unsealed_seconds": figures["oldest_unsealed_seconds"], "unprotected": 0},
    }


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", "Bearer another", f"Basic {TOKEN}", TOKEN, "Bearer é"])
@pytest.mark.parametrize("wanted", ["", TOKEN])
def test_without_the_right_token_nothing_more_is_told(worker, settings, given, wanted):
    settings.HEALTH_TOKEN = wanted

    assert set(asked(authorization=given)[1]) == {"ok", "codes"}


@pytest.mark.parametrize("age", [None, 121, -61, -3600])
def test_without_a_living_worker_it_is_not_well_and_reads_are_answered(worker, age):
    WorkerHeartbeat.objects.all().delete()
    if age:
        a_worker(age)
    future = age is not None and age < 0

    assert asked() == (503, {"ok": False, "codes": ["worker_clock" if future else "worker"]})
    assert ready() == (200, "ready")


@pytest.mark.parametrize("age", [119, 0, -50])
def test_a_worker_that_reported_just_now_lives_also_beside_one_from_the_future(worker, age):
    WorkerHeartbeat.objects.all().delete()
    a_worker(age)
    a_worker(-7200, name="host:2")

    assert asked() == (200, {"ok": True, "codes": []})


@pytest.mark.django_db(transaction=True, databases=EACH)
def test_without_a_database_neither_is_well():
    with out_of_reach("impatient"):
        assert asked() == (503, {"ok": False, "codes": ["database"]})
        assert ready() == (503, "The database does not answer.")


def test_a_disk_that_is_nearly_full_is_told_and_reads_are_answered(worker, settings):
    settings.DISK_LEAST_FREE_MB = 10**9

    expected = (200, []) if connection.vendor == "postgresql" or ON_SERVER else (503, ["disk"])  # its data is elsewhere
    status, seen = asked()

    assert (status, seen["codes"]) == expected
    assert ready() == (200, "ready")


def test_a_missing_migration_is_told_alone_because_nothing_else_can_be_asked(worker):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'billing' AND name LIKE '0039%'")

    assert asked() == (503, {"ok": False, "codes": ["migrations"]})
    assert ready() == (200, "ready")


def test_a_database_that_was_not_set_up_is_not_well(worker):
    with trail.acting(actor.job("tests"), reason="tests"):
        StripeAccount.objects.all().delete()

    assert asked() == (503, {"ok": False, "codes": ["stripe_not_set_up"]})


def test_a_load_balancer_is_answered_as_it_asks(worker, settings):
    """Plain HTTP, an address as the host, no redirect."""
    settings.ALLOWED_HOSTS = ["billing.vendor.example"]
    settings.SECURE_SSL_REDIRECT = True

    assert ready(headers={"host": "10.1.2.3:8000"}) == (200, "ready")
    assert ready(headers={"host": "bad_host with blanks"}) == (200, "ready")
    assert Client().head("/readyz").status_code == 200
    assert Client().post("/readyz").status_code == 405
    assert Client().get("/healthz", headers={"host": "billing.vendor.example"}).status_code == 301


def test_a_probe_writes_nothing_and_takes_a_bounded_number_of_short_queries(worker):
    asked()  # what is read once in a process
    with CaptureQueriesContext(connection) as health:
        asked()
    with CaptureQueriesContext(connection) as readiness:
        ready()

    statements = [one["sql"] for one in (*health.captured_queries, *readiness.captured_queries)]
    writing = ("INSERT", "UPDATE", "DELETE", "REPLACE")
    assert not [one for one in statements if one.lstrip().upper().startswith(writing)]
    assert len(health) <= MOST_QUERIES
    assert len([one for one in readiness.captured_queries if one["sql"] == "SELECT 1"]) == 1


@pytest.mark.django_db(transaction=True, databases=EACH)
def test_both_ask_on_the_connection_that_gives_up_soon():
    asked()
    for path in ("/healthz", "/readyz"):
        with (
            CaptureQueriesContext(connections["default"]) as patient,
            CaptureQueriesContext(connections["impatient"]) as impatient,
        ):
            Client().get(path)
        assert (len(patient), len(impatient) > 0) == (0, True), path
