"""Whatever is done in whatever order, the sums agree."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.stripe_sandbox.conftest import DAY, HOUR, Frozen, Sandbox

AMOUNTS = st.integers(min_value=1, max_value=99_999)
BEHAVIOURS = st.sampled_from(["create_prorations", "always_invoice", "none"])
CARDS = st.sampled_from(["pm_card_visa", "pm_card_mastercard", "pm_card_chargeCustomerFail"])
CURRENCIES = st.sampled_from(["usd", "eur", "jpy"])


class Billing(RuleBasedStateMachine):
    """One customer's money, moved about at random."""

    sandbox: Sandbox

    @initialize(
        currency=CURRENCIES, amount=AMOUNTS, seats=st.integers(1, 9), taxed=st.booleans(), coupon=st.integers(0, 3)
    )
    def begin(self, currency: str, amount: int, seats: int, taxed: bool, coupon: int) -> None:
        self.sandbox.control("reset")
        self.currency = currency
        self.office = self.sandbox.frozen_customer()
        given: dict[str, Any] = {"items[0][quantity]": seats}
        if taxed:
            rate = {"display_name": "Tax", "percentage": 8.875, "inclusive": "false"}
            given["default_tax_rates[0]"] = self.sandbox.post("tax_rates", rate)["id"]
        kinds: list[dict[str, Any]]
        kinds = [{"percent_off": 12.5}, {"amount_off": 777, "currency": currency}, {"percent_off": 33.33}]
        if coupon:
            made = self.sandbox.post("coupons", {"duration": "forever", **kinds[coupon - 1]})
            given["discounts[0][coupon]"] = made["id"]
        self.made = self.office.subscribe(self.price(amount), **given)

    def price(self, amount: int, interval: str = "month") -> str:
        return self.sandbox.price(amount, interval, currency=self.currency)["id"]

    def ask(self, path: str, data: dict[str, Any] | None = None) -> Any:
        """It may be refused, or the card declined; a defect fails."""
        answer = self.sandbox.ask("POST", path, data)
        assert answer.status_code < 500, answer.text
        return answer

    def live(self) -> bool:
        return self.office.read(self.made)["status"] not in ("canceled", "incomplete", "incomplete_expired")

    @rule(seconds=st.integers(1, 20 * DAY))
    def time_passes(self, seconds: int) -> None:
        self.office.wait(seconds)

    @precondition(lambda self: self.live())
    @rule(behaviour=BEHAVIOURS, quantity=st.integers(1, 12))
    def seats_change(self, behaviour: str, quantity: int) -> None:
        self.office.change(self.made, quantity=quantity, proration_behavior=behaviour)

    @precondition(lambda self: self.live())
    @rule(behaviour=BEHAVIOURS, amount=AMOUNTS, interval=st.sampled_from(["month", "month", "year"]))
    def price_changes(self, behaviour: str, amount: int, interval: str) -> None:
        self.office.change(self.made, price=self.price(amount, interval), proration_behavior=behaviour)

    @rule(card=CARDS)
    def card_changes(self, card: str) -> None:
        self.sandbox.use_card(self.office.customer, card)

    @rule(amount=AMOUNTS)
    def one_off_charge(self, amount: int) -> None:
        given = {"customer": self.office.customer, "amount": amount, "currency": self.currency}
        self.sandbox.post("invoiceitems", given)
        draft = {
            "customer": self.office.customer,
            "pending_invoice_items_behavior": "include",
            "currency": self.currency,
        }
        made = self.sandbox.post("invoices", draft)
        self.ask(f"invoices/{made['id']}/pay")

    @rule(amount=st.integers(-5000, 5000).filter(bool))
    def balance_moves(self, amount: int) -> None:
        path = f"customers/{self.office.customer}/balance_transactions"
        self.sandbox.post(path, {"amount": amount, "currency": self.currency})

    @rule(part=st.floats(0.01, 1))
    def money_goes_back(self, part: float) -> None:
        charges = self.sandbox.listed("charges", customer=self.office.customer)
        left = [(one, one["amount"] - one["amount_refunded"]) for one in charges if one["paid"]]
        for charge, rest in left[:1]:
            if rest:
                self.sandbox.post("refunds", {"charge": charge["id"], "amount": max(1, int(rest * part))})

    @rule(whole=st.booleans())
    def a_credit_note_is_written(self, whole: bool) -> None:
        paid = [one for one in self.office.invoices() if one["status"] in ("paid", "open") and one["total"] > 0]
        for invoice in paid[:1]:
            open_to = invoice["amount_remaining"] if invoice["status"] == "open" else invoice["amount_paid"]
            amount = open_to if whole else open_to // 3
            given: dict[str, Any] = {"invoice": invoice["id"], "amount": amount}
            if invoice["status"] == "paid":
                given["credit_amount"] = amount
            if amount:
                self.ask("credit_notes", given)

    @rule(what=st.sampled_from(["void", "mark_uncollectible", "pay"]))
    def open_invoices_are_dealt_with(self, what: str) -> None:
        for invoice in self.office.invoices():
            if invoice["status"] == "open":
                self.ask(f"invoices/{invoice['id']}/{what}")

    @precondition(lambda self: self.live())
    @rule(how=st.sampled_from(["prorate=true&invoice_now=true", "invoice_now=true", ""]))
    def it_ends_and_begins_anew(self, how: str) -> None:
        self.sandbox.ask("DELETE", f"subscriptions/{self.made['id']}?{how}").raise_for_status()
        self.sandbox.use_card(self.office.customer, "pm_card_visa")
        self.made = self.office.subscribe(self.price(1999))

    @precondition(lambda self: not self.live())
    @rule(amount=AMOUNTS)
    def it_begins_anew(self, amount: int) -> None:
        self.sandbox.use_card(self.office.customer, "pm_card_visa")
        self.made = self.office.subscribe(self.price(amount))

    def update(self, **given: Any) -> None:
        self.ask(f"subscriptions/{self.made['id']}", given)

    @precondition(lambda self: self.live())
    @rule(quantity=st.integers(1, 12), amount=AMOUNTS, interval=st.sampled_from(["month", "year"]))
    def a_change_waits_to_be_paid(self, quantity: int, amount: int, interval: str) -> None:
        item = {"id": self.office.read(self.made)["items"]["data"][0]["id"], "quantity": quantity}
        named = {f"items[0][{name}]": value for name, value in item.items()}
        named["items[0][price]"] = self.price(amount, interval)
        self.update(**named, proration_behavior="always_invoice", payment_behavior="pending_if_incomplete")

    @precondition(lambda self: self.live())
    @rule(seconds=st.none() | st.integers(1, 60 * DAY), behaviour=BEHAVIOURS)
    def its_end_moves(self, seconds: int | None, behaviour: str) -> None:
        self.update(cancel_at=self.office.now() + seconds if seconds else "", proration_behavior=behaviour)

    @precondition(lambda self: self.live())
    @rule(behaviour=st.sampled_from(["", "keep_as_draft", "mark_uncollectible", "void"]))
    def collection_pauses_or_goes_on(self, behaviour: str) -> None:
        self.update(**{"pause_collection[behavior]": behaviour} if behaviour else {"pause_collection": ""})

    @precondition(lambda self: self.live())
    @rule(days=st.integers(1, 10))
    def it_pauses_after_a_trial_without_a_card(self, days: int) -> None:
        for method in self.sandbox.listed("payment_methods", customer=self.office.customer):
            self.sandbox.post(f"payment_methods/{method['id']}/detach")
        pauses = {"trial_settings[end_behavior][missing_payment_method]": "pause"}
        self.update(trial_end=self.office.now() + days * DAY, **pauses)
        self.office.wait(days * DAY)

    @precondition(lambda self: self.office.read(self.made)["status"] == "paused")
    @rule(anchor=st.sampled_from(["now", "unchanged"]), behaviour=BEHAVIOURS, card=CARDS)
    def it_resumes(self, anchor: str, behaviour: str, card: str) -> None:
        self.sandbox.use_card(self.office.customer, card)
        given = {"billing_cycle_anchor": anchor, "proration_behavior": behaviour}
        self.ask(f"subscriptions/{self.made['id']}/resume", given)

    @precondition(lambda self: self.live())
    @rule(quantity=st.integers(1, 12), amount=AMOUNTS)
    def a_preview_is_what_follows(self, quantity: int, amount: int) -> None:
        price, item = self.price(amount), self.office.read(self.made)["items"]["data"][0]["id"]
        change = {"quantity": quantity, "price": price}
        asked = {f"subscription_details[items][0][{name}]": value for name, value in {"id": item, **change}.items()}
        asked["subscription_details[proration_behavior]"] = "always_invoice"
        answer = self.ask("invoices/create_preview", {"subscription": self.made["id"], **asked})
        before = {one["id"] for one in self.office.invoices()}
        self.office.change(self.made, **change, proration_behavior="always_invoice")
        newest = self.office.invoices()[0]
        if answer.status_code == 200 and newest["id"] not in before:
            preview = answer.json()
            for name in ("subtotal", "total", "total_taxes", "starting_balance"):
                assert preview[name] == newest[name], name
            if newest["attempt_count"] < 2:
                assert preview["amount_due"] == newest["amount_due"]

    @invariant()
    def the_sums_agree(self) -> None:
        invoices, customer, billed = self.office.invoices(), self.office.customer, sum(self.office.waiting())
        charges = self.sandbox.listed("charges", customer=customer)
        for invoice in invoices:
            asked = the_invoice_is_the_sum_of_its_parts(self.sandbox, invoice)
            billed += max(asked, 0) if invoice["status"] == "void" else asked  # a void one gave nothing back
            assert charged_for(self.sandbox, invoice, charges) == invoice["amount_paid"]
        assert billed >= 0, "more was given back than was ever asked for"
        received = sum(one["amount_captured"] for one in charges if one["paid"])
        returned = sum(one["amount_refunded"] for one in charges)
        refunds = [r for one in charges for r in self.sandbox.listed("refunds", charge=one["id"])]
        assert returned == sum(one["amount"] for one in refunds if one["status"] == "succeeded")
        assert received == sum(one["amount_paid"] for one in invoices)
        moved = self.sandbox.listed(f"customers/{customer}/balance_transactions")
        assert sum(one["amount"] for one in moved) == self.office.balance()


def the_invoice_is_the_sum_of_its_parts(sandbox: Sandbox, invoice: dict[str, Any]) -> int:
    """Returns what its lines ask for. Less than 50 of each of the ``CURRENCIES`` is too little to be charged."""
    lines = invoice["lines"]["data"]
    if invoice["lines"]["has_more"]:
        lines = sandbox.listed(f"invoices/{invoice['id']}/lines")
    assert invoice["subtotal"] == sum(line["amount"] for line in lines)
    off = sum(one["amount"] for one in invoice["total_discount_amounts"])
    assert off == sum(one["amount"] for line in lines for one in line["discount_amounts"])
    taxes = sum(one["amount"] for one in invoice["total_taxes"] if one["tax_behavior"] == "exclusive")
    assert taxes == sum(one["amount"] for line in lines for one in line["taxes"])
    assert invoice["total"] == invoice["subtotal"] - off + taxes
    if invoice["status"] != "draft":
        owed = invoice["total"] + invoice["starting_balance"]
        due = (owed if owed >= 50 else 0) - invoice["pre_payment_credit_notes_amount"]
        assert invoice["amount_due"] == due
        if invoice["status"] in ("paid", "open"):
            assert invoice["amount_paid"] + invoice["amount_remaining"] == due
    subtotal: int = invoice["subtotal"]
    return subtotal


def charged_for(sandbox: Sandbox, invoice: dict[str, Any], charges: list[dict[str, Any]]) -> int:
    """What was charged for this invoice; at most one charge of it succeeded."""
    payments = sandbox.listed("invoice_payments", invoice=invoice["id"])
    intents = {one["payment"]["payment_intent"] for one in payments}
    paid = [one["amount_captured"] for one in charges if one["payment_intent"] in intents and one["paid"]]
    assert len(paid) <= 1, "charged twice"
    return sum(paid)


@pytest.mark.parametrize("examples", [60])
def test_money_is_neither_lost_nor_made(sandbox: Sandbox, examples: int) -> None:
    machine = type("Machine", (Billing,), {"sandbox": sandbox})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def test_a_year_of_one_subscription_is_twelve_paid_renewals(sandbox: Sandbox) -> None:
    office: Frozen = sandbox.frozen_customer()
    made = office.subscribe(sandbox.price(1000)["id"])
    for _ in range(12):
        office.go_to(office.read(made)["items"]["data"][0]["current_period_end"] + HOUR)
    invoices = office.invoices()
    assert [one["status"] for one in invoices] == ["paid"] * 13
    assert sum(one["amount_paid"] for one in invoices) == 13_000
