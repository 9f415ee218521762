"""What the encrypted file keeps secret, and what it keeps."""

import signal
import subprocess
import sys

import pytest
from django.db import DatabaseError, connection

from config.databases import PLAIN_FILE
from tests.encrypted_files import (
    KEY,
    NEW_KEY,
    OFFICE,
    encrypted,
    everything,
    manage,
    migrated,
    opened,
    plain,
    python,
    rows,
    variables,
)
from tests.other_connections import embedded_only
from tests.processes import ROOT

__all__ = ["encrypted", "migrated", "opened", "plain"]


@pytest.fixture(params=["plain", "encrypted"])
def after_the_main_job(request, tmp_path, stripe_server):
    """Where the main job has run, with its database still open. Yields the key, the file and the folder of the rest."""
    file, key = request.getfixturevalue(request.param), KEY if request.param == "encrypted" else ""
    stripe_server.control("reset")
    env = variables(file, key, env_file="test.env") | {"STRIPE_API_BASE": stripe_server.url, "LOG_LEVEL": "DEBUG"}
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", "tests.config.main_job", str(tmp_path)]
        process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout.readline() == "done\n", (tmp_path / "log").read_text()
            yield key, file, tmp_path
        finally:
            process.kill()
            process.communicate()


@pytest.mark.slow
def test_after_the_main_job_no_file_and_no_place_shows_the_data_or_the_key(after_the_main_job, opened):
    key, file, folder = after_the_main_job
    wal = file.with_name(f"{file.name}-wal")
    readable = bool(not key)

    assert wal.stat().st_size > 0
    assert (OFFICE.encode() in file.read_bytes() + wal.read_bytes()) is readable
    for backup in ("vacuumed.db", "backup.db"):
        assert (OFFICE.encode() in (folder / backup).read_bytes()) is readable
        assert (OFFICE,) in rows(opened(folder / backup, key), "SELECT name FROM billing_office")

    pages, log = (folder / "pages.html").read_text(), (folder / "log").read_text()
    tables = repr(everything(opened(file, key)))
    assert OFFICE in pages
    assert OFFICE in tables
    assert "debug django.db.backends" in log
    assert [where for where in (pages, log, tables) if KEY in where] == []


def test_a_backup_into_a_file_without_a_key_is_refused(encrypted, opened, tmp_path):
    ours = opened(encrypted, KEY)
    ours.ensure_connection()
    other = ours.Database.connect(str(tmp_path / "backup.db"))

    with pytest.raises(ours.Database.DatabaseError):
        ours.connection.backup(other)

    other.close()
    assert (tmp_path / "backup.db").read_bytes() == b""


def start(file, key):
    return python("-c", "import config.settings", env=variables(file, key))


def test_the_right_key_starts(encrypted):
    ended = start(encrypted, KEY)

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("key", "says"),
    [("", "is encrypted, or is not a database. Set the key that it was encrypted with"), (NEW_KEY, "does not open")],
)
def test_a_missing_or_a_wrong_key_is_one_clear_error_at_the_start(encrypted, key, says):
    ended = start(encrypted, key)

    assert ended.returncode != 0
    problems = [line for line in ended.stderr.splitlines() if line.startswith("  - ")]
    assert len(problems) == 1
    assert problems[0].startswith("  - DATABASE_KEY: ")
    assert says in problems[0]
    assert str(encrypted) in problems[0]
    assert "CORE" not in ended.stderr  # SQLCipher's own words
    assert not key or key not in ended.stderr


def test_a_key_for_a_plain_file_is_an_error_at_the_start(plain):
    ended = start(plain, KEY)

    assert ended.returncode != 0
    assert f"DATABASE_KEY: {plain} is not encrypted" in ended.stderr
    assert "manage.py encrypt_database" in ended.stderr


@pytest.mark.parametrize("at", [0, 2000, 4095], ids=["first byte", "data", "last byte, of the checksum"])
def test_one_flipped_bit_is_an_error_when_it_is_read(encrypted, opened, at):
    [(page,)] = rows(opened(encrypted, KEY), "SELECT rootpage FROM sqlite_master WHERE name = 'billing_office'")
    content = bytearray(encrypted.read_bytes())
    content[(page - 1) * 4096 + at] ^= 1
    flipped = encrypted.with_name("flipped.db")
    flipped.write_bytes(content)

    damaged = opened(flipped, KEY)
    assert rows(damaged, "SELECT count(*) FROM billing_plan") == [(0,)]  # other pages are whole
    with pytest.raises(DatabaseError):
        rows(damaged, "SELECT * FROM billing_office")


def test_each_commit_is_on_disk(encrypted, opened):
    ours = opened(encrypted, KEY)

    assert rows(ours, "PRAGMA journal_mode") == [("wal",)]
    assert rows(ours, "PRAGMA synchronous") == [(2,)]  # FULL
    assert rows(ours, "PRAGMA cipher_version") != []


COMMIT = """
import django
django.setup()
from django.db import connection, transaction
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE numbers (n integer)")
    for n in range(1_000_000):
        with transaction.atomic():
            cursor.execute("INSERT INTO numbers VALUES (%s)", [n])
        print(n, flush=True)
"""


def test_a_kill_amid_commits_loses_nothing_that_was_committed(encrypted, opened):
    command = [sys.executable, "-c", COMMIT]
    process = subprocess.Popen(command, cwd=ROOT, env=variables(encrypted, KEY), stdout=subprocess.PIPE, text=True)
    told = [int(process.stdout.readline()) for _ in range(300)]
    process.kill()
    told += map(int, process.communicate()[0].split())

    found = [n for (n,) in rows(opened(encrypted, KEY), "SELECT n FROM numbers ORDER BY n")]

    assert process.returncode == -signal.SIGKILL
    assert told == list(range(len(told)))
    assert found[: len(told)] == told
    assert len(found) <= len(told) + 1  # the last may be committed and not told


ERROR_PAGE = """
import os, sys
import django
django.setup()
from django.test import Client
from django.test.utils import setup_test_environment
from django.conf import settings
setup_test_environment(debug=True)
with open(settings.DATABASES["default"]["NAME"], "r+b") as file:
    file.write(os.urandom(4096))
client = Client(raise_request_exception=False, DATABASE_KEY=os.environ["DATABASE_KEY"])  # as runserver does
answer = client.post("/account/login/", {"login": "a@vendor.example", "password": "b"})
print(answer.status_code, answer.content.decode())
"""


def test_djangos_page_about_an_error_shows_no_key(encrypted):
    ended = python(
        "-c", ERROR_PAGE, env=variables(encrypted, KEY, NEW_KEY, env_file="test.env") | {"LOG_LEVEL": "DEBUG"}
    )

    assert ended.stdout.startswith("500 "), ended.stderr
    assert "DATABASE_KEY does not open the database file" in ended.stdout
    assert "in unlock" in ended.stdout  # a frame that has the key is on the page
    assert "DATABASE_NEW_KEY" in ended.stdout  # and the settings are
    shown = ended.stdout + ended.stderr
    assert [key for key in (KEY, NEW_KEY) if key in shown] == []


def test_the_list_of_settings_shows_no_key(encrypted):
    ended = manage("diffsettings", env=variables(encrypted, KEY, NEW_KEY))

    assert "'PASSWORD': '…'" in ended.stdout
    assert "DATABASE_NEW_KEY = '…'" in ended.stdout
    assert [key for key in (KEY, NEW_KEY) if key in ended.stdout] == []


@embedded_only
@pytest.mark.parametrize("end", ["", "-shm"])
def test_no_test_opens_the_file_of_its_own_database(db, end):
    with pytest.raises(AssertionError, match="own database"):
        open(connection.settings_dict["NAME"] + end, "rb")  # noqa: SIM115  it is refused


@embedded_only
def test_these_tests_run_on_a_file_that_is_encrypted_where_they_have_a_key(db):
    name, key = connection.settings_dict["NAME"], connection.settings_dict["PASSWORD"]

    assert bool(rows(connection, "PRAGMA cipher_version")) is bool(key)
    begins = subprocess.run(["/usr/bin/head", "-c", str(len(PLAIN_FILE)), name], capture_output=True, check=True).stdout
    assert (begins == PLAIN_FILE) is not bool(key)
