"""The rules for which card pays and how it answers when it is attached or charged. Nothing here writes.

Source: https://docs.stripe.com/testing
"""

from datetime import UTC, datetime
from typing import Any

from stripe_sandbox.cards import CARDS, EXPIRED, Card, Refusal
from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.store import Row, Store


def usable_method(store: Store, customer: Row, subscription: Row | None = None) -> str | None:
    """Find the subscription's own default payment method, or the customer's. Returns its id, or None."""
    own = subscription and subscription["default_payment_method"]
    return own or (customer["invoice_settings"] or {}).get("default_payment_method")


def is_bank(method: Row) -> bool:
    """Whether it is a bank account, which is debited, and not a card."""
    return bool(method["type"] == "us_bank_account")


def card_of(method: Row) -> Card:
    """Look up how the test card behind this payment method behaves."""
    return CARDS[method["_card"]]


def expected_refusal(store: Store, method: Row) -> Refusal | None:
    """Return why a charge of this card would fail now, as far as this is known before the charge."""
    card, now = method["card"], datetime.fromtimestamp(store.now(method["customer"]), UTC)
    if (card["exp_year"], card["exp_month"]) < (now.year, now.month):
        return EXPIRED
    return card_of(method).on_charge


def needs_authentication(method: Row) -> bool:
    """Whether the bank asks the cardholder to confirm: each payment, or this one because there was no set-up."""
    wanted = card_of(method).authentication
    return wanted == "always" or (wanted == "unless_setup" and not method.get("_authenticated"))


def refuse_detached(method: Row) -> None:
    """Refuse a card that was detached from its customer. It can never pay again. Raises: a 400."""
    if method.get("_detached"):
        raise invalid(
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
            "Customer, and may not be used again.",
            param="payment_method",
        )


def declined(refusal: Refusal, **objects: Any) -> StripeError:
    """Make Stripe's 402 for a declined card. Source: https://docs.stripe.com/declines"""
    return StripeError(
        402,
        "card_error",
        refusal.message,
        code=refusal.code,
        decline_code=refusal.decline_code,
        doc_url=f"https://docs.stripe.com/error-codes/{refusal.code.replace('_', '-')}",
        **objects,
    )
