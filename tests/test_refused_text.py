"""A refused attempt leaves evidence, and nothing of what was typed: it may be about a patient."""

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from billing import clock, errors
from billing.audit import actor
from billing.models import AuditEntry, Finding
from billing.operations.compliance import (
    NotRequired,
    approve_determination,
    prepare_determination,
    withdraw_determination,
)
from billing.operations.engine.begin import perform
from billing.operations.offices.archive import ArchiveOffice, UnarchiveOffice
from billing.operations.offices.contact import ChangeContact
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.discounts import ApplyDiscount
from billing.operations.subscriptions.start import StartSubscription
from billing.reconciliation import decisions
from tests.conftest import ADMINISTRATOR, PASSWORD, a_member, a_person, price_id
from tests.operations.test_agreement import TERMS

MARK = "Zebedee"
ABOUT_A_PATIENT = f"the patient {MARK} was treated for asthma"


def everything_kept() -> str:
    """Each value of each row of each table, as one text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


def memo(**changed: Any) -> NotRequired:
    given = {**TERMS, "document_sha256": "ab" * 32, "legal_basis": "not an associate", "reviewer": "Counsel Ltd"}
    return NotRequired(**given | {"review_by": clock.wall().date() + timedelta(days=90)} | changed)


def a_second_person():
    return actor.person(a_person("second@vendor.example", group=ADMINISTRATOR))


def waiting():
    return prepare_determination(memo(), by=a_second_person(), reason="counsel wrote")


def a_finding(office):
    return Finding.objects.create(kind="unknown_price", subject="price_x", office=office, severity="notice", detail="x")


OPERATIONS: dict[str, Callable[..., Any]] = {
    "subscribe": lambda office, by, why: perform(
        StartSubscription(price=price_id("practice-monthly")), office, by=by, reason=why
    ),
    "cancel": lambda office, by, why: perform(CancelSubscription(), office, by=by, reason=why),
    "change_contact": lambda office, by, why: perform(
        ChangeContact(name="Elm Street Practice"), office, by=by, reason=why
    ),
    "apply_discount": lambda office, by, why: perform(ApplyDiscount(code="FIFTH"), office, by=by, reason=why),
    "archive": lambda office, by, why: perform(ArchiveOffice(), office, by=by, reason=why),
    "unarchive": lambda office, by, why: perform(UnarchiveOffice(), office, by=by, reason=why),
    "prepare": lambda office, by, why: prepare_determination(memo(), by=by, reason=why),
    "approve": lambda office, by, why: approve_determination(waiting(), by=by, reason=why),
    "withdraw": lambda office, by, why: withdraw_determination(waiting(), by=by, reason=why),
    "compare": lambda office, by, why: decisions.compare_office(office, by=by, reason=why),
    "close": lambda office, by, why: decisions.close(a_finding(office), by=by, reason=why),
}


@pytest.mark.parametrize("asked", OPERATIONS)
def test_a_refused_reason_is_kept_nowhere(stripe, administrator, office, asked):
    with pytest.raises(errors.BillingError):
        OPERATIONS[asked](office, administrator, ABOUT_A_PATIENT)

    assert MARK not in everything_kept()


@pytest.mark.parametrize("asked", OPERATIONS)
def test_who_may_not_is_told_so_whatever_the_reason_says(stripe, auditor, office, asked):
    with pytest.raises(errors.NotPermitted):
        OPERATIONS[asked](office, auditor, ABOUT_A_PATIENT)

    assert AuditEntry.objects.filter(kind="refusal", actor=auditor.user).exists()
    assert MARK not in everything_kept()


QUOTED: dict[str, Callable[..., Any]] = {
    "price": lambda office, by: perform(StartSubscription(price=MARK), office, by=by, reason="a new customer"),
    "coupon": lambda office, by: perform(
        StartSubscription(price=price_id("practice-monthly"), coupon=MARK, trial_days=7),
        office,
        by=by,
        reason="a new customer",
    ),
    "language": lambda office, by: perform(ChangeContact(locale=MARK), office, by=by, reason="they moved"),
    "address": lambda office, by: perform(
        ChangeContact(billing_email=f"{MARK} at home"), office, by=by, reason="they moved"
    ),
    "hash": lambda office, by: prepare_determination(memo(document_sha256=MARK), by=by, reason="counsel wrote"),
    "day": lambda office, by: prepare_determination(memo(review_by=date(1999, 1, 1)), by=by, reason="counsel wrote"),
}


@pytest.mark.parametrize("asked", QUOTED)
def test_what_was_typed_into_a_refused_field_is_in_no_audit_entry(stripe, administrator, office, asked):
    with pytest.raises(errors.BillingError):
        QUOTED[asked](office, administrator)

    kept = [f"{one.what} {one.reason} {one.changes}" for one in AuditEntry.objects.filter(kind="refusal")]
    assert MARK not in "\n".join(kept)


def test_a_viewers_text_is_neither_judged_nor_kept(stripe, office):
    a_member(office, "viewer")
    viewer = APIClient()
    sign_in = {"email": "viewer@maple.example", "password": PASSWORD}
    token = viewer.post("/api/v1/auth/token/", sign_in, format="json").data["token"]
    viewer.credentials(HTTP_AUTHORIZATION=f"Token {token}")

    for address in ("subscription/cancel/", "archive/", f"invoices/{uuid.uuid4()}/void/"):
        answer = viewer.post(
            f"/api/v1/offices/{office.public_id}/{address}", {"reason": ABOUT_A_PATIENT}, format="json"
        )
        assert answer.status_code in (403, 404), answer.data
        assert "patient" not in str(answer.data)

    assert MARK not in everything_kept()
