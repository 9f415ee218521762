"""How an invoice is paid: by how many attempts, by several payments, and what is too little to be charged.

Source: https://docs.stripe.com/api/invoices/object, https://docs.stripe.com/invoicing/partial-payments,
https://docs.stripe.com/billing/customer/balance
"""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Frozen, Sandbox


@pytest.fixture
def office(sandbox: Sandbox) -> Frozen:
    return sandbox.frozen_customer()


def open_invoice(sandbox: Sandbox, office: Frozen, amount: int = 1000, currency: str = "usd", **given: Any) -> Any:
    made = sandbox.post("invoices", {"customer": office.customer, "currency": currency, **given})
    item = {"customer": office.customer, "invoice": made["id"], "amount": amount, "currency": currency}
    sandbox.post("invoiceitems", item)
    return sandbox.post(f"invoices/{made['id']}/finalize")


def paid_intent(sandbox: Sandbox, office: Frozen, amount: int, **given: Any) -> Any:
    """A payment that somebody makes apart from any invoice."""
    method = sandbox.get(f"customers/{office.customer}")["invoice_settings"]["default_payment_method"]
    data = {"customer": office.customer, "payment_method": method, "amount": amount, "currency": "usd"}
    return sandbox.post("payment_intents", {**data, "confirm": "true", **given})


def attach(sandbox: Sandbox, invoice: Any, intent: Any) -> Any:
    data = {"payment_intent": intent["id"], "expand[]": "payments"}
    return sandbox.post(f"invoices/{invoice['id']}/attach_payment", data)


def read(sandbox: Sandbox, invoice: Any) -> Any:
    return sandbox.get(f"invoices/{invoice['id']}", **{"expand[]": "payments"})


def payments_of(invoice: Any) -> list[tuple[bool, str, int | None]]:
    found = [(one["is_default"], one["status"], one["amount_paid"]) for one in invoice["payments"]["data"]]
    return sorted(found, key=lambda one: (not one[0], one[2] or 0))


# ── attempts ──────────────────────────────────────────────────────────────────────────────────────────────


def test_only_the_first_attempt_and_automatic_ones_are_counted(sandbox: Sandbox, office: Frozen) -> None:
    """Any attempt counts as the first one; after it only automatic retries count."""
    sandbox.control("settings", retry_days=[3, 5])
    made = office.subscribe(sandbox.price()["id"])
    sandbox.use_card(office.customer, "pm_card_chargeCustomerFail")
    office.go_to(made["items"]["data"][0]["current_period_end"] + 2 * HOUR)
    counts = [office.invoices()[0]["attempt_count"]]
    for _ in range(2):
        sandbox.refused("POST", f"invoices/{office.invoices()[0]['id']}/pay", status=402)
        counts.append(office.invoices()[0]["attempt_count"])
    office.wait(3 * DAY)
    counts.append(office.invoices()[0]["attempt_count"])
    sandbox.use_card(office.customer, "pm_card_visa")
    sandbox.post(f"invoices/{office.invoices()[0]['id']}/pay")
    counts.append(office.invoices()[0]["attempt_count"])
    assert counts == [1, 1, 1, 2, 2]


@pytest.mark.parametrize("card", ["pm_card_visa", "pm_card_chargeCustomerFail"])
def test_the_first_attempt_by_hand_counts(sandbox: Sandbox, card: str) -> None:
    office = sandbox.frozen_customer(card=card)
    invoice = open_invoice(sandbox, office)
    assert invoice["attempt_count"] == 0
    for _ in range(2):
        sandbox.ask("POST", f"invoices/{invoice['id']}/pay")
    shown = read(sandbox, invoice)
    assert (shown["attempt_count"], shown["attempted"]) == (1, True)


# ── too little to be charged ──────────────────────────────────────────────────────────────────────────────

LEAST = [("usd", 50), ("gbp", 30), ("jpy", 50), ("huf", 17_500), ("mxn", 1000)]
"""Source: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts"""


@pytest.mark.parametrize(("currency", "least"), LEAST)
def test_what_is_too_little_is_paid_and_owed_with_the_next_invoice(
    sandbox: Sandbox, office: Frozen, currency: str, least: int
) -> None:
    small = open_invoice(sandbox, office, least - 1, currency)
    assert (small["status"], small["total"], small["amount_due"], small["amount_paid"]) == ("paid", least - 1, 0, 0)
    assert (small["starting_balance"], small["ending_balance"]) == (0, least - 1)
    assert read(sandbox, small)["payments"]["data"] == []
    moved = sandbox.listed(f"customers/{office.customer}/balance_transactions")[0]
    assert (moved["type"], moved["amount"], moved["ending_balance"], moved["invoice"]) == (
        "invoice_too_small",
        least - 1,
        least - 1,
        small["id"],
    )
    later = open_invoice(sandbox, office, 10 * least, currency)
    assert (later["status"], later["starting_balance"], later["amount_due"]) == ("open", least - 1, 11 * least - 1)
    assert later["ending_balance"] == 0


def test_the_least_amount_itself_is_charged(sandbox: Sandbox, office: Frozen) -> None:
    assert open_invoice(sandbox, office, 50)["status"] == "open"


def test_what_credit_leaves_can_be_too_little(sandbox: Sandbox, office: Frozen) -> None:
    """All credit is used, and the rest is owed."""
    path = f"customers/{office.customer}/balance_transactions"
    sandbox.post(path, {"amount": -970, "currency": "usd"})
    invoice = open_invoice(sandbox, office)
    assert (invoice["status"], invoice["amount_due"]) == ("paid", 0)
    assert (invoice["starting_balance"], invoice["ending_balance"], office.balance()) == (-970, 30, 30)


def test_a_subscription_that_costs_too_little_is_active(sandbox: Sandbox, office: Frozen) -> None:
    assert office.subscribe(sandbox.price(20)["id"])["status"] == "active"
    assert office.balance() == 20


def test_a_payment_of_too_little_is_refused(sandbox: Sandbox) -> None:
    error = sandbox.refused("POST", "payment_intents", {"amount": 49, "currency": "usd"})
    assert (error["code"], error["param"]) == ("amount_too_small", "amount")
    assert error["message"] == "Amount must be at least $0.50 usd"


# ── several payments ──────────────────────────────────────────────────────────────────────────────────────


def test_an_invoice_is_paid_in_parts(sandbox: Sandbox, office: Frozen) -> None:
    """The default payment asks for what is left, until nothing is."""
    invoice = open_invoice(sandbox, office)
    partly = attach(sandbox, invoice, paid_intent(sandbox, office, 300))
    assert (partly["status"], partly["amount_paid"], partly["amount_remaining"]) == ("open", 300, 700)
    assert payments_of(partly) == [(True, "open", None), (False, "paid", 300)]
    default = next(one for one in partly["payments"]["data"] if one["is_default"])
    assert default["amount_requested"] == 700
    assert sandbox.get(f"payment_intents/{default['payment']['payment_intent']}")["amount"] == 700
    sandbox.post(f"invoices/{invoice['id']}/pay")
    shown = read(sandbox, invoice)
    assert (shown["status"], shown["amount_due"], shown["amount_paid"], shown["amount_remaining"]) == (
        "paid",
        1000,
        1000,
        0,
    )
    assert payments_of(shown) == [(True, "paid", 700), (False, "paid", 300)]
    assert sandbox.event_types().count("invoice_payment.paid") == 2
    assert sandbox.event_types().count("invoice.paid") == 1


def test_a_payment_that_was_made_elsewhere_pays_the_whole(sandbox: Sandbox, office: Frozen) -> None:
    invoice = open_invoice(sandbox, office)
    shown = attach(sandbox, invoice, paid_intent(sandbox, office, 1000))
    assert (shown["status"], shown["amount_paid"]) == ("paid", 1000)
    assert payments_of(shown) == [(True, "canceled", None), (False, "paid", 1000)]


def test_a_payment_that_is_attached_first_pays_when_it_succeeds(sandbox: Sandbox, office: Frozen) -> None:
    invoice = open_invoice(sandbox, office)
    intent = paid_intent(sandbox, office, 400, confirm="false")
    shown = attach(sandbox, invoice, intent)
    assert (shown["status"], shown["amount_paid"]) == ("open", 0)
    assert payments_of(shown) == [(True, "open", None), (False, "open", None)]
    sandbox.post(f"payment_intents/{intent['id']}/confirm")
    shown = read(sandbox, invoice)
    assert (shown["amount_paid"], shown["amount_remaining"]) == (400, 600)
    assert payments_of(shown) == [(True, "open", None), (False, "paid", 400)]


def test_an_attached_payment_can_be_canceled_and_the_default_one_cannot(sandbox: Sandbox, office: Frozen) -> None:
    invoice = open_invoice(sandbox, office)
    intent = paid_intent(sandbox, office, 400, confirm="false")
    shown = attach(sandbox, invoice, intent)
    default = next(one for one in shown["payments"]["data"] if one["is_default"])["payment"]["payment_intent"]
    sandbox.refused("POST", f"payment_intents/{default}/cancel")
    sandbox.post(f"payment_intents/{intent['id']}/cancel")
    assert payments_of(read(sandbox, invoice)) == [(True, "open", None), (False, "canceled", None)]


@pytest.mark.parametrize(
    ("payment", "void", "uncollectible"),
    [({"amount": 300}, 400, 200), ({"amount": 300, "confirm": "false"}, 400, 400), ({}, 200, 200)],
)
def test_payments_decide_whether_an_invoice_can_be_given_up(
    sandbox: Sandbox, office: Frozen, payment: dict[str, Any], void: int, uncollectible: int
) -> None:
    """Source: https://docs.stripe.com/invoicing/partial-payments#invoice-payment-statuses"""
    found = []
    for act in ("void", "mark_uncollectible"):
        invoice = open_invoice(sandbox, office)
        if payment:
            attach(sandbox, invoice, paid_intent(sandbox, office, **payment))
        found.append(sandbox.ask("POST", f"invoices/{invoice['id']}/{act}").status_code)
    assert found == [void, uncollectible]


def test_what_is_paid_too_much_becomes_credit(sandbox: Sandbox, office: Frozen) -> None:
    invoice = open_invoice(sandbox, office)
    shown = attach(sandbox, invoice, paid_intent(sandbox, office, 1300))
    assert (shown["status"], shown["amount_paid"], shown["amount_overpaid"]) == ("paid", 1000, 300)
    moved = sandbox.listed(f"customers/{office.customer}/balance_transactions")[0]
    assert (moved["type"], moved["amount"], office.balance()) == ("invoice_overpaid", -300, -300)


def test_an_invoice_that_is_paid_in_part_can_be_settled_outside(sandbox: Sandbox, office: Frozen) -> None:
    invoice = open_invoice(sandbox, office)
    attach(sandbox, invoice, paid_intent(sandbox, office, 300))
    paid = sandbox.post(f"invoices/{invoice['id']}/pay", {"paid_out_of_band": "true"})
    assert (paid["status"], paid["amount_paid"], paid["amount_paid_off_stripe"]) == ("paid", 1000, 700)
    assert payments_of(read(sandbox, invoice)) == [(True, "canceled", None), (False, "paid", 300)]


def test_the_payment_of_a_renewal_from_elsewhere_brings_the_subscription_back(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(sandbox.price()["id"])
    sandbox.control("charges", outcome="decline", customer=office.customer)
    office.go_to(made["items"]["data"][0]["current_period_end"] + 2 * HOUR)
    assert office.read(made)["status"] == "past_due"
    attach(sandbox, office.invoices()[0], paid_intent(sandbox, office, 1000))
    assert office.read(made)["status"] == "active"


# ── pages of what an object contains ──────────────────────────────────────────────────────────────────────


def all_of(sandbox: Sandbox, listed: dict[str, Any], kind: str, **given: Any) -> list[str]:
    """Follow a nested list as a client does: its page, and then the pages of its address."""
    found = [one["id"] for one in listed["data"]]
    while listed["has_more"]:
        path = listed["url"].removeprefix("/v1/").partition("?")[0]
        listed = sandbox.get(path, **given, starting_after=found[-1])
        found += [one["id"] for one in listed["data"]]
    assert {sandbox.get(f"{kind}/{key}")["id"] for key in found} == set(found)
    return found


def test_the_payments_of_an_invoice_are_followed_to_the_last(sandbox: Sandbox, office: Frozen) -> None:
    invoice = open_invoice(sandbox, office, 5000)
    for _ in range(13):
        attach(sandbox, invoice, paid_intent(sandbox, office, 100))
    listed = read(sandbox, invoice)["payments"]
    assert (len(listed["data"]), listed["has_more"]) == (10, True)
    assert listed["url"] == f"/v1/invoice_payments?invoice={invoice['id']}"
    found = all_of(sandbox, listed, "invoice_payments", invoice=invoice["id"])
    assert len(found) == len(set(found)) == 14


def test_the_items_of_a_subscription_are_followed_to_the_last(sandbox: Sandbox, office: Frozen) -> None:
    given = {f"items[{n}][price]": sandbox.price(100 + n)["id"] for n in range(20)}
    made = sandbox.post("subscriptions", {"customer": office.customer, **given})
    listed = made["items"]
    assert (len(listed["data"]), listed["has_more"]) == (10, True)
    assert listed["url"] == f"/v1/subscription_items?subscription={made['id']}"
    found = all_of(sandbox, listed, "subscription_items", subscription=made["id"])
    assert len(found) == len(set(found)) == 20


# ── discounts of items ────────────────────────────────────────────────────────────────────────────────────


def test_a_discount_of_an_item_lowers_its_lines_only(sandbox: Sandbox, office: Frozen) -> None:
    coupon = sandbox.post("coupons", {"percent_off": 25, "duration": "forever"})["id"]
    one, other = sandbox.price(1000)["id"], sandbox.price(400)["id"]
    given = {"items[0][price]": one, "items[0][discounts][0][coupon]": coupon, "items[1][price]": other}
    made = sandbox.post("subscriptions", {"customer": office.customer, **given, "expand[]": "items.data.discounts"})
    item = made["items"]["data"][0]
    assert [row["subscription_item"] for row in item["discounts"]] == [item["id"]]
    assert (made["discounts"], made["items"]["data"][1]["discounts"]) == ([], [])
    first = office.invoices()[0]
    assert (first["subtotal"], first["total"]) == (1400, 1150)
    office.wait(31 * DAY + 2 * HOUR)
    assert office.invoices()[0]["total"] == 1150


def test_a_discount_of_an_item_in_the_currency_of_its_price(sandbox: Sandbox, office: Frozen) -> None:
    """The customer was billed in another currency before."""
    sandbox.ask("DELETE", f"subscriptions/{office.subscribe(sandbox.price()['id'])['id']}")
    coupon = sandbox.post("coupons", {"amount_off": 300, "currency": "eur", "duration": "forever"})["id"]
    given = {"items[0][price]": sandbox.price(1000, currency="eur")["id"], "items[0][discounts][0][coupon]": coupon}
    sandbox.post("subscriptions", {"customer": office.customer, **given})
    assert office.invoices()[0]["total"] == 700
