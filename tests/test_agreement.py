"""What holds at a moment: a table of kinds, dates and moments, and what the database itself refuses."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from billing.models import Agreement
from billing.models.agreement import State, payment_processor, standing
from billing.models.audit import AppendOnlyError
from tests.conftest import determined

APPROVED = datetime(2027, 3, 10, 9, 30, tzinfo=UTC)


def executed(*, begins=date(2027, 3, 1), until=date(2027, 8, 31), approved=APPROVED, withdrawn=None):
    return Agreement(
        kind="executed", effective_from=begins, effective_until=until, approved_at=approved, withdrawn_at=withdrawn
    )


def not_required(*, review_by=date(2027, 8, 31), approved=APPROVED, withdrawn=None):
    return Agreement(kind="not_required", review_by=review_by, approved_at=approved, withdrawn_at=withdrawn)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


LATER = date(2027, 4, 1)


@pytest.mark.parametrize(
    ("row", "moment", "state"),
    [
        (executed(), "2027-03-10 09:29", State.UNKNOWN),
        (executed(), "2027-03-10 09:30", State.EXECUTED),
        (executed(), "2027-08-31 23:59:59", State.EXECUTED),
        (executed(), "2027-09-01 00:00", State.EXPIRED),
        (executed(begins=LATER), "2027-03-31 23:59:59", State.UNKNOWN),
        (executed(begins=LATER), "2027-04-01 00:00", State.EXECUTED),
        (executed(until=None), "2099-01-01 00:00", State.EXECUTED),
        (executed(approved=None), "2027-05-01 00:00", State.UNKNOWN),
        (executed(approved=None), "2027-09-01 00:00", State.UNKNOWN),
        (executed(withdrawn=at("2027-05-01 12:00")), "2027-05-01 11:59", State.EXECUTED),
        (executed(withdrawn=at("2027-05-01 12:00")), "2027-05-01 12:00", State.UNKNOWN),
        (executed(withdrawn=at("2027-05-01 12:00")), "2027-09-01 00:00", State.UNKNOWN),
        (not_required(), "2027-03-10 09:29", State.UNKNOWN),
        (not_required(), "2027-03-10 09:30", State.NOT_REQUIRED),
        (not_required(), "2027-08-31 23:59:59", State.NOT_REQUIRED),
        (not_required(), "2027-09-01 00:00", State.EXPIRED),
        (not_required(approved=None), "2027-05-01 00:00", State.UNKNOWN),
        (not_required(withdrawn=at("2027-05-01 12:00")), "2027-05-01 12:00", State.UNKNOWN),
    ],
)
def test_one_row_holds_from_its_approval_and_first_day_to_the_end_of_its_last(row, moment, state):
    found = standing([row], at=at(moment))

    assert found.state is state
    assert found.row is (None if state is State.UNKNOWN else row)
    assert found.permits_charging == (state in (State.EXECUTED, State.NOT_REQUIRED))


def test_without_rows_nothing_is_known():
    assert standing([], at=APPROVED).state is State.UNKNOWN


def test_of_two_in_force_the_one_approved_last_counts_whatever_the_order():
    older, newer = not_required(), executed(approved=APPROVED + timedelta(days=30))
    moment = at("2027-05-01 00:00")

    assert standing([older, newer], at=moment).row is newer
    assert standing([newer, older], at=moment).row is newer
    assert standing([older, newer], at=at("2027-04-01 00:00")).row is older


def test_one_that_ended_does_not_hide_one_in_force():
    ended, newer = executed(until=date(2027, 4, 1)), not_required(approved=at("2027-04-20 00:00"))

    assert standing([ended, newer], at=at("2027-04-10 00:00")).state is State.EXPIRED
    assert standing([ended, newer], at=at("2027-04-20 00:00")).state is State.NOT_REQUIRED


def test_of_several_that_ended_the_last_to_end_is_named():
    first, last = executed(until=date(2027, 4, 1)), executed(until=date(2027, 5, 1))

    assert standing([last, first], at=at("2027-06-01 00:00")).row is last


def test_the_end_is_that_of_the_last_one_in_a_row_without_a_gap():
    first = executed(until=date(2027, 4, 30))
    second = executed(begins=date(2027, 5, 1), until=date(2027, 5, 31))
    third = executed(begins=date(2027, 5, 15), until=date(2027, 6, 30))
    after_a_gap = executed(begins=date(2027, 7, 2), until=None)
    moment = at("2027-04-01 00:00")

    assert standing([first], at=moment).until == at("2027-05-01 00:00")
    assert standing([third, first, after_a_gap, second], at=moment).until == at("2027-07-01 00:00")
    assert standing([executed(until=None)], at=moment).until is None


def test_what_holds_about_the_payment_processor_is_read_from_its_rows(operator, administrator):
    assert payment_processor(at=datetime.now(UTC)).state is State.UNKNOWN

    row = determined(operator, administrator)

    assert payment_processor(at=datetime.now(UTC)).row == row


@pytest.mark.parametrize(
    ("changed", "constraint"),
    [
        (lambda row: {"approved_by": row.prepared_by}, "approved_by_another"),
        (lambda row: {"approved_by": None}, "approved_by_another"),
        (lambda row: {"approved_at": None}, "approved_by_another"),
        (lambda row: {"withdrawn_at": APPROVED}, "withdrawn_by_whom_and_why"),
        (lambda row: {"withdrawn_at": APPROVED, "withdrawn_by": row.prepared_by}, "withdrawn_by_whom_and_why"),
        (lambda row: {"their_signer": ""}, "says_what_its_kind_needs"),
        (lambda row: {"our_signer": ""}, "says_what_its_kind_needs"),
        (lambda row: {"signed_on": None}, "says_what_its_kind_needs"),
        (lambda row: {"effective_from": None}, "says_what_its_kind_needs"),
        (lambda row: {"legal_basis": "of the other kind"}, "says_what_its_kind_needs"),
        (lambda row: {"kind": "not_required"}, "says_what_its_kind_needs"),
        (lambda row: {"kind": "unheard of"}, "says_what_its_kind_needs"),
        (lambda row: {"effective_until": row.effective_from - timedelta(days=1)}, "ends_after_it_begins"),
        (lambda row: {"document_sha256": "abc"}, "hash_is_whole"),
    ],
)
def test_the_database_refuses_a_row_that_cannot_be(operator, administrator, changed, constraint):
    row = determined(operator, administrator)

    with pytest.raises(IntegrityError, match=f"determination_{constraint}"), transaction.atomic():
        Agreement.objects.filter(pk=row.pk).update(**changed(row))


def test_a_determination_is_never_edited_or_deleted(operator, administrator):
    row = determined(operator, administrator)
    row.our_signer = "Somebody Else"

    with pytest.raises(AppendOnlyError):
        row.save()
    with pytest.raises(AppendOnlyError):
        row.delete()
    with pytest.raises(AppendOnlyError):
        Agreement.objects.all().delete()
    assert Agreement.objects.get().our_signer == "Olive Owner, managing director"
