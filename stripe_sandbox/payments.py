"""Collecting money with a card or from a bank account, and what a charge does to its payment intent.

A card answers at once. A debit of a bank account is on its way for days; then it succeeds, or comes back.

Source: https://docs.stripe.com/payments/paymentintents/lifecycle
"""

from collections.abc import Callable

from stripe_sandbox import addresses, card_rules, disputes, faults, fraud_warnings, ledger, payment_methods, timeline
from stripe_sandbox.banks import BANKS, DAYS_ON_THE_WAY, RETURNS
from stripe_sandbox.banks import FUNDS as BANK_FUNDS
from stripe_sandbox.cards import ASK, GENERIC, NOT_AUTHENTICATED, REFUSALS, Refusal
from stripe_sandbox.dates import after_business_days
from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import shown

ATTEMPTED: list[Callable[[Store, Row], None]] = []
"""Called after each attempt to pay an intent, after its capture, and when it is canceled. Its status says how it ended.

An invoice follows."""
NO_BILLING_DETAILS = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}


def collect(
    store: Store, intent: Row, method_id: str | None, *, may_ask: bool = True, return_url: str | None = None
) -> None:
    """Charge the intent to this card or account. If authentication is asked for and ``may_ask`` is true, it waits.

    Raises: the 402, after the attempt was recorded. A 400 for a card that may not pay.
    """
    if not method_id:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    method = store.need("payment_method", method_id, "payment_method")
    if method["customer"] not in (None, intent["customer"]):
        raise invalid("The payment method does not belong to the customer.", param="payment_method")
    card_rules.refuse_detached(method)
    forced = faults.next_charge(store, intent["customer"])
    if card_rules.is_bank(method):
        _debit(store, intent, method, forced)
        return
    if forced and forced["outcome"] == "decline":
        _failed(store, intent, method, REFUSALS.get(forced.get("code") or "", GENERIC))
    if refusal := card_rules.expected_refusal(store, method):
        _failed(store, intent, method, refusal)
    if not card_rules.needs_authentication(method) and not (forced and forced["outcome"] == "authenticate"):
        _succeeded(store, intent, method)
    elif may_ask:
        _ask(store, intent, method, return_url)
    else:
        _failed(store, intent, method, ASK)


def _debit(store: Store, intent: Row, method: Row, forced: Row | None) -> None:
    """Send the debit to the bank. Raises: a 400 for a payment that this account cannot make.

    Source: https://docs.stripe.com/payments/ach-direct-debit
    """
    if "us_bank_account" not in intent["payment_method_types"]:
        raise invalid(
            "The PaymentMethod provided (us_bank_account) is not allowed for this PaymentIntent. Please attach a "
            f"PaymentMethod of one of the following types: {', '.join(intent['payment_method_types'])}.",
            param="payment_method",
        )
    if intent["currency"] != "usd":
        raise invalid("The payment method `us_bank_account` can only be used with the currency usd.", param="currency")
    bank, now = BANKS[method["_bank"]], store.now(intent["customer"])
    fails = forced and forced["outcome"] == "decline"
    refusal = BANK_FUNDS if fails else bank.returned
    charge = _charge(store, intent, method, None, on_its_way=True)
    store.change(charge, balance_transaction=ledger.record(store, charge, charge["amount"], "payment"))
    store.emit("charge.pending", charge)
    store.change(
        intent,
        status="processing",
        latest_charge=charge["id"],
        payment_method=method["id"],
        last_payment_error=None,
        next_action=None,
        _answer_at=None if bank.stays else after_business_days(now, DAYS_ON_THE_WAY),
        _returned=refusal and refusal.code,
    )
    store.emit("payment_intent.processing", intent)
    tell(store, intent)


@timeline.timed("payment_intent")
def due(store: Store, intent: Row) -> timeline.Due | None:
    """Return when the bank answers a debit that is on its way."""
    if intent["status"] != "processing" or intent["_answer_at"] is None:
        return None
    return intent["_answer_at"], _answered


def _answered(store: Store, intent: Row) -> None:
    """Let the debit succeed, or come back for its reason."""
    charge, method = store.objects["charge"][intent["latest_charge"]], _method(store, intent)
    refusal = next((one for one in RETURNS if one.code == intent["_returned"]), None)
    store.change(charge, **_result(refusal))
    moved = store.objects["balance_transaction"][charge["balance_transaction"]]
    store.change(moved, available_on=max(moved["available_on"], store.now(intent["customer"])))
    if refusal:
        back = ledger.record(store, charge, -charge["amount"], "payment_failure_refund")
        store.change(charge, failure_balance_transaction=back)
        _fall_back(store, intent, method, refusal, charge)
    else:
        _complete(store, intent, method, charge)


def _method(store: Store, intent: Row) -> Row:
    return store.objects["payment_method"][intent["payment_method"]]


def authenticated(store: Store, intent: Row, ok: bool) -> None:
    """Make the payment if the cardholder confirmed it (``ok``). Otherwise let it fail."""
    if intent["status"] != "requires_action":
        raise invalid("This PaymentIntent does not wait for authentication.", code="payment_intent_unexpected_state")
    method = store.need("payment_method", intent["payment_method"], "payment_method")
    if ok:
        _succeeded(store, intent, method)
        return
    try:
        _failed(store, intent, method, NOT_AUTHENTICATED, charged=False)
    except StripeError:
        return


def capture(store: Store, intent: Row, amount: int) -> None:
    """Take ``amount`` minor units of what the card holds ready, and release the rest."""
    charge = store.objects["charge"][intent["latest_charge"]]
    store.change(
        charge,
        captured=True,
        amount_captured=amount,
        balance_transaction=ledger.record(store, charge, amount, "charge"),
    )
    store.emit("charge.captured", charge)
    store.change(intent, status="succeeded", amount_received=amount, amount_capturable=0)
    store.emit("payment_intent.succeeded", intent)
    tell(store, intent)


def _charge(store: Store, intent: Row, method: Row, refusal: Refusal | None, *, on_its_way: bool = False) -> Row:
    """Make the charge of a card that answered, or of a debit that is on its way."""
    manual, paid = intent["capture_method"] == "manual", refusal is None
    bank = card_rules.is_bank(method)
    details = {"us_bank_account": _bank_details(method)} if bank else {"card": _card_details(intent, method, refusal)}
    return store.add(
        "charge",
        amount=intent["amount"],
        amount_captured=intent["amount"] if paid and not manual else 0,
        amount_refunded=0,
        billing_details={**NO_BILLING_DETAILS, **(method["billing_details"] or {})},
        captured=paid and not manual,
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        disputed=False,
        refunded=False,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={"type": method["type"], **details},
        metadata=intent["metadata"],
        _card=method.get("_card"),
        **{**_result(refusal), **({"status": "pending", "paid": False} if on_its_way else {})},
    )


def _result(refusal: Refusal | None) -> Row:
    """Return the fields of a charge that say how it ended."""
    failed = refusal is not None
    return {
        "paid": not failed,
        "status": "failed" if failed else "succeeded",
        "failure_code": refusal.code if refusal else None,
        "failure_message": refusal.message if refusal else None,
        "outcome": {
            "advice_code": None,
            "type": "issuer_declined" if failed else "authorized",
            "network_status": "declined_by_network" if failed else "approved_by_network",
            "network_advice_code": None,
            "network_decline_code": None,
            "reason": refusal.decline_code or refusal.code if refusal else None,
            "seller_message": refusal.message if refusal else "Payment complete.",
            "risk_level": "normal",
        },
    }


def _bank_details(method: Row) -> Row:
    """Return the account's details as a charge keeps them."""
    kept = ("account_holder_type", "account_type", "bank_name", "fingerprint", "last4", "routing_number")
    details = {name: method["us_bank_account"][name] for name in kept}
    return {**details, "expected_debit_date": None, "mandate": method["_mandate"], "payment_reference": None}


def _card_details(intent: Row, method: Row, refusal: Refusal | None) -> Row:
    """Return the card's details as a charge keeps them."""
    kept = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    return {
        **{name: method["card"][name] for name in kept},
        "amount_authorized": None if refusal else intent["amount"],
        "network": method["card"]["brand"],
    }


def _failed(store: Store, intent: Row, method: Row, refusal: Refusal, *, charged: bool = True) -> None:
    charge = _charge(store, intent, method, refusal) if charged else None
    _fall_back(store, intent, method, refusal, charge)
    raise card_rules.declined(
        refusal,
        charge=charge and charge["id"],
        payment_intent=shown(store, intent),
        payment_method=shown(store, method),
    )


def _fall_back(store: Store, intent: Row, method: Row, refusal: Refusal, charge: Row | None) -> None:
    """Let the intent want another payment method, after this one failed."""
    if charge:
        store.emit("charge.failed", charge)
    error = {
        "type": "invalid_request_error" if card_rules.is_bank(method) else "card_error",
        "code": refusal.code,
        "message": refusal.message,
        "charge": charge and charge["id"],
        "decline_code": refusal.decline_code or None,
        "doc_url": f"https://docs.stripe.com/error-codes/{refusal.code.replace('_', '-')}",
        "payment_method": shown(store, method),
    }
    store.change(
        intent,
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        latest_charge=charge["id"] if charge else intent["latest_charge"],
        last_payment_error=error,
    )
    store.emit("payment_intent.payment_failed", intent)
    tell(store, intent)


def _ask(store: Store, intent: Row, method: Row, return_url: str | None) -> None:
    """Let the intent wait until the cardholder confirms the payment to the bank."""
    url = addresses.authenticate_url(store.base_url, intent["id"])
    store.change(
        intent,
        status="requires_action",
        payment_method=method["id"],
        last_payment_error=None,
        next_action={"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}},
    )
    store.emit("payment_intent.requires_action", intent)
    tell(store, intent)


def _succeeded(store: Store, intent: Row, method: Row) -> None:
    charge = _charge(store, intent, method, None)
    _complete(store, intent, method, charge)
    card = card_rules.card_of(method)
    fraud_warnings.after_charge(store, charge, card)
    disputes.after_charge(store, charge, card)


def _complete(store: Store, intent: Row, method: Row, charge: Row) -> None:
    """Record the money of a charge that succeeded, and tell of it."""
    manual = intent["capture_method"] == "manual"
    if not manual and not card_rules.is_bank(method):  # that of a debit is there since it was sent to the bank
        store.change(charge, balance_transaction=ledger.record(store, charge, charge["amount"], "charge"))
    store.emit("charge.succeeded", charge)
    store.change(
        intent,
        status="requires_capture" if manual else "succeeded",
        amount_received=0 if manual else intent["amount"],
        amount_capturable=intent["amount"] if manual else 0,
        latest_charge=charge["id"],
        payment_method=method["id"],
        last_payment_error=None,
        next_action=None,
    )
    if intent["setup_future_usage"] and intent["customer"] and method["customer"] is None:
        payment_methods.attach(store, method, store.objects["customer"][intent["customer"]])
    store.emit("payment_intent.amount_capturable_updated" if manual else "payment_intent.succeeded", intent)
    tell(store, intent)


def tell(store: Store, intent: Row) -> None:
    """Let those who listen know what became of the intent."""
    for listener in ATTEMPTED:
        listener(store, intent)
