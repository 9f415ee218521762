"""A renewal is debited from a bank account: the bank decides days later.

Source: https://docs.stripe.com/payments/ach-direct-debit
"""

import re
from datetime import timedelta

import pytest
from django.test import Client

from billing import errors
from billing.entitlement import Access, Policy, entitlement
from billing.models import Invoice, Office, Operation, Payment
from billing.operations.engine.begin import perform
from billing.operations.money.invoices import MarkUncollectible, PayInvoice, RetryInvoice, VoidInvoice
from tests.api.test_api import signed_in
from tests.conftest import subscribed_office
from tests.situations.seen import Faces

POLICY = Policy()
ACTS = [PayInvoice(), RetryInvoice(), VoidInvoice(), MarkUncollectible()]


def renewed(stripe, operator, office, account):
    """Let an Office pay from this bank account, and its subscription renew. The bank has not decided yet."""
    office = subscribed_office(office, by=operator)
    customer = office.payment_provider_customer_id
    stripe.post(f"payment_methods/{account}/attach", customer=customer)
    (bank,) = (one for one in stripe.listed(f"customers/{customer}/payment_methods") if one["type"] != "card")
    stripe.post(f"customers/{customer}", **{"invoice_settings[default_payment_method]": bank["id"]})
    stripe.control("clock", now=int(office.current_period_end.timestamp()) + 2 * 3600)
    stripe.deliver_and_apply()
    return Office.objects.get(pk=office.pk)


def access(office):
    return entitlement(office, POLICY, at=office.confirmed_at).access


@pytest.mark.parametrize("act", ACTS, ids=lambda act: type(act).__name__)
def test_while_the_bank_has_not_decided_nothing_else_is_done_with_the_invoice(stripe, operator, office, act):
    office = renewed(stripe, operator, office, "pm_usBankAccount_success")
    began = Operation.objects.count()

    with pytest.raises(errors.PaymentUnderWay, match=r"A payment of 199\.00 USD"):
        perform(act, Invoice.objects.get(status="open"), by=operator, reason="now")

    assert Operation.objects.count() == began
    assert (office.subscription_status, office.past_due_since, access(office)) == ("active", None, Access.FULL)
    assert (office.has_payment_method, office.payment_method_brand) == (True, "us_bank_account")
    assert list(Payment.objects.filter(invoice__status="open").values_list("status", flat=True)) == ["pending"]


def test_it_is_paid_once_the_bank_has_paid(stripe, operator, office):
    renewed(stripe, operator, office, "pm_usBankAccount_success")

    stripe.advance(days=8)
    stripe.deliver_and_apply()

    office = Office.objects.get()
    assert (office.subscription_status, office.balance_due, office.past_due_since) == ("active", 0, None)
    assert {row.status for row in office.payments.all()} == {"succeeded"}


def test_it_is_past_due_once_the_bank_has_returned_it(stripe, operator, office):
    renewed(stripe, operator, office, "pm_usBankAccount_insufficientFunds")

    stripe.advance(days=6)
    stripe.deliver_and_apply()

    office = Office.objects.get()
    assert (office.subscription_status, office.balance_due) == ("past_due", 19_900)
    returned = Payment.objects.get(status="failed")
    assert returned.returned_at >= returned.created_at + timedelta(days=4)
    assert office.past_due_since == returned.returned_at
    assert access(office) is Access.FULL


def words_of(answer, *, without=("brand", "card_brand")):
    """Return all texts of an answer of the API, without those that are Stripe's word on purpose."""
    if isinstance(answer, dict):
        return " ".join(words_of(one) for name, one in answer.items() if name not in without)
    if isinstance(answer, list):
        return " ".join(words_of(one) for one in answer)
    return str(answer)


@pytest.mark.parametrize(("account", "last4"), [("success", "6789"), ("insufficientFunds", "2227")])
def test_what_is_said_of_a_bank_account_names_no_card_and_no_word_of_stripes(stripe, operator, office, account, last4):
    """The pages and answers about an Office, its debit and the invoice, and the forms and previews that move money."""
    renewed(stripe, operator, office, f"pm_usBankAccount_{account}")
    stripe.advance(days=8)
    stripe.deliver_and_apply()
    office, payment = Office.objects.get(), Payment.objects.get(card_brand="us_bank_account")
    admin, api = Client(), signed_in(operator.user)
    admin.force_login(operator.user)
    faces = Faces(api, admin)
    on_office, on_invoice, on_payment = (f"/admin/billing/{kind}/" for kind in ("office", "invoice", "payment"))
    invoice = payment.invoice
    pages = {
        "office": faces.page(f"{on_office}{office.pk}/change/"),
        "statement": faces.page(f"{on_office}{office.pk}/account/"),
        "invoice": faces.page(f"{on_invoice}{invoice.pk}/change/"),
        "payment": faces.page(f"{on_payment}{payment.pk}/change/"),
        "payments": faces.page(on_payment),
    }
    if account == "success":
        path = f"/api/v1/offices/{office.public_id}/payments/{payment.public_id}/refund/preview/"
        pages["refund"] = words_of(api.post(path, {}, format="json").json())
    else:
        pages["pay"] = faces.page(f"{on_invoice}{invoice.pk}/pay/")
        assert "there is not enough money" in pages["payment"]
    for path in ("subscription/", "payment-methods/", "payments/", "statement/"):
        pages[path] = words_of(faces.answer(office, path))

    for name, page in pages.items():
        said = page.replace("Link to add a card", "")  # on the page behind it only a card can be entered
        said = re.sub(r"By decline code .*", "", said)  # a filter offers each code that there is
        assert "us_bank_account" not in said.replace("us bank account", "us_bank_account"), f"{name}: {said}"
        assert not re.search(r"\bcards?\b", said, re.IGNORECASE), f"{name}: {said}"
        assert f"bank account …{last4}" in said, f"{name}: {said}"
