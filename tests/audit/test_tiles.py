"""The roots of full tiles are stored as the tree grows, so that an export reads what it exports and little else."""

import io
import json
import zipfile

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from billing import sealing
from billing.audit import actor, export, merkle, trail, verifier, verify
from billing.models import AuditSeal, SealedEntry, SealedTile
from tests.conftest import an_office

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])


def a_long_trail(office, entries):
    with trail.acting(actor.job("tests"), reason="a walk"):
        for number in range(entries):
            trail.record_act(office, f"act {number}", office=office)
    while sealing.seal():
        pass


@pytest.fixture
def office():
    made = an_office("Maple Street Practice")
    a_long_trail(made, 600)
    return made


def right():
    """Return the root of each full tile of the trail, calculated from the leaves."""
    leaves = [bytes.fromhex(one.leaf) for one in SealedEntry.objects.order_by("position")]
    full = range(len(leaves) // 256)
    return {(8, at): merkle.Levels(leaves[at * 256 : (at + 1) * 256]).root().hex() for at in full}


def stored():
    return {(one.height, one.place): one.root for one in SealedTile.objects.all()}


def changed(**values):
    """Change the first tile, as somebody does with access to the database."""
    models.QuerySet(SealedTile).filter(height=8, place=0).update(**values)


def exported(**which):
    file = io.BytesIO()
    export.export(file, export.Which(**which), by=actor.job("tests"), reason="the yearly review")
    return zipfile.ZipFile(file)


def is_proven(archive):
    """Return whether each sealed line of an export leads to the root of its signed head."""
    head = json.loads(archive.read("proof.json"))["head"]
    for line in map(json.loads, archive.read("entries.jsonl").splitlines()):
        if line["position"] is not None:
            leaf, proof = merkle.leaf_hash(line["leaf"].encode()), [bytes.fromhex(one) for one in line["proof"]]
            if verifier.root_from(leaf, line["position"], head["size"], proof).hex() != head["root"]:
                return False
    return True


def test_a_seal_stores_the_tiles_that_it_fills(office):
    assert len(right()) == 2
    assert stored() == right()

    a_long_trail(office, 300)

    assert len(right()) == 3
    assert stored() == right()


def test_the_job_stores_those_of_a_trail_from_before(office):
    SealedTile.objects.all().delete()

    assert is_proven(exported())
    assert sealing.seal() is True
    assert stored() == right()
    assert sealing.seal() is False


def test_an_export_of_few_entries_reads_few_leaves(office):
    other = an_office("Oak Street Practice")
    sealing.seal()

    with CaptureQueriesContext(connection) as seen:
        archive = exported(office=other)

    assert is_proven(archive)
    read = [one["sql"] for one in seen if "billing_sealedentry" in one["sql"] and '"position" >= ' in one["sql"]]
    assert len(read) == 1
    assert '"position" >= 512' in read[0]


def test_a_tile_that_was_changed_is_found_and_made_again(office):
    changed(root="00" * 32)

    found = verify.verify()

    assert [fault.what for fault in found.faults] == [
        "the stored tile 8/0 is not that of its entries: delete it, and it is made again"
    ]
    assert not is_proven(exported())

    SealedTile.objects.filter(height=8, place=0).delete()
    sealing.seal()

    assert verify.verify().is_whole
    assert is_proven(exported())


def test_the_daily_job_reports_a_changed_tile_after_a_part_was_verified(office):
    first = AuditSeal.objects.earliest("number")
    a_long_trail(office, 300)
    models.QuerySet(SealedTile).filter(height=8, place=2).update(root="00" * 32)

    assert len(verify.verify(after=first.number).faults) == 1
