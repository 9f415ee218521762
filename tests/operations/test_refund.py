from datetime import timedelta

import pytest

from billing import clock, errors
from billing.audit import actor
from billing.models import Adjustment, AuditEntry, Finding, Operation, Payment
from billing.money import Money
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.engine.settle import resume_unsettled
from billing.operations.money.refund import RefundPayment
from tests.conftest import a_member, subscribed_office

REASON = "The Office asked for it"


def paid(stripe, operator, office, card="pm_card_visa"):
    subscribed_office(office, by=operator, card=card)
    stripe.deliver_and_apply()
    return Payment.objects.get()


@pytest.fixture
def payment(stripe, operator, office):
    return paid(stripe, operator, office)


def refunds(stripe, payment):
    return stripe.listed("refunds", charge=payment.stripe_id)


def test_all_of_a_payment_goes_back_and_our_rows_show_it_at_once(stripe, operator, payment):
    perform(RefundPayment(), payment, by=operator, reason=REASON)

    payment.refresh_from_db()
    row = Adjustment.objects.get()
    assert (payment.amount_refunded, payment.refundable) == (19_900, Money(0, "usd"))
    assert (row.kind, row.payment, row.invoice, row.money) == ("refund", payment, payment.invoice, payment.money)
    assert (row.status, row.reason, row.operation.reason) == ("succeeded", "requested", REASON)
    assert [one["reason"] for one in refunds(stripe, payment)] == ["requested_by_customer"]


def test_a_part_goes_back_and_the_rest_later(stripe, operator, payment):
    seen = preview(RefundPayment(amount=5_000), payment, by=operator)
    perform(RefundPayment(amount=5_000), payment, by=operator, reason=REASON)

    payment.refresh_from_db()
    assert (seen.amount, seen.remains) == (Money(5_000, "usd"), payment.refundable)
    assert seen.goes_to == ("Back to visa …4242, within 5 to 10 business days.",)
    perform(RefundPayment(), payment, by=operator, reason=REASON)
    assert sorted(one["amount"] for one in refunds(stripe, payment)) == [5_000, 14_900]


@pytest.mark.parametrize(
    ("reason", "at_stripe"),
    [
        ("Charged twice", "duplicate"),
        ("Charged twice: in May", "duplicate"),
        ("Suspected fraud", "fraudulent"),
        ("Goodwill: they waited", None),
        ("Charged twice a year by us", None),
    ],
)
def test_stripe_hears_its_own_word_for_the_reason_and_never_ours(stripe, operator, payment, reason, at_stripe):
    perform(RefundPayment(amount=100), payment, by=operator, reason=reason)

    (made,) = refunds(stripe, payment)
    assert made["reason"] == at_stripe
    assert made["metadata"] == {"operation": str(Operation.objects.get(kind="refund_payment").public_id)}


@pytest.mark.parametrize(
    ("amount", "refusal", "says"),
    [
        (0, errors.AmountInvalid, "at least one minor unit"),
        (-5, errors.AmountInvalid, "at least one minor unit"),
        (19_901, errors.MoreThanLeft, r"199\.01 USD is too much: at most 199\.00 USD"),
    ],
)
def test_an_amount_that_cannot_be_is_refused_before_stripe_is_asked(stripe, operator, payment, amount, refusal, says):
    refused(stripe, operator, payment, refusal, says, amount=amount)


def test_what_went_back_already_does_not_go_back_again(stripe, operator, payment):
    perform(RefundPayment(), payment, by=operator, reason=REASON)

    refused(stripe, operator, payment, errors.AlreadyRefunded, "was already given back")


def test_of_a_part_that_went_back_only_the_rest_is_left(stripe, operator, payment):
    perform(RefundPayment(amount=15_000), payment, by=operator, reason=REASON)

    refused(stripe, operator, payment, errors.MoreThanLeft, r"at most 49\.00 USD", amount=5_000)


def test_a_payment_that_failed_is_not_refunded(stripe, operator, office):
    with pytest.raises(errors.CardDeclined):
        paid(stripe, operator, office, "pm_card_chargeCustomerFail")
    stripe.deliver_and_apply()

    refused(stripe, operator, Payment.objects.get(), errors.PaymentNotRefundable, "failed")


def test_what_the_bank_took_back_is_not_paid_twice(stripe, operator, office):
    payment = paid(stripe, operator, office, "pm_card_createDispute")

    assert payment.disputed
    refused(stripe, operator, payment, errors.PaymentDisputed, "pay it twice")


def test_an_inquiry_can_be_answered_with_a_refund(stripe, operator, office):
    payment = paid(stripe, operator, office, "pm_card_createDisputeInquiry")

    perform(RefundPayment(), payment, by=operator, reason=REASON)

    payment.refresh_from_db()
    assert payment.amount_refunded == 19_900


def test_an_old_payment_and_a_card_that_would_be_blocked_are_warned_of(stripe, operator, payment):
    assert preview(RefundPayment(), payment, by=operator, reason=REASON).warnings == ()
    stripe.advance(days=181)

    old, blocked = preview(RefundPayment(), payment, by=operator, reason="Suspected fraud").warnings
    assert "older than 180 days" in old
    assert "blocks the card" in blocked


def test_in_live_mode_money_goes_back_without_a_determination(stripe, operator, payment, settings):
    settings.STRIPE_LIVE_MODE = True

    perform(RefundPayment(), payment, by=operator, reason=REASON)

    assert len(refunds(stripe, payment)) == 1


def test_a_confirmation_that_comes_twice_gives_back_once(stripe, operator, payment):
    seen = preview(RefundPayment(amount=5_000), payment, by=operator)
    perform(RefundPayment(amount=5_000, as_of=seen.as_of), payment, by=operator, reason=REASON)

    with pytest.raises(errors.PreviewStale, match="something has changed since"):
        perform(RefundPayment(amount=5_000, as_of=seen.as_of), payment, by=operator, reason=REASON)
    assert len(refunds(stripe, payment)) == 1
    again = preview(RefundPayment(amount=5_000), payment, by=operator)
    perform(RefundPayment(amount=5_000, as_of=again.as_of), payment, by=operator, reason=REASON)
    assert len(refunds(stripe, payment)) == 2


@pytest.mark.parametrize("off", [timedelta(hours=-2), timedelta(hours=1)])
def test_a_preview_of_long_ago_or_of_the_future_is_not_confirmed(stripe, operator, payment, off):
    with pytest.raises(errors.PreviewStale):
        perform(RefundPayment(as_of=clock.wall() + off), payment, by=operator, reason=REASON)


@pytest.mark.parametrize("role", ["owner", "manager", "viewer"])
def test_an_office_does_not_refund_itself(stripe, office, payment, role):
    by = actor.person(a_member(office, role))
    stripe.forget_requests()

    with pytest.raises(errors.StaffOnly if role != "viewer" else errors.NotPermitted):
        perform(RefundPayment(), payment, by=by, reason=REASON)
    with pytest.raises(errors.StaffOnly, match="Only the vendor's staff may give money back"):
        preview(RefundPayment(), payment, by=by)
    assert stripe.requests() == []


def test_an_auditor_who_owns_an_office_does_not_refund_it(stripe, office, payment, auditor):
    from billing.access import grants
    from billing.audit import trail
    from billing.models import Membership

    with trail.acting(actor.job("tests"), reason="the cast"):
        grants.write_grants(Membership.objects.create(user=auditor.user, office=office, role="owner"))

    with pytest.raises(errors.NotPermitted, match="Ask an administrator for a role"):
        perform(RefundPayment(), payment, by=actor.person(auditor.user), reason=REASON)


@pytest.mark.parametrize(
    ("kind", "outcome", "left"),
    [
        ("503", "succeeded", 1),
        ("drop_after", "succeeded", 1),
        ("500_after", "abandoned", 0),
    ],
)
def test_an_answer_that_was_lost_is_found_out_and_paid_back_once(stripe, operator, payment, kind, outcome, left):
    stripe.fail_next(kind, method="POST", path_prefix="/v1/refunds")
    with pytest.raises(errors.StripeUnavailable):
        perform(RefundPayment(amount=5_000), payment, by=operator, reason=REASON)
    due_again()
    resume_unsettled()

    operation = Operation.objects.get(kind="refund_payment")
    payment.refresh_from_db()
    assert (operation.status, len(refunds(stripe, payment)), payment.amount_refunded) == (outcome, left, 5_000 * left)


def test_a_refund_whose_key_is_too_old_to_ask_again_is_found_by_its_operation(stripe, operator, payment):
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/refunds")
    with pytest.raises(errors.StripeUnavailable):
        perform(RefundPayment(amount=5_000), payment, by=operator, reason=REASON)
    due_again()
    Operation.objects.get(kind="refund_payment").steps.update(first_asked_at=clock.wall() - timedelta(hours=21))
    resume_unsettled()

    payment.refresh_from_db()
    assert Operation.objects.get(kind="refund_payment").status == "succeeded"
    assert (len(refunds(stripe, payment)), payment.amount_refunded) == (1, 5_000)


def test_two_people_at_once_end_in_one_refund_and_one_refusal(stripe, operator, administrator, payment):
    stripe.fail_next("503", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        perform(RefundPayment(), payment, by=operator, reason=REASON)

    with pytest.raises(errors.OperationInProgress, match=r"Refund a payment.*operator@vendor\.example"):
        perform(RefundPayment(), payment, by=administrator, reason=REASON)


def test_a_refund_that_fails_comes_back_and_somebody_is_told(stripe, operator, office):
    payment = paid(stripe, operator, office, "pm_card_refundFail")
    perform(RefundPayment(), payment, by=operator, reason=REASON)
    assert not Finding.objects.exists()

    stripe.advance(days=2)
    stripe.deliver_and_apply()

    payment.refresh_from_db()
    row, found = Adjustment.objects.get(), Finding.objects.get()
    assert (row.status, row.failure_code, payment.amount_refunded) == ("failed", "expired_or_canceled_card", 0)
    assert (found.kind, found.severity, found.office) == ("refund_failed", "critical", office)
    assert "another way is needed" in found.detail


def test_stripes_refusal_is_told_and_on_record(stripe, operator, payment):
    stripe.http.post(
        "/v1/refunds", data={"charge": payment.stripe_id}, headers={"Authorization": "Bearer sk_test_only_for_tests"}
    ).raise_for_status()

    with pytest.raises(errors.StripeRejected, match="already been refunded"):
        perform(RefundPayment(), payment, by=operator, reason=REASON)
    assert Operation.objects.get(kind="refund_payment").status == "rejected"


def refused(stripe, operator, payment, refusal, says, **given):
    stripe.forget_requests()
    with pytest.raises(refusal, match=says):
        perform(RefundPayment(**given), payment, by=operator, reason=REASON)
    with pytest.raises(refusal, match=says):
        preview(RefundPayment(**given), payment, by=operator)
    assert stripe.requests() == []
    entry = AuditEntry.objects.filter(office=payment.office, kind=AuditEntry.Kind.REFUSAL).first()
    assert entry.what.startswith("refund_payment: ")


def due_again():
    Operation.objects.update(lease_until=clock.wall() - timedelta(seconds=1))
