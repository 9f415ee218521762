"""The oldest entries are retired in one way, after six years, and a gap that was made otherwise is found."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models

from billing import sealing
from billing.audit import actor, append_only, leaves, retiring, trail, verify
from billing.models import AuditEntry, AuditSeal, SealedEntry
from tests.audit.aged import dated_back
from tests.audit.test_export import exported, verified_outside
from tests.audit.test_seals import changed, copied, deleted
from tests.conftest import an_office

pytestmark = pytest.mark.django_db(transaction=True)
SIX_YEARS = timedelta(days=6 * 366 + 1)


@pytest.fixture
def old():
    """Four seals. The first two are older than six years."""
    for name in ("Maple", "Oak", "Elm", "Ash"):
        an_office(name)
        sealing.seal()
    dated_back(SIX_YEARS, seals=(1, 2))


def retired(*options):
    said = io.StringIO()
    call_command("retire_audit", *options, stdout=said)
    return said.getvalue()


def names():
    return list(
        AuditEntry.objects.filter(kind="change", action=0).values_list("office__name", flat=True).order_by("pk")
    )


def test_without_yes_it_only_says_what_it_would_remove(old):
    said = retired()

    assert "retired the entries of seals 1 to 2" in said
    assert "Nothing was removed" in said
    assert names() == ["Maple", "Oak", "Elm", "Ash"]


def test_what_is_older_than_six_years_goes_and_the_trail_is_whole_with_a_sealed_record_of_it(old, tmp_path):
    second = AuditSeal.objects.get(number=2)

    retired("--yes", "--reason", "six years are over")

    assert names() == ["Elm", "Ash"]
    record = AuditEntry.objects.get(what__startswith="retired")
    assert SealedEntry.objects.filter(entry=record.pk).exists()
    assert record.reason == "six years are over"
    assert record.additional_data == {"retired": {"seal": 2, "size": second.size, "root": second.root}}
    found = verify.verify()
    assert (found.faults, found.retired) == ([], second.size)
    assert append_only.faults(connection) == []
    assert verified_outside(exported(tmp_path))[0] == 0
    assert "Nothing is older" in retired("--yes")


def test_the_next_one_goes_on_where_the_last_ended(old):
    retired("--yes")
    dated_back(SIX_YEARS, seals=(3,))

    assert "seals 3 to 3" in retired("--yes")

    assert names() == ["Ash"]
    assert verify.verify().is_whole


def gaps():
    """Return ways to make a gap of the same shape, without the one that is right."""

    def plainly():
        deleted(AuditEntry, pk__in=sealed_until(2))

    def with_a_record_by_sql():
        entry = AuditEntry.objects.latest("pk")
        seal = AuditSeal.objects.get(number=2)
        plainly()
        number = copied(entry.pk, nonce=None)
        about = leaves.ContentType.objects.get_for_model(AuditSeal).pk
        named = {"retired": {"seal": 2, "size": seal.size, "root": seal.root}}
        changed(AuditEntry, number, kind="act", what="retired", content_type=about, additional_data=named)

    def with_a_record_of_younger_seals():
        seal = AuditSeal.objects.get(number=3)
        with trail.acting(actor.job("tests"), reason="tests"):
            named = {"retired": {"seal": 3, "size": seal.size, "root": seal.root}}
            trail.record_act(seal, "retired", data=named)
        deleted(AuditEntry, pk__in=sealed_until(3))

    def one_more_than_the_record_says():
        retired("--yes")
        deleted(AuditEntry, pk__in=sealed_until(3))

    def without_its_places():
        deleted(AuditEntry, pk__in=sealed_until(2))
        deleted(SealedEntry, seal__lte=2)

    def whose_record_was_deleted_too():
        retired("--yes")
        deleted(AuditEntry, what__startswith="retired")

    return (
        plainly,
        with_a_record_by_sql,
        with_a_record_of_younger_seals,
        one_more_than_the_record_says,
        without_its_places,
        whose_record_was_deleted_too,
    )


def sealed_until(number):
    return list(SealedEntry.objects.filter(seal__lte=number).values_list("entry", flat=True))


@pytest.mark.parametrize("make", gaps())
def test_a_gap_that_was_made_otherwise_is_found(old, make):
    make()

    assert not verify.verify().is_whole


def test_a_trail_that_was_changed_is_not_retired(old):
    first = SealedEntry.objects.get(position=0).entry
    changed(AuditEntry, first, reason="forged")

    with pytest.raises(CommandError, match="is not whole"):
        retired("--yes")

    assert names() == ["Maple", "Oak", "Elm", "Ash"]


def test_an_entry_that_comes_back_at_a_retired_number_is_found(old):
    number = SealedEntry.objects.get(position=0).entry
    retired("--yes")
    copy = copied(AuditEntry.objects.latest("pk").pk, nonce=None, mac="")
    with append_only.lifted(connection):
        models.QuerySet(AuditEntry).filter(pk=copy).update(id=number)

    assert [fault.entry for fault in verify.verify().faults] == [number]


def test_younger_entries_are_not_due(old):
    assert retiring.due().last.number == 2
