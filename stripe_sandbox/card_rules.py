"""Which card pays, and what it says when it is attached or charged. Nothing here writes.

Source: https://docs.stripe.com/testing
"""

from datetime import UTC, datetime
from typing import Any

from stripe_sandbox.cards import CARDS, EXPIRED, Card, Refusal
from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.store import Row, Store


def usable_method(store: Store, customer: Row, subscription: Row | None = None) -> str | None:
    """Find the subscription's own default payment method, else the customer's. Returns the id, or None."""
    own = subscription and subscription["default_payment_method"]
    return own or (customer["invoice_settings"] or {}).get("default_payment_method")


def card_of(method: Row) -> Card:
    """Look up how the test card behind this payment method behaves."""
    return CARDS[method["_card"]]


def expected_refusal(store: Store, method: Row) -> Refusal | None:
    """Say why a charge of this card would fail now, as far as it can be told before."""
    card, now = method["card"], datetime.fromtimestamp(store.now(method["customer"]), UTC)
    if (card["exp_year"], card["exp_month"]) < (now.year, now.month):
        return EXPIRED
    return card_of(method).on_charge


def needs_authentication(method: Row) -> bool:
    """Whether the card's bank asks its holder to confirm each payment, or this one for want of a set-up."""
    wanted = card_of(method).authentication
    return wanted == "always" or (wanted == "unless_setup" and not method.get("_authenticated"))


def refuse_detached(method: Row) -> None:
    """Refuse a card that was taken from its customer, which may never pay again. Raises: a 400."""
    if method.get("_detached"):
        raise invalid(
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
            "Customer, and may not be used again.",
            param="payment_method",
        )


def declined(refusal: Refusal, **objects: Any) -> StripeError:
    """Make Stripe's 402 for a card that says no. Source: https://docs.stripe.com/declines"""
    return StripeError(
        402,
        "card_error",
        refusal.message,
        code=refusal.code,
        decline_code=refusal.decline_code,
        doc_url=f"https://docs.stripe.com/error-codes/{refusal.code.replace('_', '-')}",
        **objects,
    )
