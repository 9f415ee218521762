"""Disputes: the bank takes the money first and decides later. Source: https://docs.stripe.com/disputes"""

from typing import Any

from stripe_sandbox import fraud_warnings, ledger, timeline
from stripe_sandbox.cards import Card
from stripe_sandbox.dates import DAY
from stripe_sandbox.errors import invalid, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, lists, merged, reads
from stripe_sandbox.schema.load import OBJECTS
from stripe_sandbox.store import Row, Store

DAYS_TO_RESPOND = 7
DAYS_OF_AN_INQUIRY = 120
REASONS = (
    "bank_cannot_process check_returned credit_not_processed customer_initiated debit_not_authorized duplicate "
    "fraudulent general incorrect_account_details insufficient_funds noncompliant product_not_received "
    "product_unacceptable subscription_canceled unrecognized"
).split()
NETWORK_CODES = {"fraudulent": "10.4", "duplicate": "12.6.1", "subscription_canceled": "13.2"}
DECISIONS = {"winning_evidence": "won", "losing_evidence": "lost"}
"""The decision that the evidence's ``uncategorized_text`` causes. Source: https://docs.stripe.com/testing#disputes"""
OPEN = ("needs_response", "warning_needs_response")


def after_charge(store: Store, charge: Row, card: Card) -> None:
    """Dispute the charge at once if its card is a test card for disputes."""
    if card.dispute:
        open_dispute(store, charge, inquiry=card.dispute == "inquiry")


def open_dispute(store: Store, charge: Row, *, reason: str = "fraudulent", inquiry: bool = False) -> Row:
    """Let the cardholder dispute what is left of the charge. The money is withdrawn, except for an inquiry.

    Raises: StripeError if nothing is left to dispute, or if the charge is already disputed.
    """
    left = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded" or left == 0 or charge["disputed"]:
        raise invalid(f"Charge {charge['id']} cannot be disputed.", param="charge")
    if charge["payment_method_details"]["type"] != "card":
        raise unsupported("disputes of other payments than by card")
    brand = charge["payment_method_details"]["card"]["brand"]
    code = NETWORK_CODES.get(reason)
    made = store.add(
        "dispute",
        amount=left,
        charge=charge["id"],
        currency=charge["currency"],
        evidence={**dict.fromkeys(OBJECTS["dispute"]["properties"]["evidence"]["properties"]), "enhanced_evidence": {}},
        evidence_details=_details(store.now(charge["customer"]) + DAYS_TO_RESPOND * DAY),
        is_charge_refundable=inquiry,
        network_reason_code=code,
        payment_intent=charge["payment_intent"],
        payment_method_details={
            "type": "card",
            "card": {
                "brand": brand,
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": brand,
                "network_reason_code": code,
            },
        },
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
        _customer=charge["customer"],
        _decision=None,
        _decided=None,
    )
    store.change(charge, disputed=True)
    store.emit("charge.dispute.created", made)
    fraud_warnings.follow(store, charge)
    if not inquiry:
        _withdraw(store, made)
    return made


@timeline.timed("dispute")
def due(store: Store, made: Row) -> timeline.Due | None:
    """Return when the bank decides: a day after evidence, or at the end of the time to respond or of an inquiry."""
    if made["_decision"]:
        return made["_decided"], _decide
    if made["status"] == "needs_response":
        return made["evidence_details"]["due_by"], _overdue
    if made["status"] in ("warning_needs_response", "warning_under_review"):
        return made["created"] + DAYS_OF_AN_INQUIRY * DAY, lambda store, row: _close(store, row, "warning_closed")
    return None


def update(store: Store, params: Params, ids: Ids) -> Row:
    """Add this evidence to the dispute. It is submitted to the bank unless ``submit`` is false."""
    made = store.need("dispute", ids["dispute"])
    values: dict[str, Any] = {}
    if "metadata" in params:
        values["metadata"] = merged(made["metadata"], params["metadata"])
    if "evidence" in params or "submit" in params:
        if made["status"] not in OPEN:
            raise invalid("This dispute takes no more evidence: it is under review or closed.", param="evidence")
        values |= _evidence(store, made, params.get("evidence", {}), submit=params.get("submit", True))
    store.change(made, "charge.dispute.updated", **values)
    return made


def close(store: Store, params: Params, ids: Ids) -> Row:
    """Accept the dispute for the vendor. The dispute is then lost."""
    made = store.need("dispute", ids["dispute"])
    if made["status"] not in OPEN:
        raise invalid("This dispute is already closed or under review.")
    _close(store, made, "lost")
    return made


def _evidence(store: Store, made: Row, given: Params, *, submit: bool) -> dict[str, Any]:
    if given.get("enhanced_evidence"):
        raise unsupported("enhanced evidence of a dispute")
    evidence = {**made["evidence"], **{name: value or None for name, value in given.items()}}
    evidence["enhanced_evidence"] = {}
    details = {**made["evidence_details"], "has_evidence": any(evidence.values())}
    if not submit:
        return {"evidence": evidence, "evidence_details": details}
    return {
        "evidence": evidence,
        "evidence_details": {**details, "submission_count": details["submission_count"] + 1},
        "status": "under_review" if made["status"] == "needs_response" else "warning_under_review",
        "_decision": DECISIONS.get(evidence.get("uncategorized_text") or ""),
        "_decided": store.now(made["_customer"]) + DAY,
    }


def _overdue(store: Store, made: Row) -> None:
    store.change(made, evidence_details={**made["evidence_details"], "past_due": True})
    _close(store, made, "lost")


def _decide(store: Store, made: Row) -> None:
    inquiry = made["status"].startswith("warning_")
    _close(store, made, "warning_closed" if inquiry and made["_decision"] == "won" else made["_decision"])


def _close(store: Store, made: Row, status: str) -> None:
    """Close the dispute with this status. Won money comes back; the money of a lost inquiry is withdrawn now."""
    if status == "lost" and not made["balance_transactions"]:
        _withdraw(store, made)
    back = status == "won" and bool(made["balance_transactions"])
    store.change(made, status=status, is_charge_refundable=status == "warning_closed", _decision=None)
    if back:
        _record(store, made, made["amount"])
    store.emit("charge.dispute.closed", made)
    if back:
        store.emit("charge.dispute.funds_reinstated", made)


def _withdraw(store: Store, made: Row) -> None:
    _record(store, made, -made["amount"])
    store.emit("charge.dispute.funds_withdrawn", made)


def _record(store: Store, made: Row, amount: int) -> None:
    moved = ledger.record(store, made, amount, "adjustment")
    store.change(made, balance_transactions=[*made["balance_transactions"], moved])


def _details(due_by: int) -> dict[str, Any]:
    return {
        "due_by": due_by,
        "enhanced_eligibility": {},
        "has_evidence": False,
        "past_due": False,
        "submission_count": 0,
    }


ROUTES: Routes = {
    ("get", "/v1/disputes"): lists("dispute", "/v1/disputes", "charge", "payment_intent"),
    ("get", "/v1/disputes/{dispute}"): reads("dispute", "dispute"),
    ("post", "/v1/disputes/{dispute}"): update,
    ("post", "/v1/disputes/{dispute}/close"): close,
}
