"""Of two `migrate` on one database at the same time, one is refused; one that was killed can be repeated."""

import gc
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing import clock
from billing.management.commands import migrate
from billing.migrate_lease import HeldByAnother, Lease, MigrateLease
from tests.libsql_server import Server
from tests.other_connections import ON_SERVER
from tests.processes import ROOT, until
from tests.schema.another_database import Databases

pytestmark = pytest.mark.slow

REFUSED = re.compile(
    r"CommandError: Another migrate runs on this database, since (.{19}) UTC\. Nothing was done here\. "
    r"Wait until it has ended, and run migrate again\. "
    r"If it was killed, you can run migrate again from (.{19}) UTC on\."
)


@pytest.fixture
def url(tmp_path, django_db_blocker):
    """An empty database, of the form that the tests run on."""
    if ON_SERVER:
        server = Server(tmp_path / "data")
        server.folder.mkdir()
        server.start()
        yield server.url
        server.kill()
    elif connection.vendor == "sqlite":
        yield f"libsql:///{tmp_path / 'empty.db'}"
    else:
        databases = Databases(tmp_path)
        with django_db_blocker.unblock():
            name = databases.make()
            yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
            databases.drop()


def migrating(url, *arguments, module=("manage.py",)):
    command = [sys.executable, *module, "migrate", *arguments]
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def told(process):
    return process.communicate()[1]


def test_of_two_at_once_on_an_empty_database_one_is_refused_in_words(url):
    both = [migrating(url, "--verbosity=0") for _ in range(2)]

    said = {told(one) for one in both}

    assert sorted(one.returncode for one in both) == [0, 1], said
    since, until_ = map(moment, REFUSED.search("".join(said)).groups())
    assert timedelta(0) <= clock.wall() - since < timedelta(minutes=5)
    assert until_ > clock.wall()
    assert migrating(url, "--check").wait() == 0


def moment(shown):
    return datetime.fromisoformat(shown).replace(tzinfo=UTC)


@pytest.mark.parametrize("place", [("create_tables", "call"), ("create_tables", "return")])
def test_one_that_was_killed_is_repeated_when_its_lease_is_over(url, place):
    mortal = ("-m", "tests.mortal", "billing/management/commands/migrate.py", *place)
    killed = migrating(url, "--verbosity=0", "--lease=5", module=mortal)
    assert (told(killed), killed.returncode) == ("", -signal.SIGKILL)

    said = list[str]()

    def succeeds():
        said.append(told(again := migrating(url, "--verbosity=0")))
        return again.returncode == 0

    until(succeeds)
    assert all(map(REFUSED.search, said[:-1]))
    assert migrating(url, "--check").wait() == 0


@pytest.fixture
def lease(transactional_db):
    """The lease of the tests' own database, as a process that has just begun holds it."""
    with Lease(connection, lasts=timedelta(minutes=1)).held():
        yield MigrateLease.objects.get()


@pytest.mark.parametrize("how", [[], ["--fake"], ["--run-syncdb"], ["billing"]])
def test_while_one_runs_another_one_is_refused_and_takes_nothing(lease, how):
    with pytest.raises(CommandError, match="Another migrate runs on this database"):
        call_command("migrate", *how, verbosity=0)

    assert MigrateLease.objects.get().claim_id == lease.claim_id


@pytest.mark.parametrize("how", ["--plan", "--check"])
def test_what_only_shows_is_not_refused(lease, how):
    call_command("migrate", how, verbosity=0)


def test_after_its_lease_it_is_taken_over_and_the_slow_one_stops(transactional_db):
    slow = Lease(connection, lasts=timedelta(0))
    with slow.held():
        with Lease(connection).held():
            with pytest.raises(HeldByAnother, match="Another migrate has taken over"):
                slow.renew()
            taken = MigrateLease.objects.get()
        assert taken.lease_until > clock.wall()
    assert MigrateLease.objects.get().lease_until is None


def test_each_step_renews_the_lease(lease):
    held = Lease(connection, lasts=timedelta(hours=1))
    held._mine = lease.claim_id

    held.renew()

    assert MigrateLease.objects.get().lease_until > lease.lease_until + timedelta(minutes=30)


@pytest.mark.parametrize("lets_others_write", [True, False])
def test_others_can_write_between_two_migrations_if_they_may(lets_others_write):
    command = migrate.Command()
    command.verbosity, command.lets_others_write, command.paused = 0, lets_others_write, time.monotonic()

    def paused() -> bool:
        began = time.monotonic()
        command.migration_progress_callback("apply_success")
        return time.monotonic() - began >= migrate.PAUSE_SECONDS

    seen = [paused()]
    time.sleep(migrate.PAUSE_AFTER_SECONDS)
    seen += [paused(), paused()]

    assert seen == [False, lets_others_write, False]


def test_a_migrate_that_fails_lets_go_of_the_lease(transactional_db):
    with pytest.raises(CommandError, match="Cannot find a migration"):
        call_command("migrate", "billing", "9999", verbosity=0)

    assert MigrateLease.objects.get().claim_id is None


def test_garbage_is_collected_rarely_while_it_runs_and_as_before_afterwards(transactional_db, monkeypatch):
    before, meanwhile = gc.get_threshold(), []

    def ends(*args: Any, **options: Any) -> None:
        meanwhile.append(gc.get_threshold())
        raise CommandError("it failed")

    monkeypatch.setattr(migrate.Command, "_migrate", ends)
    with pytest.raises(CommandError, match="it failed"):
        call_command("migrate", verbosity=0)

    assert meanwhile == [(migrate.RARELY, *before[1:])]
    assert before[0] < migrate.RARELY
    assert gc.get_threshold() == before
