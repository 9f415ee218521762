"""A backup that the disk or the database does not take ends in a sentence, and leaves no new file."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from billing.models import AuditEntry, Backup
from tests.backups.test_backup import file, folder
from tests.moving.places import Place, needs_postgresql, opened
from tests.processes import ROOT

__all__ = ["file", "folder"]
NOT_TAKEN = (
    r"There is no new backup\. The database reported an error: .+\. "
    r"Check that there is room on its disk and in .+, and that migrate has run\. Then run the command again\.$"
)


def left_in(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir() if one.name != ".lock"]


def refused(folder: Path, *, because: str) -> None:
    with pytest.raises(CommandError, match=NOT_TAKEN) as raised:
        call_command("backup", to=str(folder))
    assert because in str(raised.value)
    assert left_in(folder) == []


def test_a_file_whose_row_is_not_committed_goes_again(file, folder):
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER full BEFORE INSERT ON billing_backup BEGIN SELECT RAISE(ABORT, 'no room left'); END"
        )

    refused(folder, because="no room left")

    assert not AuditEntry.objects.filter(what__startswith="made a backup").exists()
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER full")
    call_command("backup", to=str(folder))
    assert left_in(folder) == [Backup.objects.get().name]


def test_a_database_that_another_one_locks_is_told_of(file, folder, monkeypatch):
    other = sqlite3.connect(file.entry["NAME"], isolation_level=None)
    monkeypatch.setattr(connections["default"], "longest_wait", 0.0)
    other.execute("BEGIN IMMEDIATE")
    try:
        refused(folder, because="locked")
    finally:
        other.close()


def test_a_database_without_tables_is_told_of(places, backup_key, folder):
    with opened(places.file()):
        refused(folder, because="no such table")


def on_a_small_disk(place: Place, folder: Path, key: str) -> "subprocess.CompletedProcess[str]":
    """The command where no file can be larger than a megabyte."""
    script = f"ulimit -f 1024; exec {sys.executable} manage.py backup --to {folder}"
    environment = {**place.environment(), "BACKUP_KEYS": key}
    return subprocess.run(
        ["/bin/sh", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_a_full_disk_is_told_of_in_a_sentence(places, backup_key, folder, with_tables):
    done = on_a_small_disk(places.copy_of(with_tables), folder, backup_key)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert re.search(f"^CommandError: {NOT_TAKEN}", done.stderr, re.MULTILINE)
    assert left_in(folder) == []


@needs_postgresql
def test_a_restore_into_a_database_that_is_not_there_ends_in_a_sentence(places, backup_key, tmp_path):
    place = Place(places.postgresql().url + "_is_not_there")
    with opened(place), pytest.raises(CommandError, match=r"The restore stopped: .* does not exist"):
        call_command("restore", str(tmp_path / "any.age"))
