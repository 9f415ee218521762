"""Adding cards, which are entered at Stripe: with a setup intent in the vendor's front end, or on a page at Stripe."""

from typing import Any

from billing.models.statuses import SetupIntentStatus
from billing.stripe_api import client, inbound
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import answers

CARDS = ["card"]


def create_setup_intent(customer: str, *, office: str, operation: str, step: Step) -> str:
    """Create a setup intent and return its client secret, with which a card can be added. Money does not move.

    Source: https://docs.stripe.com/api/setup_intents/create
    """
    params = {
        "customer": customer,
        "usage": "off_session",  # renewals are charged while nobody is there to confirm
        "payment_method_types": CARDS,
        "metadata": {"office": office, "operation": operation},
    }
    return answers.shown(client.post("/v1/setup_intents", params, step=step), "client_secret")


def create_card_link(customer: str, *, return_url: str, office: str, operation: str, step: Step) -> str:
    """Create a page on which a card can be added for a day, and return its address. Money does not move.

    Source: https://docs.stripe.com/payments/save-and-reuse?platform=web&ui=stripe-hosted
    """
    metadata = {"office": office, "operation": operation}
    params = {
        "mode": "setup",
        "customer": customer,
        "payment_method_types": CARDS,
        "success_url": return_url,
        "cancel_url": return_url,
        "setup_intent_data": {"metadata": metadata},
        "metadata": metadata,
    }
    return answers.shown(client.post("/v1/checkout/sessions", params, step=step), "url")


def has_setup_intent(customer: str, *, operation: str) -> bool:
    return answers.has_made("/v1/setup_intents", {"customer": customer}, operation=operation)


def has_card_link(customer: str, *, operation: str) -> bool:
    return answers.has_made("/v1/checkout/sessions", {"customer": customer}, operation=operation)


def card_set_up(stripe_id: str) -> str:
    """Return the card that was added with this setup intent or on this page at Stripe. "" if none was added yet."""
    data: dict[str, Any] | None
    if stripe_id.startswith("cs_"):
        page = answers.one(f"/v1/checkout/sessions/{stripe_id}", {"expand": ["setup_intent"]})
        data = (page or {}).get("setup_intent")
    else:
        data = answers.one(f"/v1/setup_intents/{stripe_id}", {})
    if not data or data["status"] != SetupIntentStatus.SUCCEEDED:
        return ""
    return inbound.values.identity(data.get("payment_method"))


def owner_of_card(payment_method: str) -> str:
    """Return the customer that the card belongs to, or ""."""
    data = answers.one(f"/v1/payment_methods/{payment_method}", {})
    return inbound.values.identity(data.get("customer")) if data else ""
