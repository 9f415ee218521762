"""A backup holds everything that was committed, can be read by nobody without the key, and is refused if it changed."""

import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pyrage import x25519

from billing import clock
from billing.access import invitations, tokens
from billing.audit import actor, trail
from billing.backups import NotDone, archive, copies, making, restoring
from billing.models import AccessToken, AuditEntry, Backup, Hold, Office, OneTimeLink
from config import VERSION
from tests.conftest import a_person, an_office
from tests.moving.places import Place, Places, needs_cipher, needs_libsql_server, needs_postgresql, opened
from tests.processes import ROOT

BY = actor.job("tests")
FORMS = [
    pytest.param("file"),
    pytest.param("encrypted", marks=needs_cipher),
    pytest.param("postgresql", marks=needs_postgresql),
]
pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def file(with_tables: Path, places: Places, backup_key: str) -> Any:
    """All connections lead to a database file of the test's own, with one Office in it."""
    place = places.copy_of(with_tables)
    with opened(place):
        an_office()
        yield place


def made_in(folder: Path) -> Path:
    made, _ = making.make(folder, by=BY, reason="tests")
    return folder / made.name


def read(backup: Path, tmp_path: Path) -> tuple[dict[str, Any], Path]:
    copy = tmp_path / "copy of it"
    return archive.read(backup, copy=copy), copy


def test_the_version_is_that_of_the_package():
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text()


def test_what_is_only_in_the_wal_is_in_the_backup_and_a_copy_by_cp_has_not_got_it(file, folder, tmp_path):
    for number in range(30):
        an_office(f"Practice {number}")
    plain = Path(file.entry["NAME"])
    by_cp = tmp_path / "by cp"
    subprocess.run(["/bin/cp", plain, by_cp], check=True)

    manifest, copy = read(made_in(folder), tmp_path)

    assert manifest["tables"]["billing_office"] == 31
    assert sqlite3.connect(copy).execute("SELECT count(*) FROM billing_office").fetchone() == (31,)
    with pytest.raises(AssertionError, match="31"):
        assert sqlite3.connect(by_cp).execute("SELECT count(*) FROM billing_office").fetchone() == (31,)


def test_a_transaction_that_is_open_meanwhile_neither_waits_nor_is_in_it(file, folder, tmp_path):
    writer = sqlite3.connect(file.entry["NAME"], isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE billing_office SET name = 'not committed'")
    copy = tmp_path / "copy"

    copies.make(connection, copy)

    writer.execute("ROLLBACK")
    assert sqlite3.connect(copy).execute("SELECT name FROM billing_office").fetchone()[0] != "not committed"


def test_the_manifest_says_what_it_holds(file, folder, tmp_path, settings):
    manifest, _ = read(made_in(folder), tmp_path)

    newest = max(one.stem for one in (ROOT / "billing" / "migrations").glob("0*.py"))
    assert (manifest["version"], manifest["migrations"][-1], manifest["form"]) == (VERSION, newest, "file")
    assert (manifest["kind"], manifest["livemode"], manifest["account"]) == ("sandbox", False, "")
    assert manifest["entry"] == AuditEntry.objects.filter(what="").latest("pk").pk


def test_nobody_else_can_read_the_file_and_the_text_is_not_in_it(file, folder):
    backup = made_in(folder)

    assert (backup.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert b"Maple Street" not in backup.read_bytes()
    assert [one.name for one in folder.iterdir() if not one.name.startswith(".lock")] == [backup.name]


def test_each_run_is_on_record(file, folder):
    backup = made_in(folder)

    row = Backup.objects.get()
    assert (row.name, row.size) == (backup.name, backup.stat().st_size)
    assert row.verified_at >= row.made_at
    assert AuditEntry.objects.filter(what__contains=backup.name, reason="tests").exists()


@pytest.mark.parametrize("where", [0.001, 0.5, 0.999])
def test_a_file_that_was_changed_is_refused(file, folder, tmp_path, where):
    backup = made_in(folder)
    content = bytearray(backup.read_bytes())
    content[int(len(content) * where)] ^= 1
    backup.write_bytes(content)

    with pytest.raises(NotDone):
        read(backup, tmp_path)


@pytest.mark.parametrize("left", [0, 100, 64 * 1024, -65_536, -1])
def test_a_file_that_was_cut_off_is_refused(file, folder, tmp_path, left):
    backup = made_in(folder)
    backup.write_bytes(backup.read_bytes()[:left])

    with pytest.raises(NotDone):
        read(backup, tmp_path)


def test_a_new_key_comes_first_and_the_old_one_still_opens(file, folder, settings, tmp_path):
    old = made_in(folder)
    settings.BACKUP_KEYS = [str(x25519.Identity.generate()), *settings.BACKUP_KEYS]
    assert read(old, tmp_path)[0]["name"] == old.name

    settings.BACKUP_KEYS = settings.BACKUP_KEYS[:1]
    with pytest.raises(NotDone, match="No key of BACKUP_KEYS"):
        archive.read(old, copy=tmp_path / "again")


def test_without_a_key_there_is_no_backup(file, folder, settings):
    settings.BACKUP_KEYS = []

    with pytest.raises(CommandError, match=r"There is no new backup\. BACKUP_KEYS is missing"):
        call_command("backup", to=str(folder))

    assert not list(folder.glob("*.age"))
    assert not Backup.objects.exists()


def named(folder: Path, days: int) -> Path:
    """Put a file there as a backup of so many days ago."""
    old = folder / f"sandbox-{clock.wall() - timedelta(days=days):{making.TIME}}.age"
    folder.mkdir(exist_ok=True)
    old.write_bytes(b"x")
    return old


def test_the_newest_are_kept_by_number_and_by_age_and_nothing_else_is_touched(file, folder, settings):
    settings.BACKUP_KEEP, settings.BACKUP_KEEP_DAYS = 3, 10
    kept, beyond, old = named(folder, 1), [named(folder, 3), named(folder, 4)], named(folder, 11)
    second = named(folder, 2)
    other = folder / "live-20200101T000000Z.age"
    other.write_bytes(b"of another database")

    made, removed = making.make(folder, by=BY, reason="tests")

    assert sorted(removed) == sorted(one.name for one in (*beyond, old))
    assert {one.name for one in folder.glob("*.age")} == {made.name, kept.name, second.name, other.name}


def test_the_one_that_was_just_made_stays_also_where_a_clock_was_wrong(file, folder, settings):
    settings.BACKUP_KEEP = 1
    named(folder, -5)

    made, _ = making.make(folder, by=BY, reason="tests")

    assert (folder / made.name).exists()


def test_if_an_old_one_cannot_be_removed_the_error_says_that_the_new_one_is_there(file, folder, settings):
    settings.BACKUP_KEEP = 1
    name = named(folder, 3).name
    (folder / name).unlink()
    (folder / name).mkdir()

    with pytest.raises(NotDone, match=rf"was made and verified. But an old backup could not be removed: {name} \("):
        making.make(folder, by=BY, reason="tests")

    assert len([one for one in folder.glob("*.age") if one.is_file()]) == 1


def test_two_at_a_time_are_refused_and_what_a_killed_one_left_goes(file, folder):
    left = folder / f"{making.UNFINISHED}killed"
    left.mkdir(parents=True)
    (left / "copy").write_bytes(b"half")
    with making._alone_in(folder), pytest.raises(NotDone, match="Another backup"):
        making.make(folder, by=BY, reason="tests")

    made_in(folder)

    assert not left.exists()


@pytest.mark.parametrize("form", FORMS)
def test_a_restored_database_is_the_same_held_and_migrated(form, places, backup_key, folder):
    lost, place = (getattr(places, form)() for _ in range(2))
    with opened(lost):
        call_command("migrate", verbosity=0)
        office = an_office("Zahnärzte „Süd“ 漢字 '; DROP -- 🦷")
        backup = made_in(folder)
    with opened(place):
        call_command("restore", str(backup))

        assert Office.objects.get().name == office.name
        assert Hold.objects.get().backup == backup.name
        with pytest.raises(CommandError, match="Nothing was restored"):
            call_command("restore", str(backup))


@needs_libsql_server
def test_a_libsql_server_is_backed_up_into_a_file(places, backup_key, folder):
    server, place = places.libsql_server(), places.file()
    with opened(server):
        call_command("migrate", verbosity=0)
        office = an_office("Zahnärzte „Süd“ 漢字; '\n--🦷")
        backup = made_in(folder)
        with pytest.raises(NotDone, match="cannot be restored into a libSQL server"):
            restoring.restore(backup)
    with opened(place):
        call_command("restore", str(backup))
        assert Office.objects.get().name == office.name


@needs_cipher
def test_a_backup_goes_into_its_own_form_only(file, folder, places):
    backup = made_in(folder)

    with opened(places.encrypted()), pytest.raises(NotDone, match="is of the form file"):
        restoring.restore(backup)


def test_a_backup_of_another_mode_or_of_a_later_version_is_refused(file, folder, places, settings, tmp_path):
    backup = made_in(folder)
    manifest, copy = read(backup, tmp_path)
    later = tmp_path / "later.age"
    archive.write(later, manifest=manifest | {"migrations": ["0001_foundation", "9999_later"]}, copy=copy)
    other = tmp_path / "other.age"
    archive.write(other, manifest=manifest | {"entry": manifest["entry"] + 1}, copy=copy)
    place = places.file()
    with opened(place):
        with pytest.raises(NotDone, match="later version"):
            restoring.restore(later)
        with pytest.raises(NotDone, match="not what its manifest says"):
            restoring.restore(other)
        settings.STRIPE_LIVE_MODE = True
        with pytest.raises(NotDone, match="test mode"):
            restoring.restore(backup)
    assert not Path(place.entry["NAME"]).exists()


@needs_postgresql
def test_the_password_is_in_no_argument(places, backup_key, folder, tmp_path, monkeypatch):
    """A program of this name in front of PATH notes what it is called with, and calls the real one."""
    noted = tmp_path / "noted"
    for name in ("pg_dump", "pg_restore", "psql"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {noted}\nexec {shutil.which(name)} "$@"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    lost, place = places.postgresql(), places.postgresql()
    with opened(Place(with_password(lost.url))):
        call_command("migrate", verbosity=0)
        backup = made_in(folder)
    with opened(Place(with_password(place.url))):
        call_command("restore", str(backup))

    called = noted.read_text()
    assert {"pg_dump", "pg_restore", "psql"} <= {line.split()[0] for line in called.splitlines()}
    assert "not-to-be-seen" not in called


def with_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    user, _, where = rest.partition("@")
    return f"{scheme}://{user.partition(':')[0]}:not-to-be-seen@{where}"


@needs_postgresql
def test_without_the_programs_of_postgresql_the_error_says_what_to_install(places, backup_key, folder, monkeypatch):
    with opened(places.postgresql()):
        call_command("migrate", verbosity=0)
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(NotDone, match="pg_dump is not installed"):
            making.make(folder, by=BY, reason="tests")


def test_a_wrong_key_stops_the_start_by_its_name(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "backup"],
        cwd=ROOT,
        env={**os.environ, "ENV_FILE": "tests/test.env", "BACKUP_KEYS": "AGE-SECRET-KEY-1WRONG", "BACKUP_KEEP": "0"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "BACKUP_KEYS: key 1 must be a key of age" in done.stderr
    assert "BACKUP_KEEP: must be a whole number from 1" in done.stderr
    assert "AGE-SECRET-KEY-1WRONG" not in done.stderr


def test_access_that_ended_since_opens_nothing_again(file, folder, places):
    tokens.make(a_person("olive@vendor.example", group="operator"))
    with trail.acting(BY, reason="tests"):
        invitations.link_on_server("new@vendor.example", "administrator", by=BY)
    backup = made_in(folder)
    with opened(places.file()):
        call_command("restore", str(backup))

        assert not AccessToken.objects.exists()
        assert not OneTimeLink.objects.filter(expires_at__gt=clock.wall()).exists()
        assert OneTimeLink.objects.exists()
