"""A debit of a US bank account: the payment is on its way for days, and then succeeds or comes back.

Source: https://docs.stripe.com/payments/ach-direct-debit, https://docs.stripe.com/billing/subscriptions/ach-debit
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Frozen, Sandbox

MONDAY, THURSDAY = datetime(2027, 1, 4, 12, tzinfo=UTC), datetime(2027, 1, 7, 12, tzinfo=UTC)
RETURNS = [
    ("pm_usBankAccount_accountClosed", "account_closed"),
    ("pm_usBankAccount_noAccount", "no_account"),
    ("pm_usBankAccount_insufficientFunds", "insufficient_funds"),
    ("pm_usBankAccount_debitNotAuthorized", "debit_not_authorized"),
]


def paying_by_bank(sandbox: Sandbox, account: str, at: datetime = MONDAY) -> Frozen:
    office = sandbox.frozen_customer(at, card=None)
    sandbox.use_card(office.customer, account)
    return office


def intent_of(sandbox: Sandbox, office: Frozen) -> Any:
    return sandbox.listed("payment_intents", customer=office.customer)[0]


def charge_of(sandbox: Sandbox, office: Frozen) -> Any:
    return sandbox.listed("charges", customer=office.customer)[0]


@pytest.mark.parametrize("account", ["pm_usBankAccount", "pm_usBankAccount_success"])
def test_a_bank_account_is_shown_as_one(sandbox: Sandbox, account: str) -> None:
    office = paying_by_bank(sandbox, account)
    method = sandbox.listed("payment_methods", customer=office.customer)[0]
    assert (method["type"], method["us_bank_account"]["last4"]) == ("us_bank_account", "6789")
    assert method["us_bank_account"]["routing_number"] == "110000000"
    assert "card" not in method
    assert sandbox.listed("payment_methods", customer=office.customer, type="card") == []


def test_a_subscription_is_active_while_its_first_debit_is_on_its_way(sandbox: Sandbox) -> None:
    office = paying_by_bank(sandbox, "pm_usBankAccount_success")
    made = office.subscribe(sandbox.price()["id"])
    invoice, charge = office.invoices()[0], charge_of(sandbox, office)
    assert (made["status"], invoice["status"], invoice["attempt_count"]) == ("active", "open", 1)
    assert (invoice["amount_paid"], invoice["next_payment_attempt"]) == (0, None)
    assert intent_of(sandbox, office)["status"] == "processing"
    assert (charge["status"], charge["paid"]) == ("pending", False)
    moved = sandbox.get(f"balance_transactions/{charge['balance_transaction']}")
    assert (moved["type"], moved["status"], moved["reporting_category"]) == ("payment", "pending", "charge")
    assert charge["payment_method_details"]["us_bank_account"]["mandate"].startswith("mandate_")
    types = sandbox.event_types()
    assert {"charge.pending", "payment_intent.processing"} <= {*types}
    assert not {"invoice.payment_failed", "invoice.paid"} & {*types}
    office.wait(3 * DAY + 23 * HOUR)
    assert office.invoices()[0]["status"] == "open"
    office.wait(2 * HOUR)
    invoice, charge = office.invoices()[0], charge_of(sandbox, office)
    assert (office.read(made)["status"], invoice["status"], invoice["attempt_count"]) == ("active", "paid", 1)
    assert (charge["status"], charge["paid"], intent_of(sandbox, office)["status"]) == ("succeeded", True, "succeeded")
    assert charge["balance_transaction"] == moved["id"]
    assert charge["failure_balance_transaction"] is None
    assert sandbox.get(f"balance_transactions/{moved['id']}")["status"] == "available"
    assert invoice["status_transitions"]["paid_at"] == int(MONDAY.timestamp()) + 4 * DAY


def test_a_weekend_is_no_day_of_a_bank(sandbox: Sandbox) -> None:
    office = paying_by_bank(sandbox, "pm_usBankAccount_success", THURSDAY)
    office.subscribe(sandbox.price()["id"])
    office.wait(5 * DAY)
    assert office.invoices()[0]["status"] == "open"
    office.wait(DAY)
    assert office.invoices()[0]["status"] == "paid"


@pytest.mark.parametrize(("account", "code"), RETURNS)
def test_a_debit_that_comes_back_makes_the_subscription_past_due(sandbox: Sandbox, account: str, code: str) -> None:
    office = paying_by_bank(sandbox, account)
    made = office.subscribe(sandbox.price()["id"])
    assert office.read(made)["status"] == "active"
    office.wait(4 * DAY + HOUR)
    invoice, charge, intent = office.invoices()[0], charge_of(sandbox, office), intent_of(sandbox, office)
    assert (office.read(made)["status"], invoice["status"], invoice["attempt_count"]) == ("past_due", "open", 1)
    assert invoice["next_payment_attempt"]
    assert (charge["status"], charge["failure_code"], charge["paid"]) == ("failed", code, False)
    assert (intent["status"], intent["last_payment_error"]["code"]) == ("requires_payment_method", code)
    assert {"charge.failed", "payment_intent.payment_failed", "invoice.payment_failed"} <= {*sandbox.event_types()}


def test_the_money_of_a_debit_that_comes_back_goes_out_again(sandbox: Sandbox) -> None:
    """Source: https://docs.stripe.com/reports/balance-transaction-types"""
    office = paying_by_bank(sandbox, "pm_usBankAccount_insufficientFunds")
    office.subscribe(sandbox.price()["id"])
    office.wait(4 * DAY + HOUR)
    charge = sandbox.listed("charges", customer=office.customer, **{"expand[]": "data.failure_balance_transaction"})[0]
    back = charge["failure_balance_transaction"]
    assert (back["type"], back["reporting_category"]) == ("payment_failure_refund", "charge_failure")
    assert (back["source"], back["amount"]) == (charge["id"], -charge["amount"])
    assert back["created"] == int(MONDAY.timestamp()) + 4 * DAY


def test_a_renewal_by_debit_stays_active_and_one_that_fails_is_tried_again(sandbox: Sandbox) -> None:
    office = paying_by_bank(sandbox, "pm_usBankAccount_success")
    made = office.subscribe(sandbox.price()["id"])
    office.wait(7 * DAY)
    sandbox.use_card(office.customer, "pm_usBankAccount_insufficientFunds")
    office.go_to(made["items"]["data"][0]["current_period_end"] + 2 * HOUR)
    assert (office.read(made)["status"], office.invoices()[0]["status"]) == ("active", "open")
    office.wait(6 * DAY)
    assert (office.read(made)["status"], office.invoices()[0]["attempt_count"]) == ("past_due", 1)
    sandbox.use_card(office.customer, "pm_usBankAccount_success")
    office.go_to(office.invoices()[0]["next_payment_attempt"] + HOUR)
    shown = office.invoices()[0]
    assert (office.read(made)["status"], shown["attempt_count"], shown["next_payment_attempt"]) == ("past_due", 2, None)
    office.wait(7 * DAY)
    assert (office.read(made)["status"], office.invoices()[0]["status"]) == ("active", "paid")


def test_a_payment_that_never_ends_stays_on_its_way(sandbox: Sandbox) -> None:
    office = paying_by_bank(sandbox, "pm_usBankAccount_processing")
    made = office.subscribe(sandbox.price()["id"])
    office.wait(20 * DAY)
    assert (office.read(made)["status"], office.invoices()[0]["status"]) == ("active", "open")
    assert intent_of(sandbox, office)["status"] == "processing"


@pytest.mark.parametrize("act", ["pay", "void", "out_of_band"])
def test_what_is_on_its_way_is_not_asked_for_twice(sandbox: Sandbox, act: str) -> None:
    office = paying_by_bank(sandbox, "pm_usBankAccount_success")
    office.subscribe(sandbox.price()["id"])
    key = office.invoices()[0]["id"]
    path, given = ("pay", {"paid_out_of_band": "true"}) if act == "out_of_band" else (act, {})
    sandbox.refused("POST", f"invoices/{key}/{path}", given)
    office.wait(5 * DAY)
    assert (office.invoices()[0]["status"], len(sandbox.listed("charges", customer=office.customer))) == ("paid", 1)


def test_a_payment_by_bank_needs_dollars_and_its_type(sandbox: Sandbox) -> None:
    office = paying_by_bank(sandbox, "pm_usBankAccount_success")
    method = sandbox.listed("payment_methods", customer=office.customer)[0]["id"]
    given = {"customer": office.customer, "payment_method": method, "amount": 1000, "confirm": "true"}
    sandbox.refused("POST", "payment_intents", {**given, "currency": "usd"})
    by_bank = {**given, "payment_method_types[0]": "us_bank_account"}
    sandbox.refused("POST", "payment_intents", {**by_bank, "currency": "eur"})
    intent = sandbox.post("payment_intents", {**by_bank, "currency": "usd"})
    assert intent["status"] == "processing"
    refund = {"payment_intent": intent["id"]}
    sandbox.refused("POST", "refunds", refund)
    office.wait(5 * DAY)
    made = sandbox.post("refunds", refund)
    assert (made["status"], made["amount"], made["destination_details"]["type"]) == (
        "pending",
        1000,
        "us_bank_transfer",
    )
    office.wait(2 * DAY)
    assert sandbox.get(f"refunds/{made['id']}")["status"] == "succeeded"


def test_the_pages_name_a_bank_account(sandbox: Sandbox) -> None:
    office = paying_by_bank(sandbox, "pm_usBankAccount_success")
    office.subscribe(sandbox.price()["id"])
    assert "STRIPE TEST BANK …6789" in sandbox.http.get(f"/customers/{office.customer}").text


def test_the_next_debit_can_be_made_to_come_back(sandbox: Sandbox) -> None:
    office = paying_by_bank(sandbox, "pm_usBankAccount_success")
    sandbox.control("charges", outcome="decline", customer=office.customer)
    made = office.subscribe(sandbox.price()["id"])
    assert made["status"] == "active"
    office.wait(5 * DAY)
    assert (office.read(made)["status"], charge_of(sandbox, office)["failure_code"]) == (
        "past_due",
        "insufficient_funds",
    )
