from dataclasses import replace
from datetime import date, timedelta

import pytest

from billing import clock, errors, worker
from billing.audit import actor
from billing.models import Agreement, AuditEntry, Finding
from billing.models.agreement import State, payment_processor
from billing.operations.compliance import (
    Executed,
    NotRequired,
    approve_determination,
    prepare_determination,
    report_lapse,
    withdraw_determination,
)
from tests.conftest import ADMINISTRATOR, a_person, determined, refusals

REASON = "the countersigned copy arrived"
TODAY = clock.wall().date()
TERMS = {
    "document_at": "contracts register, number 12",
    "counterparty": "Processor Payments Company",
    "services": "payments and invoicing",
    "terms_version": "services agreement of September",
    "terms_dated": TODAY - timedelta(days=60),
    "terms_review_by": TODAY + timedelta(days=300),
}
BAA = Executed(
    **TERMS,
    document_sha256="0f" * 32,
    our_signer="Olive Owner, managing director",
    their_signer="Pat Processor, general counsel",
    signed_on=TODAY - timedelta(days=7),
    effective_from=TODAY - timedelta(days=7),
    effective_until=TODAY + timedelta(days=365),
)
MEMO = NotRequired(
    **TERMS,
    document_sha256="a1" * 32,
    legal_basis="The processor only processes payments, as a financial institution does.",
    reviewer="Casey Counsel",
    review_by=TODAY + timedelta(days=365),
)


def state():
    return payment_processor(at=clock.wall()).state


@pytest.fixture
def prepared(operator):
    return prepare_determination(BAA, by=operator, reason=REASON)


@pytest.fixture
def another(db):
    return actor.person(a_person("second@vendor.example", group=ADMINISTRATOR))


@pytest.mark.parametrize(("found", "then"), [(BAA, State.EXECUTED), (MEMO, State.NOT_REQUIRED)])
def test_what_one_prepares_holds_once_another_has_approved_it(operator, administrator, found, then):
    row = prepare_determination(found, by=operator, reason=REASON)
    assert state() is State.UNKNOWN

    row = approve_determination(row, by=administrator, reason="compared with our copy")

    assert state() is then
    assert (row.prepared_by, row.approved_by) == (operator.user, administrator.user)
    assert row.document_sha256 == found.document_sha256


def test_the_audit_trail_names_both_people_and_both_reasons(prepared, operator, administrator):
    row = approve_determination(prepared, by=administrator, reason="compared with our copy")
    withdraw_determination(row, by=administrator, reason="counsel took it back")

    entries = AuditEntry.objects.get_for_object(row).order_by("pk")
    assert list(entries.values_list("actor", "reason")) == [
        (operator.user.pk, REASON),
        (administrator.user.pk, "compared with our copy"),
        (administrator.user.pk, "counsel took it back"),
    ]
    assert entries[0].changes["document_sha256"] == ["None", BAA.document_sha256]
    assert "approved by administrator@vendor.example, prepared by operator@vendor.example" in entries[1].what
    assert "withdrawn by administrator@vendor.example" in entries[2].what


def test_the_hash_is_kept_as_sha256sum_prints_it(operator):
    given = replace(BAA, document_sha256=f" {'AB' * 32}\n")

    assert prepare_determination(given, by=operator, reason=REASON).document_sha256 == "ab" * 32


def test_a_withdrawn_one_holds_no_more_and_stays_on_record(prepared, administrator):
    row = approve_determination(prepared, by=administrator, reason="compared")

    row = withdraw_determination(row, by=administrator, reason="  counsel   took it back ")

    assert state() is State.UNKNOWN
    assert (row.withdrawn_by, row.withdrawn_reason) == (administrator.user, "counsel took it back")
    assert Agreement.objects.get().approved_by == administrator.user


def test_one_that_was_rejected_stays_on_record_and_is_never_approved(prepared, operator, administrator):
    withdraw_determination(prepared, by=operator, reason="the wrong document was hashed")

    with pytest.raises(errors.DeterminationDecided, match="already withdrawn"):
        approve_determination(prepared, by=administrator, reason="compared")

    assert Agreement.objects.get().withdrawn_reason == "the wrong document was hashed"
    assert state() is State.UNKNOWN


def refused(subject):
    entry = AuditEntry.objects.get(kind="refusal")
    assert entry.content_type.model == "agreement"
    assert entry.object_id == (subject.pk if subject else 0)
    return entry


def test_an_administrator_may_not_approve_what_they_prepared(administrator, another):
    row = prepare_determination(BAA, by=administrator, reason=REASON)

    with pytest.raises(errors.SecondPersonRequired, match="another person with the role administrator must approve"):
        approve_determination(row, by=administrator, reason="it is right")

    assert state() is State.UNKNOWN
    assert refused(row).actor == administrator.user
    approve_determination(row, by=another, reason="it is right")
    assert state() is State.EXECUTED


def test_what_is_approved_is_not_approved_again(prepared, administrator, another):
    approve_determination(prepared, by=administrator, reason="compared")

    with pytest.raises(errors.DeterminationDecided, match="already approved"):
        approve_determination(prepared, by=another, reason="compared too")

    assert refused(prepared).actor == another.user
    assert Agreement.objects.get().approved_by == administrator.user


def test_what_is_withdrawn_is_not_withdrawn_again(prepared, operator, administrator):
    withdraw_determination(prepared, by=operator, reason="a mistake")

    with pytest.raises(errors.DeterminationDecided):
        withdraw_determination(prepared, by=administrator, reason="another mistake")

    assert Agreement.objects.get().withdrawn_reason == "a mistake"
    refused(prepared)


def test_what_ended_before_its_approval_is_not_approved(operator, administrator):
    row = determined(operator, administrator, ends_in_days=-1)
    Agreement.objects.filter(pk=row.pk).update(approved_by=None, approved_at=None)

    with pytest.raises(errors.DeterminationInvalid, match="last day is over"):
        approve_determination(row, by=administrator, reason="compared")

    refused(row)


@pytest.mark.parametrize("role", ["auditor", "outsider"])
def test_the_wrong_role_may_not_prepare_and_it_is_on_record(auditor, outsider, role):
    by = auditor if role == "auditor" else outsider

    with pytest.raises(errors.NotPermitted, match="prepare a determination"):
        prepare_determination(BAA, by=by, reason=REASON)

    assert refused(None).actor == by.user
    assert not Agreement.objects.exists()


def test_a_job_may_not_prepare(db):
    with pytest.raises(errors.NotPermitted):
        prepare_determination(BAA, by=actor.job("nightly"), reason=REASON)

    assert refused(None).actor_label == "nightly"


@pytest.mark.parametrize("role", ["operator", "auditor", "outsider"])
def test_the_wrong_role_may_not_approve_and_it_is_on_record(administrator, operator, auditor, outsider, role):
    row = prepare_determination(BAA, by=administrator, reason=REASON)
    by = {"operator": operator, "auditor": auditor, "outsider": outsider}[role]

    with pytest.raises(errors.NotPermitted, match="approve a determination"):
        approve_determination(row, by=by, reason="compared")

    assert refused(row).actor == by.user
    assert state() is State.UNKNOWN


def test_only_who_may_approve_withdraws_what_holds(prepared, operator, administrator):
    approve_determination(prepared, by=administrator, reason="compared")

    with pytest.raises(errors.NotPermitted):
        withdraw_determination(prepared, by=operator, reason="I think not")

    assert refused(prepared).actor == operator.user
    assert state() is State.EXECUTED


def test_a_reason_is_required_for_each_act(prepared, operator, administrator):
    with pytest.raises(errors.ReasonRequired):
        prepare_determination(MEMO, by=operator, reason=" ")
    with pytest.raises(errors.ReasonRequired):
        approve_determination(prepared, by=administrator, reason="")
    with pytest.raises(errors.ReasonRequired):
        withdraw_determination(prepared, by=operator, reason="no")

    assert refusals() == 3
    assert state() is State.UNKNOWN


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (replace(BAA, document_sha256="0f" * 31), "SHA-256: A SHA-256 has 64 digits"),
        (replace(BAA, document_sha256="0g" * 32), "SHA-256: A SHA-256 has 64 digits"),
        (replace(BAA, document_sha256=""), "SHA-256: This field"),
        (replace(BAA, counterparty=" "), "Missing: legal entity of the supplier"),
        (replace(MEMO, document_at="", services=""), "Missing: where the document is kept, services covered"),
        (replace(MEMO, terms_version=""), "Missing: version of its terms"),
        (replace(MEMO, terms_review_by=TODAY - timedelta(days=1)), "look at the terms again is over"),
        (replace(MEMO, terms_review_by=date.max), "look at its terms again by: No day after 2999"),
        (replace(BAA, our_signer="  "), "signers of both sides"),
        (replace(BAA, their_signer=""), "signers of both sides"),
        (replace(BAA, signed_on=TODAY + timedelta(days=2)), "is in the future"),
        (replace(BAA, effective_until=BAA.effective_from - timedelta(days=1)), "before the day it takes effect"),
        (replace(BAA, effective_until=TODAY - timedelta(days=1)), "last day is over"),
        (replace(BAA, effective_until=date.max), "effective until: No day after 2999"),
        (replace(MEMO, legal_basis=""), "legal basis"),
        (replace(MEMO, reviewer=" "), "reviewer"),
        (replace(MEMO, review_by=TODAY - timedelta(days=1)), "last day is over"),
        (replace(MEMO, review_by=date.max), "review by: No day after 2999"),
    ],
)
def test_what_is_missing_or_cannot_be_is_refused_in_words(operator, found, says):
    with pytest.raises(errors.DeterminationInvalid, match=says):
        prepare_determination(found, by=operator, reason=REASON)

    assert not Agreement.objects.exists()
    assert refused(None).reason == ""


def test_an_unheard_of_subject_is_refused(operator):
    with pytest.raises(errors.DeterminationInvalid, match="subject"):
        prepare_determination(BAA, by=operator, reason=REASON, subject="the weather")


def open_findings():
    return list(Finding.objects.filter(kind="determination_lapsed", resolved_at=None).values_list("severity", "detail"))


def test_in_live_mode_a_lapse_is_one_open_finding_until_another_determination_stands(
    live, operator, administrator, another
):
    determined(operator, administrator, ends_in_days=-1)

    report_lapse()
    report_lapse()

    [(severity, detail)] = open_findings()
    assert severity == "critical"
    assert "was valid until" in detail
    assert "Compliance, Determinations" in detail
    row = prepare_determination(MEMO, by=operator, reason=REASON)
    assert open_findings()
    row = approve_determination(row, by=administrator, reason="compared")
    assert not open_findings()
    withdraw_determination(row, by=another, reason="counsel took it back")
    assert len(open_findings()) == 1


def test_while_one_stands_no_finding_is_filed(live, operator, administrator):
    determined(operator, administrator)
    report_lapse()
    assert not Finding.objects.exists()


def test_outside_live_mode_no_finding_is_filed(stripe):
    report_lapse()
    assert not Finding.objects.exists()


def test_the_worker_reports_a_lapse(live):
    worker.work_once()

    assert len(open_findings()) == 1
