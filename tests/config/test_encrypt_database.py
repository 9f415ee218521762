"""manage.py encrypt_database and rotate_database_key: the same rows under another key, or the file as it was."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple

import pytest

from config.libsql import cipher, encryption
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
    variables,
)
from tests.processes import PATIENCE_SECONDS, ROOT, until

pytestmark = pytest.mark.slow

__all__ = ["encrypted", "migrated", "opened", "plain"]


@pytest.fixture(params=["encrypt_database", "rotate_database_key"])
def case(request, plain):
    """A command, the file before it, and the key that this has."""
    if request.param == "encrypt_database":
        return Case("encrypt_database", plain, "")
    return Case("rotate_database_key", request.getfixturevalue("encrypted"), KEY)


Case = namedtuple("Case", "command file key")


def run(case, **env):
    return manage(case.command, env=variables(case.file, case.key, NEW_KEY) | env)


def names(case):
    return [one.name for one in case.file.parent.iterdir()]


def test_the_file_has_the_new_key_and_the_same_rows_and_the_trail_says_so(case, opened):
    case.file.chmod(0o640)
    before = opened(case.file, case.key)
    rows_before = everything(before)
    before.close()

    ended = run(case)

    assert ended.returncode == 0, ended.stderr
    assert "Now set DATABASE_KEY to the new key, and remove DATABASE_NEW_KEY." in ended.stdout
    assert NEW_KEY not in ended.stdout + ended.stderr
    assert names(case) == [case.file.name]
    assert case.file.stat().st_mode & 0o777 == 0o640
    assert OFFICE.encode() not in case.file.read_bytes()
    rows = everything(opened(case.file, NEW_KEY))
    *entries, entry = rows.pop("billing_auditentry")
    assert entries == rows_before.pop("billing_auditentry")
    assert {"act", case.command} < set(entry)
    assert [what for what in entry if what in ("encrypted the database file", "changed the key of the database file")]
    assert NEW_KEY not in repr(entry)
    assert [name for name in rows if rows[name] != rows_before[name] and name != "sqlite_sequence"] == []


def test_what_is_kept_of_a_table_includes_its_last_number_and_its_statistics(case, opened):
    before = opened(case.file, case.key)
    with before.cursor() as cursor:
        cursor.execute("CREATE TABLE counted (id integer PRIMARY KEY AUTOINCREMENT)")
        cursor.execute("INSERT INTO counted VALUES (41), (42)")
        cursor.execute("DELETE FROM counted WHERE id = 42")
        cursor.execute("CREATE TABLE loose (kind blob, value)")
        cursor.execute("INSERT INTO loose VALUES (x'00ff', 'text'), ('text', x'00ff'), (1, 1.0), (NULL, '')")
        cursor.execute("CREATE TABLE without (name text PRIMARY KEY) WITHOUT ROWID")
        cursor.execute("INSERT INTO without VALUES ('b'), ('a')")
        cursor.execute("PRAGMA user_version = 7")
        cursor.execute("PRAGMA application_id = 8")
        cursor.execute("ANALYZE")
    before.close()

    assert run(case).returncode == 0

    after = opened(case.file, NEW_KEY)
    with after.cursor() as cursor:
        cursor.execute("INSERT INTO counted DEFAULT VALUES RETURNING id")
        assert cursor.fetchone() == (43,)
        cursor.execute("SELECT typeof(kind), typeof(value) FROM loose ORDER BY rowid")
        assert cursor.fetchall() == [("blob", "text"), ("text", "blob"), ("integer", "real"), ("null", "text")]
        cursor.execute("SELECT count(*) > 0 FROM sqlite_stat1")
        assert cursor.fetchone() == (1,)
        for pragma, value in (("user_version", 7), ("application_id", 8)):
            cursor.execute(f"PRAGMA {pragma}")
            assert cursor.fetchone() == (value,)


def test_after_it_the_key_of_before_is_an_error_at_the_start_that_says_which_key_it_is(case):
    assert run(case).returncode == 0

    again = run(case)

    assert again.returncode != 0
    said = "is encrypted, or is not a database. Set the key" if not case.key else "does not open"
    assert said in again.stderr
    assert "DATABASE_NEW_KEY opens it: put that into DATABASE_KEY" in again.stderr
    assert python("-c", "import config.settings", env=variables(case.file, NEW_KEY)).returncode == 0


@pytest.mark.parametrize(
    ("command", "key", "new_key", "says"),
    [
        ("encrypt_database", "", "", "DATABASE_NEW_KEY is missing"),
        ("encrypt_database", "", "short", "DATABASE_NEW_KEY: must be 64 hexadecimal digits"),
        ("encrypt_database", KEY, NEW_KEY, "is encrypted already. To change its key: python manage.py rotate_data"),
        ("rotate_database_key", KEY, "", "DATABASE_NEW_KEY is missing"),
        ("rotate_database_key", KEY, KEY.upper(), "DATABASE_NEW_KEY is the key that the file has already"),
        ("rotate_database_key", "", NEW_KEY, "is not encrypted. To encrypt it: python manage.py encrypt_database"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_file_stays(request, command, key, new_key, says):
    file = request.getfixturevalue("encrypted" if key else "plain")
    before = file.read_bytes()

    ended = manage(command, env=variables(file, key, new_key))

    assert ended.returncode != 0
    assert says in ended.stderr
    assert file.read_bytes() == before
    assert not new_key or new_key not in ended.stderr


@pytest.mark.parametrize("command", ["encrypt_database", "rotate_database_key"])
@pytest.mark.parametrize("url", ["postgres:///billing", "ws://127.0.0.1:1"])
def test_another_form_of_database_is_refused(command, url, tmp_path):
    env = variables(tmp_path) | {"DATABASE_URL": url, "DATABASE_PLAIN_ON_LOOPBACK": "true"}

    assert "This is only for a database file" in manage(command, env=env).stderr
    with_key = manage(command, env=env | {"DATABASE_NEW_KEY": NEW_KEY}).stderr
    assert "DATABASE_NEW_KEY: is only for a file" in with_key


def test_where_there_is_no_database_yet_it_is_made_with_the_key(tmp_path):
    ended = manage("encrypt_database", env=variables(tmp_path / "none.db", "", NEW_KEY))

    assert "There is no database" in ended.stderr
    assert "Set DATABASE_KEY, then run: python manage.py migrate" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_was_not_migrated_is_left_as_it_is(tmp_path, opened):
    file = tmp_path / "billing.db"
    made = opened(file)
    made.ensure_connection()
    made.close()

    ended = manage("encrypt_database", env=variables(file, "", NEW_KEY))

    assert "Run python manage.py migrate first. The file was not changed." in ended.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["billing.db"]
    opened(file).ensure_connection()


IDLE = """
import sys, django
django.setup()
from django.db import connection
connection.ensure_connection()
print("connected", flush=True)
sys.stdin.read()
"""


def test_a_process_that_has_the_file_open_though_idle_is_in_the_way(case, opened):
    command = [sys.executable, "-c", IDLE]
    idle = subprocess.Popen(
        command,
        cwd=ROOT,
        env=variables(case.file, case.key),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert idle.stdout.readline() == "connected\n"

    refused = run(case)

    assert refused.returncode != 0
    assert f"Another process has {case.file} open. Stop each web, worker, shell" in refused.stderr
    assert "The file was not changed." in refused.stderr
    idle.communicate("")
    assert idle.returncode == 0
    assert "billing_office" in everything(opened(case.file, case.key))
    opened(case.file, case.key).close()
    assert not [name for name in names(case) if encryption.COPY in name]


ASK = """
import json, django
django.setup()
from django.db import DatabaseError, connections
said = []
for alias in ("impatient", "optional"):
    try:
        connections[alias].ensure_connection()
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT name FROM billing_office")
            said.append(str(cursor.fetchall()))
    except DatabaseError as error:
        said.append(str(error))
print(json.dumps(said))
"""


def test_until_the_copy_is_in_place_no_other_process_gets_at_the_file(case):
    said = []

    def ask_from_another(copy):
        ended = python("-c", ASK, env=variables(case.file, case.key))
        assert ended.returncode == 0, ended.stderr  # a file that is held is no wrong key
        said.extend(json.loads(ended.stdout))

    encryption.replace(case.file, key=case.key, new_key=NEW_KEY, record=ask_from_another)

    assert said == ["database is locked"] * 2


BEFORE = ["_held return", "_write call", "_write return", "record call", "record return", "_put_on_disk return"]
AFTER = ["_overwrite call", "_overwrite return"]
QUICK = ["_write return", "record return", "_put_on_disk return", "_overwrite call"]


@pytest.mark.parametrize(
    "moment", [pytest.param(one, marks=[pytest.mark.slow] * (one not in QUICK)) for one in (*BEFORE, *AFTER)]
)
def test_killed_at_any_moment_the_file_is_whole_and_the_command_can_be_run_again(case, moment, opened):
    mortal = ["-m", "tests.mortal", "encryption.py", *moment.split(), case.command]

    killed = python(*mortal, env=variables(case.file, case.key, NEW_KEY))

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    if moment in BEFORE:
        before = opened(case.file, case.key)
        assert OFFICE in repr(everything(before)["billing_office"])
        before.close()
        again = run(case)
        assert again.returncode == 0, again.stderr
    assert names(case) == [case.file.name]
    after = everything(opened(case.file, NEW_KEY))
    assert OFFICE in repr(after["billing_office"])
    assert repr(after["billing_auditentry"]).count(case.command) == 2  # one entry, who and why
    assert OFFICE.encode() not in case.file.read_bytes()


def test_what_a_killed_run_left_is_removed(case):
    for end in ("", *encryption.BESIDE):
        case.file.with_name(case.file.name + encryption.COPY + end).write_bytes(b"half of it")

    assert run(case).returncode == 0
    assert names(case) == [case.file.name]


def test_the_plain_text_is_overwritten_where_it_was(plain):
    with plain.open("rb") as old:
        size = len(old.read())
        assert run(Case("encrypt_database", plain, "")).returncode == 0
        old.seek(0)
        assert old.read() == bytes(size)


def test_a_link_to_the_file_stays_one(plain, tmp_path):
    link = tmp_path / "link.db"
    link.symlink_to(plain)

    assert run(Case("encrypt_database", link, "")).returncode == 0
    assert link.is_symlink()
    assert cipher.opens(plain, NEW_KEY)


def test_without_enough_room_nothing_is_changed(plain, monkeypatch):
    before, free = plain.read_bytes(), plain.stat().st_size
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(free))

    with pytest.raises(
        encryption.NotReplaced, match=r"not enough room in .*/database\. The copy needs \d MB, and \d MB"
    ):
        encryption.replace(plain, key="", new_key=NEW_KEY, record=lambda copy: None)

    assert plain.read_bytes()[100:] == before[100:]  # in the header is the journal mode
    assert os.listdir(plain.parent) == [plain.name]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE billing_office SET name = 'Other'", "other rows than the file in the table billing_office"),
        ("DELETE FROM billing_office", "other rows than the file in the table billing_office"),
        ("INSERT INTO django_session VALUES ('a', 'b', 'c')", "other rows than the file in the table django_session"),
        ("UPDATE sqlite_sequence SET seq = seq + 1", "other rows than the file in the table sqlite_sequence"),
        ("DROP TABLE billing_auditentry", "another schema"),
        ("PRAGMA user_version = 9", "another schema"),
    ],
)
def test_a_copy_that_differs_is_not_used(plain, change, says):
    copy = plain.with_name("copy.db")
    with encryption._held(plain, "") as connection:
        encryption._write(connection, plain, copy, KEY)
        encryption._compare(connection, copy, KEY)
        other = encryption.dbapi2.connect(str(copy), isolation_level=None)
        cipher.unlock(other, KEY)
        other.execute(change)
        other.close()

        with pytest.raises(encryption.NotReplaced, match=says):
            encryption._compare(connection, copy, KEY)


def test_a_damaged_copy_is_not_used(plain):
    copy = plain.with_name("copy.db")
    with encryption._held(plain, "") as connection:
        encryption._write(connection, plain, copy, KEY)
        content = bytearray(copy.read_bytes())
        content[10 * 4096 + 5] ^= 1
        copy.write_bytes(content)

        with pytest.raises((encryption.NotReplaced, encryption.dbapi2.DatabaseError)):
            encryption._compare(connection, copy, KEY)


WAIT = """
import django
django.setup()
from django.db import DatabaseError, connection
try:
    connection.ensure_connection()
    print("connected")
except DatabaseError as error:
    print(error)
"""


@pytest.mark.parametrize("overwritten", [True, False])
def test_a_process_that_waited_does_not_write_to_what_the_file_was(plain, overwritten):
    """Also where the command was killed before it overwrote that."""
    copy = plain.with_name("copy.db")
    shutil.copy(plain, copy)
    with encryption._held(plain, ""):
        command = [sys.executable, "-c", WAIT]
        waiting = subprocess.Popen(command, cwd=ROOT, env=variables(plain), stdout=subprocess.PIPE, text=True)
        until(lambda: str(plain) in opened_by(waiting.pid))
        with plain.open("r+b") as old:
            os.replace(copy, plain)
            if overwritten:
                encryption._overwrite(old)
    said, _ = waiting.communicate(timeout=PATIENCE_SECONDS)

    assert said.strip() == ("file is not a database" if overwritten else "attempt to write a readonly database")


def opened_by(pid):
    folder, found = f"/proc/{pid}/fd", []
    for one in os.listdir(folder):
        try:
            found.append(os.readlink(f"{folder}/{one}"))
        except FileNotFoundError:
            continue
    return found
