"""After a restore from a backup the trail has a gap. It is named, and is no fault; everything else still is one."""

import json

import pytest
from django.core.management import call_command

from billing import clock, sealing
from billing.audit import actor, restored, seals, trail, verify
from billing.models import AuditEntry, AuditSeal, Finding, Hold, SealedEntry, SealedTile
from tests.append_only import rewrite
from tests.audit.test_seals import deleted, offices

__all__ = ["offices"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "optional"])
BY = actor.job("tests")


@pytest.fixture
def hold(offices, settings, tmp_path):
    """A database whose third seal was made after the backup, and a file that kept its head."""
    settings.AUDIT_HEADS_FILE = str(tmp_path / "heads")
    for seal in AuditSeal.objects.order_by("number"):
        seals.keep_elsewhere(seal)
    third = SealedEntry.objects.filter(seal=3)
    lost = list(third.values_list("entry", flat=True))
    deleted(SealedEntry, seal=3)
    deleted(AuditSeal, number=3)
    deleted(AuditEntry, pk__in=lost)
    assert not SealedTile.objects.exists()
    now = clock.wall()
    return Hold.objects.create(backup="x.age", made_at=now, restored_at=now, entry=lost[0] - 1, seal=2)


def recorded(hold, *, head=None):
    with trail.acting(BY, reason="tests"):
        found = restored.record(hold, restored_at=clock.wall(), head=restored.newest_lost_head(hold, given=head))
    sealing.seal()
    return found


def test_without_a_record_the_kept_head_is_a_fault(hold):
    assert [fault.seal for fault in verify.verify().faults] == [3]


def test_the_gap_is_named_once_and_no_alarm_comes(hold, capsys):
    gap = recorded(hold)
    assert recorded(hold) == gap

    found = verify.verify()
    assert (found.faults, found.gaps, found.is_whole) == ([], [gap], True)
    assert (gap.entry, gap.seal, gap.lost) == (hold.entry, 2, 2)
    call_command("verify_audit")
    assert capsys.readouterr().out.count("restored from the backup x.age") == 1
    assert sealing.verify_trail() is False
    assert not Finding.objects.exists()


def test_what_was_kept_of_another_time_is_still_a_fault(hold, settings):
    recorded(hold)
    with open(settings.AUDIT_HEADS_FILE) as file:
        first, *others = [json.loads(line) for line in file]
    later = {**others[-1], "number": 9, "sealed_at": clock.wall().isoformat()}
    with open(settings.AUDIT_HEADS_FILE, "w") as file:
        file.writelines(json.dumps(one) + "\n" for one in ({**first, "root": "0" * 64}, later))

    assert [fault.seal for fault in verify.verify().faults] == [1, 9]


def test_a_record_that_this_software_did_not_write_does_not_count(hold):
    gap = recorded(hold)
    rewrite(AuditEntry.objects.filter(pk=gap.record), mac="")

    assert not list(restored.gaps())
    assert 3 in [fault.seal for fault in verify.verify().faults]


def test_a_head_that_nobody_kept_leaves_it_unknown_how_much_is_lost(hold, settings):
    settings.AUDIT_HEADS_FILE = ""

    assert recorded(hold).lost is None


def test_a_head_that_no_key_of_ours_signed_says_nothing(hold, settings):
    with open(settings.AUDIT_HEADS_FILE) as file:
        kept = [json.loads(line) for line in file][-1]
    settings.AUDIT_HEADS_FILE = ""

    assert restored.newest_lost_head(hold, given={**kept, "size": 1_000}) is None
    assert restored.newest_lost_head(hold, given=kept) == kept
