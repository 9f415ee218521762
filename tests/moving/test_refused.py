"""When no data is moved, and what is said then."""

import contextlib
import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder

from billing import clock
from billing.audit import actor, trail
from billing.models import Notification, Office, Operation, Payment, WorkerHeartbeat
from tests.moving.places import KEY, Place, contents, move, needs_cipher, needs_libsql_server, needs_postgresql, opened
from tests.moving.places import run as managed
from tests.moving.test_frozen import filled, web
from tests.processes import ROOT

pytestmark = pytest.mark.slow

ANEW = "with --abandon, correct the row in the old database, empty the new one, and move again."
FROM_THE_START = "Run move_database --abandon, empty the new database, and move again."


def refused(source: Place, to: Place, **variables: str) -> str:
    """What was said, and the source is as it was."""
    before = contents(source)
    done = managed("move_database", "--to", to.url, place=source, to=to, **variables)
    assert done.returncode == 1, done.stdout
    assert contents(source) == before
    return done.stderr


@pytest.mark.parametrize("form", ["file", pytest.param("postgresql", marks=needs_postgresql)])
def test_while_a_web_server_runs(source, places, stripe_server, form):
    place = filled(form, source, places, stripe_server)
    with web(place, stripe_server.url):
        assert "Another process has the old database open" in refused(place, places.file())
    move(place, places.file(), STRIPE_API_BASE=stripe_server.url)


def test_while_a_worker_runs_or_ran_just_now(source, places):
    with opened(source):
        WorkerHeartbeat.objects.create(name="host:1", seen_at=clock.wall() - timedelta(seconds=110))
    assert "The worker host:1 runs, or ran within the last 120 seconds" in refused(source, places.file())


def test_while_nobody_knows_the_outcome_of_an_operation(source, places):
    with opened(source), trail.acting(actor.job("tests"), reason="tests"):
        operation = Operation.objects.latest("pk")
        operation.status = "unknown"
        operation.save()
    said = refused(source, places.file())
    assert "1 operations have no outcome yet, such as: refund_payment (unknown)" in said


def test_into_a_database_that_has_tables(source, places, day):
    assert "is not empty. Name a database without tables" in refused(source, places.copy_of(day))
    assert "is not empty" in refused(source, source)


def test_with_migrations_that_are_missing(source, places):
    with opened(source) as connection:
        recorder = MigrationRecorder(connection)
        newest = max(name for app, name in recorder.applied_migrations() if app == "billing")
        recorder.record_unapplied("billing", newest)
    assert "python manage.py migrate" in refused(source, places.file())


def test_after_a_later_version_used_the_database(source, places):
    with opened(source) as connection:
        MigrationRecorder(connection).record_applied("billing", "9999_of_tomorrow")
    assert "was used by a later version" in refused(source, places.file())


def test_with_rows_that_this_version_would_leave_behind(source, places):
    with opened(source) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE notes (note text)")
        cursor.execute("INSERT INTO notes VALUES ('by hand')")
    assert "rows in tables that this version does not know, so they would be left behind: notes" in refused(
        source, places.file()
    )


@needs_cipher
def test_by_the_rules_of_the_old_database_under_the_names_of_the_new_one(source, places, day):
    short = Place(places.file().url, "abc")
    assert "DATABASE_TO_KEY: must be 64 hexadecimal digits" in refused(source, short)
    assert "DATABASE_TO_KEY: is only for a file (--to=libsql:///…)" in refused(source, Place("postgres://x/y", KEY))
    assert "--to: use a file (libsql:///var/billing.db)" in refused(source, Place("mysql://x/y"))
    there = refused(source, Place(places.copy_of(day).url, KEY))
    assert "is not encrypted. Name a file that does not exist yet" in there
    assert "encrypt_database" not in there  # it would encrypt the old database
    token = {"DATABASE_TO_TOKEN": "secret"}
    assert "DATABASE_TO_TOKEN: is only for a libSQL server (--to=libsql://…)" in refused(source, places.file(), **token)


@needs_postgresql
def test_a_row_that_the_new_database_cannot_hold_is_named(source, places, stripe_server):
    with opened(source):
        Notification.objects.filter(dedupe_key="1").update(last_error="a\0b")
        key = Notification.objects.get(dedupe_key="1").pk
    to = places.postgresql()

    done = managed("move_database", "--to", to.url, place=source, to=to)

    assert f"does not take a row. billing_notification, row {key}:" in done.stderr
    assert ANEW in done.stderr
    assert managed("move_database", "--abandon", place=source).returncode == 0
    with opened(source):
        Notification.objects.update(last_error="")
    assert "is not empty" in managed("move_database", "--to", to.url, place=source, to=to).stderr
    move(source, places.postgresql(), STRIPE_API_BASE=stripe_server.url)


def test_a_row_that_refers_to_nothing_is_corrected_in_the_old_database_too(source, places, stripe_server):
    with opened(source) as connection, connection.cursor() as cursor:
        (office,) = Office.objects.values_list("pk", flat=True)
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute("UPDATE billing_payment SET office_id = 999")
    to = places.file()

    done = managed("move_database", "--to", to.url, place=source, to=to)

    assert done.returncode == 1
    assert ANEW in done.stderr
    assert managed("move_database", "--abandon", place=source).returncode == 0
    with opened(source):
        Payment.objects.update(office=office)
    move(source, places.file(), STRIPE_API_BASE=stripe_server.url)


def test_what_differs_is_moved_again_from_the_start(source, places, stripe_server):
    to = places.file()
    killed = [sys.executable, "-m", "tests.mortal", "billing/moving/move.py", "_compare", "call"]
    command = [*killed, "move_database", "--to", to.url]
    assert subprocess.run(command, cwd=ROOT, env=source.environment(), check=False).returncode == -signal.SIGKILL
    with contextlib.closing(sqlite3.connect(to.entry["NAME"])) as changed, changed:
        changed.execute("UPDATE billing_office SET name = 'Another name'")

    done = managed("move_database", "--to", to.url, place=source, to=to)

    assert "billing_office differs: 1 rows in the old database, 1 in the new one. " + FROM_THE_START in done.stderr
    assert managed("move_database", "--abandon", place=source).returncode == 0
    assert "is not empty" in managed("move_database", "--to", to.url, place=source, to=to).stderr
    move(source, places.file(), STRIPE_API_BASE=stripe_server.url)


def test_a_database_that_was_moved_starts_nothing_and_says_where_the_data_is(source, places, stripe_server):
    to = places.file()
    move(source, to, STRIPE_API_BASE=stripe_server.url)

    for command in (["worker", "--once"], ["setup_stripe"], ["reconcile"], ["migrate"], ["showmigrations"]):
        done = managed(*command, place=source, STRIPE_API_BASE=stripe_server.url)
        assert done.returncode == 1
        assert f"The data of this database was moved to the file {to.entry['NAME']} at 20" in done.stderr
        assert "Traceback" not in done.stderr
    assert "was moved to the file" in managed("shell", "-c", "import config.wsgi", place=source).stderr
    assert "was moved to the file" in managed("move_database", "--to", places.file().url, place=source).stderr
    assert "was moved to the file" in managed("move_database", "--to", to.url, place=source).stderr

    said = managed("move_database", "--abandon", place=source).stdout
    assert f"What was written to the file {to.entry['NAME']} since" in said
    assert "Start nothing on that database any more." in said
    assert managed("worker", "--once", place=source, STRIPE_API_BASE=stripe_server.url).returncode == 0
    assert "is not being moved" in managed("move_database", "--abandon", place=source).stderr


@needs_libsql_server
def test_the_place_of_the_data_is_said_without_credentials(source, places, stripe_server):
    done = managed("move_database", "--to", "libsql://secret@127.0.0.1:1", place=source)
    assert "--to: must not hold the token. Put it into DATABASE_TO_TOKEN" in done.stderr
    assert "secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["loaddata", "dumpdata"])
def test_what_would_change_the_trail_is_refused(command):
    with pytest.raises(CommandError, match="move_database --to URL"):
        call_command(command)
    done = managed(command, "--indent", "2", "some.json", place=Place("libsql:///var/none.db"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "This command is refused." in done.stderr
