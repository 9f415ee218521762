"""Subscriptions and their invoices, from the first payment to the end."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.conftest import DAY, HOUR, Sandbox, error_of


def invoice_of(sandbox: Sandbox, subscription: dict[str, Any]) -> dict[str, Any]:
    latest = sandbox.get(f"subscriptions/{subscription['id']}")["latest_invoice"]
    return sandbox.get(f"invoices/{latest}")


def status_of(sandbox: Sandbox, subscription: dict[str, Any]) -> str:
    return sandbox.get(f"subscriptions/{subscription['id']}")["status"]


def period_of(sandbox: Sandbox, subscription: dict[str, Any]) -> tuple[int, int]:
    item = sandbox.get(f"subscriptions/{subscription['id']}")["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


@pytest.mark.parametrize(
    ("card", "code", "decline"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
    ],
)
def test_a_declined_card_answers_402_with_its_reason(
    sandbox: Sandbox, sandbox_sdk: stripe.StripeClient, card: str, code: str, decline: str | None
) -> None:
    customer = sandbox.customer(card=None)
    with pytest.raises(stripe.CardError) as caught:
        sandbox_sdk.v1.payment_methods.attach(card, {"customer": customer["id"]})
    assert caught.value.http_status == 402
    assert caught.value.code == code
    assert caught.value.error
    assert getattr(caught.value.error, "decline_code", None) == decline
    assert sandbox.listed("payment_methods") == []


def test_a_good_card_makes_the_subscription_active_at_once(sandbox: Sandbox) -> None:
    made = sandbox.subscription(sandbox.customer()["id"])
    invoice = invoice_of(sandbox, made)
    assert made["status"] == "active"
    assert (invoice["status"], invoice["amount_paid"], invoice["amount_remaining"]) == ("paid", 1000, 0)
    assert invoice["billing_reason"] == "subscription_create"
    assert invoice["parent"]["subscription_details"]["subscription"] == made["id"]


def test_default_incomplete_waits_for_the_payment(sandbox: Sandbox) -> None:
    made = sandbox.subscription(sandbox.customer()["id"], payment_behavior="default_incomplete")
    assert made["status"] == "incomplete"
    assert invoice_of(sandbox, made)["attempt_count"] == 0
    paid = sandbox.post(f"invoices/{made['latest_invoice']}/pay")
    assert paid["status"] == "paid"
    assert status_of(sandbox, made) == "active"
    error = sandbox.ask("POST", f"invoices/{made['latest_invoice']}/pay").json()["error"]
    assert error["message"] == "Invoice is already paid"


def test_a_decline_leaves_it_incomplete_and_a_better_card_pays(sandbox: Sandbox) -> None:
    customer = sandbox.customer("pm_card_chargeCustomerFail")["id"]
    made = sandbox.subscription(customer)
    assert made["status"] == "incomplete"
    declined = sandbox.ask("POST", f"invoices/{made['latest_invoice']}/pay")
    assert declined.status_code == 402
    assert declined.json()["error"]["payment_intent"]["status"] == "requires_payment_method"
    assert invoice_of(sandbox, made)["attempt_count"] == 1
    sandbox.use_card(customer, "pm_card_visa")
    sandbox.post(f"invoices/{made['latest_invoice']}/pay")
    assert status_of(sandbox, made) == "active"


def test_error_if_incomplete_creates_nothing(sandbox: Sandbox) -> None:
    customer = sandbox.customer("pm_card_chargeCustomerFail")["id"]
    given = {"customer": customer, "items[0][price]": sandbox.price()["id"], "payment_behavior": "error_if_incomplete"}
    assert sandbox.ask("POST", "subscriptions", given).status_code == 402
    assert sandbox.listed("subscriptions", status="all") == []
    assert sandbox.listed("invoices") == []


def test_canceling_an_incomplete_one_voids_its_open_invoice(sandbox: Sandbox) -> None:
    made = sandbox.subscription(sandbox.customer()["id"], payment_behavior="default_incomplete")
    ended = sandbox.ask("DELETE", f"subscriptions/{made['id']}").json()
    assert ended["status"] == "canceled"
    assert invoice_of(sandbox, made)["status"] == "void"
    assert sandbox.listed("payment_intents")[0]["status"] == "canceled"
    assert sandbox.ask("DELETE", f"subscriptions/{made['id']}").status_code == 404


def test_an_unpaid_first_invoice_expires_after_23_hours(sandbox: Sandbox) -> None:
    made = sandbox.subscription(sandbox.customer()["id"], payment_behavior="default_incomplete")
    sandbox.advance_to(made["created"] + 23 * HOUR - 60)
    assert status_of(sandbox, made) == "incomplete"
    sandbox.advance(120)
    assert status_of(sandbox, made) == "incomplete_expired"
    assert invoice_of(sandbox, made)["status"] == "void"


def test_a_trial_costs_nothing_warns_and_then_renews(sandbox: Sandbox) -> None:
    made = sandbox.subscription(sandbox.customer()["id"], trial_period_days=14)
    assert made["status"] == "trialing"
    assert made["trial_end"] == made["trial_start"] + 14 * DAY
    assert (invoice_of(sandbox, made)["total"], invoice_of(sandbox, made)["status"]) == (0, "paid")
    sandbox.advance_to(made["trial_end"] - 2 * DAY)
    assert sandbox.event_types()[-1] == "customer.subscription.trial_will_end"
    sandbox.advance_to(made["trial_end"] + 2 * HOUR)
    assert status_of(sandbox, made) == "active"
    assert invoice_of(sandbox, made)["amount_paid"] == 1000


def test_a_renewal_is_a_draft_for_an_hour_and_then_paid(sandbox: Sandbox) -> None:
    made = sandbox.subscription(sandbox.customer()["id"])
    _, end = period_of(sandbox, made)
    sandbox.advance_to(end)
    draft = invoice_of(sandbox, made)
    assert (draft["status"], draft["billing_reason"]) == ("draft", "subscription_cycle")
    assert period_of(sandbox, made)[0] == end
    sandbox.advance(HOUR)
    assert invoice_of(sandbox, made)["status"] == "paid"
    assert status_of(sandbox, made) == "active"


def test_a_history_can_begin_long_ago_and_comes_up_to_the_present(sandbox: Sandbox) -> None:
    present = sandbox.now()
    began = present - 100 * DAY
    sandbox.advance_to(began)
    made = sandbox.subscription(sandbox.customer()["id"])
    sandbox.advance_to(present)
    assert 0 <= made["created"] - began < HOUR
    assert period_of(sandbox, made)[0] <= present < period_of(sandbox, made)[1]
    assert len(sandbox.listed("invoices")) == 4  # three months are at most 92 days
    assert all(began <= one["created"] <= present for one in sandbox.listed("invoices"))
    assert {one["status"] for one in sandbox.listed("invoices")} == {"paid"}


@pytest.mark.parametrize("given", [{"now": 1_700_000_000}, {"advance": -DAY}])
def test_what_was_made_is_never_in_the_future(sandbox: Sandbox, given: dict[str, int]) -> None:
    sandbox.customer()
    refused = sandbox.http.post("/_sandbox/clock", json=given)
    assert error_of(refused, 400)


def test_a_month_that_began_on_the_31st_ends_on_each_months_last_day(sandbox: Sandbox) -> None:
    year = datetime.fromtimestamp(sandbox.now(), UTC).year + 1
    year += year % 4 == 0
    sandbox.advance_to(int(datetime(year, 1, 31, 12, tzinfo=UTC).timestamp()))
    made = sandbox.subscription(sandbox.customer()["id"])
    ends = []
    for _ in range(3):
        end = period_of(sandbox, made)[1]
        ends.append(datetime.fromtimestamp(end, UTC).strftime("%d %b"))
        sandbox.advance_to(end + HOUR)
    assert ends == ["28 Feb", "31 Mar", "30 Apr"]


def test_a_renewal_that_fails_is_tried_again_and_then_cancels(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    made = sandbox.subscription(customer)
    sandbox.use_card(customer, "pm_card_chargeCustomerFail")
    sandbox.advance_to(period_of(sandbox, made)[1] + HOUR)
    waits = []
    for tries in (1, 2, 3):
        invoice = invoice_of(sandbox, made)
        assert (invoice["attempt_count"], status_of(sandbox, made)) == (tries, "past_due")
        waits.append(round((invoice["next_payment_attempt"] - sandbox.now()) / DAY))
        sandbox.advance_to(invoice["next_payment_attempt"])
    assert waits == [3, 5, 7]
    ended = sandbox.get(f"subscriptions/{made['id']}")
    assert (ended["status"], ended["cancellation_details"]["reason"]) == ("canceled", "payment_failed")
    assert (invoice_of(sandbox, made)["attempt_count"], invoice_of(sandbox, made)["next_payment_attempt"]) == (4, None)


def test_paying_a_failed_renewal_brings_it_back(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    made = sandbox.subscription(customer)
    sandbox.use_card(customer, "pm_card_chargeCustomerFail")
    sandbox.advance_to(period_of(sandbox, made)[1] + HOUR)
    sandbox.use_card(customer, "pm_card_visa")
    sandbox.post(f"invoices/{invoice_of(sandbox, made)['id']}/pay")
    assert status_of(sandbox, made) == "active"


def test_cancel_at_period_end_ends_with_the_paid_time(sandbox: Sandbox) -> None:
    made = sandbox.subscription(sandbox.customer()["id"])
    _, end = period_of(sandbox, made)
    asked = sandbox.post(f"subscriptions/{made['id']}", {"cancel_at_period_end": "true"})
    assert (asked["status"], asked["cancel_at"]) == ("active", end)
    sandbox.advance_to(end)
    ended = sandbox.get(f"subscriptions/{made['id']}")
    assert (ended["status"], ended["ended_at"]) == ("canceled", end)
    assert sandbox.event_types()[-1] == "customer.subscription.deleted"
    assert len(sandbox.listed("invoices")) == 1


def test_lists_leave_canceled_ones_out_unless_all_are_asked_for(sandbox: Sandbox) -> None:
    kept, gone = (sandbox.subscription(sandbox.customer()["id"])["id"] for _ in range(2))
    sandbox.ask("DELETE", f"subscriptions/{gone}").raise_for_status()
    assert [one["id"] for one in sandbox.listed("subscriptions")] == [kept]
    assert [one["id"] for one in sandbox.listed("subscriptions", status="canceled")] == [gone]
    assert {one["id"] for one in sandbox.listed("subscriptions", status="all")} == {kept, gone}


def test_a_refund_is_bounded_by_its_charge(sandbox: Sandbox) -> None:
    sandbox.subscription(sandbox.customer()["id"])
    charge = sandbox.listed("charges")[0]["id"]
    sandbox.post("refunds", {"charge": charge, "amount": 400})
    assert sandbox.ask("POST", "refunds", {"charge": charge, "amount": 601}).status_code == 400
    sandbox.post("refunds", {"charge": charge})
    assert sandbox.get(f"charges/{charge}")["refunded"] is True
    error = sandbox.ask("POST", "refunds", {"charge": charge}).json()["error"]
    assert error["code"] == "charge_already_refunded"


def test_the_clock_only_runs_forward(sandbox: Sandbox) -> None:
    assert sandbox.http.post("/_sandbox/clock", json={"advance": -60}).status_code == 400
