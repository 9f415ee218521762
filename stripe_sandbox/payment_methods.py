"""Payment methods: cards, by Stripe's test ids, tokens and numbers; US bank accounts, by their test ids.

Source: https://docs.stripe.com/api/payment_methods and https://docs.stripe.com/testing
"""

from datetime import UTC, datetime

from stripe_sandbox import card_rules
from stripe_sandbox.banks import BANKS, NAME, ROUTING
from stripe_sandbox.banks import NUMBERS as ACCOUNTS
from stripe_sandbox.cards import CARDS
from stripe_sandbox.errors import StripeError, invalid, missing, required, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, alive, lists, merged, page, reads, refuse
from stripe_sandbox.store import Row, Store

NUMBERS = {
    "4242424242424242": "pm_card_visa",
    "5555555555554444": "pm_card_mastercard",
    "371449635398431": "pm_card_amex",
    "4000000000000002": "pm_card_chargeDeclined",
    "4000000000009995": "pm_card_chargeDeclinedInsufficientFunds",
    "4000000000009987": "pm_card_chargeDeclinedLostCard",
    "4000000000009979": "pm_card_chargeDeclinedStolenCard",
    "4000000000000069": "pm_card_chargeDeclinedExpiredCard",
    "4000000000000127": "pm_card_chargeDeclinedIncorrectCvc",
    "4000000000000119": "pm_card_chargeDeclinedProcessingError",
    "4000000000000341": "pm_card_chargeCustomerFail",
    "4000002760003184": "pm_card_authenticationRequired",
    "4000002500003155": "pm_card_authenticationRequiredOnSetup",
    "4000000000003220": "pm_card_threeDSecure2Required",
    "4000000000000259": "pm_card_createDispute",
    "4000000000001976": "pm_card_createDisputeInquiry",
    "4000000000005423": "pm_card_createIssuerFraudRecord",
    "4000000000005126": "pm_card_refundFail",
    "4000000000007726": "pm_card_pendingRefund",
    "4000000000000077": "pm_card_bypassPending",
}
DETAILS = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}
YEARS_VALID = 3


def create(store: Store, params: Params, ids: Ids) -> Row:
    """Make a card or a bank account that belongs to nobody yet. There is no event."""
    refuse(params, ("customer", "payment_method"), "a payment method, which clones for connected accounts")
    if "type" not in params:
        raise required("type")
    ofs = {"card": {"card", "radar_options"}, "us_bank_account": {"us_bank_account"}}.get(params["type"], set())
    if other := set(params) - {"type", "billing_details", "metadata", "allow_redisplay"} - ofs:
        raise unsupported(f"payment methods other than cards and bank accounts ({', '.join(sorted(other))})")
    if params["type"] == "us_bank_account":
        return _bank_of_numbers(store, params)
    if params["type"] != "card":
        raise unsupported(f"payment methods other than cards ({params['type']})")
    card = params.get("card") or {}
    name, now, expiry = _named(card), store.now(), {}
    for field in ("exp_month", "exp_year"):
        if "number" in card and field not in card:
            full = f"card[{field}]"
            raise required(full)
        if field in card:
            expiry = _expiry(card, _default_expiry(now), now)
    return _add(store, name, params, expiry, now=now, cvc="cvc" in card)


def of_id(store: Store, key: str, param: str, customer: Row | None = None) -> Row:
    """Find the payment method with this id. One of Stripe's test ids makes a new card or bank account."""
    if key in CARDS:
        return _add(store, key, {}, {}, now=store.now(customer["id"] if customer else None), cvc=True)
    if key in BANKS:
        return _add_bank(store, key)
    return store.need("payment_method", key, param)


def attach(store: Store, method: Row, customer: Row) -> Row:
    """Attach the payment method to the customer. Repeating is a no-op.

    Raises: the card's decline (402). A 400 if it belongs to another customer or was detached.
    """
    if method["customer"] == customer["id"]:
        return method
    if method["customer"]:
        raise invalid("The payment method you provided has already been attached to a customer.")
    card_rules.refuse_detached(method)
    if card_rules.is_bank(method) and not method["_mandate"]:
        raise invalid(
            "PaymentMethods of type us_bank_account must be verified before they can be attached to a customer.",
            param="payment_method",
        )
    if not card_rules.is_bank(method) and (refusal := card_rules.card_of(method).on_attach):
        raise card_rules.declined(refusal)
    store.change(method, "payment_method.attached", customer=customer["id"], _customer=customer["id"])
    return method


def detach(store: Store, method: Row) -> Row:
    """Detach the payment method from its customer for good. It is then no longer a default."""
    owner = store.get("customer", method["customer"])
    if owner is None:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
    settings = owner["invoice_settings"]
    if settings["default_payment_method"] == method["id"] and not owner.get("deleted"):
        store.change(owner, "customer.updated", invoice_settings={**settings, "default_payment_method": None})
    for one in store.all("subscription", customer=owner["id"]):
        if one["default_payment_method"] == method["id"]:
            store.change(one, "customer.subscription.updated", default_payment_method=None)
    for one in store.all("invoice", customer=owner["id"], default_payment_method=method["id"]):
        if one["status"] in ("draft", "open", "uncollectible"):
            store.change(one, "invoice.updated", default_payment_method=None)
    store.change(method, "payment_method.detached", customer=None, _detached=True)
    return method


def update(store: Store, params: Params, ids: Ids) -> Row:
    method = store.need("payment_method", ids["payment_method"])
    if not method["customer"]:
        raise invalid("You must save this PaymentMethod to a customer before you can update it.")
    if other := set(params) & {"payto", "us_bank_account"}:
        raise unsupported(f"the parameters of other payment methods than cards ({', '.join(other)})")
    changes: Row = {}
    if "allow_redisplay" in params:
        changes["allow_redisplay"] = params["allow_redisplay"]
    if "billing_details" in params:
        changes["billing_details"] = _details(method["billing_details"], params["billing_details"])
    if "metadata" in params:
        changes["metadata"] = merged(method["metadata"], params["metadata"])
    if given := params.get("card"):
        if card_rules.is_bank(method):
            raise invalid("This PaymentMethod is not a card.", param="card")
        card = dict(method["card"])
        if "exp_month" in given or "exp_year" in given:
            card |= _expiry(given, card, store.now(method["customer"]))
        if "networks" in given:
            card["networks"] = {**card["networks"], "preferred": given["networks"].get("preferred") or None}
        changes["card"] = card
    store.change(method, "payment_method.updated", **changes)
    return method


def renew(store: Store, method: Row, exp_month: int, exp_year: int) -> Row:
    """Give the card a new expiry date, as its network does without a request."""
    card = {**method["card"], "exp_month": exp_month, "exp_year": exp_year}
    store.change(method, card=card)
    store.emit("payment_method.automatically_updated", method)
    return method


def _named(card: Params) -> str:
    """Find the test card for a token or a number."""
    token, number = card.get("token"), card.get("number")
    if (token is None) == (number is None):
        raise invalid("Give either card[number] or card[token].", param="card", code="parameter_missing")
    if token is not None:
        name = token.replace("tok_", "pm_card_", 1)
        if not token.startswith("tok_") or name not in CARDS:
            raise missing("token", token, "card[token]")
        return name
    name = NUMBERS.get(str(number).replace(" ", ""), "")
    if not name:
        raise StripeError(
            402,
            "card_error",
            "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid "
            "test cards, visit: https://stripe.com/docs/testing.",
            code="card_declined",
            decline_code="test_mode_live_card",
            param="card[number]",
        )
    return name


def _expiry(given: Params, old: Params, now: int) -> Params:
    """Return month and year of expiry after a change. Raises: Stripe's card error for a date in the past."""
    month, year = ({**old, **given}[name] for name in ("exp_month", "exp_year"))
    year += 2000 if 0 <= year < 100 else 0
    at = datetime.fromtimestamp(now, UTC)
    if not 1 <= month <= 12:
        raise _bad_expiry("month")
    if not at.year <= year <= at.year + 50:
        raise _bad_expiry("year")
    if (year, month) < (at.year, at.month):
        raise _bad_expiry("month")
    return {"exp_month": month, "exp_year": year}


def _bad_expiry(part: str) -> StripeError:
    message = f"Your card's expiration {part} is invalid."
    return StripeError(402, "card_error", message, code=f"invalid_expiry_{part}", param=f"card[exp_{part}]")


def _default_expiry(now: int) -> Params:
    return {"exp_month": 12, "exp_year": datetime.fromtimestamp(now, UTC).year + YEARS_VALID}


def _add(store: Store, name: str, given: Params, expiry: Params, *, now: int, cvc: bool) -> Row:
    card = CARDS[name]
    preferred = (given.get("card") or {}).get("networks", {}).get("preferred")
    return store.add(
        "payment_method",
        type="card",
        allow_redisplay=given.get("allow_redisplay", "unspecified"),
        billing_details=_details({**DETAILS, "address": ADDRESS}, given.get("billing_details") or {}),
        card={
            "brand": card.brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "pass" if cvc else None,
            },
            "country": "US",
            "display_brand": {"amex": "american_express"}.get(card.brand, card.brand),
            **(expiry or _default_expiry(now)),
            "fingerprint": f"sandbox{card.brand}{card.last4}",
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": preferred},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        metadata=merged(None, given.get("metadata")),
        radar_options=given.get("radar_options") or {},
        _card=name,
    )


def _bank_of_numbers(store: Store, params: Params) -> Row:
    """Make the bank account with these numbers. It is to be verified by a setup intent."""
    given = params.get("us_bank_account") or {}
    if other := set(given) - {"account_holder_type", "account_number", "account_type", "routing_number"}:
        raise unsupported(f"bank accounts by {min(other)}")
    for name in ("account_holder_type", "account_number", "routing_number"):
        if name not in given:
            full = f"us_bank_account[{name}]"
            raise required(full)
    if not (params.get("billing_details") or {}).get("name"):
        raise required("billing_details[name]")
    if given["routing_number"] != ROUTING:
        raise invalid("Invalid routing number", param="us_bank_account[routing_number]", code="routing_number_invalid")
    name = ACCOUNTS.get(given["account_number"], "")
    if not name:
        raise invalid(
            "You must use a test bank account number in test mode. Try 000123456789.",
            param="us_bank_account[account_number]",
            code="account_number_invalid",
        )
    method = _add_bank(store, name)
    store.change(
        method,
        allow_redisplay=params.get("allow_redisplay", "unspecified"),
        billing_details=_details({**DETAILS, "address": ADDRESS}, params["billing_details"]),
        us_bank_account={
            **method["us_bank_account"],
            "account_holder_type": given["account_holder_type"],
            "account_type": given.get("account_type", "checking"),
        },
        metadata=merged(None, params.get("metadata")),
        _mandate=None,
    )
    return method


def verified(store: Store, method: Row) -> None:
    """Record that the bank account is its owner's, and that its owner allows debits."""
    store.change(method, _mandate=new_mandate(store))


def new_mandate(store: Store) -> str:
    """Return the id of a new mandate: what the owner of an account allowed."""
    return f"mandate_{store.random.getrandbits(96):024x}"


def _add_bank(store: Store, name: str) -> Row:
    """Make a bank account that was verified, and whose owner allowed debits."""
    bank = BANKS[name]
    return store.add(
        "payment_method",
        type="us_bank_account",
        allow_redisplay="unspecified",
        billing_details=_details({**DETAILS, "address": ADDRESS}, {"name": "Jenny Rosen"}),
        us_bank_account={
            "account_holder_type": "individual",
            "account_type": "checking",
            "bank_name": NAME,
            "financial_connections_account": None,
            "fingerprint": f"sandboxbank{bank.last4}",
            "last4": bank.last4,
            "networks": {"preferred": "ach", "supported": ["ach"]},
            "routing_number": ROUTING,
            "status_details": {},
        },
        metadata={},
        radar_options={},
        _bank=name,
        _mandate=new_mandate(store),
    )


def _details(old: Params, given: Params) -> Params:
    """Return the billing details after a change. An empty value unsets a field."""
    new = {**old, **{name: value or None for name, value in given.items() if name != "address"}}
    if "address" in given:
        address = given["address"] or {}
        new["address"] = {**ADDRESS, **{name: value or None for name, value in address.items()}}
    return new


def _attach(store: Store, params: Params, ids: Ids) -> Row:
    refuse(params, ("customer_account",), "a payment method")
    if "customer" not in params:
        raise required("customer")
    customer = store.need("customer", params["customer"], "customer")
    with store.undo_on_error():  # a refused card must not stay in the store
        return attach(store, of_id(store, ids["payment_method"], "id", customer), customer)


def _detach(store: Store, params: Params, ids: Ids) -> Row:
    return detach(store, store.need("payment_method", ids["payment_method"]))


def _list(store: Store, params: Params, ids: Ids) -> Row:
    refuse(params, ("customer_account",), "a payment method")
    if "customer" in params:
        store.need("customer", params["customer"], "customer")
    return lists("payment_method", "/v1/payment_methods", "customer", "type", "allow_redisplay")(store, params, ids)


def of_customer(store: Store, params: Params, ids: Ids) -> Row:
    """List the customer's payment methods, newest first."""
    customer = alive(store, "customer", ids["customer"])
    wanted = {name: params[name] for name in ("type", "allow_redisplay") if name in params}
    found = store.all("payment_method", customer=customer["id"], **wanted)
    return page(store, found, params, f"/v1/customers/{customer['id']}/payment_methods")


def one_of_customer(store: Store, params: Params, ids: Ids) -> Row:
    customer = alive(store, "customer", ids["customer"])
    method = store.need("payment_method", ids["payment_method"])
    if method["customer"] != customer["id"]:
        raise missing("payment_method", method["id"])
    return method


ROUTES: Routes = {
    ("get", "/v1/payment_methods"): _list,
    ("post", "/v1/payment_methods"): create,
    ("get", "/v1/payment_methods/{payment_method}"): reads("payment_method", "payment_method"),
    ("post", "/v1/payment_methods/{payment_method}"): update,
    ("post", "/v1/payment_methods/{payment_method}/attach"): _attach,
    ("post", "/v1/payment_methods/{payment_method}/detach"): _detach,
    ("get", "/v1/customers/{customer}/payment_methods"): of_customer,
    ("get", "/v1/customers/{customer}/payment_methods/{payment_method}"): one_of_customer,
}
