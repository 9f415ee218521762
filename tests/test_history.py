from datetime import timedelta

import pytest

from billing import clock, errors, history
from billing.audit import trail
from billing.models import Adjustment, Invoice, Office, Payment
from billing.money import Money
from billing.operations.engine.begin import perform
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit_note import IssueCreditNote
from billing.operations.money.invoices import MarkUncollectible, PayInvoice, VoidInvoice
from billing.operations.money.refund import RefundPayment
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.change import ChangeSubscription
from tests.conftest import an_office, subscribed_office
from tests.operations.test_charges import asked, credit

REASON = "agreed by phone"


@pytest.fixture
def practice(stripe, operator, office):
    return subscribed_office(office, by=operator)


def sent(office, by, amount):
    return perform(ChargeOffice(charge="training", amount=amount, days_until_due=14), office, by=by, reason=REASON)


def told(office, **period):
    found = history.statement(Office.objects.get(pk=office.pk), **period)
    return [(entry.what, entry.amount.amount, entry.balance.amount) for entry in found.entries]


def test_a_statement_tells_invoices_and_payments_in_order_with_what_is_owed(stripe, operator, practice):
    stripe.control("charges", outcome="decline", code="insufficient_funds")
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    stripe.advance(days=1)
    perform(PayInvoice(), Invoice.objects.get(kind="cycle"), by=operator, reason=REASON)

    assert told(practice) == [
        ("invoice", 19_900, 19_900),
        ("payment_succeeded", 19_900, 0),
        ("invoice", 19_900, 19_900),
        ("payment_failed", 19_900, 19_900),
        ("payment_succeeded", 19_900, 0),
    ]


def test_whatever_happens_to_invoices_the_statement_ends_with_the_balance_that_is_due(stripe, operator, practice):
    credit(stripe, practice, 1_500)
    sent(practice, operator, 1_000)  # paid from credit in full
    stripe.advance(days=1)
    partly = sent(practice, operator, 2_000)  # and in part
    stripe.advance(days=1)
    perform(VoidInvoice(), sent(practice, operator, 3_000), by=operator, reason=REASON)
    stripe.advance(days=1)
    perform(MarkUncollectible(), sent(practice, operator, 4_000), by=operator, reason=REASON)
    stripe.advance(days=1)
    elsewhere = sent(practice, operator, 5_000)
    asked(stripe, f"invoices/{elsewhere.stripe_id}/pay", paid_out_of_band="true")
    stripe.advance(days=1)
    credited = sent(practice, operator, 6_000)
    asked(stripe, "credit_notes", invoice=credited.stripe_id, amount=2_500)
    stripe.control("charges", outcome="decline")
    with pytest.raises(errors.CardDeclined):
        perform(ChargeOffice(charge="training", amount=7_000), practice, by=operator, reason=REASON)
    stripe.deliver_and_apply()

    practice.refresh_from_db()
    assert practice.balance_due == 1_500 + 3_500
    statement = history.statement(practice)
    assert statement.closing == (Money(practice.balance_due, "usd"),)
    assert history.standing(practice).owed == Money(5_000, "usd")
    happened = {(entry.what, entry.amount.amount) for entry in statement.entries}
    assert {("credit", 1_000), ("credit", 500), ("void", 3_000), ("written_off", 4_000)} <= happened
    assert {("payment", 5_000), ("credit_note", 2_500), ("void", 7_000)} <= happened
    assert Invoice.objects.get(pk=partly.pk).to_balance == -500


def test_what_goes_back_is_told_when_it_went_and_is_not_owed_again(stripe, operator, practice):
    stripe.deliver_and_apply()
    stripe.advance(days=2)
    perform(RefundPayment(amount=5_000), Payment.objects.get(), by=operator, reason=REASON)
    stripe.advance(days=9)
    perform(IssueCreditNote(to="balance", amount=1_000), Invoice.objects.get(), by=operator, reason=REASON)

    assert told(practice) == [
        ("invoice", 19_900, 19_900),
        ("payment_succeeded", 19_900, 0),
        ("refund", -5_000, 0),
        ("credit_note", 1_000, 0),
    ]
    *_, refund, note = history.statement(practice).entries
    assert [refund.at, note.at] == [row.created_at for row in Adjustment.objects.order_by("created_at")]
    assert note.at > refund.at + timedelta(days=8)
    assert refund.payment == Payment.objects.get()
    (charge,) = stripe.listed("charges")
    kept = [entry.amount.amount for entry in history.statement(practice).entries if entry.payment]
    assert sum(kept) == charge["amount"] - charge["amount_refunded"]


def test_notes_lower_what_is_owed_until_it_is_paid_and_a_voided_one_does_not(stripe, operator, practice):
    stripe.deliver_and_apply()
    lowered = sent(practice, operator, 6_000)
    stripe.advance(days=1)
    perform(IssueCreditNote(to="due", amount=2_500), lowered, by=operator, reason=REASON)
    stripe.advance(days=1)
    voided = asked(stripe, "credit_notes", invoice=lowered.stripe_id, amount=500)
    asked(stripe, f"credit_notes/{voided['id']}/void")
    stripe.advance(days=1)
    perform(PayInvoice(), lowered, by=operator, reason=REASON)
    stripe.deliver_and_apply()
    stripe.advance(days=1)
    perform(IssueCreditNote(to="refund", amount=1_000), lowered, by=operator, reason=REASON)

    assert told(practice)[2:-2] == [
        ("invoice", 6_000, 6_000),
        ("credit_note", 2_500, 3_500),
        ("payment_succeeded", 3_500, 0),
    ]
    assert set(told(practice)[-2:]) == {("credit_note", 1_000, 0), ("refund", -1_000, 0)}
    practice.refresh_from_db()
    assert history.statement(practice).closing == (Money(practice.balance_due, "usd"),) == (Money(0, "usd"),)


@pytest.mark.parametrize(
    ("asks", "answer", "says", "away"),
    [
        ({}, "", "Dispute of {}", 19_900),
        ({}, "winning_evidence", "Dispute of {}: won", 0),
        ({}, "losing_evidence", "Dispute of {}: lost", 19_900),
        ({"inquiry": True}, "", "Inquiry about {}", 0),
    ],
)
def test_what_the_bank_took_back_is_told(stripe, operator, practice, asks, answer, says, away):
    stripe.deliver_and_apply()
    stripe.advance(days=1)
    stripe.control(f"charges/{Payment.objects.get().stripe_id}/dispute", **asks)
    stripe.deliver_and_apply()
    if answer:
        asked(stripe, f"disputes/{Adjustment.objects.get().stripe_id}", **{"evidence[uncategorized_text]": answer})
        stripe.advance(days=2)
        stripe.deliver_and_apply()

    entry = history.statement(practice).entries[-1]
    assert (entry.what, entry.text) == ("dispute", says.format(Invoice.objects.get().number))
    assert (entry.amount.amount, entry.owed, entry.balance.amount) == (-away, 0, 0)


def test_a_refund_that_did_not_arrive_gave_nothing_back(stripe, operator, practice):
    stripe.deliver_and_apply()
    perform(RefundPayment(amount=5_000), Payment.objects.get(), by=operator, reason=REASON)
    Adjustment.objects.update(status="failed")

    entry = history.statement(practice).entries[-1]
    assert (entry.text, entry.amount.amount) == (f"Refund of {entry.invoice.number}: failed", 0)


def test_a_note_that_is_not_reported_yet_is_not_owed(stripe, operator, practice):
    lowered = sent(practice, operator, 6_000)
    perform(IssueCreditNote(to="due", amount=2_500), lowered, by=operator, reason=REASON)
    before = told(practice)
    Adjustment.objects.update(office=an_office("Another Practice"))

    assert told(practice) == before
    assert before[-1] == ("credit_note", 2_500, 3_500)


def test_what_is_kept_as_credit_is_not_owed_back(stripe, operator, office):
    team = subscribed_office(office, by=operator, plan="seats-monthly", quantity=9)
    stripe.advance(days=3)
    perform(ChangeSubscription(quantity=1), team, by=operator, reason="fewer")
    stripe.deliver_and_apply()

    entries = history.statement(team).entries
    assert [entry.what for entry in entries] == ["invoice", "payment_succeeded", "invoice", "credit"]
    assert entries[2].amount.amount < 0
    assert entries[-1].balance.amount == 0


def test_a_payment_that_is_not_reported_yet_is_not_owed(stripe, operator, practice):
    assert not practice.payments.exists()
    before = told(practice)

    stripe.deliver_and_apply()

    assert before == [("invoice", 19_900, 19_900), ("payment", 19_900, 0)]
    assert told(practice) == [("invoice", 19_900, 19_900), ("payment_succeeded", 19_900, 0)]


def test_a_part_of_a_statement_opens_with_what_was_owed_before(stripe, operator, practice):
    sent(practice, operator, 1_000)
    stripe.advance(days=2)
    between = clock.billing()
    stripe.advance(days=2)
    sent(practice, operator, 2_000)

    later = history.statement(practice, since=between)
    earlier = history.statement(practice, until=between)

    assert later.opening == earlier.closing == (Money(1_000, "usd"),)
    assert told(practice, since=between) == [("invoice", 2_000, 3_000)]
    assert told(practice) == told(practice, until=between) + told(practice, since=between)


def test_what_happened_in_the_same_second_is_told_invoice_by_invoice(stripe, operator, practice):
    perform(ChargeOffice(charge="training", amount=1_000), practice, by=operator, reason=REASON)
    stripe.deliver_and_apply()
    second = clock.billing().replace(microsecond=0)
    Invoice.objects.update(finalised_at=second)
    Payment.objects.update(created_at=second)

    assert [balance for _, _, balance in told(practice)] == [19_900, 0, 1_000, 0]


def test_two_currencies_are_never_added(stripe, operator, practice):
    sent(practice, operator, 1_000)
    row = Invoice.objects.get(total=1_000)
    row.pk, row.public_id, row.stripe_id, row.currency = None, "6f1c1c4e-0000-4000-8000-000000000000", "in_euro", "eur"
    with trail.acting(operator, reason="a row of another currency"):
        row.save(force_insert=True)

    assert history.statement(practice).closing == (Money(1_000, "eur"), Money(1_000, "usd"))


def test_another_offices_rows_are_not_in_it(stripe, operator, practice):
    other = an_office("Another Practice")

    found = history.statement(other)
    assert (found.entries, found.closing, list(history.cycles(other))) == ((), (), [])
    assert history.standing(other).last_payment is None


def test_billing_cycles_are_what_the_subscription_was_invoiced_for(stripe, operator, practice):
    perform(ChargeOffice(charge="training", amount=1_000), practice, by=operator, reason=REASON)
    first_end = practice.current_period_end
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    practice.refresh_from_db()

    second, first = history.cycles(practice)

    assert (first.period_start, first.period_end) == (practice.billing_cycle_anchor_date, first_end)
    assert (second.period_start, second.period_end) == (first_end, practice.current_period_end)
    assert (first.kind, second.kind) == ("start", "cycle")


def test_the_standing_tells_what_comes_next(stripe, operator, practice):
    stripe.deliver_and_apply()
    standing = history.standing(practice)
    assert (standing.renews_at, standing.ends_at) == (practice.current_period_end, None)
    assert standing.last_payment == Payment.objects.get()

    stripe.control("charges", outcome="decline")
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    practice.refresh_from_db()
    standing = history.standing(practice)
    assert (standing.open_invoices, standing.owed) == (1, Money(19_900, "usd"))
    assert standing.last_failure == Payment.objects.get(status="failed")
    assert standing.next_attempt_at > clock.billing() + timedelta(days=1)

    leaving = perform(CancelSubscription(), practice, by=operator, reason="closing")
    assert history.standing(leaving).renews_at is None
    assert history.standing(leaving).ends_at == leaving.cancel_at


def test_it_takes_few_queries_and_none_to_stripe(stripe, operator, practice, django_assert_num_queries):
    sent(practice, operator, 1_000)
    stripe.forget_requests()

    with django_assert_num_queries(3):
        history.statement(practice)
    with django_assert_num_queries(2):
        list(history.cycles(practice))
    with django_assert_num_queries(3):
        history.standing(practice)
    assert stripe.requests() == []


def test_an_invoice_with_many_lines_is_kept_with_all_of_them(stripe, operator, office):
    team = subscribed_office(office, by=operator, plan="seats-monthly", quantity=1)
    for seats in range(2, 9):
        stripe.advance(hours=1)
        team = perform(ChangeSubscription(quantity=seats, settle="next_invoice"), team, by=operator, reason="grows")
    stripe.advance(days=32)
    stripe.deliver_and_apply()

    invoice = Invoice.objects.get(kind="cycle")
    assert len(invoice.lines) == 15
    assert sum(line["amount"] for line in invoice.lines) == invoice.subtotal
    assert {line["text"] for line in invoice.lines} >= {"Team, 8 seats", "Unused time: Team, 1 seats"}


def test_a_text_that_somebody_typed_at_stripe_is_not_kept(stripe, operator, practice):
    typed = "for the knee of John Doe"
    path = "invoiceitems"
    customer = practice.payment_provider_customer_id
    asked(stripe, path, customer=customer, amount=700, currency="usd", description=typed)
    asked(stripe, path, customer=customer, amount=800, currency="usd", description=typed, **{"metadata[charge]": typed})
    stripe.advance(days=32)
    stripe.deliver_and_apply()

    invoice = Invoice.objects.get(kind="cycle")
    assert sorted(line["text"] for line in invoice.lines) == ["Other charge", "Other charge", "Practice"]
    assert typed not in str(list(Invoice.objects.values()))
