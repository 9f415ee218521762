import pytest

from billing.models import AuditEntry, Invoice, Office, Operation
from billing.operations.engine.begin import perform
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.invoices import PayInvoice
from tests.admin.test_offices import page, signed_in
from tests.admin.test_terms import in_second_step
from tests.api.test_api import signed_in as api
from tests.conftest import subscribed_office
from tests.operations.test_charges import asked
from tests.situations.seen import Faces

CHARGE = {"charge": "data_migration", "amount": "1250.50", "days_until_due": "0", "why": "agreed"}


@pytest.fixture
def practice(stripe, operator, office):
    return subscribed_office(office, by=operator)


@pytest.fixture
def sent(operator, practice):
    return perform(
        ChargeOffice(charge="training", amount=30_000, days_until_due=14), practice, by=operator, reason="agreed"
    )


def of(invoice, name="change/"):
    return f"/admin/billing/invoice/{invoice.pk}/{name}"


def test_a_charge_is_shown_and_made_only_when_it_is_confirmed(stripe, operator, practice):
    client = signed_in(operator.user)
    seen = client.post(page("charge/", practice), CHARGE)
    assert "Confirm and charge 1,250.50 USD" in seen.content.decode()
    assert not Invoice.objects.filter(kind="one_off").exists()

    confirmed = {**CHARGE, "confirmed": "yes", "as_of": seen.context["preview"].as_of.isoformat()}
    done = client.post(page("charge/", practice), confirmed, follow=True)

    assert "One-off charge: done" in done.content.decode()
    invoice = Invoice.objects.get(kind="one_off")
    assert (invoice.amount_paid, invoice.lines[0]["text"]) == (125_050, "Data migration")
    assert Operation.objects.get(kind="charge_office").reason == "Agreed with the Office"
    again = client.post(page("charge/", practice), confirmed, follow=True)
    assert "something has changed since" in again.content.decode()
    assert Invoice.objects.filter(kind="one_off").count() == 1


def test_one_that_is_sent_says_so_and_charges_nothing(stripe, operator, practice):
    seen = signed_in(operator.user).post(page("charge/", practice), {**CHARGE, "days_until_due": "14"})

    shown = seen.content.decode()
    assert "Sent to the Office, which pays it by" in shown
    assert "Confirm and charge" not in shown


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"amount": "0.50"}, "1.00 USD to 10,000.00 USD"),
        ({"amount": "12.345"}, "fewer decimals"),
        ({"amount": "1e999999"}, "Write digits and a decimal point"),
        ({"amount": "1_000"}, "Write digits and a decimal point"),
        ({"amount": "-5"}, "greater than or equal to 0"),
        ({"charge": ""}, "required"),
        ({"charge": "a favour"}, "valid choice"),
        ({"days_until_due": "400"}, "less than or equal to 90"),
    ],
    ids=str,
)
def test_what_cannot_be_charged_stays_on_the_form(stripe, operator, practice, given, says):
    shown = signed_in(operator.user).post(page("charge/", practice), {**CHARGE, **given}).content.decode()

    assert says in shown
    assert not Operation.objects.filter(kind="charge_office").exists()


def test_a_declined_charge_is_told_on_the_form(stripe, operator, practice):
    stripe.control("charges", outcome="decline")
    confirmed = {**CHARGE, "confirmed": "yes"}

    shown = signed_in(operator.user).post(page("charge/", practice), confirmed).content.decode()

    assert "declined" in shown
    assert Invoice.objects.get(kind="one_off").status == "void"


def test_the_invoices_page_shows_lines_and_amounts_and_the_way_to_the_office(stripe, operator, practice, sent):
    shown = signed_in(operator.user).get(of(sent)).content.decode()

    assert "Training" in shown
    assert "300.00 USD" in shown
    assert f"/admin/billing/office/{practice.pk}/change/" in shown
    assert "Save" not in shown
    for secret in (sent.stripe_id, sent.payment_intent_id):
        assert secret
        assert secret not in shown


def test_only_what_can_be_done_is_offered(stripe, operator, practice, sent):
    client = signed_in(operator.user)
    buttons = ("Pay now", "Try again", "Mark uncollectible", "PDF")

    unpaid = client.get(of(sent)).content.decode()
    paid = client.get(of(practice.invoices.get(kind="start"))).content.decode()

    assert [name in unpaid for name in buttons] == [True, False, True, True]
    assert [name in paid for name in buttons] == [False, False, False, True]


def test_staff_choose_one_of_the_offices_cards(stripe, operator, practice, sent):
    customer = practice.payment_provider_customer_id
    asked(stripe, "payment_methods/pm_card_mastercard/attach", customer=customer)
    stripe.deliver_and_apply()
    card = practice.payment_methods.get(brand="mastercard")
    client = signed_in(operator.user)
    stripe.forget_requests()

    form = client.get(of(sent, "pay/")).content.decode()
    assert "The payment method on file" in form
    assert "mastercard …4444" in form
    assert card.stripe_id not in form
    assert stripe.requests() == []
    client.post(of(sent, "pay/"), {"payment_method": card.public_id, "why": "agreed"})

    sent.refresh_from_db()
    assert (sent.status, sent.payments.get().card_brand) == ("paid", "mastercard")


def test_without_a_choice_the_card_on_file_is_charged(stripe, operator, sent):
    signed_in(operator.user).post(of(sent, "pay/"), {"why": "agreed"})

    sent.refresh_from_db()
    assert (sent.status, sent.payments.get().card_brand) == ("paid", "visa")


@pytest.mark.parametrize(
    ("name", "status"), [("void/", "void"), ("mark-uncollectible/", "uncollectible"), ("send/", "open")]
)
def test_staff_give_up_and_send(stripe, operator, sent, name, status):
    client, given = signed_in(operator.user), {"why": "goodwill"}
    done = client.post(of(sent, name), given, follow=True)
    if step := in_second_step(done):
        done = client.post(of(sent, name), given | step, follow=True)

    assert ": done" in done.content.decode()
    sent.refresh_from_db()
    assert sent.status == status


def test_staff_try_a_failed_one_again(stripe, operator, practice):
    stripe.control("charges", outcome="decline")
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    invoice = Invoice.objects.get(kind="cycle")
    client = signed_in(operator.user)
    assert "Try again" in client.get(of(invoice)).content.decode()

    client.post(of(invoice, "retry/"), {"why": "payment_problem"})

    invoice.refresh_from_db()
    assert invoice.status == "paid"


def test_a_refusal_stays_on_the_page(stripe, operator, sent):
    perform(PayInvoice(), sent, by=operator, reason="agreed")

    shown = signed_in(operator.user).post(of(sent, "void/"), {"why": "goodwill"}).content.decode()

    assert "This invoice is already paid" in shown


ACTS = ("pay/", "retry/", "send/", "void/", "mark-uncollectible/")


@pytest.mark.parametrize("name", ACTS)
def test_an_auditor_reads_and_opens_and_may_not_act(stripe, auditor, sent, name):
    client = signed_in(auditor.user)

    assert client.get(of(sent)).status_code == 200
    assert client.get(of(sent, name)).status_code == 403
    assert client.post(of(sent, name), {"why": "agreed"}).status_code == 403
    assert client.post(page("charge/", sent.office), CHARGE).status_code == 403
    assert client.post(of(sent), {"number": "0"}).status_code == 403


@pytest.mark.parametrize("name", ["open-pdf/", "open-page/"])
def test_a_click_opens_stripes_document_and_is_on_record(stripe, auditor, sent, name):
    answer = signed_in(auditor.user).get(of(sent, name))

    assert answer.status_code == 302
    assert stripe.http.get(answer.headers["Location"]).status_code == 200
    assert AuditEntry.objects.get(kind="act", actor=auditor.user).object_pk == str(sent.pk)


def test_a_document_that_cannot_be_had_is_told_on_the_invoices_page(stripe, auditor, sent):
    stripe.fail_next("503", method="GET", path_prefix="/v1/invoices/")

    answer = signed_in(auditor.user).get(of(sent, "open-pdf/"), follow=True)

    assert "Stripe did not answer" in answer.content.decode()


def test_the_offices_page_shows_what_comes_next(stripe, operator, practice):
    shown = signed_in(operator.user).get(page("upcoming/", practice)).content.decode()

    assert "With the next invoice, on" in shown
    assert "199.00 USD" in shown


def test_the_offices_account_is_shown_with_the_running_balance(stripe, auditor, practice, sent):
    stripe.deliver_and_apply()

    shown = signed_in(auditor.user).get(page("account/", practice)).content.decode()

    Office.objects.update(subscription_status="past_due")
    assert ">past due<" in signed_in(auditor.user).get(page("account/", practice)).content.decode()
    for text in (f"Invoice {sent.number}", "Payment of", "visa …4242", "300.00 USD", "1 open invoice<"):
        assert text in shown


def test_the_page_and_the_api_say_what_paid_an_invoice(stripe, operator, practice, sent):
    """A third was paid by a card with a payment of its own. The payment that Stripe made for the rest waits."""
    customer = practice.payment_provider_customer_id
    visa = stripe.listed("payment_methods", customer=customer)[0]["id"]
    intent = {"customer": customer, "amount": 10_000, "currency": "usd", "payment_method": visa, "confirm": "true"}
    paying = stripe.post("payment_intents", **intent)["id"]
    stripe.post(f"invoices/{sent.stripe_id}/attach_payment", payment_intent=paying)
    stripe.deliver_and_apply()
    client = api(operator.user)

    shown = Faces(client, signed_in(operator.user)).page(of(sent))
    told = client.get(f"/api/v1/offices/{practice.public_id}/invoices/{sent.public_id}/").json()

    assert "paid 100.00 USD visa …4242" in shown
    assert "open 0.00 USD nothing was tried yet" in shown
    by_card = str(sent.payments.get().public_id)
    paid, waits = (next(one for one in told["payments"] if one["status"] == status) for status in ("paid", "open"))
    assert (paid["amount_paid"]["amount"], paid["paid_with"], paid["payment"]) == (10_000, "visa …4242", by_card)
    assert (waits["amount_paid"]["amount"], waits["paid_with"], waits["payment"]) == (0, "", None)
    assert (paid["is_default"], waits["is_default"]) == (False, True)
