"""Reading Stripe's customers and their cards."""

from typing import Any

from billing.stripe_api.inbound.states import Card, Contact, CustomerState, PaymentMethodState
from billing.stripe_api.inbound.values import identity, ours


def customer(data: dict[str, Any]) -> CustomerState:
    method = (data.get("invoice_settings") or {}).get("default_payment_method")
    default = payment_method(method) if isinstance(method, dict) and method.get("card") else None
    keep = ("id", "object", "created", "livemode", "currency", "delinquent", "balance", "metadata", "deleted")
    return CustomerState(
        id=data["id"],
        deleted=bool(data.get("deleted")),
        office=(data.get("metadata") or {}).get("office", ""),
        card=default.card if default else Card(),
        default_payment_method=default,
        credit=-(data.get("balance") or 0),  # at Stripe, a balance above zero is what the customer owes
        operation=(data.get("metadata") or {}).get("operation", ""),
        test_clock=identity(data.get("test_clock")),
        redacted={key: data[key] for key in keep if key in data} | {"metadata": ours(data)},
    )


def contact(data: dict[str, Any]) -> Contact:
    locales = data.get("preferred_locales") or []
    return Contact(data.get("name") or "", data.get("email") or "", locales[0] if locales else "")


def payment_method(data: dict[str, Any]) -> PaymentMethodState:
    return PaymentMethodState(data["id"], card(data.get("card")))


def card(data: dict[str, Any] | None) -> Card:
    if not data:
        return Card()
    month, year = data.get("exp_month"), data.get("exp_year")
    return Card(
        brand=data.get("brand") or "",
        last4=data.get("last4") or "",
        expires=f"{year:04}-{month:02}" if month and year else "",
    )
