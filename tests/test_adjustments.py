"""Refunds and disputes that we did not make: what the bank and Stripe's dashboard do comes to our rows."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from billing.models import Adjustment, Finding, Payment
from tests.conftest import subscribed_office


@pytest.fixture
def payment(stripe, operator, office):
    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    stripe.forget_requests()
    return Payment.objects.get()


def at_stripe(stripe, path, **data):
    headers = {"Authorization": "Bearer sk_test_only_for_tests"}
    return stripe.http.post(f"/v1/{path}", data=data, headers=headers).raise_for_status().json()


def test_a_dispute_shows_until_when_it_can_be_answered_and_somebody_is_told(stripe, payment):
    stripe.control(f"charges/{payment.stripe_id}/dispute", reason="product_not_received")
    stripe.deliver_and_apply()

    payment.refresh_from_db()
    row, found = Adjustment.objects.get(), Finding.objects.get()
    (at_bank,) = stripe.listed("disputes")
    assert payment.disputed
    assert (row.kind, row.status, row.reason) == ("dispute", "needs_response", "not_received")
    assert (row.payment, row.invoice, row.money) == (payment, payment.invoice, payment.money)
    assert row.due_at == row.answer_by == datetime.fromtimestamp(at_bank["evidence_details"]["due_by"], UTC)
    assert (found.kind, found.severity, found.office) == ("dispute", "critical", payment.office)
    local = row.due_at.astimezone(ZoneInfo("America/New_York"))
    assert f"dashboard before {local.day} {local:%B %Y, %H:%M} (America/New_York)" in found.detail


@pytest.mark.parametrize(("evidence", "outcome"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_once_it_is_answered_nobody_is_told_to_and_the_outcome_is_kept(stripe, payment, evidence, outcome):
    stripe.control(f"charges/{payment.stripe_id}/dispute")
    stripe.deliver_and_apply()
    row = Adjustment.objects.get()
    at_stripe(stripe, f"disputes/{row.stripe_id}", **{"evidence[uncategorized_text]": evidence})
    stripe.deliver_and_apply()
    row.refresh_from_db()
    assert (row.status, row.outcome, row.answer_by) == ("under_review", "", None)
    assert not Finding.objects.filter(kind="dispute", resolved_at=None).exists()

    stripe.advance(days=2)
    stripe.deliver_and_apply()

    row.refresh_from_db()
    assert row.outcome == outcome
    assert Finding.objects.filter(kind="dispute_lost").exists() == (outcome == "lost")


def test_an_inquiry_is_told_as_such(stripe, payment):
    stripe.control(f"charges/{payment.stripe_id}/dispute", inquiry=True)
    stripe.deliver_and_apply()

    assert Finding.objects.get().severity == "warning"
    assert "bank asks about this payment" in Finding.objects.get().detail


def test_many_refunds_of_many_payments_are_one_look_of_three_requests(stripe, office, payment):
    stripe.advance(days=65)
    stripe.deliver_and_apply()
    for one in Payment.objects.all():
        for _ in range(4):
            at_stripe(stripe, "refunds", charge=one.stripe_id, amount="100")
    stripe.forget_requests()
    stripe.deliver_and_apply()

    assert Payment.objects.count() == 3
    assert Adjustment.objects.filter(kind="refund").count() == 12
    assert [one["path"] for one in stripe.requests("GET")] == [
        f"/v1/customers/{office_customer(payment)}",
        "/v1/subscriptions",
        "/v1/charges",
    ]


def test_refunds_that_do_not_fit_into_their_charge_are_all_kept(stripe, payment):
    for _ in range(12):
        at_stripe(stripe, "refunds", charge=payment.stripe_id, amount="100")
    stripe.deliver_and_apply()

    payment.refresh_from_db()
    assert (payment.amount_refunded, Adjustment.objects.count()) == (1_200, 12)


def test_metadata_that_somebody_typed_is_no_operation_of_ours(stripe, payment):
    refund = at_stripe(stripe, "refunds", charge=payment.stripe_id, amount="100", **{"metadata[operation]": "nonsense"})
    stripe.deliver_and_apply()

    assert Adjustment.objects.get(stripe_id=refund["id"]).operation is None


def test_a_refund_that_the_bank_has_not_confirmed_says_so(stripe, operator, office):
    subscribed_office(office, by=operator, card="pm_card_pendingRefund")
    stripe.deliver_and_apply()
    at_stripe(stripe, "refunds", charge=Payment.objects.get().stripe_id)
    stripe.deliver_and_apply()
    row = Adjustment.objects.get()
    assert (row.status, row.says) == ("pending", "The bank has not confirmed it yet.")

    stripe.advance(days=2)
    stripe.deliver_and_apply()
    row.refresh_from_db()
    assert row.status == "succeeded"


def office_customer(payment):
    payment.office.refresh_from_db()
    return payment.office.payment_provider_customer_id
