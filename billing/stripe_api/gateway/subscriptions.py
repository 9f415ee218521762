"""Subscriptions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing import errors
from billing.models import PlanPrice
from billing.models.statuses import FINAL, InvoiceStatus, SubscriptionStatus
from billing.stripe_api import client, inbound
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import answers, invoice_previews
from billing.stripe_api.gateway.coupons import Coupon
from billing.stripe_api.inbound.states import ItemState, PreviewedInvoice, SubscriptionState

ITEMS = "/v1/subscription_items"
WITH_DISCOUNTS = {"expand": ["data.discounts.source.coupon"]}


@dataclass(frozen=True, slots=True)
class InvoicedSubscription:
    """A subscription with its latest invoice, which is the first one until it began. "" if it has none."""

    state: SubscriptionState
    invoice_id: str
    invoice_status: str

    @property
    def waits_for_payment(self) -> bool:
        """Return whether its first invoice can still be paid, so that it begins."""
        is_incomplete = self.state.status == SubscriptionStatus.INCOMPLETE
        return is_incomplete and self.invoice_status not in ("", InvoiceStatus.VOID)


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
) -> InvoicedSubscription:
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
    return _invoiced(client.post("/v1/subscriptions", params, step=step))


def _invoiced(data: dict[str, Any]) -> InvoicedSubscription:
    invoice = data.get("latest_invoice") or {}
    return InvoicedSubscription(
        inbound.subscriptions.subscription(data), invoice.get("id") or "", invoice.get("status") or ""
    )


def preview_start(customer: str, price: PlanPrice, *, quantity: int, coupon: Coupon | None = None) -> PreviewedInvoice:
    """Return a preview of the first invoice of a subscription to this price, without a trial. Nothing changes.

    Source: https://docs.stripe.com/api/invoices/create_preview
    """
    items = [{"price": price.stripe_price_id, "quantity": quantity}]
    params: dict[str, Any] = {"customer": customer, "subscription_details": {"items": items}}
    if coupon:
        params["discounts"] = [coupon.named]
    return invoice_previews.preview(params)


def find_subscription(customer: str, *, operation: str) -> SubscriptionState | None:
    """Return the subscription that this operation made, or None."""
    for data in answers.page("/v1/subscriptions", {"customer": customer, "status": "all"}):
        if (data.get("metadata") or {}).get("operation") == operation:
            return inbound.subscriptions.subscription(data)
    return None


def under_way(customer: str) -> list[SubscriptionState]:
    """Return the customer's subscriptions that are not over, whoever made them. The newest hundred are read.

    Source: https://docs.stripe.com/api/subscriptions/list
    """
    listed = answers.page("/v1/subscriptions", {"customer": customer})
    found = [inbound.subscriptions.subscription(data) for data in listed]
    return [one for one in found if one.status not in FINAL]


def fetch_with_invoice(subscription: str) -> InvoicedSubscription | None:
    """Return the subscription with its latest invoice, as Stripe has them now, or None."""
    data = answers.one(f"/v1/subscriptions/{subscription}", {"expand": ["latest_invoice"]})
    return _invoiced(data) if data else None


def fetch_subscription(subscription: str) -> SubscriptionState | None:
    """Return the subscription as Stripe has it now. Source: https://docs.stripe.com/api/subscriptions/retrieve"""
    data = answers.one(f"/v1/subscriptions/{subscription}", {"expand": ["discounts.source.coupon"]})
    if data is None:
        return None
    complete_items(data)
    return inbound.subscriptions.subscription(data)


def complete_items(subscription: dict[str, Any]) -> None:
    """Add to a subscription the items that did not come with it, and what its and their discounts take off.

    No request if there are neither. Source: https://docs.stripe.com/api/subscription_items/list
    """
    of = {"subscription": subscription["id"]}
    answers.complete(subscription["items"], ITEMS, of)
    items = subscription["items"]["data"]
    if any(item.get("discounts") for item in items):
        rows, cursor = answers.after(ITEMS, {**of, **WITH_DISCOUNTS}, "")
        listed: dict[str, Any] = {"data": rows, "has_more": bool(cursor)}
        answers.complete(listed, ITEMS, {**of, **WITH_DISCOUNTS})
        discounts = {item["id"]: item.get("discounts") for item in listed["data"]}
        for item in items:
            item["discounts"] = discounts.get(item["id"]) or []
    for holder in (subscription, *items):
        _complete_coupons(holder, subscription["currency"])


def _complete_coupons(holder: dict[str, Any], currency: str) -> None:
    """Add to each coupon that takes off an amount of another currency what it takes off in its other currencies.

    A list cannot show them: they are one level deeper than what can be expanded. Such a coupon is rare, and takes a
    request. Source: https://docs.stripe.com/expand#multiple-levels
    """
    for discount in holder.get("discounts") or ():
        found = (discount.get("source") or {}).get("coupon") if isinstance(discount, dict) else None
        if isinstance(found, dict) and found.get("amount_off") is not None and found.get("currency") != currency:
            whole = answers.one(f"/v1/coupons/{found['id']}", {"expand": ["currency_options"]})
            found["currency_options"] = (whole or {}).get("currency_options")


def change_subscription(
    subscription: str,
    item: ItemState,
    price: PlanPrice,
    *,
    quantity: int,
    proration: str,
    as_of: datetime | None,
    operation: str,
    step: Step,
) -> None:
    """Change the price and quantity of an item. **Money may move**: what is due now is charged, or nothing changes.

    ``proration``: create_prorations (with the next invoice), always_invoice (now), none.
    Source: https://docs.stripe.com/billing/subscriptions/change-price
    """
    params: dict[str, Any] = {
        **_changed_item(item, price, quantity, proration, as_of),
        "payment_behavior": "error_if_incomplete",
        "metadata": {"operation": operation},
    }
    client.post(f"/v1/subscriptions/{subscription}", params, step=step)


def preview_subscription_change(
    subscription: str, item: ItemState, price: PlanPrice, *, quantity: int, proration: str, as_of: datetime | None
) -> PreviewedInvoice:
    """Return a preview of the invoice that the change makes: at once, or with the next renewal. Nothing changes.

    Source: https://docs.stripe.com/api/invoices/create_preview
    """
    details = _changed_item(item, price, quantity, proration, as_of)
    params = {"subscription": subscription, "subscription_details": details}
    return invoice_previews.preview(params)


def _changed_item(
    item: ItemState, price: PlanPrice, quantity: int, proration: str, as_of: datetime | None
) -> dict[str, Any]:
    """Return the change of one item. A price that stays is not named: Stripe refuses to name one that is archived."""
    changed: dict[str, Any] = {"id": item.id, "quantity": quantity}
    if price.stripe_price_id != item.price_id:
        changed["price"] = price.stripe_price_id
    params: dict[str, Any] = {"items": [changed], "proration_behavior": proration}
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
