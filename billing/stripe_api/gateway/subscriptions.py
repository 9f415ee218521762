"""Subscriptions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing import errors
from billing.models import PlanPrice
from billing.models.statuses import FINAL
from billing.stripe_api import client, inbound
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import answers
from billing.stripe_api.gateway.coupons import Coupon
from billing.stripe_api.inbound.states import PreviewedInvoice, SubscriptionState

ITEMS = "/v1/subscription_items"
WITH_DISCOUNTS = {"expand": ["data.discounts.source.coupon"]}


@dataclass(frozen=True, slots=True)
class StartedSubscription:
    state: SubscriptionState
    invoice_id: str
    invoice_status: str


def start_subscription(
    customer: str,
    price: PlanPrice,
    *,
    quantity: int,
    trial_days: int,
    coupon: Coupon | None = None,
    office: str,
    operation: str,
    step: Step,
) -> StartedSubscription:
    """Create a subscription. It is trialing, or incomplete until its first invoice is paid. Money does not move.

    Source: https://docs.stripe.com/api/subscriptions/create
    """
    params: dict[str, Any] = {
        "customer": customer,
        "items": [{"price": price.stripe_price_id, "quantity": quantity}],
        "payment_behavior": "default_incomplete",
        "metadata": {"office": office, "operation": operation},
        "expand": ["latest_invoice"],
    }
    if trial_days:
        params["trial_period_days"] = trial_days
    if coupon:
        params["discounts"] = [coupon.named]
    data = client.post("/v1/subscriptions", params, step=step)
    invoice = data.get("latest_invoice") or {}
    return StartedSubscription(
        inbound.subscriptions.subscription(data), invoice.get("id", ""), invoice.get("status") or ""
    )


def preview_start(customer: str, price: PlanPrice, *, quantity: int, coupon: Coupon | None = None) -> PreviewedInvoice:
    """Return a preview of the first invoice of a subscription to this price, without a trial. Nothing changes.

    Source: https://docs.stripe.com/api/invoices/create_preview
    """
    items = [{"price": price.stripe_price_id, "quantity": quantity}]
    params: dict[str, Any] = {"customer": customer, "subscription_details": {"items": items}}
    if coupon:
        params["discounts"] = [coupon.named]
    return inbound.invoices.previewed_invoice(client.preview("/v1/invoices/create_preview", params))


def find_subscription(customer: str, *, operation: str) -> SubscriptionState | None:
    """Return the subscription that this operation made, or None."""
    for data in answers.page("/v1/subscriptions", {"customer": customer, "status": "all"}):
        if (data.get("metadata") or {}).get("operation") == operation:
            return inbound.subscriptions.subscription(data)
    return None


def fetch_subscription(subscription: str) -> SubscriptionState | None:
    """Return the subscription as Stripe has it now. Source: https://docs.stripe.com/api/subscriptions/retrieve"""
    data = answers.one(f"/v1/subscriptions/{subscription}", {})
    if data is None:
        return None
    complete_items(data)
    return inbound.subscriptions.subscription(data)


def complete_items(subscription: dict[str, Any]) -> None:
    """Add to a subscription the items that did not come with it, and what the discounts of its items take off.

    No request if there are neither. Source: https://docs.stripe.com/api/subscription_items/list
    """
    of = {"subscription": subscription["id"]}
    answers.complete(subscription["items"], ITEMS, of)
    if any(item.get("discounts") for item in subscription["items"]["data"]):
        rows, cursor = answers.after(ITEMS, {**of, **WITH_DISCOUNTS}, "")
        listed: dict[str, Any] = {"data": rows, "has_more": bool(cursor)}
        answers.complete(listed, ITEMS, {**of, **WITH_DISCOUNTS})
        discounts = {item["id"]: item.get("discounts") for item in listed["data"]}
        for item in subscription["items"]["data"]:
            item["discounts"] = discounts.get(item["id"]) or []


def change_subscription(
    current: SubscriptionState,
    price: PlanPrice,
    *,
    quantity: int,
    proration: str,
    as_of: datetime | None,
    operation: str,
    step: Step,
) -> None:
    """Change the price and quantity. **Money may move**: what is due at once is charged, or nothing changes.

    ``proration``: create_prorations (with the next invoice), always_invoice (now), none.
    Source: https://docs.stripe.com/billing/subscriptions/change-price
    """
    params: dict[str, Any] = {
        **_changed_items(current, price, quantity, proration, as_of),
        "payment_behavior": "error_if_incomplete",
        "metadata": {"operation": operation},
    }
    client.post(f"/v1/subscriptions/{current.id}", params, step=step)


def preview_subscription_change(
    current: SubscriptionState, price: PlanPrice, *, quantity: int, proration: str, as_of: datetime | None
) -> PreviewedInvoice:
    """Return a preview of the invoice that the change makes: at once, or with the next renewal. Nothing changes.

    Source: https://docs.stripe.com/api/invoices/create_preview
    """
    details = _changed_items(current, price, quantity, proration, as_of)
    params = {"subscription": current.id, "subscription_details": details}
    return inbound.invoices.previewed_invoice(client.preview("/v1/invoices/create_preview", params))


def _changed_items(
    current: SubscriptionState, price: PlanPrice, quantity: int, proration: str, as_of: datetime | None
) -> dict[str, Any]:
    item = {"id": current.item_id, "price": price.stripe_price_id, "quantity": quantity}
    params: dict[str, Any] = {"items": [item], "proration_behavior": proration}
    if as_of is not None and proration != "none":
        params["proration_date"] = int(as_of.timestamp())
    return params


def cancel_subscription(subscription: str, *, at_period_end: bool, step: Step) -> None:
    """End the subscription now, or let it not renew. Money does not move. Repeating is a no-op.

    Source: https://docs.stripe.com/api/subscriptions/cancel
    """
    path = f"/v1/subscriptions/{subscription}"
    if at_period_end:
        client.post(path, {"cancel_at_period_end": True}, step=step)
        return
    try:
        client.delete(path, step=step)
    except errors.StripeObjectMissing:
        state = inbound.subscriptions.subscription(client.get(path))
        if state.status not in FINAL:
            raise
