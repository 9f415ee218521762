"""New payment intents, and the rows that connect one to an invoice."""

from typing import Any

from stripe_sandbox.store import Row, Store


def add_intent(
    store: Store, amount: int, currency: str, customer: str | None, method: str | None, **values: Any
) -> Row:
    """Add an unconfirmed intent to collect ``amount`` minor units, without an event."""
    key = store.new_id("payment_intent")
    given = {
        "capture_method": "automatic",
        "confirmation_method": "automatic",
        "metadata": {},
        "payment_method_types": ["card", "us_bank_account"] if currency == "usd" else ["card"],
        "_invoice": None,
        **values,
    }
    return store.add(
        "payment_intent",
        id=key,
        amount=amount,
        amount_capturable=0,
        amount_received=0,
        client_secret=f"{key}_secret_{store.random.getrandbits(64):016x}",
        currency=currency,
        customer=customer,
        payment_method=method,
        status="requires_confirmation" if method else "requires_payment_method",
        **given,
    )


def add_invoice_payment(store: Store, invoice: Row, intent: Row, amount: int, *, is_default: bool) -> Row:
    """Connect the intent to the invoice. It is to pay ``amount`` minor units of it."""
    return store.add(
        "invoice_payment",
        amount_paid=None,
        amount_requested=amount,
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=is_default,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
        _intent=intent["id"],
        _customer=invoice["customer"],
    )
