"""A renewal is debited from a bank account: the bank decides days later.

Source: https://docs.stripe.com/payments/ach-direct-debit
"""

import pytest

from billing import errors
from billing.entitlement import Access, Policy, entitlement
from billing.models import Invoice, Office, Operation, Payment
from billing.operations.engine.begin import perform
from billing.operations.money.invoices import MarkUncollectible, PayInvoice, RetryInvoice, VoidInvoice
from tests.conftest import subscribed_office

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

    with pytest.raises(errors.PaymentUnderWay, match=r"has not decided yet about a payment of 199\.00 USD"):
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
    assert office.past_due_since is not None
    assert access(office) is Access.FULL
