"""The pack of evidence: its parts, its tables without formulas, and that the trail has it first."""

import csv
import hashlib
import io
import json
import stat
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from billing import clock, findings, sealing
from billing.audit import actor, keys
from billing.evidence import pack
from billing.models import AuditEntry
from tests.api.services import a_service
from tests.conftest import a_member, an_office, determined

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "the yearly review"


def written(tmp_path: Path, *more: str) -> dict[str, str]:
    """Return the texts of the files of a new pack by name."""
    call_command("evidence_pack", str(tmp_path / "evidence.zip"), "--reason", REASON, *more)
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_it_has_each_part_as_json_and_as_a_table(operator, administrator, tmp_path):
    office = an_office("=1+1 Practice")
    owner = a_member(office, "owner")
    determined(operator, administrator)
    a_service(by=administrator)
    findings.report(findings.TEXT, str(office.public_id), office=office, detail="Look at it.")
    sealing.seal()

    files = written(tmp_path)
    parts = {name.partition(".")[0]: json.loads(text) for name, text in files.items() if name.endswith(".json")}

    assert set(parts) == {one.name for one in pack.PARTS}
    for name, rows in parts.items():
        assert rows, name
        table = list(csv.DictReader(io.StringIO(files[f"{name}.csv"])))
        assert [list(row) for row in table] == [list(row) for row in rows], name
    assert {one["citation"] for one in parts["controls"]} >= {"45 CFR 164.312(b)", "45 CFR 164.316(b)(2)(i)"}
    assert [one["status"] for one in parts["determinations"]] == ["in force"]
    assert [one["detail"] for one in parts["open_findings"]] == ["Look at it."]
    assert (parts["trail_verification"][0]["is_whole"], parts["trail_verification"][0]["faults"]) == (True, [])
    assert [one["public_key"] for one in parts["seal_keys"]] == [key.hex() for key in keys.public_keys().values()]
    assert parts["trail_head"][0]["number"] == 1
    assert "Django" in {one["package"] for one in parts["packages"]}
    assert {one["licence"] for one in parts["packages"] if one["package"] == "Django"} == {"BSD-3-Clause"}
    assert owner.email in {one["person"] for one in parts["access"]}


def test_no_cell_of_a_table_is_a_formula(operator, tmp_path):
    office = an_office("=1+1 Practice")
    a_member(office, "owner")

    files = written(tmp_path)
    rows = list(csv.DictReader(io.StringIO(files["access.csv"])))

    assert [row["office"] for row in rows if "owner" in row["why"]] == ["'=1+1 Practice"]
    for name, text in files.items():
        for row in csv.reader(io.StringIO(text)) if name.endswith(".csv") else ():
            assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))], name


def test_a_trail_that_was_changed_is_shown_with_its_fault(operator, tmp_path, settings):
    sealing.seal()
    settings.AUDIT_ENTRY_KEYS = ["ab" * 32]

    [found] = json.loads(written(tmp_path)["trail_verification.json"])

    assert not found["is_whole"]
    assert "was not written by this software" in found["faults"][0]


def test_the_trail_has_it_first_and_without_the_entry_nothing_is_written(operator, tmp_path):
    files = written(tmp_path)
    entry = AuditEntry.objects.get(what__startswith="exported a pack of evidence")
    assert (entry.reason, entry.actor_label, entry.additional_data) == (REASON, "evidence_pack", {"code": "exported"})
    assert f"Entry {entry.pk} of the audit trail" in files["README.txt"]

    opened = []

    def fails():
        opened.append(AuditEntry.objects.filter(what__startswith="exported a pack of evidence").count())
        raise ZeroDivisionError

    now = clock.wall()
    with pytest.raises(ZeroDivisionError):
        pack.write(fails, since=now - timedelta(1), until=now, by=actor.job("tests"), reason=REASON)
    assert opened == [2]


def test_it_can_be_read_by_its_writer_alone_and_its_digests_are_right(operator, tmp_path):
    files = written(tmp_path)

    assert stat.S_IMODE((tmp_path / "evidence.zip").stat().st_mode) == 0o600
    digests = dict(reversed(line.split("  ")) for line in files.pop("SHA256SUMS").splitlines())
    del files["README.txt"]
    assert digests == {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}


def test_into_a_folder_it_gets_a_name_of_its_own(operator, tmp_path):
    call_command("evidence_pack", str(tmp_path), "--reason", REASON)

    assert [one.suffix for one in tmp_path.iterdir()] == [".zip"]


@pytest.mark.parametrize(
    ("place", "more", "says"),
    [
        ("there.zip", (), "exists already"),
        ("nowhere", (), "does not end in .zip"),
        ("nowhere/evidence.zip", (), "There is no folder"),
        ("new.zip", ("--from", "2026-02-01", "--to", "2026-01-01"), "ends before it begins"),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_is_on_record(operator, tmp_path, place, more, says):
    (tmp_path / "there.zip").touch()
    before = AuditEntry.objects.count()

    with pytest.raises(CommandError, match=says):
        call_command("evidence_pack", str(tmp_path / place), "--reason", REASON, *more)

    assert AuditEntry.objects.count() == before
    assert [one.name for one in tmp_path.iterdir()] == ["there.zip"]


def test_only_changes_of_the_period_are_in_it(office, operator, tmp_path):
    a_member(office, "owner")
    files = written(tmp_path, "--from", "2020-01-01", "--to", "2020-02-01")

    assert json.loads(files["access_changes.json"]) == []
    assert files["access_changes.csv"] == "Nothing.\n"
    assert "2020-01-01 to 2020-02-01 UTC" in files["README.txt"]
