"""What the control plane and the pages do to the store: each function is one lever, its body already checked."""

from collections.abc import Awaitable

from stripe_sandbox import (
    checkout_payment,
    customers,
    delivery,
    disputes,
    faults,
    payments,
    seeding,
    setup_intents,
    timeline,
)
from stripe_sandbox.store import Row, Store

MOST_SECONDS_AT_ONCE = 10 * 366 * 86_400
Ids = dict[str, str]


class Refused(Exception):
    """The control request is wrong; the text says what is allowed."""


def health(store: Store, given: Row, ids: Ids) -> Row:
    return {"ok": True}


def reset(store: Store, given: Row, ids: Ids) -> Row:
    store.reset(given.get("seed", store.seed))
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
    store.forget_old_events()
    timeline.advance_server(store, to)
    return read_clock(store, given, ids)


def add_fault(store: Store, given: Row, ids: Ids) -> Row:
    if "kind" not in given:
        raise Refused(f"kind is one of {', '.join(faults.KINDS)}.")
    store.faults.append(given if "probability" in given else {"next": 1, **given})
    store.unsaved.add(("meta", "faults"))
    return {"faults": store.faults}


def read_faults(store: Store, given: Row, ids: Ids) -> Row:
    return {"faults": store.faults}


def clear_faults(store: Store, given: Row, ids: Ids) -> Row:
    store.faults, store.next_charges = [], []
    store.unsaved |= {("meta", "faults"), ("meta", "next_charges")}
    return {"faults": []}


def read_requests(store: Store, given: Row, ids: Ids) -> Row:
    return {"requests": store.requests}


def clear_requests(store: Store, given: Row, ids: Ids) -> Row:
    store.requests.clear()
    return {"requests": []}


def forget_keys(store: Store, given: Row, ids: Ids) -> Row:
    store.unsaved |= {("answer", key) for key in store.answers}
    store.answers.clear()
    return {"ok": True}


def set_delivery(store: Store, given: Row, ids: Ids) -> Row:
    store.mode = given.pop("mode", store.mode)
    store.trouble |= given
    store.unsaved.add(("meta", "trouble"))
    store.wake.set()
    return {"mode": store.mode, **store.trouble}


def read_delivery(store: Store, given: Row, ids: Ids) -> Row:
    return {"mode": store.mode, **store.trouble}


def deliveries(store: Store, given: Row, ids: Ids) -> Row:
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
    return {"deliveries": [store.plan_delivery(event["id"], one["id"]) for one in endpoints]}


def roll(store: Store, given: Row, ids: Ids) -> Row:
    endpoint = store.need("webhook_endpoint", ids["endpoint"])
    return {"id": endpoint["id"], "secret": delivery.roll_secret(store, endpoint, **given)}


def plan_charges(store: Store, given: Row, ids: Ids) -> Row:
    """The next charges are declined, or ask for authentication, whatever the card."""
    if "outcome" not in given:
        raise Refused("outcome is decline or authenticate.")
    if given["outcome"] == "authenticate" and "code" in given:
        raise Refused("code goes with decline only.")
    if customer := given.get("customer"):
        store.need("customer", customer, "customer")
    code = {"code": "generic_decline"} if given["outcome"] == "decline" else {}
    store.next_charges = [*store.next_charges, {"next": 1, **code, **given}]
    store.unsaved.add(("meta", "next_charges"))
    return {"charges": store.next_charges}


def authenticate(store: Store, given: Row, ids: Ids) -> Row:
    """The customer completed 3-D Secure of a payment or set-up intent, or failed it."""
    setup = ids["intent"].startswith("seti_")
    intent = store.need("setup_intent" if setup else "payment_intent", ids["intent"])
    if intent["status"] != "requires_action":
        raise Refused(f"{intent['id']} is {intent['status']}; only what is requires_action can be authenticated.")
    confirm = setup_intents.authenticated if setup else payments.authenticated
    confirm(store, intent, given.get("succeed", True))
    checkout_payment.after_authentication(store, intent)
    return {"id": intent["id"], "status": intent["status"]}


def dispute(store: Store, given: Row, ids: Ids) -> Row:
    charge = store.need("charge", ids["charge"])
    made = disputes.open_dispute(
        store, charge, reason=given.get("reason", "fraudulent"), inquiry=given.get("inquiry", False)
    )
    return {"id": made["id"], "status": made["status"]}


def delete_customer(store: Store, given: Row, ids: Ids) -> Row:
    customers.delete(store, store.need("customer", ids["customer"]))
    return {"id": ids["customer"], "deleted": True}


def settings(store: Store, given: Row, ids: Ids) -> Row:
    store.settings |= given
    store.unsaved.add(("meta", "settings"))
    return store.settings


def conformance(store: Store, given: Row, ids: Ids) -> Row:
    return store.checked


def seed(store: Store, given: Row, ids: Ids) -> Awaitable[Row]:
    if "customers" not in given:
        raise Refused(f"customers is a whole number from 1 to {seeding.MOST_AT_ONCE}.")
    return seeding.subscribed(store, given["customers"], given.get("price"))
