"""What runs on a database that is being moved cannot write there, and nothing that was acknowledged is lost."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, connections

from billing import database_trouble
from billing.models import Office, ReceivedEvent
from billing.moving import freezing
from billing.moving.mark import Mark, State
from demo.stack import free_port, web_command
from tests.moving.places import Place, contents, move, needs_libsql_server, needs_postgresql, opened, run
from tests.processes import ROOT, until

pytestmark = pytest.mark.slow

FORMS = ["file", pytest.param("postgresql", marks=needs_postgresql)]
ON_SERVERS = [
    pytest.param("postgresql", marks=needs_postgresql),
    pytest.param("libsql_server", marks=needs_libsql_server),
]
MARK = Mark(State.MOVING, uuid.uuid4().hex, "another database", "0001", "today")


@contextmanager
def web(place: Place, stripe_api_base: str) -> Iterator[str]:
    """A web server on this database, as the Procfile starts it. Yields its address."""
    port = free_port()
    environment = place.environment() | {"STRIPE_API_BASE": stripe_api_base, "SITE_URL": f"http://127.0.0.1:{port}"}
    server = subprocess.Popen([sys.executable, *web_command(port, "--workers", "1")], cwd=ROOT, env=environment)
    try:
        until(lambda: answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code in (200, 503)
    except httpx.TransportError:
        return False


def post(site: str, event: dict[str, str]) -> int:
    path = "/" + event["url"].split("/", 3)[3]
    return httpx.post(f"{site}{path}", content=event["body"], headers=event["headers"], trust_env=False).status_code


@pytest.fixture
def events(stripe_server, day):
    """Two signed events, as Stripe sends them."""
    stripe_server.taken()
    for name in ("One", "Two"):
        stripe_server.post("customers", name=name)
    return stripe_server.taken()


def received(place: Place) -> set[str]:
    return {row["stripe_id"] for row in contents(place)["billing_receivedevent"].values()}


def filled(form: str, source: Place, places, stripe_server) -> Place:
    """A database of this form with the day in it."""
    if form == "file":
        return source
    place = getattr(places, form)()
    move(source, place, STRIPE_API_BASE=stripe_server.url)
    return place


@pytest.mark.parametrize("form", [*FORMS, ON_SERVERS[1]])
def test_a_web_server_that_runs_answers_503_from_the_mark_on_until_the_move_is_abandoned(
    source, places, stripe_server, events, settings, form
):
    settings.STRIPE_API_BASE = stripe_server.url
    place = filled(form, source, places, stripe_server)
    first, second = events
    with web(place, stripe_server.url) as site:
        assert post(site, first) == 200
        before = contents(place)
        with opened(place) as connection:
            freezing.freeze(connection, MARK)

        assert [post(site, second), post(site, second)] == [503, 503]

        done = run("move_database", "--abandon", place=place)
        assert "can be used again" in done.stdout, done.stderr
        assert contents(place) == before
        assert post(site, second) == 200
    assert received(place) >= {first["event"], second["event"]}


@pytest.mark.parametrize("form", [*FORMS, ON_SERVERS[1]])
def test_the_refusal_is_trouble_with_the_database_and_a_sign_in_does_not_try_for_ever(
    source, places, stripe_server, form
):
    place = filled(form, source, places, stripe_server)
    with opened(place) as connection:
        freezing.freeze(connection, MARK)
        with pytest.raises(database_trouble.TROUBLE, match="being moved"):
            Office.objects.update(name="Another name")
        with pytest.raises(database_trouble.TROUBLE, match="being moved"):
            SessionStore().create()  # Django tries another key after an IntegrityError


@needs_libsql_server
def test_an_event_that_a_moved_database_refuses_arrives_at_the_new_one(source, places, stripe_server, events):
    old, new = filled("libsql_server", source, places, stripe_server), places.file()
    first, second = events
    with web(old, stripe_server.url) as site:
        assert post(site, first) == 200
        move(old, new, STRIPE_API_BASE=stripe_server.url)
        assert post(site, second) == 503
    with web(new, stripe_server.url) as site:
        assert post(site, second) == 200
    assert received(new) >= {first["event"], second["event"]}


@pytest.mark.parametrize("form", [*FORMS, ON_SERVERS[1]])
def test_every_table_refuses_every_write(source, places, stripe_server, form):
    place = filled(form, source, places, stripe_server)
    with opened(place):
        connection = connections["default"]
        tables = connection.introspection.table_names()
        freezing.freeze(connection, MARK)
        for table in set(tables) - {"database_move"}:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                column = connection.ops.quote_name(cursor.description[0][0])
                rows = cursor.fetchall()
                with pytest.raises(DatabaseError):
                    cursor.execute(f"INSERT INTO {connection.ops.quote_name(table)} DEFAULT VALUES")
                if rows:
                    with pytest.raises(DatabaseError, match="being moved"):
                        cursor.execute(f"UPDATE {connection.ops.quote_name(table)} SET {column} = {column}")
                    with pytest.raises(DatabaseError, match="being moved"):
                        cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
        assert len(tables) > 90


@pytest.mark.parametrize("form", [*FORMS, ON_SERVERS[1]])
def test_nothing_of_a_move_is_left_after_it_is_abandoned(source, places, stripe_server, form):
    place = filled(form, source, places, stripe_server)
    with opened(place) as connection:
        freezing.freeze(connection, MARK)
        freezing.thaw(connection)
        assert "database_move" not in connection.introspection.table_names()
        assert Office.objects.update(name="Another name") == 1
        assert ReceivedEvent.objects.filter(stripe_id="evt_x").delete()[0] == 1
