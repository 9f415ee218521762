"""``manage.py doctor``: one screen, and an exit code."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, connections

from billing import clock
from billing.models import Backup, TrailProgress, WorkerHeartbeat
from billing.monitoring import asking
from tests.conftest import a_person
from tests.monitoring import seen
from tests.other_connections import embedded_only, out_of_reach
from tests.processes import ROOT

WELL = (1, "amber") if connection.vendor == "postgresql" else (0, "green")
"""The role of the tests' PostgreSQL has no time limits by default."""


def doctor(*arguments):
    """Return the exit code and what was printed."""
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", *arguments, stdout=out, no_color=True)
    return ended.value.code, out.getvalue()


def checks_of(*arguments):
    code, printed = doctor("--json", *arguments)
    seen = json.loads(printed)
    return code, seen["level"], {one["check"]: one["level"] for one in seen["checks"]}


@pytest.fixture
def well(stripe, settings):
    settings.TRUSTED_PROXIES, settings.REQUIRE_SECOND_FACTOR = 1, True
    settings.ALERT_EMAILS = ["night@vendor.example"]
    WorkerHeartbeat.objects.create(name="host:1", seen_at=clock.wall())
    TrailProgress.objects.create(pk=1, whole_at=clock.wall())
    Backup.objects.create(name="newest.age", size=1, digest="5e" * 32, verified_at=clock.wall())
    return stripe


def test_where_all_is_well_each_line_is_green_and_it_ends_with_0(well):
    code, printed = doctor()

    assert code == WELL[0], printed
    not_green = [line.split()[1] for line in printed.splitlines() if line.split()[0] not in ("green", "→")]
    assert not_green == (["role_defaults"] if WELL[0] else [])
    assert checks_of()[:2] == WELL


@pytest.mark.parametrize(("days", "level"), [(2, "amber"), (4, "red")])
def test_a_backup_that_is_late_is_told(well, days, level):
    Backup.objects.update(made_at=clock.wall() - timedelta(days=days))

    assert seen.one("backups").level == level


def test_a_backup_from_the_future_says_nothing(well):
    Backup.objects.update(made_at=clock.wall() + timedelta(days=900))

    assert seen.one("backups").level == "unknown"


def test_who_makes_backups_elsewhere_says_so_and_is_not_warned(well, settings):
    Backup.objects.all().delete()
    assert seen.one("backups").level == "amber"

    settings.BACKUPS_ELSEWHERE_REASON = "snapshots of the provider"

    assert seen.one("backups").level == "green"


def test_where_nobody_gets_alerts_it_says_so(well, settings):
    settings.ALERT_EMAILS = []
    assert seen.one("alerts").level == "amber"

    a_person("administrator@vendor.example", group="administrator")

    assert seen.one("alerts").level == "green"


@embedded_only
def test_it_makes_no_database_file_where_there_is_none(tmp_path):
    file = tmp_path / "typo.db"
    environment = {**os.environ, "ENV_FILE": "tests/test.env", "DATABASE_URL": f"libsql:///{file}", "DATABASE_KEY": ""}
    command = [sys.executable, "manage.py", "doctor", "--offline"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "There is no database file at this path." in done.stdout
    assert not file.exists()


def test_wrong_settings_are_red_and_no_traceback(tmp_path):
    environment = {**os.environ, "ENV_FILE": "tests/test.env", "LOG_LEVEL": "loud"}
    command = [sys.executable, "manage.py", "doctor"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "LOG_LEVEL: must be one of" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_amber_line_says_what_to_do_and_it_ends_with_1(well):
    TrailProgress.objects.all().delete()

    code, printed = doctor()

    assert code == 1
    assert "unknown trail_verification  The audit trail was not verified yet." in printed
    assert "→ A worker does it each day. To do it now: python manage.py verify_audit" in printed


def test_it_asks_stripe_itself_unless_it_is_told_not_to(well):
    asking.ask()
    (endpoint,) = well.listed("webhook_endpoints")
    well.delete(f"webhook_endpoints/{endpoint['id']}")
    well.forget_requests()

    assert checks_of("--offline")[0] == WELL[0]
    assert well.requests() == []
    code, level, checks = checks_of()
    assert (code, level, checks["webhook_endpoint"]) == (2, "red", "red")


def test_a_key_that_stripe_refuses_is_a_line(well, settings):
    settings.STRIPE_API_KEY = "sk_test_revoked"

    code, printed = doctor()

    assert code == 2
    assert "Stripe has refused STRIPE_SECRET_KEY since" in printed
    assert "→ Put a current key of the same account in .env" in printed


def test_a_stripe_that_is_away_is_a_line(well, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"

    code, _, checks = checks_of()

    assert (code, checks["stripe"]) == (1, "amber")


@pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
def test_a_database_that_is_away_is_a_line_and_what_needs_no_database_is_still_checked(settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    with out_of_reach("default"), out_of_reach("optional"):
        code, level, checks = checks_of()
    connections.close_all()

    assert (code, level, checks["database"], checks["worker"]) == (2, "red", "red", "unknown")
    assert checks["encryption"] == "green"


def test_a_database_without_tables_is_told_to_be_migrated(tmp_path):
    (tmp_path / "empty.db").touch()
    environment = {
        **os.environ,
        "ENV_FILE": str(ROOT / "tests" / "test.env"),
        "DATABASE_URL": f"libsql:///{tmp_path / 'empty.db'}",
    }
    command = [sys.executable, "manage.py", "doctor", "--json"]

    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert ended.returncode == 2, ended.stderr
    told = {one["check"]: one for one in json.loads(ended.stdout)["checks"]}
    assert (told["database"]["level"], told["migrations"]["level"]) == ("green", "red")
    assert told["migrations"]["todo"] == "Run: python manage.py migrate"
