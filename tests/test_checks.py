import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import checks
from django.db import connection

from billing import clock
from billing.checks import (
    ROLE_DEFAULTS,
    check_role_defaults,
    check_suppliers,
    check_trail,
    check_trusted_proxies,
    check_where_live_data_is,
    warn_of_untrusted_proxies,
)
from billing.models import Agreement
from tests.conftest import determined
from tests.other_connections import let_go_of, out_of_reach, postgresql_only
from tests.schema.another_database import Databases

ROOT = Path(__file__).resolve().parent.parent


def found():
    """What `manage.py check --deploy` says of ours, but not of the tests' own database, proxies and suppliers."""
    said = checks.run_checks(tags=["billing"], include_deployment_checks=True)
    others = ("billing.W005", "billing.W007", "billing.W008", "billing.W012")
    return [one for one in said if one.id not in others]


@pytest.fixture(autouse=True)
def _encrypted_at_rest(settings):
    settings.DATABASE_AT_REST_REASON = "the volume is encrypted"
    settings.AUDIT_HEADS_FILE = "/srv/elsewhere/heads"


@pytest.mark.parametrize(
    ("database", "reason", "warns"),
    [
        ({"ENGINE": "config.libsql", "NAME": "/srv/billing.db", "PASSWORD": ""}, " ", ["billing.W006"]),
        ({"ENGINE": "config.libsql", "NAME": "/srv/billing.db", "PASSWORD": "0" * 64}, "", []),
        ({"ENGINE": "config.libsql", "NAME": "/srv/billing.db", "PASSWORD": ""}, "encrypted volume", []),
        ({"ENGINE": "config.libsql", "NAME": "wss://a.example", "PASSWORD": "t"}, "", ["billing.W005", "billing.W006"]),
        ({"ENGINE": "django.db.backends.postgresql", "NAME": "billing", "PASSWORD": "x"}, "", ["billing.W006"]),
    ],
)
def test_live_mode_says_what_the_place_of_its_data_does_not_promise(settings, monkeypatch, database, reason, warns):
    settings.STRIPE_LIVE_MODE = True
    monkeypatch.setitem(settings.DATABASES, "default", database)
    settings.DATABASE_AT_REST_REASON = reason

    assert [one.id for one in check_where_live_data_is()] == warns


def test_live_mode_warns_of_each_supplier_without_a_determination_and_of_one_to_renew(
    db, settings, operator, administrator
):
    settings.STRIPE_LIVE_MODE = True
    assert [one.id for one in check_suppliers()] == ["billing.W012"] * 3

    row = determined(operator, administrator)
    assert {one.id for one in check_suppliers()} == {"billing.W012"}
    Agreement.objects.filter(pk=row.pk).update(terms_review_by=clock.wall().date() - timedelta(days=1), subject="mail")
    assert sorted(one.id for one in check_suppliers()) == ["billing.W011", "billing.W012", "billing.W012"]

    settings.STRIPE_LIVE_MODE = False
    assert check_suppliers() == []


@pytest.mark.parametrize(("live", "file", "warns"), [(True, "", True), (True, "/srv/heads", False), (False, "", False)])
def test_live_mode_warns_if_no_head_of_the_trail_is_kept_elsewhere(db, settings, live, file, warns):
    settings.STRIPE_LIVE_MODE, settings.AUDIT_HEADS_FILE = live, file

    assert [one.id for one in check_trail()] == ["billing.W010"] * warns


def test_live_mode_without_a_determination_warns_and_says_what_to_do(db, settings):
    settings.STRIPE_LIVE_MODE = True

    [warning] = found()

    assert (warning.id, warning.level) == ("billing.W001", checks.WARNING)
    assert "charging is refused" in warning.msg
    assert "Then another person, an administrator, must approve it" in warning.hint


def test_one_that_ended_warns_with_its_day(operator, administrator, settings):
    settings.STRIPE_LIVE_MODE = True
    row = determined(operator, administrator, ends_in_days=-1)

    [warning] = found()

    assert warning.id == "billing.W001"
    assert f"was valid until {row.effective_until.day} {row.effective_until:%B %Y} (UTC)" in warning.msg


@pytest.mark.parametrize(("days", "warns"), [(1, True), (28, True), (31, False), (365, False), (None, False)])
def test_one_that_ends_within_thirty_days_warns(operator, administrator, settings, days, warns):
    settings.STRIPE_LIVE_MODE = True
    determined(operator, administrator, ends_in_days=days)

    assert [one.id for one in found()] == (["billing.W002"] if warns else [])


def test_one_that_is_followed_by_another_does_not_warn(operator, administrator, settings):
    settings.STRIPE_LIVE_MODE = True
    determined(operator, administrator, ends_in_days=5)
    determined(operator, administrator, ends_in_days=365)

    assert Agreement.objects.count() == 2
    assert found() == []


@pytest.mark.parametrize(("debug", "proxies", "warns"), [(False, 0, True), (False, 1, False), (True, 0, False)])
def test_a_proxy_that_nobody_trusts_is_told_of_when_the_web_server_starts(settings, caplog, debug, proxies, warns):
    settings.DEBUG, settings.TRUSTED_PROXIES = debug, proxies

    warn_of_untrusted_proxies()

    assert ("TRUSTED_PROXIES is 0" in caplog.text) is warns
    assert [one.id for one in check_trusted_proxies()] == ["billing.W008"] * warns


def test_outside_live_mode_nothing_is_said(db):
    assert found() == []


def test_before_the_first_migration_the_check_says_so_and_does_not_stop_the_start(tmp_path, released):
    production = (ROOT / "tests" / "production.env").read_text().replace("sk_test_", "sk_live_")
    (tmp_path / "live.env").write_text(production)
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": str(tmp_path / "live.env"),
        "DATABASE_URL": f"libsql:///{tmp_path / 'empty.db'}",
        "DATABASE_AT_REST_REASON": "the volume is encrypted",
        "STATIC_ROOT": str(released),
        "AUDIT_HEADS_FILE": str(tmp_path / "heads"),
    }

    command = [sys.executable, "manage.py", "check", "--deploy"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert ended.returncode == 0
    assert "billing.W003" in ended.stderr
    assert "1 issue" in ended.stderr


@pytest.fixture
def database(tmp_path, django_db_blocker):
    """The name of an empty one, to which nobody has connected yet; the default connection leads to it."""
    databases = Databases(tmp_path)
    with django_db_blocker.unblock():
        name = databases.make()
        with databases.default(name):
            yield name
        databases.drop()


@postgresql_only
def test_a_role_without_its_defaults_is_told_with_the_sql_that_sets_them(database):
    connection.ensure_connection()

    [warning] = check_role_defaults()

    assert (warning.id, warning.level) == ("billing.W007", checks.WARNING)
    assert len(re.findall(r'ALTER ROLE "\w+" SET \w+ = \'\w+\';', warning.hint)) == len(ROLE_DEFAULTS)

    with connection.cursor() as cursor:  # in this database only, as the role is everybody's
        for role, setting in re.findall(r"(ALTER ROLE \S+) (SET [^;]+);", warning.hint):
            cursor.execute(f"{role} IN DATABASE {database} {setting}")
    connection.close()
    let_go_of(database)

    assert check_role_defaults() == []


@postgresql_only
@pytest.mark.parametrize("name", ROLE_DEFAULTS)
def test_one_default_that_is_missing_is_told_by_its_name(database, name):
    with connection.cursor() as cursor:
        for other, value in ROLE_DEFAULTS.items():
            if other != name:
                cursor.execute(f"ALTER DATABASE {database} SET {other} = '{value}'")
    connection.close()
    let_go_of(database)

    [warning] = check_role_defaults()

    assert warning.hint.count("ALTER ROLE") == 1
    assert f" SET {name} = " in warning.hint


@postgresql_only
@pytest.mark.django_db(transaction=True)
def test_without_a_database_the_role_is_not_judged_and_the_check_goes_on():
    with out_of_reach("default"):
        [warning] = check_role_defaults()

    assert (warning.id, warning.level) == ("billing.W007", checks.WARNING)
    assert "could not be read" in warning.msg
