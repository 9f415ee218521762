"""What the control plane and the pages do to the store. Each function does one thing; its body is already checked."""

from collections.abc import Awaitable

from stripe_sandbox import (
    addresses,
    answers,
    checkout_payment,
    customers,
    deliveries,
    delivery,
    disputes,
    faults,
    fraud_warnings,
    payment_methods,
    refunds,
    timeline,
)
from stripe_sandbox.control import seeding
from stripe_sandbox.dates import DAY
from stripe_sandbox.invoicing import collection
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import shown

MOST_SECONDS_AT_ONCE = 10 * 366 * DAY
Ids = dict[str, str]


class Refused(Exception):
    """The control request is wrong. The text says what is allowed."""


def health(store: Store, given: Row, ids: Ids) -> Row:
    return {"ok": True}


def reset(store: Store, given: Row, ids: Ids) -> Row:
    store.reset(given.get("seed", store.seed))
    store.wake.set()
    return {"ok": True}


def keep(store: Store, given: Row, ids: Ids) -> Row:
    store.keep()
    return {"ok": True}


def put_back(store: Store, given: Row, ids: Ids) -> Row:
    if not store.kept:
        raise Refused("Nothing was kept. Post to keep first.")
    store.put_back()
    store.wake.set()
    return {"ok": True}


def read_clock(store: Store, given: Row, ids: Ids) -> Row:
    return {"now": store.now(), "offset": store.offset}


def move_clock(store: Store, given: Row, ids: Ids) -> Row:
    if len(given) != 1:
        raise Refused("Give one of now and advance.")
    to = given["now"] if "now" in given else store.now() + given["advance"]
    if to > store.now() + MOST_SECONDS_AT_ONCE:
        raise Refused("The clock moves at most ten years at once.")
    if "now" in given and to < store.now() and store.sequence == 0:
        timeline.begin_server(store, to)
    else:
        deliveries.forget_old_events(store)
        timeline.advance_server(store, to)
    return read_clock(store, given, ids)


def add_fault(store: Store, given: Row, ids: Ids) -> Row:
    if "kind" not in given:
        raise Refused(f"kind is one of {', '.join(faults.KINDS)}.")
    store.set("faults", [*store.faults, given if "probability" in given else {"next": 1, **given}])
    return {"faults": store.faults}


def read_faults(store: Store, given: Row, ids: Ids) -> Row:
    return {"faults": store.faults}


def clear_faults(store: Store, given: Row, ids: Ids) -> Row:
    store.set("faults", [])
    store.set("next_charges", [])
    return {"faults": []}


def read_requests(store: Store, given: Row, ids: Ids) -> Row:
    return {"requests": store.requests}


def clear_requests(store: Store, given: Row, ids: Ids) -> Row:
    store.requests.clear()
    return {"requests": []}


def forget_keys(store: Store, given: Row, ids: Ids) -> Row:
    answers.forget_all(store)
    return {"ok": True}


def set_delivery(store: Store, given: Row, ids: Ids) -> Row:
    store.set("chosen_mode", given.pop("mode", store.chosen_mode))
    store.set("trouble", {**store.trouble, **given})
    store.wake.set()
    return read_delivery(store, given, ids)


def read_delivery(store: Store, given: Row, ids: Ids) -> Row:
    return {"mode": store.mode, **store.trouble}


def read_deliveries(store: Store, given: Row, ids: Ids) -> Row:
    return {"deliveries": list(store.deliveries.values())}


def take(store: Store, given: Row, ids: Ids) -> Row:
    found = delivery.take(
        store,
        limit=given.get("limit"),
        shuffle_seed=given.get("shuffle_seed"),
        duplicate=given.get("duplicate", False),
    )
    return {"deliveries": found}


def resend(store: Store, given: Row, ids: Ids) -> Row:
    event = store.need("event", ids["event"])
    endpoints = store.all("webhook_endpoint", status="enabled")
    return {"deliveries": [deliveries.plan(store, event, one["id"]) for one in endpoints]}


def roll(store: Store, given: Row, ids: Ids) -> Row:
    endpoint = store.need("webhook_endpoint", ids["endpoint"])
    return {"id": endpoint["id"], "secret": delivery.roll_secret(store, endpoint, **given)}


def plan_charges(store: Store, given: Row, ids: Ids) -> Row:
    """Plan that the next charges are declined or ask for authentication, whatever the card."""
    if "outcome" not in given:
        raise Refused("outcome is decline or authenticate.")
    if given["outcome"] == "authenticate" and "code" in given:
        raise Refused("code goes with decline only.")
    if customer := given.get("customer"):
        store.need("customer", customer, "customer")
    code = {"code": "generic_decline"} if given["outcome"] == "decline" else {}
    store.set("next_charges", [*store.next_charges, {"next": 1, **code, **given}])
    return {"charges": store.next_charges}


def authenticate(store: Store, given: Row, ids: Ids) -> Row:
    """Let the customer pass or fail 3-D Secure of a payment or setup intent."""
    setup = ids["intent"].startswith("seti_")
    intent = store.need("setup_intent" if setup else "payment_intent", ids["intent"])
    if intent["status"] != "requires_action":
        raise Refused(f"{intent['id']} is {intent['status']}; only what is requires_action can be authenticated.")
    checkout_payment.authenticated(store, intent, given.get("succeed", True))
    return {"id": intent["id"], "status": intent["status"]}


def dispute(store: Store, given: Row, ids: Ids) -> Row:
    charge = store.need("charge", ids["charge"])
    made = disputes.open_dispute(
        store, charge, reason=given.get("reason", "fraudulent"), inquiry=given.get("inquiry", False)
    )
    return {"id": made["id"], "status": made["status"]}


def warn_of_fraud(store: Store, given: Row, ids: Ids) -> Row:
    made = fraud_warnings.warn(store, store.need("charge", ids["charge"]), **given)
    return {"id": made["id"], "actionable": made["actionable"]}


def delete_customer(store: Store, given: Row, ids: Ids) -> Row:
    customers.delete(store, store.need("customer", ids["customer"]))
    return {"id": ids["customer"], "deleted": True}


def read_settings(store: Store, given: Row, ids: Ids) -> Row:
    return store.settings


def set_settings(store: Store, given: Row, ids: Ids) -> Row:
    store.set("settings", {**store.settings, **given})
    if "retry_days" in given:
        collection.plan_retries_anew(store)
    timeline.rebuild(store)
    if given.get("retry_seconds") is not None:
        delivery.try_again_after(store, given["retry_seconds"])
    return store.settings


def complete_session(store: Store, given: Row, ids: Ids) -> Row:
    """Do what the customer would do on the page of a checkout session."""
    session = store.need("checkout.session", ids["session"])
    email = given.get("email", "customer@example.com")
    waits = checkout_payment.pay(store, session, card=given.get("card", ""), email=email)
    url = waits and addresses.authenticate_url(store.base_url, waits["id"])
    return {"session": shown(store, session), "authenticate_url": url}


def settle_refund(store: Store, given: Row, ids: Ids) -> Row:
    """Let the bank give its answer about a refund now, instead of a day later."""
    refund = store.need("refund", ids["refund"])
    refunds.settle(store, refund)
    return shown(store, refund)


def renew_card(store: Store, given: Row, ids: Ids) -> Row:
    """Give the card a new expiry date, as its network would."""
    if set(given) != {"exp_month", "exp_year"}:
        raise Refused("Give exp_month and exp_year.")
    method = store.need("payment_method", ids["payment_method"])
    return shown(store, payment_methods.renew(store, method, **given))


def conformance(store: Store, given: Row, ids: Ids) -> Row:
    return store.checked


def seed(store: Store, given: Row, ids: Ids) -> Awaitable[Row]:
    if "customers" not in given:
        raise Refused(f"customers is a whole number from 1 to {seeding.MOST_AT_ONCE}.")
    return seeding.subscribed(store, given["customers"], given.get("price"))
