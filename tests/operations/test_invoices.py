import uuid
from datetime import timedelta

import pytest

from billing import clock, errors
from billing.audit import actor
from billing.models import AuditEntry, Invoice, Office, Operation
from billing.operations.engine.begin import perform
from billing.operations.engine.settle import resume_unsettled
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.documents import open_document, preview_upcoming
from billing.operations.money.invoices import MarkUncollectible, PayInvoice, RetryInvoice, SendInvoice, VoidInvoice
from billing.operations.offices.cards import key_of, on_file
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.change import ChangeSubscription
from billing.stripe_api.gateway import invoices as gateway
from tests.conftest import a_member, an_office, determined, subscribed_office
from tests.operations.test_charges import asked

REASON = "agreed by phone"
ACTS = (PayInvoice, RetryInvoice, SendInvoice, VoidInvoice, MarkUncollectible)


@pytest.fixture
def practice(stripe, operator, office):
    return subscribed_office(office, by=operator)


@pytest.fixture
def overdue(stripe, practice):
    """The invoice of a renewal whose card was declined."""
    stripe.control("charges", outcome="decline", code="insufficient_funds")
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    invoice = Invoice.objects.get(kind="cycle")
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    return invoice


@pytest.fixture
def sent(stripe, operator, practice):
    return perform(
        ChargeOffice(charge="onboarding", amount=30_000, days_until_due=14), practice, by=operator, reason=REASON
    )


def succeeded(stripe, amount):
    return [one["status"] for one in stripe.listed("charges") if one["amount"] == amount].count("succeeded")


def a_draft(stripe, office):
    """A renewal's invoice stays one for an hour."""
    stripe.control("clock", now=int(office.current_period_end.timestamp()) + 60)
    stripe.deliver_and_apply()
    return Invoice.objects.get(status="draft")


def now(office):
    return Office.objects.get(pk=office.pk)


@pytest.mark.parametrize("act", [PayInvoice, RetryInvoice])
def test_an_overdue_invoice_is_paid_with_the_card_on_file(stripe, operator, overdue, act):
    paid = perform(act(), overdue, by=operator, reason=REASON)

    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 19_900, 0)
    assert sorted(row.status for row in paid.payments.all()) == ["failed", "succeeded"]
    office = now(paid.office)
    assert (office.subscription_status, office.balance_due, office.past_due_since) == ("active", 0, None)


def test_a_chosen_card_of_the_office_is_charged_and_the_default_stays(stripe, operator, overdue):
    customer = overdue.office.payment_provider_customer_id
    asked(stripe, "payment_methods/pm_card_mastercard/attach", customer=customer)
    stripe.deliver_and_apply()
    card = on_file(overdue.office).get(brand="mastercard")

    paid = perform(PayInvoice(payment_method=key_of(card)), overdue, by=operator, reason=REASON)

    assert paid.payments.get(status="succeeded").card_brand == "mastercard"
    assert now(paid.office).payment_method_brand == "visa"
    assert Operation.objects.get(kind="pay_invoice").request["payment_method"] == str(card.public_id)


@pytest.mark.parametrize("card", ["pm_card_mastercard", "theirs", "removed", "nobody's"])
def test_a_card_that_is_none_of_the_offices_is_refused_and_charged_nothing(stripe, operator, overdue, card):
    if card == "theirs":
        other = subscribed_office(an_office("Another Practice"), by=operator)
        stripe.deliver_and_apply()
        card = key_of(on_file(other).get())
    elif card == "removed":
        removed = on_file(overdue.office).get()
        card = key_of(removed)
        asked(stripe, f"payment_methods/{removed.stripe_id}/detach")
        stripe.deliver_and_apply()
    elif card == "nobody's":
        card = str(uuid.uuid4())
    charged = succeeded(stripe, 19_900)
    with pytest.raises(errors.PaymentMethodUnknown):
        perform(PayInvoice(payment_method=card), overdue, by=operator, reason=REASON)

    assert not Operation.objects.filter(kind="pay_invoice").exists()
    assert succeeded(stripe, 19_900) == charged


def test_a_declined_card_leaves_the_invoice_open_and_the_attempt_is_shown(stripe, operator, overdue):
    stripe.control("charges", outcome="decline", code="insufficient_funds")
    with pytest.raises(errors.CardDeclined):
        perform(PayInvoice(), overdue, by=operator, reason=REASON)

    overdue.refresh_from_db()
    assert (overdue.status, overdue.attempt_count) == ("open", 1)
    assert [row.status for row in overdue.payments.all()] == ["failed", "failed"]
    assert Operation.objects.get(kind="pay_invoice").status == "declined"


def test_what_stripe_collected_meanwhile_is_paid_and_not_paid_twice(stripe, operator, overdue):
    asked(stripe, f"invoices/{overdue.stripe_id}/pay")

    paid = perform(PayInvoice(), overdue, by=operator, reason=REASON)

    assert (paid.status, succeeded(stripe, 19_900)) == ("paid", 2)
    assert Operation.objects.get(kind="pay_invoice").status == "succeeded"


def test_an_invoice_is_voided_and_nothing_is_owed(stripe, operator, sent):
    voided = perform(VoidInvoice(), sent, by=operator, reason=REASON)

    assert (voided.status, voided.voided_at is not None) == ("void", True)
    assert now(sent.office).balance_due == 0


def test_an_invoice_is_written_off_and_can_still_be_paid_or_voided(stripe, operator, sent):
    written_off = perform(MarkUncollectible(), sent, by=operator, reason=REASON)
    assert (written_off.status, written_off.uncollectible_at is not None) == ("uncollectible", True)
    with pytest.raises(errors.InvoiceUncollectible):
        perform(MarkUncollectible(), written_off, by=operator, reason=REASON)
    with pytest.raises(errors.InvoiceUncollectible):
        perform(RetryInvoice(), written_off, by=operator, reason=REASON)

    assert perform(PayInvoice(), written_off, by=operator, reason=REASON).status == "paid"


def test_an_invoice_is_sent_once_more(stripe, operator, sent):
    perform(SendInvoice(), sent, by=operator, reason=REASON)

    assert len(stripe.listed("events", type="invoice.sent")) == 2


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("status", "refusal"),
    [("paid", errors.InvoicePaid), ("void", errors.InvoiceVoid), ("draft", errors.InvoiceDraft)],
)
def test_a_settled_invoice_and_a_draft_are_refused_before_stripe_is_asked(
    stripe, operator, practice, act, status, refusal
):
    invoice = a_draft(stripe, practice) if status == "draft" else practice.invoices.get()
    if status == "void":
        sent = perform(
            ChargeOffice(charge="training", amount=500, days_until_due=1), practice, by=operator, reason=REASON
        )
        invoice = perform(VoidInvoice(), sent, by=operator, reason=REASON)
    assert invoice.status == status
    stripe.forget_requests()

    with pytest.raises(refusal):
        perform(act(), invoice, by=operator, reason=REASON)

    assert stripe.requests("POST") == []
    assert AuditEntry.objects.filter(office=practice, kind=AuditEntry.Kind.REFUSAL).exists()


ATTACHED: dict[str, dict[str, str | int]] = {
    "paid": {"amount": 3_000, "confirm": "true"},
    "open": {"amount": 3_000},
    "canceled": {"amount": 3_000},
}


def attach(stripe, invoice, status):
    """Let somebody attach a payment of 30.00 to the invoice in the dashboard. It pays, waits or is canceled."""
    customer = invoice.office.payment_provider_customer_id
    card = asked(stripe, "payment_methods/pm_card_visa/attach", customer=customer)["id"]
    terms = {"customer": customer, "payment_method": card, "currency": "usd", **ATTACHED[status]}
    intent = asked(stripe, "payment_intents", **terms)["id"]
    asked(stripe, f"invoices/{invoice.stripe_id}/attach_payment", payment_intent=intent)
    if status == "canceled":
        asked(stripe, f"payment_intents/{intent}/cancel")
    stripe.deliver_and_apply()


@pytest.mark.parametrize(
    ("act", "attached", "refusal"),
    [
        (VoidInvoice, "paid", errors.InvoicePaidInPart),
        (VoidInvoice, "open", errors.PaymentAttached),
        (VoidInvoice, "canceled", None),
        (MarkUncollectible, "paid", None),
        (MarkUncollectible, "open", errors.PaymentAttached),
        (MarkUncollectible, "canceled", None),
    ],
)
def test_what_pays_an_invoice_decides_whether_it_can_be_given_up(stripe, operator, sent, act, attached, refusal):
    """Source: https://docs.stripe.com/invoicing/partial-payments#invoice-payment-statuses"""
    attach(stripe, sent, attached)
    stripe.forget_requests()
    if refusal is None:
        assert perform(act(), sent, by=operator, reason=REASON).status in ("void", "uncollectible")
        return

    with pytest.raises(refusal) as refused:
        perform(act(), sent, by=operator, reason=REASON)

    assert stripe.requests("POST") == []
    assert refusal is errors.PaymentAttached or "30.00 USD was paid" in str(refused.value)
    assert refusal is errors.PaymentAttached or "the other 270.00 USD" in str(refused.value)


def test_one_that_was_paid_in_part_and_written_off_is_not_voided_either(stripe, operator, sent):
    attach(stripe, sent, "paid")
    written_off = perform(MarkUncollectible(), sent, by=operator, reason=REASON)

    with pytest.raises(errors.InvoicePaidInPart):
        perform(VoidInvoice(), written_off, by=operator, reason=REASON)


def test_where_nothing_remains_there_is_nothing_to_pay(stripe, operator, sent):
    Invoice.objects.filter(pk=sent.pk).update(amount_remaining=0)  # as a look sees it while a credit note settles it

    with pytest.raises(errors.NothingToPay):
        perform(PayInvoice(), sent, by=operator, reason=REASON)


def test_without_a_failed_attempt_there_is_nothing_to_try_again(stripe, operator, sent):
    with pytest.raises(errors.NoFailedAttempt):
        perform(RetryInvoice(), sent, by=operator, reason=REASON)


def test_what_is_charged_to_the_card_is_not_sent(stripe, operator, overdue):
    with pytest.raises(errors.InvoiceNotSendable):
        perform(SendInvoice(), overdue, by=operator, reason=REASON)


@pytest.mark.parametrize("act", [PayInvoice, RetryInvoice])
def test_without_a_card_nothing_is_charged(stripe, operator, overdue, act):
    card = on_file(overdue.office).get()
    asked(stripe, f"payment_methods/{card.stripe_id}/detach")
    stripe.deliver_and_apply()

    with pytest.raises(errors.PaymentMethodRequired):
        perform(act(), overdue, by=operator, reason=REASON)


@pytest.mark.parametrize(
    ("act", "waits"),
    [(PayInvoice, True), (SendInvoice, True), (VoidInvoice, False), (MarkUncollectible, False)],
)
def test_collecting_waits_for_a_determination_and_giving_up_does_not(
    stripe, operator, administrator, sent, settings, act, waits
):
    settings.STRIPE_LIVE_MODE = True
    if waits:
        with pytest.raises(errors.DeterminationMissing):
            perform(act(), sent, by=operator, reason=REASON)
        determined(operator, administrator)

    perform(act(), sent, by=operator, reason=REASON)


def test_trying_again_waits_for_a_determination(stripe, operator, overdue, settings):
    settings.STRIPE_LIVE_MODE = True
    with pytest.raises(errors.DeterminationMissing):
        perform(RetryInvoice(), overdue, by=operator, reason=REASON)


@pytest.mark.parametrize("act", ACTS)
def test_a_viewer_does_nothing_to_an_invoice(stripe, overdue, act):
    viewer = actor.person(a_member(overdue.office, "viewer"))
    with pytest.raises(errors.NotPermitted):
        perform(act(), overdue, by=viewer, reason=REASON)


@pytest.mark.parametrize("act", [SendInvoice, VoidInvoice, MarkUncollectible])
def test_an_owner_pays_and_does_not_forgive_the_own_debt(stripe, operator, sent, act):
    owner = actor.person(a_member(sent.office, "owner"))
    with pytest.raises(errors.NotPermitted):
        perform(act(), sent, by=owner, reason=REASON)

    assert perform(PayInvoice(), sent, by=owner, reason=REASON).status == "paid"


@pytest.mark.parametrize("kind", ["503", "drop_after", "500_after"])
@pytest.mark.parametrize(
    ("act", "done"),
    [(PayInvoice, "paid"), (VoidInvoice, "void"), (MarkUncollectible, "uncollectible"), (SendInvoice, "open")],
)
def test_an_answer_that_was_lost_is_found_out(stripe, operator, sent, act, done, kind):
    before = len(stripe.listed("events", type="invoice.sent"))
    stripe.fail_next(kind, method="POST", path_prefix="/v1/invoices/")
    with pytest.raises(errors.StripeUnavailable):
        perform(act(), sent, by=operator, reason=REASON)
    Operation.objects.update(lease_until=clock.wall() - timedelta(seconds=1))
    resume_unsettled()

    sent.refresh_from_db()
    expected = ("abandoned", "open") if kind == "500_after" else ("succeeded", done)
    assert (Operation.objects.get(kind=act.kind).status, sent.status) == expected
    assert succeeded(stripe, 30_000) == (expected[1] == "paid")
    again = len(stripe.listed("events", type="invoice.sent")) - before
    assert again == (act is SendInvoice and kind != "500_after")


def test_two_people_at_once_pay_it_once(stripe, operator, administrator, overdue):
    stripe.fail_next("503", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        perform(PayInvoice(), overdue, by=operator, reason=REASON)

    with pytest.raises(errors.OperationInProgress, match="Pay the invoice"):
        perform(PayInvoice(), overdue, by=administrator, reason=REASON)


@pytest.mark.parametrize("document", ["pdf", "page"])
def test_stripes_document_is_fetched_when_it_is_opened_and_that_is_on_record(stripe, auditor, practice, document):
    invoice = practice.invoices.get()
    address = open_document(invoice, document, by=auditor)

    assert stripe.http.get(address).status_code == 200
    entry = AuditEntry.objects.get(kind="act", actor=auditor.user)
    assert (entry.office, document in entry.what.lower()) == (practice, True)
    stored = str(list(Invoice.objects.values())) + str(list(AuditEntry.objects.values()))
    assert address not in stored


def test_a_draft_has_no_document(stripe, auditor, practice):
    with pytest.raises(errors.NoDocument):
        open_document(a_draft(stripe, practice), "pdf", by=auditor)


def test_an_outsider_opens_nothing(stripe, outsider, practice):
    with pytest.raises(errors.NotPermitted):
        open_document(practice.invoices.get(), "pdf", by=outsider)
    with pytest.raises(errors.NotPermitted):
        preview_upcoming(practice, by=outsider)


@pytest.mark.parametrize(
    ("address", "theirs"),
    [
        ("https://pay.stripe.com/invoice/acct_1/live_abc/pdf?s=ap", True),
        ("https://invoice.stripe.com/i/acct_1/live_abc", True),
        ("http://pay.stripe.com/invoice", False),
        ("https://pay.stripe.com.evil.example/invoice", False),
        ("https://evilstripe.com/invoice", False),
        ("https://evil.example\\@pay.stripe.com/invoice", False),
        ("https://pay.stripe.com@evil.example/invoice", False),
        ("https://pay.stripe.com:8443/invoice", False),
        ("https://pay.stripe.com", False),
        ("https://pay.stripe.com/invoice\\elsewhere", False),
        ("https://pay.stripe.com/invoice\r\nSet-Cookie: a=b", False),
        ("javascript:alert(1)//https://pay.stripe.com/", False),
        ("http://127.0.0.1:1/invoice", False),
    ],
)
def test_only_an_address_of_stripes_is_opened(settings, address, theirs):
    settings.STRIPE_KIND = "stripe"
    assert gateway._is_stripes(address) is theirs


def test_the_local_stripes_own_address_is_opened_in_sandbox_mode_alone(settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:12111"
    settings.STRIPE_KIND = "sandbox"
    assert gateway._is_stripes("http://127.0.0.1:12111/invoices/in_1.pdf")
    assert not gateway._is_stripes("http://127.0.0.1:12111@evil.example/invoices/in_1.pdf")
    settings.STRIPE_KIND = "stripe"
    assert not gateway._is_stripes("http://127.0.0.1:12111/invoices/in_1.pdf")


def test_the_upcoming_invoice_is_the_one_that_comes(stripe, operator, office):
    team = subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)
    team = perform(ChangeSubscription(quantity=5, settle="next_invoice"), team, by=operator, reason="grows")
    seen = preview_upcoming(team, by=operator)
    stripe.advance(days=32)
    stripe.deliver_and_apply()

    came = Invoice.objects.get(kind="cycle")
    assert (seen.at, seen.now) == (team.current_period_end, False)
    assert (seen.total.amount, seen.charged.amount) == (came.total, came.amount_paid)
    assert [line.text for line in seen.lines] == [line["text"] for line in came.lines]


def test_where_nothing_renews_no_invoice_is_to_come(stripe, operator, practice, office):

    with pytest.raises(errors.NoUpcomingInvoice):
        preview_upcoming(an_office("Another Practice"), by=operator)
    leaving = perform(CancelSubscription(), practice, by=operator, reason="closing")
    with pytest.raises(errors.NoUpcomingInvoice):
        preview_upcoming(leaving, by=operator)
