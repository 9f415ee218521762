"""Data arrives unchanged, from a database file to any other form of database, and back."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connections, transaction

from billing.audit import actor, append_only, trail
from billing.models import AuditEntry, Finding, Notification, User
from tests.moving.conftest import MICROSECONDS, NESTED
from tests.moving.places import (
    Contents,
    Place,
    Places,
    contents,
    move,
    needs_cipher,
    needs_libsql_server,
    needs_postgresql,
    opened,
)

pytestmark = pytest.mark.slow

FORMS = [
    pytest.param("encrypted", marks=needs_cipher),
    pytest.param("postgresql", marks=needs_postgresql),
    pytest.param("libsql_server", marks=needs_libsql_server),
]
TRAIL = "billing_auditentry"


@dataclass
class Trip:
    """What was in the databases on the way, and the keys that new rows got there."""

    before: Contents
    there: Contents
    back: Contents
    json_nulls: list[int]
    tables: list[str]
    keys: list[dict[str, int]]
    told: str


@pytest.fixture(scope="module", params=FORMS)
def trip(request, day, stripe_server, tmp_path_factory, django_db_blocker):
    places = Places(tmp_path_factory.mktemp("trip"))
    with django_db_blocker.unblock(), places.undo:
        start, there, back = places.copy_of(day), getattr(places, request.param)(), places.file()
        before, keys, nulls = contents(start), [add_and_delete(start)], [json_nulls(start)]
        told = move(start, there, STRIPE_API_BASE=stripe_server.url)
        arrived, nulls = contents(there), [*nulls, json_nulls(there)]
        with opened(there) as connection:
            tables = connection.introspection.table_names()
        keys.append(add_and_delete(there))
        move(there, back, STRIPE_API_BASE=stripe_server.url)
        nulls.append(json_nulls(back))
        keys.append(add_and_delete(back))
        yield Trip(before, arrived, contents(back), nulls, tables, keys, told)


def add_and_delete(place: Place) -> dict[str, int]:
    """The keys of a user, of a finding that is gone again, and of the newest entry of the trail."""
    with opened(place), trail.acting(actor.job("tests"), reason="tests"), transaction.atomic():
        finding = Finding.objects.create(kind="x", subject="x", detail="x")
        user = User.objects.create_user(f"{finding.pk}@new.example")
        keys = {"finding": finding.pk, "user": user.pk, "entry": AuditEntry.objects.latest("pk").pk}
        with append_only.lifted(connections["default"]):
            finding.delete()
        return keys


def json_nulls(place: Place) -> int:
    with opened(place):
        return Notification.objects.filter(context=None).count()


def of_before(found: Contents, before: Contents) -> dict[str, Any]:
    """Only the rows with keys that were there before."""
    return {table: {key: row for key, row in found[table].items() if key in rows} for table, rows in before.items()}


def test_everything_arrives_unchanged_there_and_back(trip):
    assert of_before(trip.there, trip.before) == trip.before
    assert of_before(trip.back, trip.before) == trip.before
    assert trip.there.keys() == trip.back.keys() == trip.before.keys()
    assert len(trip.before) > 25


def test_nothing_arrives_twice_or_from_nowhere(trip):
    more = {table: len(rows) - len(trip.before[table]) for table, rows in trip.there.items()}
    parts = more.pop("billing_userpart")  # by which the new person is found
    assert parts > 0
    assert {table: how_many for table, how_many in more.items() if how_many} == {"billing_user": 1, TRAIL: 2}


def test_the_trail_of_the_new_database_says_that_data_was_moved(trip):
    entry = trip.there[TRAIL][max(trip.there[TRAIL])]
    assert (entry["kind"], entry["actor_kind"], entry["actor_label"]) == ("act", "job", "move_database")
    assert entry["what"].startswith("moved the data from the file /")
    assert entry["reason"] == "asked for at the command line"


def test_what_is_easily_changed_is_what_it_was(trip):
    first, second, third = (row for _, row in sorted(trip.there["billing_notification"].items()))
    assert (first["due_at"], first["context"], first["office_id"]) == (MICROSECONDS, NESTED, None)
    assert (second["due_at"], second["context"]) == (MICROSECONDS.replace(microsecond=0), {})
    assert (third["sent_at"], third["last_error"]) == (None, "")
    assert trip.json_nulls == [1, 1, 1]  # JSON's null, which is not NULL
    (office,) = trip.there["billing_office"].values()
    assert office["name"] == "Zahnärzte „Süd“ 漢字 🦷"
    assert sorted(row["amount"] for row in trip.there["billing_adjustment"].values()) == [-(2**60), 5_000, 2**60]


def test_a_new_row_gets_a_key_that_no_row_ever_had(trip):
    start, there, back = trip.keys
    assert [there["finding"], back["finding"]] == [start["finding"] + 1, start["finding"] + 2]
    assert [there["user"], back["user"]] == [start["user"] + 1, start["user"] + 2]
    assert start["entry"] < there["entry"] < back["entry"]


def test_the_mark_of_the_move_is_gone_and_the_command_shows_what_arrived(trip):
    assert "database_move" not in trip.tables
    assert "all, the same in both" in trip.told
    assert "Now set DATABASE_URL" in trip.told
