"""The texts of invoice lines. They are made from our plans' names and a catalogue, never from a text of Stripe."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from billing.models import PlanPrice

# What an Office can be charged for in addition to its subscription. The text is printed on the invoice.
CATALOGUE: dict[str, str] = {
    "onboarding": "Onboarding",
    "training": "Training",
    "data_migration": "Data migration",
    "hardware": "Additional hardware",
    "installation": "Installation on site",
    "consulting": "Consulting",
    "late_fee": "Late payment fee",
    "other_service": "Other service",
}


def prices_of(named: Iterable[str]) -> dict[str, PlanPrice]:
    """Return our prices with these ids at Stripe, by these ids. One query."""
    named = set(named) - {""}
    found = PlanPrice.objects.filter(stripe_price_id__in=named).select_related("plan").order_by()
    return {str(price.stripe_price_id): price for price in found} if named else {}


def words(line: dict[str, Any], price: PlanPrice | None) -> str:
    """Return the text that says what a line is for."""
    if line["charge"]:
        return CATALOGUE[line["charge"]]
    if price is None:
        return "Other charge" if line["amount"] >= 0 else "Other credit"
    seats = f", {line['quantity']} seats" if price.per_seat else ""
    text = f"{price.plan.name}{seats}"
    if not line["proration"]:
        return text
    return f"Unused time: {text}" if line["amount"] < 0 else f"Remaining time: {text}"


def kept(line: dict[str, Any], price: PlanPrice | None) -> dict[str, Any]:
    """Return the line as our invoices store it: minor units of the invoice's currency, times in ISO 8601."""
    return {
        "text": words(line, price),
        "quantity": line["quantity"],
        "amount": line["amount"],
        "tax": line["tax"],
        "proration": line["proration"],
        "of_subscription": line["of_subscription"],
        "period_start": _iso(line["period_start"]),
        "period_end": _iso(line["period_end"]),
    }


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
