"""What a subscription goes through: first payments, trials, pauses, dunning, and changes that wait to be paid."""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Frozen, Sandbox

FAILS = "pm_card_chargeCustomerFail"
ASKS = "pm_card_authenticationRequired"


@pytest.fixture
def office(sandbox: Sandbox) -> Frozen:
    return sandbox.frozen_customer()


def price(sandbox: Sandbox, amount: int = 1000, **more: Any) -> str:
    return sandbox.price(amount, **{"interval": "day", "count": 30, **more})["id"]


def types(sandbox: Sandbox, since: int = 0) -> list[str]:
    return sandbox.event_types()[since:]


# ── the first payment ─────────────────────────────────────────────────────────────────────────────────────


def test_without_a_card_a_subscription_that_costs_something_is_refused(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(card=None)
    given = {"customer": office.customer, "items[0][price]": price(sandbox)}
    error = sandbox.refused("POST", "subscriptions", given)
    assert error["code"] == "resource_missing"
    assert "no attached payment source" in error["message"]
    assert sandbox.listed("subscriptions", status="all", customer=office.customer) == []
    assert office.invoices() == []


def test_events_of_a_paid_first_invoice(sandbox: Sandbox, office: Frozen) -> None:
    chosen = price(sandbox)
    before = len(sandbox.event_types())
    office.subscribe(chosen)
    assert types(sandbox, before) == [
        "customer.updated",
        "invoice.created",
        "payment_intent.created",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.created",
    ]


def test_authentication_is_asked_for_and_given(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(card=ASKS)
    made = office.subscribe(price(sandbox))
    assert made["status"] == "incomplete"
    (intent,) = sandbox.listed("payment_intents", customer=office.customer)
    assert (intent["status"], intent["next_action"]["type"]) == ("requires_action", "redirect_to_url")
    assert {"payment_intent.requires_action", "invoice.payment_action_required"} <= set(types(sandbox))
    sandbox.control(f"payment_intents/{intent['id']}/authenticate", succeed=True)
    assert (office.read(made)["status"], office.invoices()[0]["status"]) == ("active", "paid")


def test_the_page_itself_asks_for_the_authentication_of_an_invoice(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(card=None)
    made = office.subscribe(price(sandbox), payment_behavior="default_incomplete")
    (intent,) = sandbox.listed("payment_intents", customer=office.customer)
    path, given = f"payment_intents/{intent['id']}/confirm", {"payment_method": ASKS}
    error = sandbox.refused("POST", path, {**given, "error_on_requires_action": "true"}, status=402)
    assert (error["code"], error["payment_intent"]["status"]) == ("authentication_required", "requires_payment_method")
    back = "http://127.0.0.1:9/back"
    asked = sandbox.post(path, {**given, "return_url": back})
    assert (asked["status"], asked["next_action"]["redirect_to_url"]["return_url"]) == ("requires_action", back)
    sandbox.control(f"payment_intents/{intent['id']}/authenticate", succeed=True)
    assert office.read(made)["status"] == "active"


def test_authentication_that_fails_leaves_the_invoice_open(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(card=ASKS)
    made = office.subscribe(price(sandbox))
    (intent,) = sandbox.listed("payment_intents", customer=office.customer)
    sandbox.control(f"payment_intents/{intent['id']}/authenticate", succeed=False)
    intent = sandbox.get(f"payment_intents/{intent['id']}")
    assert (intent["status"], intent["last_payment_error"]["code"]) == (
        "requires_payment_method",
        "payment_intent_authentication_failure",
    )
    assert office.read(made)["status"] == "incomplete"
    error = sandbox.refused("POST", f"invoices/{made['latest_invoice']}/pay", status=402)
    assert error["code"] == "invoice_payment_intent_requires_action"


def test_a_card_that_was_set_up_pays_without_being_asked_again(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(card=None)
    given = {"customer": office.customer, "payment_method": "pm_card_authenticationRequiredOnSetup", "confirm": "true"}
    intent = sandbox.post("setup_intents", {**given, "return_url": "http://127.0.0.1:9/back"})
    assert intent["status"] == "requires_action"
    sandbox.control(f"payment_intents/{intent['id']}/authenticate", succeed=True)
    method = sandbox.get(f"setup_intents/{intent['id']}")["payment_method"]
    made = office.subscribe(price(sandbox), default_payment_method=method)
    assert made["status"] == "active"


# ── trials ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("behaviour", "status", "told"),
    [
        ("create_invoice", "past_due", "invoice.payment_failed"),
        ("pause", "paused", "customer.subscription.paused"),
        ("cancel", "canceled", "customer.subscription.deleted"),
    ],
)
def test_a_trial_without_a_card_ends_as_it_was_told_to(
    sandbox: Sandbox, behaviour: str, status: str, told: str
) -> None:
    office = sandbox.frozen_customer(card=None)
    given = {"trial_settings[end_behavior][missing_payment_method]": behaviour}
    made = office.subscribe(price(sandbox), trial_period_days=14, **given)
    assert made["status"] == "trialing"
    office.wait(14 * DAY + HOUR)
    assert office.read(made)["status"] == status
    assert told in types(sandbox)


def test_a_paused_subscription_resumes_when_it_is_paid(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(card=None)
    given = {"trial_settings[end_behavior][missing_payment_method]": "pause"}
    made = office.subscribe(price(sandbox), trial_period_days=14, **given)
    office.wait(40 * DAY)
    assert (office.read(made)["status"], len(office.invoices())) == ("paused", 1)
    sandbox.use_card(office.customer, "pm_card_visa")
    resumed = sandbox.post(f"subscriptions/{made['id']}/resume", {"billing_cycle_anchor": "now"})
    assert (resumed["status"], resumed["billing_cycle_anchor"]) == ("active", office.now())
    assert (office.invoices()[0]["status"], office.invoices()[0]["total"]) == ("paid", 1000)
    assert "customer.subscription.resumed" in types(sandbox)
    sandbox.refused("POST", f"subscriptions/{made['id']}/resume")


def test_a_trial_is_announced_three_days_before_its_end(sandbox: Sandbox, office: Frozen) -> None:
    office.subscribe(price(sandbox), trial_period_days=14)
    office.wait(11 * DAY - 1)
    assert "customer.subscription.trial_will_end" not in types(sandbox)
    office.wait(1)
    assert "customer.subscription.trial_will_end" in types(sandbox)


# ── renewals ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_renewal_is_announced_created_and_then_collected(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    office.wait(23 * DAY)
    upcoming = sandbox.listed("events", type="invoice.upcoming")[0]["data"]["object"]
    assert (upcoming["total"], upcoming["status"]) == (1000, "draft")
    end = made["items"]["data"][0]["current_period_end"]
    office.go_to(end)
    draft = office.invoices()[0]
    assert (draft["status"], draft["created"], draft["automatically_finalizes_at"]) == ("draft", end, end + HOUR)
    office.wait(HOUR)
    paid = office.invoices()[0]
    assert (paid["status"], paid["status_transitions"]["paid_at"]) == ("paid", end + HOUR)


@pytest.mark.parametrize(
    ("setting", "status"), [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")]
)
def test_what_follows_the_last_retry_is_a_setting(sandbox: Sandbox, office: Frozen, setting: str, status: str) -> None:
    sandbox.control("settings", retries_exhausted=setting, retry_days=[1, 2])
    made = office.subscribe(price(sandbox))
    sandbox.use_card(office.customer, FAILS)
    office.wait(30 * DAY + HOUR)
    attempts = [office.invoices()[0]["attempt_count"]]
    for days in (1, 2):
        assert office.read(made)["status"] == "past_due"
        office.wait(days * DAY)
        attempts.append(office.invoices()[0]["attempt_count"])
    assert attempts == [1, 2, 3]
    assert office.read(made)["status"] == status
    assert office.invoices()[0]["next_payment_attempt"] is None


def test_an_unpaid_subscription_makes_drafts_only_and_comes_back_when_its_latest_is_paid(
    sandbox: Sandbox, office: Frozen
) -> None:
    sandbox.control("settings", retries_exhausted="unpaid", retry_days=[])
    made = office.subscribe(price(sandbox))
    sandbox.use_card(office.customer, FAILS)
    office.wait(30 * DAY + HOUR)
    office.wait(30 * DAY)
    latest = office.invoices()[0]
    assert (latest["status"], latest["auto_advance"]) == ("draft", False)
    sandbox.use_card(office.customer, "pm_card_visa")
    sandbox.post(f"invoices/{latest['id']}/pay")
    assert office.read(made)["status"] == "active"


def test_a_renewal_without_a_card_is_tried_and_falls_behind(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    (method,) = sandbox.listed("payment_methods", customer=office.customer)
    sandbox.post(f"payment_methods/{method['id']}/detach")
    office.wait(30 * DAY + HOUR)
    assert (office.read(made)["status"], office.invoices()[0]["attempt_count"]) == ("past_due", 1)
    sandbox.use_card(office.customer, "pm_card_visa")
    office.wait(3 * DAY)
    assert (office.read(made)["status"], office.invoices()[0]["status"]) == ("active", "paid")


def test_an_expired_card_is_declined_as_such(sandbox: Sandbox, office: Frozen) -> None:
    office.subscribe(price(sandbox))
    (method,) = sandbox.listed("payment_methods", customer=office.customer)
    sandbox.post(f"payment_methods/{method['id']}", {"card[exp_month]": 1, "card[exp_year]": 2027})
    office.wait(30 * DAY + HOUR)
    office.wait(30 * DAY)
    assert sandbox.listed("charges", customer=office.customer)[0]["failure_code"] == "expired_card"


def test_an_invoice_that_is_sent_falls_due(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(card=None)
    made = office.subscribe(price(sandbox), collection_method="send_invoice", days_until_due=10)
    assert (made["status"], office.invoices()[0]["status"]) == ("active", "draft")
    office.wait(HOUR)
    sent = office.invoices()[0]
    assert (sent["status"], sent["due_date"]) == ("open", office.now() + 10 * DAY)
    assert "invoice.sent" in types(sandbox)
    office.wait(10 * DAY)
    assert office.read(made)["status"] == "past_due"
    assert "invoice.overdue" in types(sandbox)
    sandbox.post(f"invoices/{sent['id']}/pay", {"paid_out_of_band": "true"})
    assert office.read(made)["status"] == "active"


@pytest.mark.parametrize(
    ("behaviour", "status"), [("keep_as_draft", "draft"), ("void", "void"), ("mark_uncollectible", "uncollectible")]
)
def test_collection_can_pause_and_goes_on_by_itself(
    sandbox: Sandbox, office: Frozen, behaviour: str, status: str
) -> None:
    made = office.subscribe(price(sandbox))
    resumes = office.now() + 45 * DAY
    paused = office.change(made, **{"pause_collection[behavior]": behaviour, "pause_collection[resumes_at]": resumes})
    assert (paused["status"], paused["pause_collection"]) == (
        "active",
        {"behavior": behaviour, "resumes_at": resumes},
    )
    office.wait(30 * DAY + HOUR)
    assert (office.invoices()[0]["status"], office.read(made)["status"]) == (status, "active")
    office.wait(30 * DAY)
    assert office.read(made)["pause_collection"] is None
    assert office.invoices()[0]["status"] == "paid"


@pytest.mark.parametrize(
    ("behaviour", "status"), [("keep_as_draft", "draft"), ("void", "void"), ("mark_uncollectible", "uncollectible")]
)
def test_a_pause_of_collection_holds_back_the_invoice_of_a_change_too(
    sandbox: Sandbox, office: Frozen, behaviour: str, status: str
) -> None:
    made = office.subscribe(price(sandbox))
    office.change(made, **{"pause_collection[behavior]": behaviour})
    changed = office.change(made, quantity=2, proration_behavior="always_invoice")
    invoice = sandbox.get(f"invoices/{changed['latest_invoice']}")
    assert (invoice["status"], invoice["auto_advance"], changed["status"]) == (status, False, "active")
    office.wait(DAY)
    assert [one["amount"] for one in sandbox.listed("charges", customer=office.customer)] == [1000]


def test_a_pause_of_collection_ends_in_the_future(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    given = {"pause_collection[behavior]": "void", "pause_collection[resumes_at]": office.now()}
    error = sandbox.refused("POST", f"subscriptions/{made['id']}", given)
    assert error["param"] == "pause_collection[resumes_at]"


SENDS = {"collection_method": "send_invoice"}


@pytest.mark.parametrize(
    ("given", "param"),
    [
        (SENDS, "days_until_due"),
        ({"days_until_due": 10}, "days_until_due"),
        ({"collection_method": "charge_automatically", "days_until_due": 10}, "days_until_due"),
        ({**SENDS, "days_until_due": -1}, "days_until_due"),
        ({**SENDS, "days_until_due": 3651}, "days_until_due"),
        ({"trial_period_days": 0}, "trial_period_days"),
        ({"trial_period_days": 731}, "trial_period_days"),
    ],
    ids=str,
)
def test_impossible_terms_are_refused(sandbox: Sandbox, office: Frozen, given: dict[str, Any], param: str) -> None:
    data = {"customer": office.customer, "items[0][price]": price(sandbox), **given}
    assert sandbox.refused("POST", "subscriptions", data)["param"] == param


def test_whoever_is_sent_invoices_can_be_charged_again(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox), collection_method="send_invoice", days_until_due=0)
    assert office.change(made, days_until_due=7)["days_until_due"] == 7
    assert office.change(made, collection_method="charge_automatically")["days_until_due"] is None
    assert sandbox.refused("POST", f"subscriptions/{made['id']}", SENDS)["param"] == "days_until_due"


def test_the_first_card_that_pays_is_kept_if_that_is_asked_for(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(card=None)
    keeps = {"payment_settings[save_default_payment_method]": "on_subscription"}
    made = office.subscribe(price(sandbox), payment_behavior="default_incomplete", **keeps)
    (intent,) = sandbox.listed("payment_intents", customer=office.customer)
    sandbox.post(f"payment_intents/{intent['id']}/confirm", {"payment_method": ASKS})
    sandbox.control(f"payment_intents/{intent['id']}/authenticate", succeed=True)
    (method,) = sandbox.listed("payment_methods", customer=office.customer)
    after = office.read(made)
    assert (after["status"], after["default_payment_method"]) == ("active", method["id"])


def test_a_card_that_pays_is_not_kept_unasked(sandbox: Sandbox, office: Frozen) -> None:
    assert office.subscribe(price(sandbox))["default_payment_method"] is None


def test_the_secret_of_an_invoice_is_shown_where_it_is_asked_for(sandbox: Sandbox, office: Frozen) -> None:
    given = {"payment_behavior": "default_incomplete", "expand[]": "latest_invoice.confirmation_secret"}
    made = office.subscribe(price(sandbox), **given)["latest_invoice"]
    (intent,) = sandbox.listed("payment_intents", customer=office.customer)
    assert made["confirmation_secret"] == {"type": "payment_intent", "client_secret": intent["client_secret"]}
    assert "confirmation_secret" not in sandbox.get(f"invoices/{made['id']}")
    preview = {
        "subscription": made["parent"]["subscription_details"]["subscription"],
        "expand[]": "confirmation_secret",
    }
    assert sandbox.post("invoices/create_preview", preview)["confirmation_secret"] is None


# ── changes and their payment ─────────────────────────────────────────────────────────────────────────────


def upgrade(sandbox: Sandbox, office: Frozen, made: dict[str, Any], behaviour: str) -> Any:
    given = {
        "items[0][id]": made["items"]["data"][0]["id"],
        "items[0][price]": price(sandbox, 2000),
        "proration_behavior": "always_invoice",
        "payment_behavior": behaviour,
    }
    return sandbox.ask("POST", f"subscriptions/{made['id']}", given)


def failing_half_way(sandbox: Sandbox, office: Frozen) -> dict[str, Any]:
    made = office.subscribe(price(sandbox))
    sandbox.use_card(office.customer, FAILS)
    office.wait(15 * DAY)
    return made


def amount(subscription: dict[str, Any]) -> int:
    return subscription["items"]["data"][0]["price"]["unit_amount"]


def test_a_change_whose_payment_fails_is_made_and_past_due(sandbox: Sandbox, office: Frozen) -> None:
    made = failing_half_way(sandbox, office)
    changed = upgrade(sandbox, office, made, "allow_incomplete").json()
    assert (changed["status"], amount(changed)) == ("past_due", 2000)
    assert office.invoices()[0]["next_payment_attempt"] == office.now() + 3 * DAY
    sandbox.use_card(office.customer, "pm_card_visa")
    office.wait(3 * DAY)
    assert office.read(made)["status"] == "active"


def test_a_change_that_must_be_paid_first_leaves_nothing_behind(sandbox: Sandbox, office: Frozen) -> None:
    made = failing_half_way(sandbox, office)
    before = office.read(made), office.invoices(), office.waiting()
    assert upgrade(sandbox, office, made, "error_if_incomplete").status_code == 402
    assert (office.read(made), office.invoices(), office.waiting()) == before


def test_a_change_can_leave_the_payment_to_be_confirmed(sandbox: Sandbox, office: Frozen) -> None:
    made = failing_half_way(sandbox, office)
    changed = upgrade(sandbox, office, made, "default_incomplete").json()
    assert (changed["status"], office.invoices()[0]["attempt_count"]) == ("past_due", 0)
    intent = sandbox.listed("payment_intents", customer=office.customer)[0]
    sandbox.post(f"payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"})
    assert office.read(made)["status"] == "active"


def test_a_pending_change_is_made_when_it_is_paid(sandbox: Sandbox, office: Frozen) -> None:
    made = failing_half_way(sandbox, office)
    waiting = upgrade(sandbox, office, made, "pending_if_incomplete").json()
    assert (waiting["status"], amount(waiting)) == ("active", 1000)
    assert waiting["pending_update"]["expires_at"] == office.now() + 23 * HOUR
    assert waiting["pending_update"]["subscription_items"][0]["price"]["unit_amount"] == 2000
    sandbox.use_card(office.customer, "pm_card_visa")
    sandbox.post(f"invoices/{waiting['latest_invoice']}/pay")
    changed = office.read(made)
    assert (changed["pending_update"], amount(changed), office.waiting()) == (None, 2000, [])
    assert "customer.subscription.pending_update_applied" in types(sandbox)
    office.change(changed, price=price(sandbox, 1000))
    assert office.waiting() == [-1000, 500]


def test_a_pending_change_that_is_not_paid_lapses(sandbox: Sandbox, office: Frozen) -> None:
    made = failing_half_way(sandbox, office)
    upgrade(sandbox, office, made, "pending_if_incomplete")
    office.wait(23 * HOUR)
    after = office.read(made)
    assert (after["pending_update"], amount(after), after["status"]) == (None, 1000, "active")
    assert office.invoices()[0]["status"] == "void"
    assert "customer.subscription.pending_update_expired" in types(sandbox)


def test_a_pending_change_that_is_paid_at_once_does_not_wait(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    office.wait(15 * DAY)
    changed = upgrade(sandbox, office, made, "pending_if_incomplete").json()
    assert (changed["pending_update"], amount(changed), office.invoices()[0]["amount_paid"]) == (None, 2000, 500)
    assert "customer.subscription.pending_update_applied" not in types(sandbox)


# ── the end ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_cancellation_at_a_date_can_be_taken_back(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    office.change(made, cancel_at=office.now() + 10 * DAY)
    assert office.change(made, cancel_at="")["cancel_at"] is None
    office.wait(11 * DAY)
    assert office.read(made)["status"] == "active"
    office.change(made, cancel_at=office.now() + 1 * DAY)
    office.wait(DAY)
    assert office.read(made)["status"] == "canceled"


def test_what_waits_when_a_subscription_ends_with_its_period_is_collected(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    office.wait(15 * DAY)
    office.change(made, quantity=3)
    office.change(made, cancel_at_period_end="true")
    office.wait(15 * DAY + HOUR)
    assert (office.read(made)["status"], office.invoices()[0]["total"]) == ("canceled", 1000)
    assert office.invoices()[0]["status"] == "paid"


def test_an_ended_subscription_cannot_be_changed(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(price(sandbox))
    sandbox.ask("DELETE", f"subscriptions/{made['id']}").raise_for_status()
    sandbox.refused("POST", f"subscriptions/{made['id']}", {"cancel_at_period_end": "true"})
    kept = sandbox.post(f"subscriptions/{made['id']}", {"metadata[why]": "closed"})
    assert kept["metadata"] == {"why": "closed"}


@pytest.mark.parametrize(
    "given",
    [
        {"billing_thresholds[amount_gte]": 1000},
        {"automatic_tax[enabled]": "true"},
        {"transfer_data[destination]": "acct_x"},
    ],
    ids=str,
)
def test_what_it_cannot_do_it_says(sandbox: Sandbox, office: Frozen, given: dict[str, Any]) -> None:
    data = {"customer": office.customer, "items[0][price]": price(sandbox), **given}
    assert "cannot do this" in sandbox.refused("POST", "subscriptions", data, status=501)["message"]
