"""The terms of a running subscription other than plan and seats: end, collection, trial, period and discount.

Each change writes the operation's id into the metadata, so that a change whose answer was lost can be found.
Source: https://docs.stripe.com/api/subscriptions/update
"""

from datetime import datetime
from typing import Any

from billing.stripe_api import client
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import invoice_previews
from billing.stripe_api.gateway.coupons import Coupon
from billing.stripe_api.inbound.states import PreviewedInvoice, SubscriptionState


def resume_renewal(current: SubscriptionState, *, operation: str, step: Step) -> None:
    """Take the subscription's end back, so that it renews. **Money moves** with its next renewal.

    Source: https://docs.stripe.com/billing/subscriptions/cancel#reactivating-canceled-subscriptions
    """
    # an end with the period and an end on a date are two fields, and a request may have only one of them
    ends: dict[str, Any] = {"cancel_at_period_end": False} if current.cancels_at_period_end else {"cancel_at": ""}
    _update(current.id, ends, operation, step)


def end_subscription_on(subscription: str, at: datetime, *, operation: str, step: Step) -> None:
    """End the subscription at this moment. What was paid for the time after it is not credited."""
    terms = {"cancel_at": _epoch(at), "proration_behavior": "none"}
    _update(subscription, terms, operation, step)


def preview_end(subscription: str, at: datetime) -> PreviewedInvoice:
    """Return the next invoice of the subscription if it ends at this moment. Nothing changes.

    Source: https://docs.stripe.com/api/invoices/create_preview
    """
    details = {"cancel_at": _epoch(at), "proration_behavior": "none"}
    return invoice_previews.preview({"subscription": subscription, "subscription_details": details})


def pause_collection(
    subscription: str, *, invoices_become: str, until: datetime | None, operation: str, step: Step
) -> None:
    """Pause the collection of the subscription's invoices. Its status stays. Money does not move.

    ``invoices_become``: keep_as_draft, void, mark_uncollectible.
    Source: https://docs.stripe.com/billing/subscriptions/pause-payment
    """
    pause: dict[str, Any] = {"behavior": invoices_become}
    if until is not None:
        pause["resumes_at"] = _epoch(until)
    _update(subscription, {"pause_collection": pause}, operation, step)


def resume_collection(subscription: str, *, operation: str, step: Step) -> None:
    """Collect the subscription's invoices again, from the next one on. **Money moves** then. Drafts stay drafts."""
    _update(subscription, {"pause_collection": ""}, operation, step)


def move_trial_end(subscription: str, at: datetime | None, *, operation: str, step: Step) -> None:
    """Let the trial end at this moment. Without one it ends now, and **money moves**.

    If the card is declined, nothing changes.

    Source: https://docs.stripe.com/billing/subscriptions/trials
    """
    terms = {**_trial(at), "payment_behavior": "error_if_incomplete"}
    _update(subscription, terms, operation, step)


def preview_trial_end(subscription: str, at: datetime | None) -> PreviewedInvoice:
    """Return a preview of the invoice at the end of the trial. Nothing changes."""
    return invoice_previews.preview({"subscription": subscription, "subscription_details": _trial(at)})


def restart_period(subscription: str, *, proration: str, as_of: datetime | None, operation: str, step: Step) -> None:
    """Begin a whole period now. **Money moves**: it is charged now, or nothing changes.

    Source: https://docs.stripe.com/billing/subscriptions/billing-cycle
    """
    terms = {**_anchor(proration, as_of), "payment_behavior": "error_if_incomplete"}
    _update(subscription, terms, operation, step)


def preview_restarted_period(subscription: str, *, proration: str, as_of: datetime) -> PreviewedInvoice:
    """Return a preview of the invoice of a period that begins now. Nothing changes."""
    return invoice_previews.preview({"subscription": subscription, "subscription_details": _anchor(proration, as_of)})


def set_discount(subscription: str, coupon: Coupon | None, *, operation: str, step: Step) -> None:
    """Give the subscription this discount and no other, from its next invoice on. None removes it. No money moves now.

    Source: https://docs.stripe.com/billing/subscriptions/coupons
    """
    _update(subscription, {"discounts": [coupon.named] if coupon else ""}, operation, step)


def preview_discount(subscription: str, coupon: Coupon | None) -> PreviewedInvoice:
    """Return a preview of the next invoice with this discount and no other, or with none. Nothing changes."""
    return invoice_previews.preview({"subscription": subscription, "discounts": [coupon.named] if coupon else ""})


def _trial(at: datetime | None) -> dict[str, Any]:
    return {"trial_end": "now" if at is None else _epoch(at), "proration_behavior": "none"}


def _anchor(proration: str, as_of: datetime | None) -> dict[str, Any]:
    terms: dict[str, Any] = {"billing_cycle_anchor": "now", "proration_behavior": proration}
    if as_of is not None and proration != "none":
        terms["proration_date"] = _epoch(as_of)
    return terms


def _epoch(at: datetime) -> int:
    return int(at.timestamp())


def _update(subscription: str, terms: dict[str, Any], operation: str, step: Step) -> None:
    client.post(f"/v1/subscriptions/{subscription}", {**terms, "metadata": {"operation": operation}}, step=step)
