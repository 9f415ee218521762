import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from billing import sealing
from billing.audit import actor, export, keys, seals, verifier
from billing.audit.merkle import Levels, leaf_hash
from billing.models import AuditEntry, AuditSeal
from tests.audit.test_seals import RFC_8032
from tests.conftest import an_office

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
REASON = "the yearly review"
LEAVES = [leaf_hash(str(number).encode()) for number in range(40)]


@pytest.fixture
def office():
    made = an_office("=1+1 Practice")
    sealing.seal()
    an_office("Oak Street Practice")
    sealing.seal()
    return made


def exported(tmp_path, **which):
    file = tmp_path / "export.zip"
    with file.open("wb") as target:
        export.export(target, export.Which(**which), by=actor.job("tests"), reason=REASON)
    return file


def public_key():
    return next(iter(keys.public_keys().values())).hex()


def verified_outside(file, *more, key=""):
    """Unpack the verifier somewhere else and run it with an empty environment."""
    with zipfile.ZipFile(file) as archive:
        archive.extract("verify.py", file.parent)
    command = [sys.executable, "-I", str(file.parent / "verify.py"), str(file), "--key", key or public_key(), *more]
    done = subprocess.run(command, cwd="/", env={}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def rewritten(file, change):
    """Change the lines of the entries, as somebody does who wants it to say something else."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    lines = [json.loads(line) for line in parts["entries.jsonl"].splitlines()]
    proof = json.loads(parts["proof.json"])
    change(lines, proof)
    parts["entries.jsonl"] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    parts["proof.json"] = json.dumps(proof).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file


def test_an_export_is_verified_outside_of_the_project_without_a_secret(office, tmp_path):
    file = exported(tmp_path)

    code, said = verified_outside(file)

    assert code == 0
    assert said.startswith(f"VERIFIED: {AuditEntry.objects.count() - 1} entries are in the trail")
    assert "1 newer entries were not sealed yet" in said  # that it was exported


def test_of_an_office_only_its_own_entries_are_exported(office, tmp_path):
    file = exported(tmp_path, office=office)

    with zipfile.ZipFile(file) as archive:
        lines = [json.loads(line) for line in archive.read("entries.jsonl").splitlines()]
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("entries.csv"), "utf-8")))
    assert {json.loads(line["leaf"])["office_id"] for line in lines} == {office.pk}
    assert [int(row["entry"]) for row in rows] == [line["entry"] for line in lines]
    assert rows[0]["object_repr"] == "'=1+1 Practice"  # no formula in a table
    assert verified_outside(file)[0] == 0


def test_that_it_was_exported_is_on_record_first(office, tmp_path):
    exported(tmp_path, office=office)

    entry = AuditEntry.objects.get(what__startswith="exported")
    assert (entry.office, entry.reason, entry.actor_label) == (office, REASON, "tests")


@pytest.mark.parametrize(
    "change",
    [
        lambda lines, proof: lines[0].update(leaf=lines[0]["leaf"].replace("Practice", "Praxis")),
        lambda lines, proof: lines[0].update(position=1),
        lambda lines, proof: lines[0].update(proof=lines[1]["proof"]),
        lambda lines, proof: lines[0].update(proof=[]),
        lambda lines, proof: lines.pop(0),
        lambda lines, proof: lines.insert(0, lines[0]),
        lambda lines, proof: proof["head"].update(root="00" * 32),
        lambda lines, proof: proof["head"].update(size=proof["head"]["size"] - 1),
        lambda lines, proof: proof["head"].update(sealed_at="2020-01-01T00:00:00.000000+00:00"),
        lambda lines, proof: proof["head"].update(signature="00" * 64),
        lambda lines, proof: proof["head"].update(signature=""),
    ],
)
def test_an_export_that_was_changed_is_not_verified(office, tmp_path, change):
    code, said = verified_outside(rewritten(exported(tmp_path), change))

    assert code == 1
    assert said.startswith("NOT VERIFIED")


def test_nor_with_another_key(office, tmp_path):
    assert verified_outside(exported(tmp_path), key=RFC_8032["public"])[0] == 1


def test_a_head_that_was_kept_is_shown_to_be_its_beginning(office, tmp_path):
    earlier = AuditSeal.objects.get(number=1)
    kept = tmp_path / "head.json"
    kept.write_text(json.dumps(seals.head_of(earlier)))
    file = exported(tmp_path, earlier_sizes=(earlier.size,))

    code, said = verified_outside(file, "--earlier-head", str(kept))
    assert code == 0
    assert f"Nothing of the {earlier.size} entries" in said

    def forget(lines, proof):
        proof["consistency"][str(earlier.size)][0] = "00" * 32

    assert verified_outside(rewritten(file, forget), "--earlier-head", str(kept))[0] == 1


def test_the_command_says_how_to_verify_it(office, tmp_path, capsys):
    file = tmp_path / "trail.zip"
    call_command("export_audit", str(file), "--office", str(office.public_id), "--reason", REASON)

    assert f"python verify.py {file} --key {public_key()}" in capsys.readouterr().out
    with pytest.raises(CommandError, match="exists already"):
        call_command("export_audit", str(file), "--reason", REASON)


@pytest.mark.parametrize("size", range(1, 41))
def test_the_verifier_takes_every_proof_of_the_tree_and_no_other(size):
    tree = Levels(LEAVES[:size])
    root = tree.levels[-1][0]
    for position in range(size):
        proof = tree.inclusion(position)
        assert verifier.root_from(LEAVES[position], position, size, proof) == root
        for wrong in range(size):
            assert wrong == position or verifier.root_from(LEAVES[position], wrong, size, proof) != root
    for earlier in range(1, size + 1):
        before = Levels(LEAVES[:earlier]).levels[-1][0]
        proof = tree.consistency(earlier)
        verifier.check_consistency(before, earlier, root, size, proof)
        with pytest.raises(verifier.Wrong):
            verifier.check_consistency(LEAVES[39], earlier, root, size, proof)


@pytest.mark.parametrize(
    ("changed", "valid"),
    [
        ({}, True),
        ({"message": b"\x73"}, False),
        ({"public": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"}, False),
        ({"public": "ff" * 32}, False),
        ({"signature": "ff" * 64}, False),
    ],
)
def test_the_verifier_checks_a_signature_as_rfc_8032_says(changed, valid):
    given = {**RFC_8032, **changed}

    signature = bytes.fromhex(given["signature"])
    assert verifier.is_signed(bytes.fromhex(given["public"]), given["message"], signature) is valid


def test_the_verifier_is_a_file_of_its_own():
    source = Path(verifier.__file__).read_text()

    assert "billing" not in source
    assert "django" not in source
