"""Reading Stripe's customers, their cards and their bank accounts."""

from typing import Any

from billing.stripe_api.inbound.states import Card, Contact, CustomerState, PaymentMethodState
from billing.stripe_api.inbound.values import identity, ours

MOST_LETTERS = 20
"""Of a card's brand or a payment method's kind, as our columns hold it."""


def customer(data: dict[str, Any]) -> CustomerState:
    """Read a customer. Of a customer that was deleted, Stripe shows no more than its id."""
    default = default_payment_method(data)
    keep = ("id", "object", "created", "livemode", "currency", "delinquent", "balance", "metadata", "deleted")
    return CustomerState(
        id=data["id"],
        deleted=bool(data.get("deleted")),
        office=(data.get("metadata") or {}).get("office", ""),
        card=default.card if default else Card(),
        default_payment_method=default,
        credit=-data.get("balance", 0),  # at Stripe, a balance above zero is what the customer owes
        currency=data.get("currency") or "",
        other_credits=_other_credits(data),
        operation=(data.get("metadata") or {}).get("operation", ""),
        test_clock=identity(data.get("test_clock")),
        redacted={key: data[key] for key in keep if key in data} | {"metadata": ours(data)},
    )


def _other_credits(data: dict[str, Any]) -> dict[str, int]:
    """Return the credit in other currencies than the customer's. Here Stripe shows credit above zero.

    Source: https://docs.stripe.com/api/customers/object#customer_object-invoice_credit_balance
    """
    found = data.get("invoice_credit_balance") or {}
    return {currency: amount for currency, amount in found.items() if amount and currency != data.get("currency")}


def default_payment_method(data: dict[str, Any]) -> PaymentMethodState | None:
    """Return what the customer's invoices are charged to: its default payment method, or else its default source.

    Old customers can have a source. Source: https://docs.stripe.com/api/customers/object#customer_object-default_source
    """
    method = (data.get("invoice_settings") or {}).get("default_payment_method")
    if isinstance(method, dict):
        return payment_method(method)
    source = data.get("default_source")
    return payment_method(source) if isinstance(source, dict) else None


def charged_card(subscription: dict[str, Any]) -> Card:
    """Return what this subscription itself is charged to, or an empty card if it is charged to its customer's."""
    for name in ("default_payment_method", "default_source"):
        if isinstance(subscription.get(name), dict):
            return payment_method(subscription[name]).card
    return Card()


def contact(data: dict[str, Any]) -> Contact:
    locales = data.get("preferred_locales") or []
    return Contact(data.get("name") or "", data.get("email") or "", locales[0] if locales else "")


def payment_method(data: dict[str, Any]) -> PaymentMethodState:
    """Read a payment method, or a card, bank account or other source of an old customer."""
    return PaymentMethodState(data["id"], card_of(data))


def card_of(data: dict[str, Any]) -> Card:
    """Return what tells a payment method, a source or the details of a charge apart from others."""
    if data.get("object") in ("card", "bank_account"):
        return card(data) if data["object"] == "card" else Card("bank_account", data.get("last4") or "")
    kind = data.get("type") or ""
    if kind == "card":
        return card(data.get("card"))
    return Card(kind[:MOST_LETTERS], (data.get(kind) or {}).get("last4") or "")


def card(data: dict[str, Any] | None) -> Card:
    if not data:
        return Card()
    month, year = data.get("exp_month"), data.get("exp_year")
    return Card(
        brand=(data.get("brand") or "").lower()[:MOST_LETTERS],
        last4=data.get("last4") or "",
        expires=f"{year:04}-{month:02}" if month and year else "",
    )
