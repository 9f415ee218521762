"""Setup intents: they prepare a card for later charges, with the cardholder's authentication if the card asks for it.

Source: https://docs.stripe.com/payments/setupintents/lifecycle
"""

from stripe_sandbox import addresses, card_rules, payment_methods
from stripe_sandbox.cards import Refusal
from stripe_sandbox.errors import invalid, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, lists, merged, refuse
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import shown

NOT_AUTHENTICATED = Refusal(
    "setup_intent_authentication_failure",
    "",
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod "
    "to attempt to fulfill this SetupIntent again.",
)
NOT_HERE = (
    "attach_to_self",
    "confirmation_token",
    "customer_account",
    "flow_directions",
    "mandate_data",
    "on_behalf_of",
    "payment_method_configuration",
    "payment_method_data",
    "single_use",
)
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(store: Store, params: Params) -> Row:
    """Create an intent, and confirm it at once if the request says so."""
    refuse(params, NOT_HERE, "a setup intent")
    customer = store.need("customer", params["customer"], "customer")["id"] if "customer" in params else None
    if "payment_method_types" in params and "automatic_payment_methods" in params:
        raise invalid("You may only specify one of these parameters: payment_method_types, automatic_payment_methods.")
    automatic = params.get("automatic_payment_methods")
    if automatic is None and "payment_method_types" not in params:
        automatic = {"enabled": True}
    if automatic:
        automatic = {"allow_redirects": "always", **automatic} if automatic["enabled"] else {"enabled": False}
    key = store.new_id("setup_intent")
    intent = store.add(
        "setup_intent",
        id=key,
        automatic_payment_methods=automatic,
        client_secret=f"{key}_secret_{store.random.getrandbits(96):024x}",
        customer=customer,
        description=params.get("description"),
        excluded_payment_method_types=params.get("excluded_payment_method_types"),
        metadata=merged(None, params.get("metadata")),
        payment_method_options=_options(params),
        payment_method_types=_types(params),
        status="requires_payment_method",
        usage=params.get("usage", "off_session"),
    )
    if method := _given_method(store, params, customer):
        store.change(intent, payment_method=method["id"], status="requires_confirmation")
    store.emit("setup_intent.created", intent)
    if params.get("confirm"):
        _confirm(store, intent, params.get("return_url"))
    elif "return_url" in params:
        raise invalid("You cannot provide return_url without confirming.", param="return_url")
    return intent


def read(store: Store, params: Params, ids: Ids) -> Row:
    intent = store.need("setup_intent", ids["intent"])
    if params.get("client_secret", intent["client_secret"]) != intent["client_secret"]:
        raise invalid("The client_secret provided does not match the SetupIntent.", param="client_secret")
    return intent


def update(store: Store, params: Params, ids: Ids) -> Row:
    intent = store.need("setup_intent", ids["intent"])
    refuse(params, NOT_HERE, "a setup intent")
    if intent["status"] not in OPEN and set(params) - {"metadata", "description"}:
        raise _unexpected(intent, "updated")
    changes: Row = {
        name: params[name] or None for name in ("description", "excluded_payment_method_types") if name in params
    }
    customer = intent["customer"]
    if "customer" in params:
        customer = changes["customer"] = store.need("customer", params["customer"], "customer")["id"]
    if method := _given_method(store, params, customer):
        changes |= {"payment_method": method["id"], "status": "requires_confirmation", "next_action": None}
    elif intent["payment_method"]:
        _check_owner(store.objects["payment_method"][intent["payment_method"]], customer)
    if "metadata" in params:
        changes["metadata"] = merged(intent["metadata"], params["metadata"])
    if "payment_method_types" in params:
        changes["payment_method_types"] = _types(params)
    if "payment_method_options" in params:
        changes["payment_method_options"] = _options(params)
    store.change(intent, **changes)
    return intent


def confirm(store: Store, intent: Row, params: Params) -> Row:
    """Prepare the card, or ask the cardholder. Raises: the card's decline (402)."""
    refuse(params, NOT_HERE, "a setup intent")
    if intent["status"] not in OPEN:
        raise _unexpected(intent, "confirmed")
    if method := _given_method(store, params, intent["customer"]):
        store.change(intent, payment_method=method["id"], next_action=None)
    if "payment_method_options" in params:
        store.change(intent, payment_method_options=_options(params))
    _confirm(store, intent, params.get("return_url"))
    return intent


def cancel(store: Store, intent: Row, reason: str | None) -> Row:
    """Cancel the intent for this reason."""
    if intent["status"] not in OPEN:
        raise _unexpected(intent, "canceled")
    store.change(intent, status="canceled", cancellation_reason=reason, next_action=None)
    store.emit("setup_intent.canceled", intent)
    return intent


def authenticated(store: Store, intent: Row, ok: bool) -> None:
    """Record the cardholder's answer. With ``ok``, the card is ready and the customer's; otherwise the intent fails.

    A failure is recorded and not raised, because the cardholder's browser asks here, not the vendor's request.
    """
    if intent["status"] != "requires_action":
        raise _unexpected(intent, "authenticated")
    method = store.objects["payment_method"][intent["payment_method"]]
    if not ok:
        _fail(store, intent, method, NOT_AUTHENTICATED)
        return
    if card_rules.card_of(method).authentication == "unless_setup":
        store.change(method, _authenticated=True)
    _succeed(store, intent, method)


def _confirm(store: Store, intent: Row, return_url: str | None) -> None:
    if not intent["payment_method"]:
        raise invalid(
            "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the "
            "SetupIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method.",
            code="setup_intent_unexpected_state",
        )
    automatic = intent["automatic_payment_methods"] or {}
    if automatic.get("allow_redirects") == "always" and not return_url:
        raise invalid(
            "This SetupIntent is configured to accept payment methods that might redirect your customer off of your "
            "page: you must provide a `return_url`, or set automatic_payment_methods[allow_redirects] to never.",
            param="return_url",
        )
    method = store.objects["payment_method"][intent["payment_method"]]
    card = card_rules.card_of(method)
    if card.on_attach:
        _fail(store, intent, method, card.on_attach)
        raise card_rules.declined(
            card.on_attach, setup_intent=shown(store, intent), payment_method=shown(store, method)
        )
    if card_rules.needs_authentication(method):
        url = addresses.authenticate_url(store.base_url, intent["id"])
        action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
        store.change(intent, status="requires_action", next_action=action, last_setup_error=None)
        store.emit("setup_intent.requires_action", intent)
        return
    _succeed(store, intent, method)


def _succeed(store: Store, intent: Row, method: Row) -> None:
    if customer := store.get("customer", intent["customer"]):
        payment_methods.attach(store, method, customer)
    store.change(intent, status="succeeded", next_action=None, last_setup_error=None)
    store.emit("setup_intent.succeeded", intent)


def _fail(store: Store, intent: Row, method: Row, refusal: Refusal) -> None:
    error = card_rules.declined(refusal).body["error"]
    kind = "invalid_request_error" if refusal is NOT_AUTHENTICATED else "card_error"
    store.change(
        intent,
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_setup_error={**error, "type": kind, "payment_method": shown(store, method)},
    )
    store.emit("setup_intent.setup_failed", intent)


def _types(params: Params) -> list[str]:
    types = params.get("payment_method_types", ["card"])
    if types != ["card"]:
        raise unsupported(f"payment methods other than cards ({', '.join(types)})")
    return types


def _options(params: Params) -> Row:
    given = params.get("payment_method_options", {})
    asks = given.get("card", {}).get("request_three_d_secure", "automatic")
    if set(given) - {"card"} or set(given.get("card", {})) - {"request_three_d_secure"} or asks != "automatic":
        raise unsupported("payment_method_options other than card[request_three_d_secure]=automatic")
    return {"card": {"mandate_options": None, "network": None, "request_three_d_secure": asks}}


def _given_method(store: Store, params: Params, customer: str | None) -> Row | None:
    if not params.get("payment_method"):
        return None
    owner = store.get("customer", customer)
    return _check_owner(payment_methods.of_id(store, params["payment_method"], "payment_method", owner), customer)


def _check_owner(method: Row, customer: str | None) -> Row:
    if method["customer"] not in (None, customer):
        raise invalid(
            "The provided PaymentMethod cannot be attached to this SetupIntent: it belongs to a Customer, which must "
            "be given as `customer`.",
            param="payment_method",
        )
    if card_rules.is_bank(method):
        raise unsupported("setup intents of bank accounts; attach the account to its customer")
    card_rules.refuse_detached(method)
    return method


def _unexpected(intent: Row, what: str) -> Exception:
    return invalid(
        f"This SetupIntent cannot be {what} because it has a status of {intent['status']}.",
        code="setup_intent_unexpected_state",
    )


def _create(store: Store, params: Params, ids: Ids) -> Row:
    return create(store, params)


def _confirm_it(store: Store, params: Params, ids: Ids) -> Row:
    return confirm(store, store.need("setup_intent", ids["intent"]), params)


def _cancel(store: Store, params: Params, ids: Ids) -> Row:
    return cancel(store, store.need("setup_intent", ids["intent"]), params.get("cancellation_reason"))


ROUTES: Routes = {
    ("get", "/v1/setup_intents"): lists("setup_intent", "/v1/setup_intents", "customer", "payment_method"),
    ("post", "/v1/setup_intents"): _create,
    ("get", "/v1/setup_intents/{intent}"): read,
    ("post", "/v1/setup_intents/{intent}"): update,
    ("post", "/v1/setup_intents/{intent}/confirm"): _confirm_it,
    ("post", "/v1/setup_intents/{intent}/cancel"): _cancel,
}
