from datetime import timedelta

import pytest

from billing import clock, errors
from billing.audit import actor
from billing.models import Adjustment, Invoice, Operation, Payment
from billing.money import Money
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.engine.settle import resume_unsettled
from billing.operations.money.credit_note import IssueCreditNote
from billing.operations.money.refund import RefundPayment
from tests.conftest import a_member, subscribed_office

REASON = "Charged twice: the setup call"


@pytest.fixture
def paid(stripe, operator, office):
    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    return Invoice.objects.get()


@pytest.fixture
def unpaid(stripe, paid):
    """The next invoice, open as its card was declined."""
    stripe.control("charges", outcome="decline", next=9)
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    return Invoice.objects.get(status="open")


def notes(stripe, invoice):
    return stripe.listed("credit_notes", invoice=invoice.stripe_id)


def test_of_a_paid_invoice_a_part_goes_back_to_the_card(stripe, operator, paid):
    seen = preview(IssueCreditNote(to="refund", amount=5_000), paid, by=operator)
    assert notes(stripe, paid) == []
    perform(IssueCreditNote(to="refund", amount=5_000), paid, by=operator, reason=REASON)

    (made,) = notes(stripe, paid)
    note = Adjustment.objects.get(kind="credit_note")
    refund = Adjustment.objects.get(kind="refund")
    assert (seen.amount, seen.remains) == (Money(5_000, "usd"), Money(14_900, "usd"))
    assert (made["total"], made["reason"], made["memo"]) == (5_000, "duplicate", None)
    assert (note.money, note.invoice, note.operation.reason) == (Money(5_000, "usd"), paid, REASON)
    assert (refund.money, refund.payment) == (note.money, Payment.objects.get())
    assert Payment.objects.get().amount_refunded == 5_000


def test_of_a_paid_invoice_a_part_becomes_credit_for_the_next(stripe, operator, paid):
    seen = preview(IssueCreditNote(to="balance", amount=5_000), paid, by=operator)
    perform(IssueCreditNote(to="balance", amount=5_000), paid, by=operator, reason=REASON)

    assert seen.goes_to == ("50.00 USD is kept as credit and lowers the next invoices.",)
    assert Payment.objects.get().amount_refunded == 0
    stripe.advance(days=32)
    assert stripe.listed("invoices")[0]["amount_paid"] == 14_900


def test_of_an_open_invoice_less_is_due(stripe, operator, unpaid):
    seen = preview(IssueCreditNote(to="due", amount=9_900), unpaid, by=operator)
    office = perform(IssueCreditNote(to="due", amount=9_900), unpaid, by=operator, reason=REASON).office

    unpaid.refresh_from_db()
    assert (seen.amount, seen.remains, seen.remains_as) == (Money(9_900, "usd"), Money(10_000, "usd"), "Still due")
    assert seen.goes_to == ("99.00 USD less is due on the invoice.",)
    assert (unpaid.status, unpaid.amount_remaining, office.balance_due) == ("open", 10_000, 10_000)


def test_an_open_invoice_that_is_credited_whole_is_settled(stripe, operator, unpaid):
    office = perform(IssueCreditNote(to="due"), unpaid, by=operator, reason=REASON).office

    unpaid.refresh_from_db()
    assert (unpaid.status, office.balance_due, office.subscription_status) == ("paid", 0, "active")


@pytest.mark.parametrize("to", ["refund", "balance"])
def test_an_open_invoice_gives_nothing_back(stripe, operator, unpaid, to):
    refused(stripe, operator, unpaid, errors.InvoiceNotCreditable, "Lower the amount that is due", to=to, amount=100)


def test_of_a_paid_invoice_nothing_is_due(stripe, operator, paid):
    refused(stripe, operator, paid, errors.InvoiceNotCreditable, "Give the money back", to="due", amount=100)


def test_more_than_the_invoice_is_not_credited(stripe, operator, paid):
    perform(IssueCreditNote(to="balance", amount=10_000), paid, by=operator, reason=REASON)

    refused(stripe, operator, paid, errors.MoreThanLeft, r"at most 99\.00 USD", to="balance", amount=9_901)
    refused(stripe, operator, paid, errors.AmountInvalid, "at least one", to="balance", amount=0)


def test_what_was_credited_whole_is_not_credited_again(stripe, operator, paid):
    perform(IssueCreditNote(to="balance"), paid, by=operator, reason=REASON)

    refused(stripe, operator, paid, errors.AlreadyCredited, "nothing is left", to="balance")


def test_more_than_is_left_of_the_payment_can_only_be_credit(stripe, operator, paid):
    perform(RefundPayment(amount=15_000), Payment.objects.get(), by=operator, reason=REASON)

    refused(stripe, operator, paid, errors.MoreThanLeft, r"49\.00 USD is left\. Give the rest as credit", to="refund")
    perform(IssueCreditNote(to="balance"), paid, by=operator, reason=REASON)
    assert notes(stripe, paid)[0]["total"] == 19_900


def test_what_the_bank_took_back_is_not_given_back_by_a_note(stripe, operator, office):
    subscribed_office(office, by=operator, card="pm_card_createDispute")
    stripe.deliver_and_apply()

    refused(stripe, operator, Invoice.objects.get(), errors.PaymentDisputed, "pay it twice", to="refund")


def test_a_confirmation_that_comes_twice_credits_once(stripe, operator, paid):
    seen = preview(IssueCreditNote(to="refund", amount=5_000), paid, by=operator)
    perform(IssueCreditNote(to="refund", amount=5_000, as_of=seen.as_of), paid, by=operator, reason=REASON)

    with pytest.raises(errors.PreviewStale):
        perform(IssueCreditNote(to="refund", amount=5_000, as_of=seen.as_of), paid, by=operator, reason=REASON)
    assert len(notes(stripe, paid)) == 1


def test_an_office_issues_no_credit_note(stripe, office, paid):
    by = actor.person(a_member(office, "owner"))

    with pytest.raises(errors.StaffOnly, match="Only the vendor's staff may issue credit notes"):
        perform(IssueCreditNote(to="refund"), paid, by=by, reason=REASON)
    with pytest.raises(errors.StaffOnly):
        preview(IssueCreditNote(to="refund"), paid, by=by)


@pytest.mark.parametrize(
    ("kind", "outcome", "made"),
    [("503", "succeeded", 1), ("drop_after", "succeeded", 1), ("500_after", "abandoned", 0)],
)
def test_an_answer_that_was_lost_is_found_out_and_credited_once(stripe, operator, paid, kind, outcome, made):
    stripe.fail_next(kind, method="POST", path_prefix="/v1/credit_notes")
    with pytest.raises(errors.StripeUnavailable):
        perform(IssueCreditNote(to="refund", amount=5_000), paid, by=operator, reason=REASON)
    due_again()
    resume_unsettled()

    assert Operation.objects.get(kind="issue_credit_note").status == outcome
    assert len(notes(stripe, paid)) == Adjustment.objects.filter(kind="credit_note").count() == made
    assert Payment.objects.get().amount_refunded == 5_000 * made


def test_a_note_whose_key_is_too_old_to_ask_again_is_found_by_its_operation(stripe, operator, paid):
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/credit_notes")
    with pytest.raises(errors.StripeUnavailable):
        perform(IssueCreditNote(to="refund", amount=5_000), paid, by=operator, reason=REASON)
    due_again()
    Operation.objects.get(kind="issue_credit_note").steps.update(first_asked_at=clock.wall() - timedelta(hours=21))
    resume_unsettled()

    assert Operation.objects.get(kind="issue_credit_note").status == "succeeded"
    assert len(notes(stripe, paid)) == Adjustment.objects.filter(kind="credit_note").count() == 1


def test_two_people_at_once_end_in_one_note_and_one_refusal(stripe, operator, administrator, paid):
    stripe.fail_next("503", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        perform(IssueCreditNote(to="refund"), paid, by=operator, reason=REASON)

    with pytest.raises(errors.OperationInProgress):
        perform(IssueCreditNote(to="balance"), paid, by=administrator, reason=REASON)


def test_a_note_that_is_issued_in_stripes_dashboard_comes_to_our_rows_and_so_does_its_void(stripe, operator, unpaid):
    at_stripe(stripe, "credit_notes", invoice=unpaid.stripe_id, amount="9900")
    stripe.deliver_and_apply()
    note = Adjustment.objects.get()
    unpaid.refresh_from_db()
    assert (note.status, note.invoice, unpaid.amount_remaining) == ("issued", unpaid, 10_000)

    at_stripe(stripe, f"credit_notes/{note.stripe_id}/void")
    stripe.deliver_and_apply()
    note.refresh_from_db()
    unpaid.refresh_from_db()
    assert (note.status, unpaid.amount_remaining) == ("void", 19_900)


def at_stripe(stripe, path, **data):
    headers = {"Authorization": "Bearer sk_test_only_for_tests"}
    stripe.http.post(f"/v1/{path}", data=data, headers=headers).raise_for_status()


def refused(stripe, operator, invoice, refusal, says, **given):
    stripe.forget_requests()
    with pytest.raises(refusal, match=says):
        perform(IssueCreditNote(**given), invoice, by=operator, reason=REASON)
    with pytest.raises(refusal, match=says):
        preview(IssueCreditNote(**given), invoice, by=operator)
    assert stripe.requests() == []


def due_again():
    Operation.objects.update(lease_until=clock.wall() - timedelta(seconds=1))
