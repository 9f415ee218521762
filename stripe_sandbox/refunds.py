"""Refunds. Their charge limits them; some succeed later, some fail. Source: https://docs.stripe.com/api/refunds"""

from typing import Any

from stripe_sandbox import currencies, fraud_warnings, ledger, timeline
from stripe_sandbox.cards import CARDS
from stripe_sandbox.dates import DAY
from stripe_sandbox.errors import invalid
from stripe_sandbox.handlers import Ids, Params, Routes, lists, merged, reads, refuse
from stripe_sandbox.store import Row, Store

NOT_HERE = ("currency", "customer", "origin", "refund_application_fee", "reverse_transfer")
"""The parameters for refunds of a cash balance and for Connect."""
WITHDRAWN = ("needs_response", "under_review", "lost")
"""The statuses of a dispute in which the bank has the money already."""


def create(store: Store, params: Params, ids: Ids) -> Row:
    """Refund a part of a charge, or what is left of it."""
    refuse(params, NOT_HERE, "a refund")
    charge = _charge(store, params)
    left = charge["amount_captured"] - charge["amount_refunded"]
    named = {name: params[name] for name in ("reason", "instructions_email") if name in params}
    named["metadata"] = merged(None, params.get("metadata"))
    return refund(store, charge, params.get("amount", left), **named)


def refund(store: Store, charge: Row, amount: int, **values: Any) -> Row:
    """Return ``amount`` minor units of the charge to its card. The charge, the ledger and events record it.

    Raises: StripeError if the charge has less left, or cannot be refunded.
    """
    _refuse_impossible(store, charge, amount)
    currencies.check(amount, charge["currency"], "amount")
    details, ending = _way(charge)
    made = store.add(
        "refund",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        customer=charge["customer"],
        destination_details=details,
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        pending_reason="processing" if ending == "pending" else None,
        status="pending" if ending == "pending" else "succeeded",
        _fails=ending == "fails",
        **{"metadata": {}, "reason": None, **values},
    )
    store.change(made, balance_transaction=ledger.record(store, made, -amount, "refund"))
    _count(store, charge, amount)
    store.emit("charge.refunded", charge)
    store.emit("refund.created", made)
    fraud_warnings.follow(store, charge)
    return made


def _way(charge: Row) -> tuple[Row, str]:
    """Return where the money goes, and how that ends: as the test card says, or later to a bank account."""
    if charge["payment_method_details"]["type"] == "us_bank_account":
        return {"type": "us_bank_transfer", "us_bank_transfer": {"reference_status": "pending"}}, "pending"
    card = {"type": "refund", "reference_status": "pending"}
    return {"type": "card", "card": card}, CARDS[charge["_card"]].refund


def settle(store: Store, made: Row) -> None:
    """Apply the bank's answer: a pending refund succeeds, and a refund that must fail fails."""
    if made["status"] == "pending":
        _updated(store, made, status="succeeded", pending_reason=None)
    elif made["status"] == "succeeded" and made["_fails"]:
        _returned(store, made, status="failed", failure_reason="expired_or_canceled_card")
        store.emit("refund.failed", made)


@timeline.timed("refund")
def due(store: Store, made: Row) -> timeline.Due | None:
    """Return when the bank answers: a day after the refund was made."""
    waits = made["status"] == "pending" or (made["status"] == "succeeded" and made["_fails"])
    return (made["created"] + DAY, settle) if waits else None


def cancel(store: Store, params: Params, ids: Ids) -> Row:
    """Cancel a refund that has not been sent yet."""
    made = store.need("refund", ids["refund"])
    if made["status"] not in ("pending", "requires_action"):
        raise invalid(f"This refund cannot be canceled: its status is {made['status']}.")
    _returned(store, made, status="canceled", pending_reason=None)
    return made


def update(store: Store, params: Params, ids: Ids) -> Row:
    """Change the refund's metadata."""
    made = store.need("refund", ids["refund"])
    if "metadata" in params:
        _updated(store, made, metadata=merged(made["metadata"], params["metadata"]))
    return made


def _charge(store: Store, params: Params) -> Row:
    if "charge" in params and "payment_intent" in params:
        raise invalid("You may only specify one of these parameters: charge, payment_intent.")
    if "charge" in params:
        return store.need("charge", params["charge"], "charge")
    if "payment_intent" not in params:
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
    intent = store.need("payment_intent", params["payment_intent"], "payment_intent")
    charge = store.get("charge", intent["latest_charge"])
    if charge is None or charge["status"] == "failed":
        raise invalid(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.", param="payment_intent"
        )
    return charge


def _refuse_impossible(store: Store, charge: Row, amount: int) -> None:
    if charge["status"] != "succeeded" or not charge["captured"]:
        why = "was not successful" if charge["status"] != "succeeded" else "has not been captured"
        raise invalid(f"Charge {charge['id']} {why} and cannot be refunded.", code="charge_not_refundable")
    if any(one["status"] in WITHDRAWN for one in store.all("dispute", charge=charge["id"])):
        raise invalid(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.", param="amount", code="parameter_invalid_integer"
        )
    if amount > left:
        whole = "unrefunded amount on charge" if charge["amount_refunded"] else "charge amount"
        asked, held = (currencies.money(one, charge["currency"]) for one in (amount, left))
        raise invalid(f"Refund amount ({asked}) is greater than {whole} ({held})", param="amount")


def _returned(store: Store, made: Row, **values: Any) -> None:
    """Give the money back to the vendor. The charge then counts it as not refunded."""
    charge = store.objects["charge"][made["charge"]]
    _count(store, charge, -made["amount"])
    back = ledger.record(store, made, made["amount"], "refund_failure")
    _updated(store, made, failure_balance_transaction=back, **values)
    fraud_warnings.follow(store, charge)


def _count(store: Store, charge: Row, amount: int) -> None:
    total = charge["amount_refunded"] + amount
    store.change(charge, amount_refunded=total, refunded=total == charge["amount_captured"])


def _updated(store: Store, made: Row, **values: Any) -> None:
    before = {name: made[name] for name, value in values.items() if made[name] != value}
    store.change(made, "refund.updated", **values)
    if before:
        store.emit("charge.refund.updated", made, before)


ROUTES: Routes = {
    ("post", "/v1/refunds"): create,
    ("get", "/v1/refunds"): lists("refund", "/v1/refunds", "charge", "payment_intent"),
    ("get", "/v1/refunds/{refund}"): reads("refund", "refund"),
    ("post", "/v1/refunds/{refund}"): update,
    ("post", "/v1/refunds/{refund}/cancel"): cancel,
}
