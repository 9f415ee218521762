"""What a look writes to the trail is what auditlog would write, in the same order, or nothing."""

import copy

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.audit import actor, trail
from billing.models import AuditEntry, Office
from billing.models.audit import AppendOnlyError, written_together
from tests.conftest import an_office

CHANGES = {"name": "Élan Vital", "locale": "es", "quantity": 7, "other_debts": {"eur": 5}, "look_ticket": 3}


@pytest.fixture(autouse=True)
def acting(db):
    with trail.acting(actor.job("tests"), reason="tests"):
        yield


def entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.order_by("pk"))


@pytest.mark.parametrize("names", [[one] for one in CHANGES] + [list(CHANGES)], ids=" ".join)
def test_a_change_has_the_entry_that_auditlog_writes(names: list[str]):
    said = []
    for ours in (True, False):
        row = an_office()
        before, made = copy.copy(row), entries()
        for name in names:
            setattr(row, name, CHANGES[name])
        if ours:
            trail.save_changed(row, before=before, names=names)
        else:
            row.save(update_fields=names)
        kept = Office.objects.get(pk=row.pk)
        assert [getattr(kept, name) for name in names] == [CHANGES[name] for name in names]
        said.append([(one.action, one.changes, one.object_repr, one.reason) for one in entries()[len(made) :]])
    assert said[0] == said[1]
    assert len(said[0]) == (names != ["look_ticket"])


def test_they_are_one_statement_in_their_order_and_complete():
    row = an_office()
    with CaptureQueriesContext(connection) as asked, written_together():
        for number in range(5):
            trail.record_act(row, f"act {number}")
    acts = [one for one in entries() if one.what]
    assert [one.what for one in acts] == [f"act {number}" for number in range(5)]
    assert all(one.mac and one.nonce and one.actor_label == "tests" and one.office_id == row.pk for one in acts)
    assert len([one for one in asked.captured_queries if "INSERT" in one["sql"]]) == 1


def test_none_is_written_if_the_code_fails_and_the_next_is_written_as_ever():
    row, before = an_office(), entries()

    def fails() -> None:
        with written_together():
            trail.record_act(row, "not done")
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    assert entries() == before
    trail.record_act(row, "done")
    assert [one.what for one in entries()[len(before) :]] == ["done"]


def test_an_entry_that_waits_cannot_be_saved_again():
    with written_together():
        entry = trail.record_act(an_office(), "done")
        with pytest.raises(AppendOnlyError):
            entry.save()
    assert [one.what for one in entries() if one.what] == ["done"]
