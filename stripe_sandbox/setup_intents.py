"""Setup intents: they prepare a card or bank account for later charges.

A card may ask for its holder's authentication. A bank account is verified, and its owner allows debits by a mandate.
Source: https://docs.stripe.com/payments/setupintents/lifecycle
"""

from typing import Any

from stripe_sandbox import addresses, card_rules, micro_deposits, payment_methods, timeline
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
        payment_method_options=_options(params, _types(params)),
        payment_method_types=_types(params),
        status="requires_payment_method",
        usage=params.get("usage", "off_session"),
        _tries=0,
    )
    if method := _given_method(store, params, customer):
        store.change(intent, payment_method=method["id"], status="requires_confirmation")
    store.emit("setup_intent.created", intent)
    if params.get("confirm"):
        _confirm(store, intent, params)
    elif "mandate_data" in params:
        raise invalid("You cannot provide mandate_data without confirming.", param="mandate_data")
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
    if {"payment_method_options", "payment_method_types"} & set(params):
        types = changes.get("payment_method_types") or intent["payment_method_types"]
        changes["payment_method_options"] = _options(params, types, intent["payment_method_options"])
    store.change(intent, **changes)
    return intent


def confirm(store: Store, intent: Row, params: Params) -> Row:
    """Prepare the payment method, or ask its owner. Raises: the card's decline (402)."""
    refuse(params, NOT_HERE, "a setup intent")
    if intent["status"] not in OPEN:
        raise _unexpected(intent, "confirmed")
    if method := _given_method(store, params, intent["customer"]):
        store.change(intent, payment_method=method["id"], next_action=None)
    if "payment_method_options" in params:
        options = _options(params, intent["payment_method_types"], intent["payment_method_options"])
        store.change(intent, payment_method_options=options)
    _confirm(store, intent, params)
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


def verify_deposits(store: Store, intent: Row, params: Params) -> Row:
    """Compare what the owner of the bank account read off the statement. If it is right, the account is the customer's.

    Raises: a 400 for a wrong try. After the last one the intent needs another payment method.
    """
    try:
        wrong = micro_deposits.check(intent, params)
    except micro_deposits.Failure as failure:
        _end_verification(store, intent, failure)
        return intent
    if wrong:
        store.change(intent, _tries=intent["_tries"] + 1)
        wrong.keeps_changes = True
        raise wrong
    method = store.objects["payment_method"][intent["payment_method"]]
    payment_methods.verified(store, method)
    _succeed(store, intent, method)
    return intent


@timeline.timed("setup_intent")
def due(store: Store, intent: Row) -> timeline.Due | None:
    """Return when it stops waiting for a deposit to be verified."""
    end = micro_deposits.ends_at(intent)
    return (end, _time_out) if end and intent["status"] == "requires_action" else None


def _time_out(store: Store, intent: Row) -> None:
    _end_verification(store, intent, micro_deposits.TIMEOUT)


def _end_verification(store: Store, intent: Row, failure: micro_deposits.Failure) -> None:
    method = shown(store, store.objects["payment_method"][intent["payment_method"]])
    _failed(store, intent, {"code": failure.code, "message": failure.message, "payment_method": method})


def _confirm_bank(store: Store, intent: Row, params: Params, method: Row) -> None:
    if "us_bank_account" not in intent["payment_method_types"]:
        raise invalid(
            "The PaymentMethod provided (us_bank_account) is not allowed for this SetupIntent. Please include it in "
            "payment_method_types.",
            param="payment_method",
        )
    if not params.get("mandate_data"):
        raise invalid(
            "The us_bank_account PaymentMethod needs `mandate_data` when it is confirmed.", param="mandate_data"
        )
    if method["_mandate"]:  # it was verified before
        _succeed(store, intent, method)
        return
    if intent["payment_method_options"]["us_bank_account"]["verification_method"] == "instant":
        raise unsupported("instant verification of a bank account")
    action = micro_deposits.begin(store, intent)
    store.change(intent, status="requires_action", next_action=action, last_setup_error=None, _tries=0)
    store.emit("setup_intent.requires_action", intent)


def _confirm(store: Store, intent: Row, params: Params) -> None:
    if not intent["payment_method"]:
        raise invalid(
            "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the "
            "SetupIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method.",
            code="setup_intent_unexpected_state",
        )
    method = store.objects["payment_method"][intent["payment_method"]]
    if card_rules.is_bank(method):
        _confirm_bank(store, intent, params, method)
        return
    if "mandate_data" in params:
        raise unsupported("mandate_data of a card")
    automatic, return_url = intent["automatic_payment_methods"] or {}, params.get("return_url")
    if automatic.get("allow_redirects") == "always" and not return_url:
        raise invalid(
            "This SetupIntent is configured to accept payment methods that might redirect your customer off of your "
            "page: you must provide a `return_url`, or set automatic_payment_methods[allow_redirects] to never.",
            param="return_url",
        )
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
    _failed(store, intent, {**error, "type": kind, "payment_method": shown(store, method)})


def _failed(store: Store, intent: Row, error: Row) -> None:
    store.change(
        intent,
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_setup_error={"type": "invalid_request_error", **error},
    )
    store.emit("setup_intent.setup_failed", intent)


def _types(params: Params) -> list[str]:
    types: list[str] = params.get("payment_method_types", ["card"])
    if other := set(types) - {"card", "us_bank_account"}:
        raise unsupported(f"payment methods other than cards and bank accounts ({', '.join(sorted(other))})")
    return types


def _options(params: Params, types: list[str], before: Row | None = None) -> Row:
    """Return the options of these types: as given, or as before, or as they are without a word."""
    given: Params = params.get("payment_method_options") or {}
    if other := set(given) - set(types):
        raise unsupported(f"payment_method_options[{min(other)}] of a setup intent without this type")
    options: dict[str, Any] = {}
    if "card" in types:
        asks = (given.get("card") or {}).get("request_three_d_secure", "automatic")
        if set(given.get("card") or {}) - {"request_three_d_secure"} or asks != "automatic":
            raise unsupported("payment_method_options other than card[request_three_d_secure]=automatic")
        options["card"] = {"mandate_options": None, "network": None, "request_three_d_secure": asks}
    if "us_bank_account" in types:
        bank = given.get("us_bank_account") or (before or {}).get("us_bank_account") or {}
        if other := set(bank) - {"verification_method"}:
            raise unsupported(f"payment_method_options[us_bank_account][{min(other)}] of a setup intent")
        options["us_bank_account"] = {"verification_method": bank.get("verification_method", "automatic")}
    return options


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


def _verify(store: Store, params: Params, ids: Ids) -> Row:
    return verify_deposits(store, store.need("setup_intent", ids["intent"]), params)


ROUTES: Routes = {
    ("get", "/v1/setup_intents"): lists("setup_intent", "/v1/setup_intents", "customer", "payment_method"),
    ("post", "/v1/setup_intents"): _create,
    ("get", "/v1/setup_intents/{intent}"): read,
    ("post", "/v1/setup_intents/{intent}"): update,
    ("post", "/v1/setup_intents/{intent}/confirm"): _confirm_it,
    ("post", "/v1/setup_intents/{intent}/cancel"): _cancel,
    ("post", "/v1/setup_intents/{intent}/verify_microdeposits"): _verify,
}
