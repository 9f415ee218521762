"""Pages at Stripe on which an Office starts its subscription itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.models import PlanPrice
from billing.models.statuses import CheckoutStatus
from billing.stripe_api import client, inbound
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import answers
from billing.stripe_api.gateway.coupons import Coupon


@dataclass(frozen=True, slots=True)
class PaymentLink:
    """An open page. Anybody with the ``address`` can pay on it. Only the person who asked sees it. It is not stored."""

    id: str
    address: str
    expires_at: datetime
    operation: str


def open_payment_link(
    customer: str,
    price: PlanPrice,
    *,
    quantity: int,
    trial_days: int,
    coupon: Coupon | None,
    success_url: str,
    cancel_url: str,
    office: str,
    operation: str,
    step: Step,
) -> None:
    """Open a page on which the customer can pay for 24 hours. **Money moves** when somebody pays there.

    Source: https://docs.stripe.com/api/checkout/sessions/create
    """
    ours = {"office": office, "operation": operation}
    subscription: dict[str, Any] = {"metadata": ours}
    if trial_days:
        subscription["trial_period_days"] = trial_days
    params: dict[str, Any] = {
        "mode": "subscription",
        "customer": customer,
        "line_items": [{"price": price.stripe_price_id, "quantity": quantity}],
        "payment_method_types": ["card"],
        "subscription_data": subscription,
        "success_url": success_url,
        "cancel_url": cancel_url,
        "metadata": ours,
    }
    if coupon:
        params["discounts"] = [coupon.named]
    client.post("/v1/checkout/sessions", params, step=step)


def find_payment_link(customer: str) -> PaymentLink | None:
    """Return the customer's newest page that is still open, or None.

    Source: https://docs.stripe.com/api/checkout/sessions/list
    """
    for data in answers.page("/v1/checkout/sessions", {"customer": customer, "status": CheckoutStatus.OPEN}):
        if data["mode"] == "subscription" and data.get("url"):
            operation = (data.get("metadata") or {}).get("operation", "")
            return PaymentLink(data["id"], data["url"], inbound.values.time_of(data["expires_at"]), operation)
    return None


def find_open_page(session: str) -> PaymentLink | None:
    """Return this page, for a payment or for a card, or None if it is not open any more.

    Source: https://docs.stripe.com/api/checkout/sessions/retrieve
    """
    data = answers.one(f"/v1/checkout/sessions/{session}", {})
    if data is None or data["status"] != CheckoutStatus.OPEN or not data.get("url"):
        return None
    operation = (data.get("metadata") or {}).get("operation", "")
    return PaymentLink(data["id"], data["url"], inbound.values.time_of(data["expires_at"]), operation)


def status_of(session: str) -> str:
    """Return the status of the page. Source: https://docs.stripe.com/api/checkout/sessions/retrieve"""
    return str(client.get(f"/v1/checkout/sessions/{session}")["status"])


def close_payment_link(session: str, *, step: Step) -> None:
    """Close the page, so that nobody can pay on it any more. Money does not move.

    Source: https://docs.stripe.com/api/checkout/sessions/expire
    """
    client.post(f"/v1/checkout/sessions/{session}/expire", {}, step=step)
