from zoneinfo import ZoneInfo

import pytest
from django.contrib import admin
from django.urls import reverse

from billing.admin.acts.pages import ActsAdmin
from billing.admin.acts.payments import INVOICE_ACTS
from billing.errors import CardDeclined
from billing.models import Adjustment, Invoice, Operation, Payment
from tests.admin.test_offices import signed_in
from tests.conftest import subscribed_office


def paid(stripe, operator, office, card="pm_card_visa"):
    subscribed_office(office, by=operator, card=card)
    stripe.deliver_and_apply()
    return Payment.objects.get()


def page(row, name):
    return f"/admin/billing/{row._meta.model_name}/{row.pk}/{name}"


REFUND = {"amount": "50.00", "why": "office_asked", "note": "left in May"}


@pytest.mark.parametrize("act", ["credit-note", "pay", "void"])
def test_an_act_on_an_invoice_says_what_it_is_done_to(stripe, operator, office, act):
    paid(stripe, operator, office)
    stripe.control("charges", outcome="decline", code="insufficient_funds")
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    invoice = Invoice.objects.get(status="open")

    blank = signed_in(operator.user).get(page(invoice, f"{act}/"))

    assert blank.context["facts"] in blank.content.decode()
    assert f"{invoice} of {office}: 199.00 USD, open, of which 199.00 USD is due. Tried once" in blank.context["facts"]
    assert "Pays with: visa …4242." in blank.context["facts"]


def test_a_refund_is_shown_first_and_made_once_it_is_confirmed(stripe, operator, office):
    payment, client = paid(stripe, operator, office), signed_in(operator.user)

    blank = client.get(page(payment, "refund/")).content.decode()
    assert "Maple Street Family Practice paid 199.00 USD" in blank
    assert 'value="199.00"' in blank
    preview = client.post(page(payment, "refund/"), REFUND)
    seen = preview.content.decode()
    assert "Confirm and give back 50.00 USD" in seen
    assert "149.00 USD" in seen
    assert stripe.listed("refunds") == []

    confirmed = {**REFUND, "confirmed": "yes", "as_of": preview.context["preview"].as_of.isoformat()}
    shown = client.post(page(payment, "refund/"), confirmed, follow=True).content.decode()
    assert "something has changed since" in client.post(page(payment, "refund/"), confirmed).content.decode()
    assert "Refund: done" in shown
    assert "The Office asked for it: left in May" in shown
    assert Payment.objects.get().amount_refunded == 5_000
    assert stripe.listed("refunds")[0]["reason"] == "requested_by_customer"


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("199.01", "at most 199.00 USD"),
        ("0", "at least one minor unit"),
        ("1.005", "fewer decimals"),
        ("", "required"),
        ("NaN", "Write digits and a decimal point"),
        ("1e1", "Write digits and a decimal point"),
        ("1_0", "Write digits and a decimal point"),
        ("-1", "greater than or equal to 0"),
    ],
)
def test_an_amount_that_cannot_be_is_told_on_the_form(stripe, operator, office, amount, says):
    payment = paid(stripe, operator, office)

    shown = signed_in(operator.user).post(page(payment, "refund/"), {**REFUND, "amount": amount}).content.decode()

    assert says in shown
    assert "Confirm" not in shown
    assert not Operation.objects.filter(kind="refund_payment").exists()


def test_what_would_block_the_card_is_warned_of(stripe, operator, office):
    payment = paid(stripe, operator, office)

    seen = signed_in(operator.user).post(page(payment, "refund/"), {**REFUND, "why": "suspected_fraud"})

    assert "Stripe blocks the card" in seen.content.decode()


def test_an_auditor_sees_payments_and_refunds_none(stripe, operator, auditor, office):
    payment, client = paid(stripe, operator, office), signed_in(auditor.user)

    assert client.get(page(payment, "change/")).status_code == 200
    assert client.post(page(payment, "refund/"), {**REFUND, "confirmed": "yes"}).status_code == 403
    assert stripe.listed("refunds") == []


def test_a_failed_payment_says_why_in_words_and_offers_no_refund(stripe, operator, office):
    stripe.control("charges", outcome="decline", code="insufficient_funds")
    with pytest.raises(CardDeclined):
        paid(stripe, operator, office)
    stripe.deliver_and_apply()
    client, payment = signed_in(operator.user), Payment.objects.get()

    one = client.get(page(payment, "change/")).content.decode()
    listed = client.get(reverse("admin:billing_payment_changelist")).content.decode()

    for shown in (one, listed):
        assert "there is not enough money" in shown
    assert "try again when there is enough" in one
    assert "/refund/" not in one


def test_a_dispute_links_to_where_it_is_answered_and_says_until_when(stripe, operator, office, settings):
    payment = paid(stripe, operator, office, "pm_card_createDispute")
    client, row = signed_in(operator.user), Adjustment.objects.get()
    settings.STRIPE_API_BASE = ""

    for address in (page(payment, "change/"), page(row, "change/"), reverse("admin:billing_adjustment_changelist")):
        shown = client.get(address).content.decode()
        local = row.due_at.astimezone(ZoneInfo("America/New_York"))
        assert f"dashboard before {local.day} {local:%B %Y, %H:%M} (America/New_York)</a>" in shown
        assert 'href="https://dashboard.stripe.com/test/disputes"' in shown
        assert row.stripe_id not in shown
    assert "/refund/" not in client.get(page(payment, "change/")).content.decode()
    assert "nothing: the bank has taken it back" in client.get(page(payment, "change/")).content.decode()


class InvoiceWithActs(ActsAdmin):
    acts = INVOICE_ACTS


@pytest.fixture
def credit(stripe, operator, rf):
    """The page of the credit note, as an invoice's admin would serve it. Returns its HTML, or where it leads."""
    from django.contrib.messages.storage.fallback import FallbackStorage
    from django.contrib.sessions.backends.signed_cookies import SessionStore

    def ask(invoice, given):
        request = rf.post("/", given)
        request.user, request.session = operator.user, SessionStore()
        request._messages = FallbackStorage(request)
        request._dont_enforce_csrf_checks = True
        answer = InvoiceWithActs(Invoice, admin.site).act_page(INVOICE_ACTS[0], request, str(invoice.pk))
        return answer.url if answer.status_code == 302 else answer.render().content.decode()

    return ask


def test_a_credit_note_on_a_paid_invoice_is_shown_first_and_issued_once_it_is_confirmed(
    stripe, operator, office, credit
):
    invoice = paid(stripe, operator, office).invoice
    given = {"amount": "50", "to": "balance", "why": "goodwill"}

    seen = credit(invoice, given)
    assert "Confirm and credit 50.00 USD" in seen
    assert "kept as credit and lowers the next invoices" in seen
    assert stripe.listed("credit_notes") == []

    assert credit(invoice, {**given, "confirmed": "yes"}).endswith(f"/invoice/{invoice.pk}/change/")
    assert stripe.listed("credit_notes")[0]["total"] == 5_000


def test_of_a_paid_invoice_the_page_does_not_offer_that_less_is_due(stripe, operator, office, credit):
    shown = credit(paid(stripe, operator, office).invoice, {"amount": "50", "to": "due", "why": "goodwill"})

    assert "Select a valid choice" in shown
    assert "Lower the amount that is due" not in shown
