"""Paying a checkout session: what its page, or the control plane, does with a card."""

from typing import Any

from stripe_sandbox import (
    card_rules,
    checkout_items,
    coupons,
    customers,
    intents,
    payment_methods,
    payments,
    setup_intents,
)
from stripe_sandbox.errors import StripeError, invalid, unsupported
from stripe_sandbox.invoicing import collection
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import subscriptions


def pay(store: Store, session: Row, *, card: str = "", email: str = "") -> Row | None:
    """Complete the session. If the cardholder must authenticate first, return the intent that waits.

    ``card`` is a test card's id. It may be empty where nothing is paid and no card is asked for.

    Raises: the card's decline (402). The session then stays open.
    """
    if session["status"] != "open":
        raise invalid(f"This Checkout Session has a status of `{session['status']}`.")
    if waits := waiting(store, session):
        return waits
    if not card and not may_go_without_card(session):
        raise invalid("A card is needed.", param="card")
    with store.undo_on_error():
        customer = _customer(store, session, email)
        method = payment_methods.of_id(store, card, "card", customer) if card else None
        if method and card_rules.is_bank(method):
            raise unsupported("checkout sessions that are paid from a bank account")
        if customer and method and session["mode"] != "setup":
            payment_methods.attach(store, method, customer)
    TRY[session["mode"]](store, session, customer, method)
    return settle(store, session)


def refuse_impossible(store: Store, session: Row) -> None:
    """Refuse a session that no card could complete. Nothing is made. Raises: StripeError."""
    with store.rehearsal():
        customer = store.get("customer", session["customer"]) or customers.create(store, {})
        if session["mode"] == "subscription":
            subscriptions.build(store, _subscription_params(store, session, customer))
        elif session["mode"] == "setup":
            setup_intents.create(store, _setup_params(session, customer))
        elif session["amount_total"]:
            intents.create(store, _payment_params(session, customer))


def settle(store: Store, session: Row) -> Row | None:
    """Complete the session if what it started is paid. Otherwise return the intent that waits for the cardholder.

    Raises: the decline of the last attempt (402).
    """
    if _paid(store, session):
        _finish(store, session)
        return None
    if waits := waiting(store, session):
        store.change(session, _waits=waits["id"])
        return waits
    refusal = last_refusal(store, session)
    raise StripeError(402, "card_error", refusal.get("message", "Your card was declined."), code=refusal.get("code"))


def authenticated(store: Store, intent: Row, ok: bool) -> Row | None:
    """Record whether the cardholder passed 3-D Secure. Returns the session that waited, completed if it is now paid."""
    verdict = setup_intents.authenticated if intent["_kind"] == "setup_intent" else payments.authenticated
    verdict(store, intent, ok)
    for session in store.all("checkout.session", _waits=intent["id"], status="open"):
        store.change(session, _waits=None)
        if _paid(store, session):
            _finish(store, session)
        return session
    return None


def abandon(store: Store, session: Row) -> None:
    """Cancel what the session started and nobody paid."""
    intent = _intent(store, session)
    if session["mode"] == "subscription":
        subscription = store.get("subscription", session["_attempt"])
        if subscription and subscription["status"] == "incomplete":
            subscriptions.cancel(store, subscription)
    elif intent and intent["status"] != "canceled":
        module = setup_intents if session["mode"] == "setup" else intents
        module.cancel(store, intent, "abandoned")


def waiting(store: Store, session: Row) -> Row | None:
    """Return the intent that the session started and that waits for the cardholder, or None."""
    intent = _intent(store, session)
    return intent if intent and intent["status"] == "requires_action" else None


def last_refusal(store: Store, session: Row) -> dict[str, Any]:
    """Return what the last card's bank said, as a part of Stripe's error."""
    intent = _intent(store, session) or {}
    return intent.get("last_payment_error") or intent.get("last_setup_error") or {}


def may_go_without_card(session: Row) -> bool:
    """Whether nothing is paid today, and a card is asked for only where it is needed."""
    free = session["mode"] != "setup" and session["amount_total"] == 0
    return free and (session["payment_method_collection"] == "if_required" or session["mode"] == "payment")


def _customer(store: Store, session: Row, email: str) -> Row | None:
    """Find the session's customer. If there is none and one is needed, make it."""
    if session["customer"]:
        return store.objects["customer"][session["customer"]]
    email = session["customer_email"] or email
    if not email:
        raise invalid("An email address is needed.", param="email")
    store.change(session, _email=email)
    saves = session["customer_creation"] == "always" or session["_data"].get("setup_future_usage")
    if session["mode"] == "payment" and not saves:
        return None
    made = customers.create(store, {"email": email})
    store.change(session, customer=made["id"])
    return made


def _subscribe(store: Store, session: Row, customer: Row, method: Row | None) -> None:
    subscription = store.get("subscription", session["_attempt"])
    if subscription is None:
        params = _subscription_params(store, session, customer)
        if method:
            params["default_payment_method"] = method["id"]
        made = subscriptions.create(store, params)
        store.change(session, _attempt=made["id"])
    elif method:
        store.change(subscription, "customer.subscription.updated", default_payment_method=method["id"])
        invoice = store.objects["invoice"][subscription["latest_invoice"]]
        try:
            collection.pay(store, invoice, method_id=method["id"])
        except StripeError as error:
            if error.status != 402:  # a decline is recorded in the intent, and read there
                raise


def _subscription_params(store: Store, session: Row, customer: Row) -> dict[str, Any]:
    params = {
        **session["_data"],
        "customer": customer["id"],
        "items": [_sold(one) for one in checkout_items.recurring(store, session)],
        "payment_behavior": "allow_incomplete",
    }
    if once := [_sold(one) for one in checkout_items.once(store, session)]:
        params["add_invoice_items"] = once
    if session["discounts"]:
        params["discounts"] = [{k: v for k, v in one.items() if v} for one in session["discounts"]]
    return params


def _sold(item: Row) -> dict[str, Any]:
    sold = {"price": item["price"], "quantity": item["quantity"], "_made_price": item["_made_price"]}
    return {**sold, "tax_rates": item["_own_tax_rates"]} if item["_own_tax_rates"] else sold


def _set_up(store: Store, session: Row, customer: Row, method: Row) -> None:
    if session["_attempt"]:
        intent = store.objects["setup_intent"][session["_attempt"]]
    else:
        intent = setup_intents.create(store, _setup_params(session, customer))
        store.change(session, _attempt=intent["id"])
    _confirmed(store, setup_intents.confirm, session, intent, method)


def _setup_params(session: Row, customer: Row) -> dict[str, Any]:
    return {"customer": customer["id"], "payment_method_types": ["card"], **session["_data"]}


def _charge(store: Store, session: Row, customer: Row | None, method: Row | None) -> None:
    if session["amount_total"] == 0 or method is None:
        return
    if session["_attempt"]:
        intent = store.objects["payment_intent"][session["_attempt"]]
    else:
        intent = intents.create(store, _payment_params(session, customer))
        store.change(session, _attempt=intent["id"])
    _confirmed(store, intents.confirm, session, intent, method)


def _payment_params(session: Row, customer: Row | None) -> dict[str, Any]:
    amount = {"amount": session["amount_total"], "currency": session["currency"]}
    params = {**amount, "payment_method_types": ["card"], **session["_data"]}
    return {**params, "customer": customer["id"]} if customer else params


def _confirmed(store: Store, confirm: Any, session: Row, intent: Row, method: Row) -> None:
    try:
        confirm(store, intent, {"payment_method": method["id"], "return_url": session["success_url"]})
    except StripeError as error:
        if error.status != 402:  # a decline is recorded in the intent, and read there
            raise


TRY: dict[str, Any] = {"subscription": _subscribe, "setup": _set_up, "payment": _charge}


def _intent(store: Store, session: Row) -> Row | None:
    """Return the intent by which the session is paid, or None before a card was tried."""
    if session["mode"] == "setup":
        return store.get("setup_intent", session["_attempt"])
    if session["mode"] == "payment":
        return store.get("payment_intent", session["_attempt"])
    subscription = store.get("subscription", session["_attempt"])
    if subscription is None:
        return None
    if subscription["pending_setup_intent"]:
        return store.get("setup_intent", subscription["pending_setup_intent"])
    invoice = store.get("invoice", subscription["latest_invoice"])
    return store.get("payment_intent", invoice["_intent"]) if invoice else None


def _paid(store: Store, session: Row) -> bool:
    if session["mode"] == "subscription":
        subscription = store.get("subscription", session["_attempt"])
        started = subscription is not None and subscription["status"] in ("active", "trialing")
        return started and not waiting(store, session)
    if session["mode"] == "payment" and session["amount_total"] == 0:
        return True
    intent = _intent(store, session)
    return intent is not None and intent["status"] in ("succeeded", "requires_capture")


def _finish(store: Store, session: Row) -> None:
    """Complete the session, and record in it what it made."""
    values: dict[str, Any] = {"status": "complete", "url": None, "_waits": None}
    if session["mode"] == "subscription":
        subscription = store.objects["subscription"][session["_attempt"]]
        values |= {"subscription": subscription["id"], "invoice": subscription["latest_invoice"]}
        if invoice := store.get("invoice", subscription["latest_invoice"]):
            tax = sum(one["amount"] for one in invoice["total_taxes"] or ())
            off = sum(one["amount"] for one in invoice["total_discount_amounts"] or ())
            values |= {"amount_subtotal": invoice["subtotal"], "amount_total": invoice["total"]}
            values["total_details"] = {"amount_discount": off, "amount_shipping": 0, "amount_tax": tax}
    elif session["_attempt"]:
        values["setup_intent" if session["mode"] == "setup" else "payment_intent"] = session["_attempt"]
    if session["mode"] != "setup":
        held = (_intent(store, session) or {}).get("status") == "requires_capture"
        paid = "unpaid" if held else "paid"
        values["payment_status"] = (
            paid if values.get("amount_total", session["amount_total"]) else "no_payment_required"
        )
    if session["mode"] == "payment":
        for coupon, code in checkout_items.coupons_of(store, session):
            coupons.redeem(store, coupon, code)
    customer = store.get("customer", session["customer"]) or {}
    values["customer_details"] = {
        "address": customer.get("address"),
        "business_name": None,
        "email": customer.get("email") or session.get("_email"),
        "individual_name": None,
        "name": customer.get("name"),
        "phone": customer.get("phone"),
        "tax_exempt": customer.get("tax_exempt", "none"),
        "tax_ids": [],
    }
    store.change(session, **values)
    store.emit("checkout.session.completed", session)
