"""Payment intents and charges as the API has them. Source: https://docs.stripe.com/api/payment_intents"""

from stripe_sandbox import payment_methods, payments, search
from stripe_sandbox.errors import invalid, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, lists, merged, page, reads
from stripe_sandbox.store import Row, Store

UNSUPPORTED = "application_fee_amount confirmation_token customer_account on_behalf_of transfer_data".split()
COPIED = (
    "description receipt_email setup_future_usage shipping statement_descriptor statement_descriptor_suffix".split()
)
LEAST_AMOUNT = 1
CAN_CANCEL = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")


def create(store: Store, params: Params, ids: Ids) -> Row:
    """An intent exists, confirmed at once if that is asked for."""
    for name in UNSUPPORTED:
        if params.get(name):
            raise unsupported(f"{name} of a payment intent")
    if params["amount"] < LEAST_AMOUNT:
        raise invalid(
            "This value must be greater than or equal to 1.", param="amount", code="parameter_invalid_integer"
        )
    customer = store.need("customer", params["customer"], "customer")["id"] if params.get("customer") else None
    key = store.new_id("payment_intent")
    method = params.get("payment_method")
    if method:
        method = usable(store, method, customer)["id"]
    automatic = params.get("automatic_payment_methods")
    intent = store.add(
        "payment_intent",
        id=key,
        amount=params["amount"],
        amount_capturable=0,
        amount_received=0,
        automatic_payment_methods={"allow_redirects": "always", **automatic} if automatic else None,
        capture_method=params.get("capture_method", "automatic"),
        client_secret=f"{key}_secret_{store.random.getrandbits(64):016x}",
        confirmation_method=params.get("confirmation_method", "automatic"),
        currency=params["currency"],
        customer=customer,
        metadata=params.get("metadata") or {},
        payment_method=method,
        payment_method_types=params.get("payment_method_types") or ["card"],
        status="requires_confirmation" if method else "requires_payment_method",
        _invoice=None,
        **{name: params[name] for name in COPIED if name in params},
    )
    store.emit("payment_intent.created", intent)
    if params.get("confirm"):
        _confirm(store, intent, method, params)
    return intent


def usable(store: Store, key: str, customer: str | None) -> Row:
    """The payment method, or a new card by one of Stripe's test ids, that this customer may pay with."""
    method = payment_methods.of_id(store, key, "payment_method", store.get("customer", customer))
    if method["customer"] not in (None, customer):
        raise invalid("The payment method belongs to another customer.", param="payment_method")
    return method


def _confirm(store: Store, intent: Row, method: str | None, params: Params) -> None:
    off_session = params.get("off_session") in (True, "one_off", "recurring")
    payments.collect(store, intent, method, off_session=off_session)
    if intent["setup_future_usage"] and intent["customer"] and intent["status"] == "succeeded":
        row = store.objects["payment_method"][intent["payment_method"]]
        if row["customer"] is None:
            payment_methods.attach(store, row, store.objects["customer"][intent["customer"]])


def update(store: Store, params: Params, ids: Ids) -> Row:
    intent = store.need("payment_intent", ids["intent"])
    if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action") and set(
        params
    ) - {"metadata", "description"}:
        raise invalid(
            f"This PaymentIntent could not be updated because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    if intent["_invoice"] and {"amount", "currency", "customer"} & set(params):
        raise invalid("This PaymentIntent belongs to an invoice, which decides its amount.")
    values = {name: params[name] for name in (*COPIED, "amount", "currency") if name in params}
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


def confirm(store: Store, params: Params, ids: Ids) -> Row:
    intent = store.need("payment_intent", ids["intent"])
    if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
        raise invalid(
            f"This PaymentIntent's status is {intent['status']}, so it cannot be confirmed.",
            code="payment_intent_unexpected_state",
        )
    method = params.get("payment_method") or intent["payment_method"]
    if method:
        method = usable(store, method, intent["customer"])["id"]
    _confirm(store, intent, method, params)
    return intent


def capture(store: Store, params: Params, ids: Ids) -> Row:
    intent = store.need("payment_intent", ids["intent"])
    if intent["status"] != "requires_capture":
        raise invalid(
            f"This PaymentIntent's status is {intent['status']}, so it cannot be captured.",
            code="payment_intent_unexpected_state",
        )
    amount: int = params["amount_to_capture"] if "amount_to_capture" in params else intent["amount_capturable"]
    if not 0 < amount <= intent["amount_capturable"]:
        raise invalid(
            "The amount to capture is more than what can be captured.",
            param="amount_to_capture",
            code="amount_too_large",
        )
    payments.capture(store, intent, amount)
    return intent


def cancel(store: Store, params: Params, ids: Ids) -> Row:
    intent = store.need("payment_intent", ids["intent"])
    if intent["status"] not in CAN_CANCEL:
        raise invalid(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    if intent["_invoice"]:
        raise invalid("This PaymentIntent belongs to an invoice; void the invoice instead.")
    store.change(
        intent,
        status="canceled",
        amount_capturable=0,
        canceled_at=store.now(intent["customer"]),
        cancellation_reason=params.get("cancellation_reason"),
        next_action=None,
    )
    store.emit("payment_intent.canceled", intent)
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


ROUTES: Routes = {
    ("get", "/v1/payment_intents"): lists("payment_intent", "/v1/payment_intents", "customer"),
    ("post", "/v1/payment_intents"): create,
    ("get", "/v1/payment_intents/search"): search.searches("payment_intent", "/v1/payment_intents/search"),
    ("get", "/v1/payment_intents/{intent}"): reads("payment_intent", "intent"),
    ("post", "/v1/payment_intents/{intent}"): update,
    ("post", "/v1/payment_intents/{intent}/confirm"): confirm,
    ("post", "/v1/payment_intents/{intent}/capture"): capture,
    ("post", "/v1/payment_intents/{intent}/cancel"): cancel,
    ("get", "/v1/charges"): list_charges,
    ("get", "/v1/charges/search"): search.searches("charge", "/v1/charges/search"),
    ("get", "/v1/charges/{charge}"): reads("charge", "charge"),
    ("post", "/v1/charges/{charge}"): update_charge,
}
