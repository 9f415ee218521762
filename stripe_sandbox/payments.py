"""Collecting an invoice: payment intents, charges, invoice payments, refunds."""

from typing import Any

from stripe_sandbox.cards import CARDS, Card, Refusal
from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.store import Store, public

RETRY_DAYS = (3, 5, 7)  # a declared schedule; Stripe's own is chosen by a model


def card_of(method: dict[str, Any]) -> Card:
    return CARDS[method["_card"]]


def usable_method(store: Store, customer: dict[str, Any], subscription: dict[str, Any] | None) -> str | None:
    own = subscription and subscription.get("default_payment_method")
    return own or (customer.get("invoice_settings") or {}).get("default_payment_method")


def declined(refusal: Refusal, **objects: Any) -> StripeError:
    return StripeError(
        402,
        "card_error",
        refusal.message,
        code=refusal.code,
        decline_code=refusal.decline_code,
        doc_url=f"https://docs.stripe.com/error-codes/{refusal.code.replace('_', '-')}",
        **objects,
    )


def open_intent(store: Store, invoice: dict[str, Any], method: str | None) -> dict[str, Any]:
    """A finalised invoice with something to pay has a payment intent and an invoice payment."""
    intent = store.add(
        "payment_intent",
        amount=invoice["amount_remaining"],
        amount_capturable=0,
        amount_received=0,
        currency=invoice["currency"],
        customer=invoice["customer"],
        status="requires_confirmation" if method else "requires_payment_method",
        payment_method=method,
        payment_method_types=["card"],
        capture_method="automatic",
        confirmation_method="automatic",
        metadata={},
        _invoice=invoice["id"],
    )
    store.emit("payment_intent.created", intent)
    store.add(
        "invoice_payment",
        invoice=invoice["id"],
        amount_requested=invoice["amount_remaining"],
        amount_paid=None,
        currency=invoice["currency"],
        is_default=True,
        status="open",
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status_transitions={"canceled_at": None, "paid_at": None},
    )
    return intent


def intent_of(store: Store, invoice: dict[str, Any]) -> dict[str, Any]:
    payment = store.all("invoice_payment", invoice=invoice["id"])[-1]
    return store.objects["payment_intent"][payment["payment"]["payment_intent"]]


def charge(store: Store, invoice: dict[str, Any], method_id: str | None) -> None:
    """The invoice's intent is charged to this card. Raises the card's refusal, after recording the attempt."""
    intent = intent_of(store, invoice)
    if not method_id:
        raise invalid(
            "There is no `default_payment_method` set on this Customer or Invoice. Please either attach a "
            "payment method or pass one in.",
            code="",
        )
    method = store.need("payment_method", method_id, "payment_method")
    refusal = card_of(method).on_charge
    failed = refusal is not None
    attempt = store.add(
        "charge",
        amount=intent["amount"],
        amount_captured=0 if failed else intent["amount"],
        amount_refunded=0,
        billing_details={"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        captured=not failed,
        currency=intent["currency"],
        customer=invoice["customer"],
        disputed=False,
        paid=not failed,
        refunded=False,
        status="failed" if failed else "succeeded",
        failure_code=refusal.code if refusal else None,
        failure_message=refusal.message if refusal else None,
        outcome={
            "type": "issuer_declined" if failed else "authorized",
            "network_status": "declined_by_network" if failed else "approved_by_network",
            "reason": refusal.decline_code or refusal.code if refusal else None,
            "seller_message": refusal.message if refusal else "Payment complete.",
            "risk_level": "normal",
        },
        payment_intent=intent["id"],
        payment_method=method_id,
        payment_method_details={"type": "card", "card": method["card"]},
        metadata={},
    )
    if refusal:
        _failed(store, invoice, intent, attempt, refusal, method)
    _succeeded(store, invoice, intent, attempt, method_id)


def _failed(
    store: Store,
    invoice: dict[str, Any],
    intent: dict[str, Any],
    attempt: dict[str, Any],
    refusal: Refusal,
    method: dict[str, Any],
) -> None:
    store.emit("charge.failed", attempt)
    error = {"type": "card_error", "code": refusal.code, "message": refusal.message, "charge": attempt["id"]}
    error["decline_code"] = refusal.decline_code or None
    store.change(
        intent,
        status="requires_payment_method",
        payment_method=None,
        latest_charge=attempt["id"],
        last_payment_error=error,
    )
    store.emit("payment_intent.payment_failed", intent)
    store.change(invoice, "invoice.updated", attempted=True, attempt_count=invoice["attempt_count"] + 1)
    store.emit("invoice.payment_failed", invoice)
    raise declined(refusal, charge=attempt["id"], payment_intent=public(intent), payment_method=public(method))


def _succeeded(
    store: Store, invoice: dict[str, Any], intent: dict[str, Any], attempt: dict[str, Any], method: str
) -> None:
    store.emit("charge.succeeded", attempt)
    store.change(
        intent,
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=attempt["id"],
        payment_method=method,
        last_payment_error=None,
    )
    store.emit("payment_intent.succeeded", intent)
    for payment in store.all("invoice_payment", invoice=invoice["id"], status="open"):
        times = {**payment["status_transitions"], "paid_at": store.now()}
        store.change(payment, status="paid", amount_paid=intent["amount"], status_transitions=times)
        store.emit("invoice_payment.paid", payment)
    store.change(invoice, attempted=True, attempt_count=invoice["attempt_count"] + 1)
    mark_paid(store, invoice)


def mark_paid(store: Store, invoice: dict[str, Any]) -> None:
    store.change(
        invoice,
        "invoice.updated",
        status="paid",
        amount_paid=invoice["total"],
        amount_remaining=0,
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], "paid_at": store.now()},
    )
    store.emit("invoice.paid", invoice)
    store.emit("invoice.payment_succeeded", invoice)


def void(store: Store, invoice: dict[str, Any]) -> None:
    for payment in store.all("invoice_payment", invoice=invoice["id"], status="open"):
        intent = store.objects["payment_intent"][payment["payment"]["payment_intent"]]
        store.change(intent, status="canceled", canceled_at=store.now(), cancellation_reason="void_invoice")
        store.emit("payment_intent.canceled", intent)
        store.change(payment, status="canceled")
    store.change(
        invoice,
        status="void",
        amount_remaining=invoice["amount_remaining"],
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], "voided_at": store.now()},
    )
    store.emit("invoice.voided", invoice)


def refund(store: Store, params: dict[str, Any]) -> dict[str, Any]:
    key = params.get("charge")
    if not key and params.get("payment_intent"):
        key = store.need("payment_intent", params["payment_intent"], "payment_intent")["latest_charge"]
    paid = store.need("charge", key or "", "charge")
    left = paid["amount"] - paid["amount_refunded"]
    if left == 0:
        raise invalid(f"Charge {paid['id']} has already been refunded.", code="charge_already_refunded")
    amount = params.get("amount", left)
    if not 0 < amount <= left:
        raise invalid("Refund amount is greater than unrefunded amount on charge.", param="amount")
    made = store.add(
        "refund",
        amount=amount,
        charge=paid["id"],
        currency=paid["currency"],
        payment_intent=paid["payment_intent"],
        reason=params.get("reason"),
        status="succeeded",
        metadata=params.get("metadata", {}),
    )
    store.change(paid, amount_refunded=paid["amount_refunded"] + amount, refunded=amount == left)
    store.emit("charge.refunded", paid)
    store.emit("refund.created", made)
    return made
