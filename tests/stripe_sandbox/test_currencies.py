"""Which currency a customer is billed in, when it can change, and how an amount of each currency is written.

Source: https://docs.stripe.com/invoicing/multi-currency-customers, https://docs.stripe.com/currencies,
https://support.stripe.com/questions/currency-selection-for-an-invoice-or-customer-in-stripe-billing
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, Frozen, Sandbox

COMBINED = (
    "You cannot combine currencies on a single customer. This customer has an active subscription, subscription "
    "schedule, discount, quote, or invoice item with currency usd."
)


def in_currency(sandbox: Sandbox, currency: str, amount: int = 1000) -> str:
    return sandbox.price(amount, currency=currency)["id"]


def subscribe_in_euro(sandbox: Sandbox, office: Frozen) -> Any:
    given = {"customer": office.customer, "items[0][price]": in_currency(sandbox, "eur")}
    return sandbox.ask("POST", "subscriptions", given)


def held_by_a_subscription(sandbox: Sandbox, office: Frozen) -> None:
    office.subscribe(in_currency(sandbox, "usd"))


def held_by_a_trial(sandbox: Sandbox, office: Frozen) -> None:
    office.subscribe(in_currency(sandbox, "usd"), trial_period_days=14)


def held_by_an_item(sandbox: Sandbox, office: Frozen) -> None:
    ended(sandbox, office)
    sandbox.post("invoiceitems", {"customer": office.customer, "amount": 500, "currency": "usd"})


def ended(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(in_currency(sandbox, "usd"))
    sandbox.ask("DELETE", f"subscriptions/{made['id']}")


@pytest.mark.parametrize("holds", [held_by_a_subscription, held_by_a_trial, held_by_an_item])
def test_another_currency_is_refused_while_something_holds_the_first(
    sandbox: Sandbox, holds: Callable[[Sandbox, Frozen], None]
) -> None:
    office = sandbox.frozen_customer()
    holds(sandbox, office)
    answer = subscribe_in_euro(sandbox, office)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, COMBINED)
    preview = {"customer": office.customer, "subscription_details[items][0][price]": in_currency(sandbox, "eur")}
    assert sandbox.refused("POST", "invoices/create_preview", preview)["message"] == COMBINED


def test_a_subscription_in_another_currency_changes_the_customers_when_nothing_holds_it(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer()
    ended(sandbox, office)
    made = subscribe_in_euro(sandbox, office)
    assert (made.status_code, made.json()["status"], made.json()["currency"]) == (200, "active", "eur")
    assert sandbox.get(f"customers/{office.customer}")["currency"] == "eur"
    changes = [one["data"] for one in sandbox.listed("events", type="customer.updated")]
    assert [one["object"]["currency"] for one in changes if "currency" in one["previous_attributes"]] == ["eur", "usd"]


def test_credit_stays_in_its_currency(sandbox: Sandbox) -> None:
    """An invoice takes none of another currency; a balance of each is shown where it is asked for.

    Of ``balance``, below zero is credit; of ``invoice_credit_balance``, above zero is credit.
    """
    office = sandbox.frozen_customer()
    ended(sandbox, office)
    path = f"customers/{office.customer}"
    sandbox.post(f"{path}/balance_transactions", {"amount": -300, "currency": "usd"})
    assert (office.balance(), "invoice_credit_balance" in sandbox.get(path)) == (-300, False)
    made = subscribe_in_euro(sandbox, office).json()
    first = office.invoices()[0]
    assert (first["currency"], first["starting_balance"], first["amount_paid"]) == ("eur", 0, 1000)
    shown = sandbox.get(path, **{"expand[]": "invoice_credit_balance"})
    assert (shown["currency"], shown["balance"], shown["invoice_credit_balance"]) == ("eur", 0, {"usd": 300})
    moved = sandbox.post(f"{path}/balance_transactions", {"amount": 250, "currency": "eur"})
    assert (moved["currency"], moved["ending_balance"], office.balance()) == ("eur", 250, 250)
    office.wait(31 * DAY + 2 * 3600)
    renewal = office.invoices()[0]
    assert (renewal["starting_balance"], renewal["amount_due"], renewal["ending_balance"]) == (250, 1250, 0)
    sandbox.ask("DELETE", f"subscriptions/{made['id']}")
    office.subscribe(in_currency(sandbox, "usd"))
    back = office.invoices()[0]
    assert (back["starting_balance"], back["amount_due"], back["ending_balance"]) == (-300, 700, 0)
    assert office.balance() == 0


def test_a_one_off_invoice_may_be_in_another_currency(sandbox: Sandbox) -> None:
    """It takes the waiting items of its own currency only, and leaves the customer's currency as it is."""
    office = sandbox.frozen_customer()
    held_by_a_subscription(sandbox, office)
    for amount, currency in ((1500, "eur"), (700, "usd")):
        sandbox.post("invoiceitems", {"customer": office.customer, "amount": amount, "currency": currency})
    given = {"customer": office.customer, "currency": "eur", "pending_invoice_items_behavior": "include"}
    invoice = sandbox.post("invoices", given)
    assert (invoice["currency"], invoice["total"], office.waiting()) == ("eur", 1500, [700])
    paid = sandbox.post(f"invoices/{invoice['id']}/pay")
    assert (paid["status"], paid["amount_paid"]) == ("paid", 1500)
    note = {"invoice": invoice["id"], "amount": 400, "credit_amount": 400}
    sandbox.post("credit_notes", note)
    shown = sandbox.get(f"customers/{office.customer}", **{"expand[]": "invoice_credit_balance"})
    assert (shown["currency"], shown["balance"], shown["invoice_credit_balance"]) == ("usd", 0, {"eur": 400})


def test_a_running_subscription_keeps_its_currency(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer()
    made = office.subscribe(in_currency(sandbox, "usd"))
    item = made["items"]["data"][0]["id"]
    given = {"items[0][id]": item, "items[0][price]": in_currency(sandbox, "eur")}
    error = sandbox.refused("POST", f"subscriptions/{made['id']}", given)
    assert error["message"] == (
        "The price specified supports currencies of `eur` which doesn't include the expected currency of `usd`."
    )
    assert office.read(made)["currency"] == "usd"


WHOLE = [
    ("ugx", 500, 5),
    ("ugx", 500, 550),
    ("isk", 500, 550),
    ("kwd", 5120, 5124),
    ("bhd", 1230, 1231),
]


def amounts_of(sandbox: Sandbox, currency: str, amount: int) -> dict[str, tuple[str, dict[str, Any], str]]:
    """The requests that carry an amount: address, parameters, and the parameter at fault."""
    customer = sandbox.customer()["id"]
    product = sandbox.post("products", {"name": "Practice"})["id"]
    return {
        "payment": ("payment_intents", {"amount": amount, "currency": currency}, "amount"),
        "price": ("prices", {"product": product, "unit_amount": amount, "currency": currency}, "unit_amount"),
        "item": ("invoiceitems", {"customer": customer, "amount": amount, "currency": currency}, "amount"),
        "coupon": ("coupons", {"amount_off": amount, "currency": currency}, "amount_off"),
        "balance": (f"customers/{customer}/balance_transactions", {"amount": -amount, "currency": currency}, "amount"),
    }


@pytest.mark.parametrize(("currency", "right", "wrong"), WHOLE)
@pytest.mark.parametrize("kind", ["payment", "price", "item", "coupon", "balance"])
def test_an_amount_is_whole_where_its_currency_is(
    sandbox: Sandbox, currency: str, right: int, wrong: int, kind: str
) -> None:
    """UGX and ISK are sent with two decimals that are 00; of three decimals the last is 0."""
    path, given, param = amounts_of(sandbox, currency, wrong)[kind]
    error = sandbox.refused("POST", path, given)
    assert error["param"] == param
    if currency in ("ugx", "isk"):
        assert error["message"] == (
            f"Invalid amount. Currency {currency.upper()} has become effectively zero-decimal and charged amounts must "
            "be evenly divisible by 100. See https://stripe.com/docs/currencies#zero-decimal for more information."
        )
    path, given, param = amounts_of(sandbox, currency, right)[kind]
    assert abs(sandbox.post(path, given)[param]) == right


@pytest.mark.parametrize(("currency", "part", "unit"), [("isk", 12_345, 100), ("kwd", 1234, 10)])
def test_a_part_of_a_payment_is_whole_too(sandbox: Sandbox, currency: str, part: int, unit: int) -> None:
    customer = sandbox.customer()
    method = customer["invoice_settings"]["default_payment_method"]
    given = {"customer": customer["id"], "payment_method": method, "currency": currency, "confirm": "true"}
    intent = sandbox.post("payment_intents", {**given, "amount": 50_000})
    error = sandbox.refused("POST", "refunds", {"payment_intent": intent["id"], "amount": part})
    assert error["param"] == "amount"
    assert sandbox.post("refunds", {"payment_intent": intent["id"], "amount": part // unit * unit})["status"]
    held = sandbox.post("payment_intents", {**given, "amount": 50_000, "capture_method": "manual"})
    error = sandbox.refused("POST", f"payment_intents/{held['id']}/capture", {"amount_to_capture": part})
    assert error["param"] == "amount_to_capture"


@pytest.mark.parametrize("currency", ["huf", "twd"])
def test_huf_and_twd_are_charged_with_two_decimals(sandbox: Sandbox, currency: str) -> None:
    """Only payouts of them are whole."""
    made = sandbox.post("payment_intents", {"amount": 100_045, "currency": currency})
    assert made["amount"] == 100_045


@pytest.mark.parametrize(("currency", "unit"), [("isk", 100), ("ugx", 100), ("kwd", 10), ("jpy", 1), ("huf", 1)])
def test_shares_of_an_amount_are_whole_where_their_currency_is(sandbox: Sandbox, currency: str, unit: int) -> None:
    """Prorations, percentages and taxes: an invoice never asks for an amount that could not be charged."""
    office = sandbox.frozen_customer()
    coupon = sandbox.post("coupons", {"percent_off": 33.3, "duration": "forever"})["id"]
    rate = sandbox.post("tax_rates", {"display_name": "Tax", "percentage": 7.7, "inclusive": "false"})["id"]
    given = {"discounts[0][coupon]": coupon, "default_tax_rates[0]": rate}
    made = office.subscribe(in_currency(sandbox, currency, 777_700), **given)
    office.wait(11 * DAY + 1234)
    behaviour = {"proration_behavior": "always_invoice"}
    office.change(made, price=in_currency(sandbox, currency, 999_900), **behaviour)
    for invoice in office.invoices():
        amounts = [invoice["total"], invoice["amount_due"], *(one["amount"] for one in invoice["total_taxes"])]
        amounts += [line["amount"] for line in invoice["lines"]["data"]]
        assert [one % unit for one in amounts] == [0] * len(amounts)
        assert invoice["status"] == "paid"


@pytest.mark.parametrize(("currency", "shown"), [("isk", "5,000 ISK"), ("ugx", "5,000 UGX"), ("huf", "5,000.00 HUF")])
def test_an_amount_is_shown_in_its_own_units(sandbox: Sandbox, currency: str, shown: str) -> None:
    customer = sandbox.customer()["id"]
    sandbox.post(f"customers/{customer}/balance_transactions", {"amount": 500_000, "currency": currency})
    assert shown in sandbox.http.get(f"/customers/{customer}").text
