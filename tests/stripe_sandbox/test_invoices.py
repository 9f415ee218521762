"""Invoices by hand, and what they come to: discounts, taxes, credit."""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Frozen, Sandbox


@pytest.fixture
def office(sandbox: Sandbox) -> Frozen:
    return sandbox.frozen_customer()


def item(sandbox: Sandbox, office: Frozen, amount: int, **more: Any) -> dict[str, Any]:
    given = {"customer": office.customer, "amount": amount, "currency": "usd", "description": "Onboarding"}
    return sandbox.post("invoiceitems", {**given, **more})


def draft(sandbox: Sandbox, office: Frozen, *parts: int, **more: Any) -> dict[str, Any]:
    for amount in parts:
        item(sandbox, office, amount)
    given = {"customer": office.customer, "pending_invoice_items_behavior": "include", **more}
    return sandbox.post("invoices", given)


def rate(sandbox: Sandbox, percentage: float, *, inclusive: bool = False) -> str:
    given = {"display_name": "Tax", "percentage": percentage, "inclusive": str(inclusive).lower()}
    return sandbox.post("tax_rates", given)["id"]


# ── the life of an invoice ────────────────────────────────────────────────────────────────────────────────


def test_a_one_off_charge_goes_from_draft_to_paid(sandbox: Sandbox, office: Frozen) -> None:
    made = draft(sandbox, office, 2500, 500)
    assert (made["status"], made["total"], made["number"], made["auto_advance"]) == ("draft", 3000, None, False)
    opened = sandbox.post(f"invoices/{made['id']}/finalize")
    assert (opened["status"], opened["number"][-5:], opened["attempted"]) == ("open", "-0001", False)
    assert opened["hosted_invoice_url"].startswith(sandbox.url)
    paid = sandbox.post(f"invoices/{made['id']}/pay")
    assert (paid["status"], paid["amount_paid"], paid["amount_remaining"]) == ("paid", 3000, 0)
    (payment,) = sandbox.listed("invoice_payments", invoice=made["id"])
    assert (payment["status"], payment["amount_paid"]) == ("paid", 3000)
    error = sandbox.refused("POST", f"invoices/{made['id']}/finalize")
    assert "already finalized" in error["message"]


def test_only_a_draft_can_be_changed_or_deleted(sandbox: Sandbox, office: Frozen) -> None:
    made = draft(sandbox, office, 1000)
    changed = sandbox.post(
        f"invoices/{made['id']}/add_lines", {"lines[0][amount]": 250, "lines[0][description]": "Training"}
    )
    assert changed["total"] == 1250
    line = changed["lines"]["data"][1]["id"]
    changed = sandbox.post(f"invoices/{made['id']}/update_lines", {"lines[0][id]": line, "lines[0][amount]": 300})
    assert changed["total"] == 1300
    given = {"lines[0][id]": line, "lines[0][behavior]": "delete"}
    assert sandbox.post(f"invoices/{made['id']}/remove_lines", given)["total"] == 1000
    sandbox.post(f"invoices/{made['id']}/finalize")
    error = sandbox.refused("POST", f"invoices/{made['id']}/add_lines", {"lines[0][amount]": 250})
    assert error["code"] == "invoice_not_editable"
    sandbox.refused("DELETE", f"invoices/{made['id']}")


def test_a_deleted_draft_leaves_its_items_waiting(sandbox: Sandbox, office: Frozen) -> None:
    made = draft(sandbox, office, 1000)
    assert office.waiting() == []
    assert sandbox.ask("DELETE", f"invoices/{made['id']}").json()["deleted"] is True
    assert office.waiting() == [1000]
    assert sandbox.event_types()[-1] == "invoice.deleted"
    sandbox.refused("GET", f"invoices/{made['id']}", status=404)


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        (["finalize", "void"], "void"),
        (["finalize", "mark_uncollectible"], "uncollectible"),
        (["finalize", "mark_uncollectible", "pay"], "paid"),
        (["finalize", "mark_uncollectible", "void"], "void"),
        (["finalize", "send"], "open"),
        (["pay"], "paid"),
    ],
)
def test_the_states_of_an_invoice(sandbox: Sandbox, office: Frozen, steps: list[str], status: str) -> None:
    made = draft(sandbox, office, 1000)
    for step in steps:
        made = sandbox.post(f"invoices/{made['id']}/{step}")
    assert made["status"] == status
    intents = sandbox.listed("payment_intents", customer=office.customer)
    assert [one["status"] for one in intents] == [
        {"void": "canceled", "paid": "succeeded"}.get(status, "requires_confirmation")
    ]


@pytest.mark.parametrize("steps", [["void"], ["pay", "void"], ["pay", "pay"], ["finalize", "void", "pay"]])
def test_states_that_cannot_follow_are_refused(sandbox: Sandbox, office: Frozen, steps: list[str]) -> None:
    made = draft(sandbox, office, 1000)
    for step in steps[:-1]:
        sandbox.post(f"invoices/{made['id']}/{step}")
    sandbox.refused("POST", f"invoices/{made['id']}/{steps[-1]}")


def test_a_draft_that_advances_by_itself_is_charged_and_tried_again(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(card="pm_card_chargeCustomerFail")
    made = draft(sandbox, office, 1000, auto_advance="true")
    office.wait(HOUR)
    tried = sandbox.get(f"invoices/{made['id']}")
    assert (tried["status"], tried["attempt_count"], tried["next_payment_attempt"]) == (
        "open",
        1,
        office.now() + 3 * DAY,
    )
    sandbox.use_card(office.customer, "pm_card_visa")
    office.wait(3 * DAY)
    assert sandbox.get(f"invoices/{made['id']}")["status"] == "paid"


def test_a_decline_by_hand_says_why_and_leaves_the_invoice_open(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(card="pm_card_chargeCustomerFail")
    made = draft(sandbox, office, 1000)
    error = sandbox.refused("POST", f"invoices/{made['id']}/pay", status=402)
    assert (error["type"], error["code"], error["decline_code"]) == ("card_error", "card_declined", "generic_decline")
    assert error["payment_intent"]["last_payment_error"]["code"] == "card_declined"
    kept = sandbox.get(f"invoices/{made['id']}")
    assert (kept["status"], kept["attempt_count"]) == ("open", 1)


def test_an_invoice_over_nothing_is_paid_when_it_is_finalised(sandbox: Sandbox, office: Frozen) -> None:
    made = draft(sandbox, office, 1000, -1000)
    assert sandbox.post(f"invoices/{made['id']}/finalize")["status"] == "paid"
    assert sandbox.listed("payment_intents", customer=office.customer) == []


def test_lines_beyond_the_tenth_are_on_the_next_page(sandbox: Sandbox, office: Frozen) -> None:
    made = draft(sandbox, office, *range(100, 112))
    assert (len(made["lines"]["data"]), made["lines"]["has_more"]) == (10, True)
    last = made["lines"]["data"][-1]["id"]
    rest = sandbox.get(f"invoices/{made['id']}/lines", starting_after=last)
    assert [line["amount"] for line in rest["data"]] == [110, 111]
    assert made["total"] == sum(range(100, 112))


# ── what it comes to ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("coupon", "parts", "total", "off"),
    [
        ({"percent_off": 25}, [1000], 750, 250),
        ({"percent_off": 33.33}, [999, 1], 667, 333),
        ({"amount_off": 300, "currency": "usd"}, [1000, 500], 1200, 300),
        ({"amount_off": 100, "currency": "usd"}, [333, 333, 333], 899, 100),
        ({"amount_off": 5000, "currency": "usd"}, [1000], 0, 1000),
        ({"percent_off": 100}, [1000, 500], 0, 1500),
    ],
    ids=str,
)
def test_a_discount_is_spread_over_the_lines_without_losing_a_cent(
    sandbox: Sandbox, office: Frozen, coupon: dict[str, Any], parts: list[int], total: int, off: int
) -> None:
    made = sandbox.post("coupons", {"duration": "once", **coupon})
    invoice = draft(sandbox, office, *parts, **{"discounts[0][coupon]": made["id"]})
    assert (invoice["subtotal"], invoice["total"]) == (sum(parts), total)
    assert [one["amount"] for one in invoice["total_discount_amounts"]] == [off]
    lines = invoice["lines"]["data"]
    assert sum(one["amount"] for line in lines for one in line["discount_amounts"]) == off


@pytest.mark.parametrize(
    ("rates", "total", "taxes"),
    [
        ([(7.25, False)], 1072 + 1, [73]),
        ([(20, True)], 1000, [167]),
        ([(5, False), (9.975, False)], 1150, [50, 100]),
        ([(20, True), (10, False)], 1083, [167, 83]),
    ],
    ids=str,
)
def test_taxes_are_added_or_inside(
    sandbox: Sandbox, office: Frozen, rates: list[tuple[float, bool]], total: int, taxes: list[int]
) -> None:
    given = {
        f"default_tax_rates[{n}]": rate(sandbox, percentage, inclusive=inclusive)
        for n, (percentage, inclusive) in enumerate(rates)
    }
    invoice = draft(sandbox, office, 1000, **given)
    assert invoice["total"] == total
    assert [one["amount"] for one in invoice["total_taxes"]] == taxes
    assert invoice["total_excluding_tax"] == total - sum(taxes)


def test_taxes_are_on_what_discounts_leave(sandbox: Sandbox, office: Frozen) -> None:
    coupon = sandbox.post("coupons", {"duration": "once", "percent_off": 50})["id"]
    given = {"discounts[0][coupon]": coupon, "default_tax_rates[0]": rate(sandbox, 10)}
    invoice = draft(sandbox, office, 1000, **given)
    assert (invoice["total"], invoice["total_taxes"][0]["taxable_amount"]) == (550, 500)


@pytest.mark.parametrize(
    ("duration", "totals"),
    [
        ({"duration": "once"}, [500, 1000, 1000, 1000]),
        ({"duration": "repeating", "duration_in_months": 2}, [500, 500, 1000, 1000]),
        ({"duration": "forever"}, [500, 500, 500, 500]),
    ],
    ids=str,
)
def test_a_coupon_lasts_as_long_as_it_says(
    sandbox: Sandbox, office: Frozen, duration: dict[str, Any], totals: list[int]
) -> None:
    coupon = sandbox.post("coupons", {"percent_off": 50, **duration})["id"]
    made = office.subscribe(sandbox.price(1000)["id"], **{"discounts[0][coupon]": coupon})
    for _ in totals[1:]:
        office.go_to(office.read(made)["items"]["data"][0]["current_period_end"] + HOUR)
    assert [one["total"] for one in reversed(office.invoices())] == totals


def test_a_discount_can_be_given_and_taken_away(sandbox: Sandbox, office: Frozen) -> None:
    coupon = sandbox.post("coupons", {"percent_off": 50, "duration": "forever"})["id"]
    made = office.subscribe(sandbox.price(1000)["id"])
    given = office.change(made, **{"discounts[0][coupon]": coupon})
    assert len(given["discounts"]) == 1
    assert office.change(made, discounts="")["discounts"] == []


def test_credit_is_used_before_the_card(sandbox: Sandbox, office: Frozen) -> None:
    sandbox.post(f"customers/{office.customer}/balance_transactions", {"amount": -700, "currency": "usd"})
    paid = sandbox.post(f"invoices/{draft(sandbox, office, 1000)['id']}/pay")
    assert (paid["total"], paid["amount_due"], paid["amount_paid"], office.balance()) == (1000, 300, 300, 0)
    (charge,) = sandbox.listed("charges", customer=office.customer)
    assert charge["amount"] == 300


def test_a_debt_is_added_to_the_next_invoice(sandbox: Sandbox, office: Frozen) -> None:
    sandbox.post(f"customers/{office.customer}/balance_transactions", {"amount": 200, "currency": "usd"})
    paid = sandbox.post(f"invoices/{draft(sandbox, office, 1000)['id']}/pay")
    assert (paid["total"], paid["amount_paid"], office.balance()) == (1000, 1200, 0)


def test_voiding_gives_back_the_credit_that_was_used(sandbox: Sandbox, office: Frozen) -> None:
    sandbox.post(f"customers/{office.customer}/balance_transactions", {"amount": -700, "currency": "usd"})
    made = sandbox.post(f"invoices/{draft(sandbox, office, 1000)['id']}/finalize")
    assert office.balance() == 0
    sandbox.post(f"invoices/{made['id']}/void")
    assert office.balance() == -700


def test_fractions_of_a_cent_are_rounded_once(sandbox: Sandbox, office: Frozen) -> None:
    product = sandbox.post("products", {"name": "Messages"})["id"]
    price = sandbox.post("prices", {"product": product, "currency": "usd", "unit_amount_decimal": "0.75"})
    given = {"customer": office.customer, "pricing[price]": price["id"], "quantity": 3}
    assert sandbox.post("invoiceitems", given)["amount"] == 2


@pytest.mark.parametrize("days", [-1, 3651])
def test_days_until_it_is_due_that_nobody_can_mean_are_refused(sandbox: Sandbox, days: int) -> None:
    given = {"customer": sandbox.customer()["id"], "collection_method": "send_invoice", "days_until_due": days}
    assert sandbox.refused("POST", "invoices", given)["param"] == "days_until_due"
