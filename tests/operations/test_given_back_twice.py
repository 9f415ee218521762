"""Stripe allows to give the same money back in several ways. The preview of each way warns of what was given before.

A refund does not lower what a credit note can credit, and a credit does not lower what can be refunded.
Source: https://docs.stripe.com/invoicing/dashboard/credit-notes
"""

import pytest

from billing.audit import trail
from billing.look import look
from billing.models import Invoice, Payment
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.money.credit_note import IssueCreditNote
from billing.operations.money.refund import RefundPayment
from tests.at_stripe import made
from tests.conftest import subscribed_office

REASON = "office_asked"


@pytest.fixture
def paid(stripe, operator, office):
    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    return Invoice.objects.get()


# --- each way of giving 199.00 USD back, all of it or a part


def refund(stripe, amount):
    return RefundPayment(amount=amount), Payment.objects.get()


def note_to_the_card(stripe, amount):
    return IssueCreditNote(to="refund", amount=amount), Invoice.objects.get()


def note_as_credit(stripe, amount):
    return IssueCreditNote(to="balance", amount=amount), Invoice.objects.get()


WAYS = {"refund": refund, "note to the card": note_to_the_card, "note as credit": note_as_credit}
OF_THE_CARD = ("refund", "note to the card")
NOTES = ("note to the card", "note as credit")
SAID = {"refund": "refunded", "note to the card": "refunded", "note as credit": "given as credit"}
PAIRS = [
    (first, second, one, other)
    for first in WAYS
    for second in WAYS
    for one, other in ((15_000, 4_900), (5_000, 14_900), (15_000, 19_900), (19_900, 19_900), (19_900, 5_000))
    if not (first in OF_THE_CARD and second in OF_THE_CARD and one + other > 19_900)  # Stripe has no more to refund
    and not (first in NOTES and second in NOTES and one + other > 19_900)  # nor more to credit
]


@pytest.mark.parametrize(("first", "second", "one", "other"), PAIRS)
def test_the_second_time_is_warned_of(stripe, operator, paid, first, second, one, other):
    wanted, subject = WAYS[first](stripe, one)
    assert preview(wanted, subject, by=operator).warnings == ()
    perform(wanted, subject, by=operator, reason=REASON)
    stripe.deliver_and_apply()

    wanted, subject = WAYS[second](stripe, other)
    [warning] = preview(wanted, subject, by=operator).warnings

    assert f"Before this, {one / 100:.2f} USD {SAID[first]}." in warning
    assert f"With this it is {(one + other) / 100:.2f} USD altogether, of 199.00 USD that was paid" in warning
    more = one + other - 19_900
    assert ("more than was paid" in warning) is (more > 0)
    assert f"{more / 100:.2f} USD more than was paid" in warning or more <= 0
    perform(wanted, subject, by=operator, reason=REASON)  # Stripe allows it, and so it is not refused


@pytest.mark.parametrize("second", ["refund", "note as credit"])
def test_what_a_person_credited_outside_of_stripe_counts(stripe, operator, paid, second):
    made(stripe, "credit_notes", invoice=paid.stripe_id, amount=6_000, out_of_band_amount=6_000)
    stripe.deliver_and_apply()

    [warning] = preview(*WAYS[second](stripe, 13_900), by=operator).warnings

    assert warning == (
        "Before this, 60.00 USD credited outside of Stripe. With this it is 199.00 USD altogether, of 199.00 USD that "
        "was paid."
    )


def test_a_note_that_both_refunded_and_credited_counts_each_once(stripe, operator, paid):
    made(stripe, "credit_notes", invoice=paid.stripe_id, amount=6_000, refund_amount=2_000, credit_amount=4_000)
    stripe.deliver_and_apply()

    [warning] = preview(*refund(stripe, 17_900), by=operator).warnings

    assert warning.startswith("Before this, 20.00 USD refunded and 40.00 USD given as credit.")
    assert "239.00 USD altogether, of 199.00 USD that was paid, so 40.00 USD more than was paid." in warning


def test_what_the_bank_took_back_counts(stripe, operator, office):
    subscribed_office(office, by=operator, card="pm_card_createDispute")
    stripe.deliver_and_apply()
    invoice, payment = Invoice.objects.get(), Payment.objects.get()
    with trail.acting(operator, office=invoice.office, reason="tests"):
        look(invoice.office, payments=[payment.stripe_id], disputes=[payment.stripe_id])

    [warning] = preview(*note_as_credit(stripe, 19_900), by=operator).warnings

    assert warning == (
        "Before this, 199.00 USD taken back by the bank. With this it is 398.00 USD altogether, of 199.00 USD that was "
        "paid, so 199.00 USD more than was paid."
    )


def test_a_refund_that_failed_was_not_given_back(stripe, operator, office):
    subscribed_office(office, by=operator, card="pm_card_refundFail")
    stripe.deliver_and_apply()
    perform(*refund(stripe, 19_900), by=operator, reason=REASON)
    [failed] = stripe.listed("refunds")
    stripe.control(f"refunds/{failed['id']}/settle")
    stripe.deliver_and_apply()

    assert preview(*note_as_credit(stripe, 19_900), by=operator).warnings == ()


def test_lowering_what_is_due_gives_nothing_back(stripe, operator, paid):
    perform(*note_as_credit(stripe, 1_000), by=operator, reason=REASON)
    stripe.control("charges", outcome="decline", next=9)
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    unpaid = Invoice.objects.get(status="open")
    perform(IssueCreditNote(to="due", amount=1_000), unpaid, by=operator, reason=REASON)
    stripe.deliver_and_apply()

    assert preview(IssueCreditNote(to="due", amount=2_000), unpaid, by=operator).warnings == ()


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        (3_000, "With this it is 60.00 USD altogether, of 229.00 USD that was paid."),
        (
            22_900,
            "With this it is 259.00 USD altogether, of 229.00 USD that was paid, so 30.00 USD more than was paid.",
        ),
    ],
)
def test_what_was_paid_beyond_what_was_due_is_credit_already(stripe, operator, subscribed, amount, says):
    customer = subscribed.payment_provider_customer_id
    invoice = made(
        stripe, "invoices", customer=customer, currency="usd", collection_method="send_invoice", days_until_due=9
    )
    made(stripe, "invoiceitems", customer=customer, invoice=invoice["id"], amount=19_900, currency="usd")
    made(stripe, f"invoices/{invoice['id']}/finalize")
    card = made(stripe, "payment_methods/pm_card_visa/attach", customer=customer)["id"]
    charge = {"customer": customer, "payment_method": card, "amount": 22_900, "currency": "usd", "confirm": "true"}
    intent = made(stripe, "payment_intents", **charge)
    made(stripe, f"invoices/{invoice['id']}/attach_payment", payment_intent=intent["id"])
    stripe.deliver_and_apply()

    [warning] = preview(RefundPayment(amount=amount), Payment.objects.get(amount=22_900), by=operator).warnings

    assert warning == (
        f"Before this, 30.00 USD kept as credit, because more was paid than was due. {says} A refund does not take the "
        "credit of 30.00 USD back. If you refund what was paid too much, take that back."
    )
