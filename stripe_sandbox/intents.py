"""The API of payment intents and charges. Source: https://docs.stripe.com/api/payment_intents"""

from stripe_sandbox import card_rules, currencies, payment_methods, payment_rows, payments, search
from stripe_sandbox.errors import invalid, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, lists, merged, page, reads, refuse
from stripe_sandbox.store import Row, Store

NOT_HERE = (
    "allowed_payment_method_types amount_to_confirm application_fee_amount confirmation_token customer_account "
    "hooks mandate mandate_data on_behalf_of payment_method_configuration "
    "payment_method_data payment_method_options transfer_data"
).split()
WAITS_FOR_A_CARD = ("requires_payment_method", "requires_confirmation", "requires_action")
COPIED = (
    "description receipt_email setup_future_usage shipping statement_descriptor statement_descriptor_suffix".split()
)
GIVEN_AT_LAST = ("capture_method", "receipt_email", "setup_future_usage", "shipping")
"""These parameters can still be given when the intent is confirmed."""
USAGES = ("", "off_session", "on_session")
CAN_CANCEL = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")


def create(store: Store, params: Params) -> Row:
    """Create an intent, and confirm it at once if the request says so."""
    refuse(params, NOT_HERE, "a payment intent")
    _check_usage(params)
    currencies.check_charge(params["amount"], params["currency"], "amount")
    customer = store.need("customer", params["customer"], "customer")["id"] if params.get("customer") else None
    method = params.get("payment_method")
    if method:
        method = usable(store, method, customer)["id"]
    automatic = params.get("automatic_payment_methods")
    intent = payment_rows.add_intent(
        store,
        params["amount"],
        params["currency"],
        customer,
        method,
        automatic_payment_methods={"allow_redirects": "always", **automatic} if automatic else None,
        metadata=merged(None, params.get("metadata")),
        payment_method_types=params.get("payment_method_types") or ["card"],
        **{name: params[name] or None for name in COPIED if name in params},
        **{name: params[name] for name in ("capture_method", "confirmation_method") if name in params},
    )
    store.emit("payment_intent.created", intent)
    if params.get("confirm"):
        _confirm(store, intent, method, params)
    return intent


def _check_usage(params: Params) -> None:
    if params.get("setup_future_usage", "") not in USAGES:
        allowed = ", ".join(one or "empty" for one in USAGES)
        raise invalid(f"Invalid setup_future_usage: must be one of {allowed}", param="setup_future_usage")


def usable(store: Store, key: str, customer: str | None) -> Row:
    """Find the payment method that this customer may pay with. One of Stripe's test ids makes a new card."""
    method = payment_methods.of_id(store, key, "payment_method", store.get("customer", customer))
    if method["customer"] not in (None, customer):
        raise invalid("The payment method belongs to another customer.", param="payment_method")
    card_rules.refuse_detached(method)
    return method


def _confirm(store: Store, intent: Row, method: str | None, params: Params) -> None:
    nobody_there = params.get("off_session") in (True, "one_off", "recurring")
    may_ask = not nobody_there and not params.get("error_on_requires_action")
    payments.collect(store, intent, method, may_ask=may_ask, return_url=params.get("return_url"))


def update(store: Store, params: Params, ids: Ids) -> Row:
    intent = store.need("payment_intent", ids["intent"])
    refuse(params, NOT_HERE, "a payment intent")
    if intent["status"] not in WAITS_FOR_A_CARD and set(params) - {"metadata", "description"}:
        raise invalid(
            f"This PaymentIntent could not be updated because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    if intent["_invoice"] and {"amount", "currency", "customer"} & set(params):
        raise invalid("This PaymentIntent is the default payment of an invoice, which decides its amount.")
    _check_usage(params)
    values: Row = {name: params[name] or None for name in COPIED if name in params}
    values |= {name: params[name] for name in ("amount", "currency") if name in params}
    if {"amount", "currency"} & set(params):
        after = {**intent, **values}
        currencies.check_charge(after["amount"], after["currency"], "amount")
    if params.get("customer"):
        values["customer"] = store.need("customer", params["customer"], "customer")["id"]
    if params.get("payment_method"):
        owner = values.get("customer", intent["customer"])
        values["payment_method"] = usable(store, params["payment_method"], owner)["id"]
        values["status"] = "requires_confirmation"
    if "metadata" in params:
        values["metadata"] = merged(intent["metadata"], params["metadata"])
    store.change(intent, **values)
    return intent


def confirm(store: Store, intent: Row, params: Params) -> Row:
    """Charge the card, or ask the cardholder. Raises: the card's decline (402)."""
    refuse(params, NOT_HERE, "a payment intent")
    if intent["status"] not in WAITS_FOR_A_CARD:
        raise invalid(
            f"This PaymentIntent's status is {intent['status']}, so it cannot be confirmed.",
            code="payment_intent_unexpected_state",
        )
    method = params.get("payment_method") or intent["payment_method"]
    if method:
        method = usable(store, method, intent["customer"])["id"]
    _check_usage(params)
    said: Row = {name: params[name] or None for name in GIVEN_AT_LAST if name in params}
    store.change(intent, **said)
    _confirm(store, intent, method, params)
    return intent


def capture(store: Store, params: Params, ids: Ids) -> Row:
    intent = store.need("payment_intent", ids["intent"])
    if intent["status"] != "requires_capture":
        raise invalid(
            f"This PaymentIntent's status is {intent['status']}, so it cannot be captured.",
            code="payment_intent_unexpected_state",
        )
    refuse(params, NOT_HERE, "a capture")
    if params.get("final_capture") is False:
        raise unsupported("several captures of one payment")
    amount: int = params["amount_to_capture"] if "amount_to_capture" in params else intent["amount_capturable"]
    if not 0 < amount <= intent["amount_capturable"]:
        raise invalid(
            "The amount to capture is more than what can be captured.",
            param="amount_to_capture",
            code="amount_too_large",
        )
    currencies.check(amount, intent["currency"], "amount_to_capture")
    payments.capture(store, intent, amount)
    return intent


def cancel(store: Store, intent: Row, reason: str | None) -> Row:
    """Cancel the intent for this reason. Nothing can be captured any more."""
    if intent["status"] not in CAN_CANCEL:
        raise invalid(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    if intent["_invoice"]:
        raise invalid("This PaymentIntent is the default payment of an invoice; void the invoice instead.")
    store.change(
        intent,
        status="canceled",
        amount_capturable=0,
        canceled_at=store.now(intent["customer"]),
        cancellation_reason=reason,
        next_action=None,
    )
    store.emit("payment_intent.canceled", intent)
    payments.tell(store, intent)
    return intent


def update_charge(store: Store, params: Params, ids: Ids) -> Row:
    charge = store.need("charge", ids["charge"])
    values = {name: params[name] for name in ("description", "receipt_email", "shipping") if name in params}
    if "metadata" in params:
        values["metadata"] = merged(charge["metadata"], params["metadata"])
    store.change(charge, "charge.updated", **values)
    return charge


def list_charges(store: Store, params: Params, ids: Ids) -> Row:
    wanted = {name: params[name] for name in ("payment_intent", "customer") if name in params}
    return page(store, store.all("charge", **wanted), params, "/v1/charges")


def _create(store: Store, params: Params, ids: Ids) -> Row:
    return create(store, params)


def _confirm_it(store: Store, params: Params, ids: Ids) -> Row:
    return confirm(store, store.need("payment_intent", ids["intent"]), params)


def _cancel(store: Store, params: Params, ids: Ids) -> Row:
    return cancel(store, store.need("payment_intent", ids["intent"]), params.get("cancellation_reason"))


ROUTES: Routes = {
    ("get", "/v1/payment_intents"): lists("payment_intent", "/v1/payment_intents", "customer"),
    ("post", "/v1/payment_intents"): _create,
    ("get", "/v1/payment_intents/search"): search.searches("payment_intent", "/v1/payment_intents/search"),
    ("get", "/v1/payment_intents/{intent}"): reads("payment_intent", "intent"),
    ("post", "/v1/payment_intents/{intent}"): update,
    ("post", "/v1/payment_intents/{intent}/confirm"): _confirm_it,
    ("post", "/v1/payment_intents/{intent}/capture"): capture,
    ("post", "/v1/payment_intents/{intent}/cancel"): _cancel,
    ("get", "/v1/charges"): list_charges,
    ("get", "/v1/charges/search"): search.searches("charge", "/v1/charges/search"),
    ("get", "/v1/charges/{charge}"): reads("charge", "charge"),
    ("post", "/v1/charges/{charge}"): update_charge,
}
