import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core import checks

from billing.checks import check_where_live_data_is
from billing.models import Agreement
from tests.conftest import determined

ROOT = Path(__file__).resolve().parent.parent


def found():
    """What `manage.py check --deploy` says of ours."""
    return checks.run_checks(tags=["billing"], include_deployment_checks=True)


@pytest.fixture(autouse=True)
def _encrypted_at_rest(settings):
    settings.DATABASE_AT_REST_REASON = "the volume is encrypted"


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
    assert f"ended on {row.ends_at:%d %B %Y}" in warning.msg


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
    }

    command = [sys.executable, "manage.py", "check", "--deploy"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert ended.returncode == 0
    assert "billing.W003" in ended.stderr
    assert "1 issue" in ended.stderr
