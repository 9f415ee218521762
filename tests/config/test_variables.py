"""Each variable takes what it must be, and nothing else. A start says everything that is wrong."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.environment import Problems, Secret
from config.variables import database, env_file, kinds, places, signing_in, site, stripe, written
from config.variables.table import VARIABLES
from config.variables.variable import Derived, Values
from tests.config import wrong_values

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = (ROOT / "tests" / "production.env").read_text()
each_variable = pytest.mark.parametrize("row", list(VARIABLES.values()), ids=list(VARIABLES))


@pytest.mark.parametrize(("row", "value", "says"), list(wrong_values.all_of_them()))
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(row, value, says):
    [found] = wrong_values.said_of(row, value)

    assert found.startswith(f"{row.name}: ")
    assert says in found
    if row.kind.is_secret:
        assert not value or value not in found
        assert not any(len(part) > 5 and part in found.partition(": ")[2] for part in value.replace(";", " ").split())


@each_variable
def test_a_variable_that_is_strict_has_wrong_values_here(row):
    assert wrong_values.of(row) or row.kind.is_free


@each_variable
def test_a_default_is_a_value_that_the_variable_takes_and_empty_is_the_default(row):
    problems = Problems()
    by_default = Values({}, problems)[row]
    if not row.has_none:
        assert Values({row.name: "  "}, problems)[row] == by_default
    if isinstance(row.default, str) and row.default:
        assert Values({row.name: f" {row.default} "}, problems)[row] == by_default
    assert problems.found == []


@each_variable
def test_an_example_is_a_value_that_the_variable_takes(row):
    if row.kind in (places.CERTIFICATES, places.APPENDED_FILE):
        return  # whether it is there depends on the machine
    assert not row.example or wrong_values.said_of(row, row.example) == []


@each_variable
def test_a_secret_does_not_show_itself(row):
    if not row.kind.is_secret:
        return
    read = Values({}, Problems())[row]
    assert isinstance(read, Secret | list)
    if isinstance(row.default, Derived) or isinstance(read, list):
        return
    assert repr(read) == "'…'"


RIGHT: dict[kinds.Kind[Any], dict[str, Any]] = {
    kinds.FLAG: {
        "true": True,
        "YES": True,
        "On": True,
        "1": True,
        "False": False,
        "no": False,
        "OFF": False,
        "0": False,
    },
    kinds.LEVEL: {"debug": "DEBUG", "Warning": "WARNING", "INFO": "INFO"},
    places.SITE: {
        "https://billing.vendor.example/": "https://billing.vendor.example",
        "http://127.0.0.1:8000": "http://127.0.0.1:8000",
        "http://[::1]:8000": "http://[::1]:8000",
    },
    places.ISSUER: {"https://sign-in.vendor.example/tenant/v2.0/": "https://sign-in.vendor.example/tenant/v2.0"},
    places.MAIL_SERVER: {"smtp.vendor.example": "smtp.vendor.example", "::1": "::1", "127.0.0.1": "127.0.0.1"},
    places.SENDER: {"Vendor #1 <billing@vendor.example>": "Vendor #1 <billing@vendor.example>"},
    kinds.PASSWORD: {'$ecret#1"': '$ecret#1"', "pass word": "pass word"},
    signing_in.OIDC_SECOND_FACTOR.kind: {"mfa, otp ,": ["mfa", "otp"], "None": []},
    stripe.APPROVAL_LIMITS.kind: {" usd = 1 , eur=2": {"usd": 1, "eur": 2}, "none": {}},
    site.ALLOWED_HOSTS.kind: {
        "a.example, .b.example ,[::1],": ["a.example", ".b.example", "[::1]"],
        "127.0.0.1,*": ["127.0.0.1", "*"],
    },
}


@pytest.mark.parametrize(
    ("row", "value", "means"),
    [(row, value, means) for row in VARIABLES.values() for value, means in RIGHT.get(row.kind, {}).items()],
)
def test_a_right_value_is_read(row, value, means):
    problems = Problems()

    assert Values({row.name: value}, problems)[row] == means
    assert problems.found == []


@pytest.mark.parametrize(("url", "says"), list(wrong_values.URLS.items()))
def test_an_address_of_a_database_is_never_read_as_another_one(url, says, tmp_path):
    [found] = wrong_values.said_of_url(url, tmp_path)

    assert found.startswith("DATABASE_URL: ")
    assert says in found
    assert "fellow" not in found.replace(__file__, "") or url.startswith("libsql:///")


def test_a_password_with_escaped_characters_is_that_password(tmp_path):
    problems = Problems()
    from config import databases

    read = databases.database(
        "postgres://billing:a%2Fb%3Fc%23d%40e%25f%20g@db.vendor.example/billing", base_dir=tmp_path, problems=problems
    )

    assert (read["PASSWORD"], read["HOST"], read["NAME"]) == ("a/b?c#d@e%f g", "db.vendor.example", "billing")
    assert problems.found == []


def test_a_value_that_was_not_taken_is_not_complained_of_again():
    problems = Problems()
    _ = Values({"DATABASE_KEY": "short"}, problems)[database.DATABASE_KEY]
    problems.add("DATABASE_KEY", "is missing")

    assert len(problems.found) == 1


@pytest.mark.parametrize("name", list(written.files()))
def test_the_files_that_are_made_of_the_table_are_as_it_says(name):
    assert (ROOT / name).read_text() == written.files()[name], "run python -m config.variables"


def test_the_lines_of_the_example_are_read_as_they_are(tmp_path):
    lines = [line for line in written.example().splitlines() if not line.startswith("# ")]
    names = {line.lstrip("#").partition("=")[0] for line in lines if line}
    assert names == set(VARIABLES)


# --- the file


def read_file(text, monkeypatch, tmp_path):
    file = tmp_path / "one.env"
    file.write_text(text)
    monkeypatch.setenv("ENV_FILE", str(file))
    problems = Problems()
    env_file.read(ROOT / "nothing", VARIABLES, problems)
    return problems.found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# all\n\nDEBUG = fellow\n", "line 3 of the file: must be NAME=value, without blanks before the ="),
        ("SECRET_KEY: fellow\n", "line 1 of the file: must be NAME=value"),
        ("LOG_LEVEL=INFO\nLOG_LEVEL=DEBUG\n", "LOG_LEVEL: is in the file twice, again in line 2"),
    ],
)
def test_a_line_that_would_be_passed_over_is_named_without_what_is_in_it(text, says, monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    [found] = read_file(text, monkeypatch, tmp_path)

    assert found.startswith(says)
    assert "fellow" not in found + caplog.text


def test_a_name_that_looks_like_one_of_ours_is_logged(monkeypatch, tmp_path, caplog):
    lines = (
        "STRIPE_WEBHOOK_SECRET=fellow\nlog_level=fellow\nPGHOST=fellow\nDEMO_PASSWORD=fellow\nSSL_CERT_FILE=fellow\n"
    )
    names = {line.partition("=")[0] for line in lines.splitlines()}
    for name in names:
        monkeypatch.setenv(name, "")  # so that it is taken back

    assert read_file(lines, monkeypatch, tmp_path) == []
    assert [one.args[0] for one in caplog.records] == ["STRIPE_WEBHOOK_SECRET", "log_level"]
    assert "Is STRIPE_WEBHOOK_SECRETS meant?" in caplog.text
    assert "Is LOG_LEVEL meant?" in caplog.text
    assert "fellow" not in caplog.text.replace(str(tmp_path), "")


# --- the real start


def check(text, tmp_path, **variables):
    (tmp_path / "one.env").write_text(text)
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": str(tmp_path / "one.env"),
        "DATABASE_URL": f"libsql:///{tmp_path}/one.db",
        **variables,
    }
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_it_starts_and_says_which_name_may_be_a_typo(tmp_path):
    ended = check(f"{PRODUCTION}AUDIT_REQUIRE_ACTOR=fellow\n", tmp_path, LOG_LEVEL="warning")

    assert ended.returncode == 0, ended.stderr
    assert "AUDIT_REQUIRE_ACTOR in " in ended.stderr
    assert "Is AUDIT_REQUIRES_ACTOR meant?" in ended.stderr


def test_one_error_names_all_that_is_wrong_and_no_secret(tmp_path):
    wrong = {
        "AUDIT_REQUIRES_ACTOR": "true  # marmot",
        "REQUIRE_SECOND_FACTOR": "ture",
        "SESSION_HOURS": "marmot",
        "RECONCILE_HOUR": "24",
        "ALLOWED_HOSTS": "https://marmot.example",
        "LOG_LEVEL": "loud",
        "SECRETS_KEYS": "marmot marmot",
        "STRIPE_WEBHOOK_SECRETS": "whsec_marmot whsec_marmot",
        "DATABASE_URL": "postgres://billing:mar/mot@db.vendor.example/billing",
        "VENDOR_TIME_ZONE": "Mars/Base",
        "RATE_LIMITS": "reads",
    }
    ended = check(f"{PRODUCTION}SOMETHING else=marmot\n", tmp_path, **wrong)

    assert ended.returncode != 0
    named = [line.strip().removeprefix("- ").partition(":")[0] for line in ended.stderr.splitlines() if " - " in line]
    assert set(named) == {*wrong, "line 13 of the file"}
    assert len(named) == len(set(named))
    assert "marmot" not in ended.stderr


@pytest.mark.parametrize("host", ["other.vendor.example", "vendor.example"])
def test_the_address_of_the_site_is_at_one_of_its_hosts(host, tmp_path):
    ended = check(PRODUCTION, tmp_path, SITE_URL=f"https://{host}")

    assert ended.returncode != 0
    assert "SITE_URL: its host must be one of ALLOWED_HOSTS" in ended.stderr


def test_a_file_that_is_named_must_be_there(tmp_path):
    ended = check("", tmp_path, ENV_FILE="/nonexistent")

    assert "ENV_FILE: names a file that does not exist" in ended.stderr
