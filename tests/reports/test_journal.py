"""The journal: each entry worked out by hand, in the words of double entry: debits above zero, credits below."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from billing import clock
from billing.audit import actor, trail
from billing.models import Adjustment, Invoice, Office, Payment
from billing.operations.engine.begin import perform
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit import AdjustCredit
from billing.operations.money.credit_note import IssueCreditNote
from billing.operations.money.invoices import MarkUncollectible, PayInvoice, VoidInvoice
from billing.operations.money.refund import RefundPayment
from billing.reports.journal import Journal, Month
from billing.reports.journal_entries import Account, Entry, Kind
from config.journal_accounts import ACCOUNTS
from tests.conftest import an_office, subscribed_office
from tests.operations.test_charges import asked, bear_tax, credit
from tests.reports.tying import months_of, wrong_journals

REASON = "agreed by phone"
BOOKED = {one.value: one for one in Account}


@pytest.fixture
def practice(stripe, operator, office):
    found = subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    return found


def sent(office, by, amount):
    return perform(ChargeOffice(charge="training", amount=amount, days_until_due=14), office, by=by, reason=REASON)


def booked(office):
    """All entries of the Office, whenever they were: kind and amounts by account."""
    found = [entry for month in months_of(office) for entry in Journal(month).entries()]
    return [
        (entry.kind.value, {str(name): amount for name, amount in entry.lines.items() if amount}) for entry in found
    ]


def row(office, **given):
    values = {"status": "open", "currency": "usd", "subtotal": 0, "amount_paid": 0, "ticket": 1, "amount_remaining": 0}
    values |= {"stripe_id": f"in_{Invoice.objects.count()}", "number": "A-1", "total": 0, **given}
    with trail.acting(actor.job("tests"), reason="tests"):
        return Invoice.objects.create(office=office, **values)


def payment(office, **given):
    values = {"stripe_id": "ch_1", "ticket": 1, "status": "succeeded", "currency": "usd", **given}
    with trail.acting(actor.job("tests"), reason="tests"):
        return Payment.objects.create(office=office, created_at=at("2026-10-03"), **values)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


PAID = [
    ("Invoice", {"receivables": 19_900, "revenue": -19_900}),
    ("Payment", {"clearing": 19_900, "receivables": -19_900}),
]


def test_a_paid_invoice_is_revenue_and_money_in_clearing(practice):
    assert booked(practice) == PAID
    assert wrong_journals(practice) == []


def test_tax_stands_apart_from_revenue_and_a_void_invoice_takes_both_back(stripe, operator, practice):
    bear_tax(stripe, practice)
    stripe.control("charges", outcome="decline", code="insufficient_funds")
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    perform(VoidInvoice(), Invoice.objects.get(kind="cycle"), by=operator, reason=REASON)

    # 7.7 % of 199.00 is 15.323, so 15.32
    assert booked(practice)[2:] == [
        ("Invoice", {"receivables": 21_432, "revenue": -19_900, "tax": -1_532}),
        ("Void invoice", {"revenue": 19_900, "tax": 1_532, "receivables": -21_432}),
    ]
    assert wrong_journals(practice) == []


def test_tax_within_the_price_is_taken_out_of_revenue(stripe, practice):
    bear_tax(stripe, practice, inclusive=True)
    stripe.advance(days=32)
    stripe.deliver_and_apply()

    # of 199.00 with 7.7 % in it, 199.00 / 1.077 = 184.77 is revenue
    assert booked(practice)[2] == ("Invoice", {"receivables": 19_900, "revenue": -18_477, "tax": -1_423})


def test_what_is_written_off_is_a_loss_and_what_is_paid_elsewhere_is_not_in_clearing(stripe, operator, practice):
    perform(MarkUncollectible(), sent(practice, operator, 4_000), by=operator, reason=REASON)
    elsewhere = sent(practice, operator, 5_000)
    asked(stripe, f"invoices/{elsewhere.stripe_id}/pay", paid_out_of_band="true")
    stripe.deliver_and_apply()

    found = booked(practice)
    assert ("Write-off", {"write_offs": 4_000, "receivables": -4_000}) in found
    assert ("Payment outside Stripe", {"outside": 5_000, "receivables": -5_000}) in found
    assert wrong_journals(practice) == []


def test_credit_lowers_what_is_due_and_what_stripe_says_before_the_next_invoice_shows_who_gave_it(
    stripe, operator, practice
):
    credit(stripe, practice, 1_500)  # somebody in the dashboard
    sent(practice, operator, 1_000)
    perform(AdjustCredit(amount=300), Office.objects.get(pk=practice.pk), by=operator, reason=REASON)
    stripe.advance(days=1)
    sent(practice, operator, 2_000)
    stripe.deliver_and_apply()

    found = booked(practice)
    assert ("Credit", {"credits": 1_500, "balances": -1_500}) in found
    assert ("Credit", {"credits": 300, "balances": -300}) in found
    assert ("Customer balance", {"balances": 1_000, "receivables": -1_000}) in found
    assert ("Customer balance", {"balances": 800, "receivables": -800}) in found
    sums = Counter()
    for _, lines in found:
        sums.update(lines)
    assert sums["balances"] == 0
    assert sums["receivables"] == 1_200
    assert wrong_journals(practice) == []


def test_a_credit_note_lowers_what_is_due_and_after_payment_it_is_given_back(stripe, operator, practice):
    lowered = sent(practice, operator, 6_000)
    perform(IssueCreditNote(to="due", amount=2_500), lowered, by=operator, reason=REASON)
    perform(PayInvoice(), lowered, by=operator, reason=REASON)
    stripe.deliver_and_apply()
    stripe.advance(days=1)
    perform(IssueCreditNote(to="refund", amount=1_000), lowered, by=operator, reason=REASON)
    perform(IssueCreditNote(to="balance", amount=700), lowered, by=operator, reason=REASON)
    stripe.deliver_and_apply()

    found = booked(practice)
    assert ("Credit note", {"credits": 2_500, "receivables": -2_500}) in found
    assert [lines for kind, lines in found if kind == "Refund"] == [{"refunds": 1_000, "clearing": -1_000}]
    assert [lines for kind, lines in found if kind == "Credit"] == [{"credits": 700, "balances": -700}]
    assert sum(kind == "Credit note" for kind, _ in found) == 1
    assert wrong_journals(practice) == []


def test_a_credit_note_on_what_bore_tax_takes_its_share_of_the_tax_back(office):
    bill = row(office, status="paid", total=10_770, tax=770, amount_paid=10_770, created_at=at("2026-10-02"))
    about = {"office": office, "invoice": bill, "kind": "credit_note", "status": "issued", "currency": "usd"}
    with trail.acting(actor.job("tests"), reason="tests"):
        Adjustment.objects.create(**about, stripe_id="cn_1", ticket=1, amount=5_385, created_at=at("2026-10-09"))

    # half of the invoice, so half of its tax
    assert ("Credit note", {"tax": 385, "credits": -385}) in booked(office)


def test_a_refund_leaves_clearing_and_one_that_did_not_arrive_never_did(stripe, operator, practice):
    perform(RefundPayment(amount=5_000), Payment.objects.get(), by=operator, reason=REASON)
    stripe.deliver_and_apply()
    assert booked(practice) == [*PAID, ("Refund", {"refunds": 5_000, "clearing": -5_000})]
    assert wrong_journals(practice) == []

    Adjustment.objects.update(status="failed")
    assert booked(practice) == PAID
    assert wrong_journals(practice) == []


@pytest.mark.parametrize(
    ("answer", "inquiry", "moves"),
    [
        ("", False, ["Dispute"]),
        ("winning_evidence", False, ["Dispute", "Dispute won back"]),
        ("losing_evidence", False, ["Dispute"]),
        ("", True, []),
    ],
)
def test_a_dispute_takes_the_money_on_its_day_and_brings_it_back_on_another(
    stripe, operator, practice, answer, inquiry, moves
):
    almost_over = Month.of(clock.billing()).end - timedelta(hours=12)
    stripe.advance(seconds=max(0, int((almost_over - clock.billing()).total_seconds())))
    stripe.control(f"charges/{Payment.objects.get().stripe_id}/dispute", inquiry=inquiry)
    stripe.deliver_and_apply()
    if answer:
        asked(stripe, f"disputes/{Adjustment.objects.get().stripe_id}", **{"evidence[uncategorized_text]": answer})
        stripe.advance(days=2)
        stripe.deliver_and_apply()

    found = [(kind, lines) for kind, lines in booked(practice) if "Dispute" in kind]
    expected = {
        "Dispute": {"disputes": 19_900, "clearing": -19_900},
        "Dispute won back": {"clearing": 19_900, "disputes": -19_900},
    }
    assert found == [(kind, expected[kind]) for kind in moves]
    dispute = Adjustment.objects.get()
    if "Dispute won back" in moves:
        taken, back = (Month.of(time) for time in (dispute.taken_at, dispute.returned_at))
        assert taken != back
        assert journal_of(taken).moved("usd", Account.DISPUTES) == 19_900
        assert journal_of(back).moved("usd", Account.DISPUTES) == -19_900
    assert wrong_journals(practice) == []


def journal_of(month):
    made = Journal(month)
    list(made.entries())
    return made


def test_a_month_is_one_of_utc_and_ends_before_the_first_moment_of_the_next(office):
    Office.objects.update(time_zone="America/Los_Angeles")
    row(office, number="A-1", total=100, amount_remaining=100, created_at=at("2026-10-31T23:59:59.999999"))
    row(office, number="A-2", total=200, amount_remaining=200, created_at=at("2026-11-01T00:00:00"))

    assert [entry.reference for entry in Journal(Month(2026, 10)).entries()] == ["A-1"]
    assert [entry.reference for entry in Journal(Month(2026, 11)).entries()] == ["A-2"]
    assert (Month.read("2026-12").next, Month.read("2027-01").previous) == (Month(2027, 1), Month(2026, 12))


def test_two_currencies_are_never_added(office):
    row(office, total=100, amount_remaining=100, created_at=at("2026-10-03"))
    row(office, total=700, amount_remaining=700, created_at=at("2026-10-03"), currency="jpy")

    journal = journal_of(Month(2026, 10))

    assert journal.closing("usd", Account.RECEIVABLES) == 100
    assert journal.closing("jpy", Account.RECEIVABLES) == 700
    assert {(tie.currency, tie.difference) for tie in journal.ties()} == {("usd", 0), ("jpy", 0)}


def test_a_difference_to_the_rows_is_told(office, monkeypatch):
    """The clearing account is held against sums of the database, and receivables against the statements."""
    row(office, status="paid", total=100, amount_paid=100, created_at=at("2026-10-03"))
    payment(office, amount=100)
    monkeypatch.setattr("billing.reports.journal_entries._of_payments", lambda *_: iter(()))

    wrong = {tie.what for tie in journal_of(Month(2026, 10)).ties() if tie.difference}

    assert {words.partition(" ")[0] for words in wrong} == {"Clearing"}


def test_an_entry_that_does_not_balance_cannot_be_made(office):
    with pytest.raises(ValueError, match="does not balance"):
        Entry(at("2026-10-03"), Kind.INVOICE, "", "usd", office, "A-1", {Account.RECEIVABLES: 1, Account.TAX: -2})


def test_a_payment_without_an_invoice_is_held_apart(office):
    payment(office, amount=50)

    assert booked(office) == [("Payment", {"clearing": 50, "unassigned": -50})]


def test_many_offices_are_read_with_few_queries(office, monkeypatch, django_assert_max_num_queries):
    for number in range(5):
        row(
            an_office(f"Practice {number}"),
            total=100,
            amount_remaining=100,
            created_at=at("2026-10-03"),
            number=str(number),
        )

    with django_assert_max_num_queries(6):
        assert len(list(Journal(Month(2026, 10)).entries())) == 5
    monkeypatch.setattr("billing.reports.journal.OFFICES_AT_ONCE", 2)
    assert sorted(one.reference for one in Journal(Month(2026, 10)).entries()) == ["0", "1", "2", "3", "4"]


def test_each_account_has_a_name():
    assert {*BOOKED, "xero_tax_rate"} == set(ACCOUNTS)
