"""Reading Stripe's subscriptions and their discounts."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.discounts import Discount
from billing.money import Money
from billing.stripe_api.inbound.customers import card
from billing.stripe_api.inbound.states import SubscriptionState
from billing.stripe_api.inbound.values import identity, ours, time_or_none


def subscription(data: dict[str, Any]) -> SubscriptionState:
    items = data["items"]["data"]
    item = items[0] if items else {}
    price = item.get("price") or {}
    keep = ("id", "object", "status", "created", "livemode", "currency", "metadata", "cancel_at", "ended_at")
    pause, method = data.get("pause_collection") or {}, data.get("default_payment_method")
    cancel_at = time_or_none(data.get("cancel_at"))
    if cancel_at is None and data.get("cancel_at_period_end"):
        cancel_at = time_or_none(item.get("current_period_end"))
    return SubscriptionState(
        id=data["id"],
        item_id=item.get("id") or "",
        status=data["status"],
        price_id=identity(price),
        quantity=item.get("quantity") or 1,
        currency=data["currency"],
        created_at=datetime.fromtimestamp(data["created"], UTC),
        started_at=time_or_none(data.get("start_date")),
        ended_at=time_or_none(data.get("ended_at")),
        current_period_start=time_or_none(item.get("current_period_start")),
        current_period_end=time_or_none(item.get("current_period_end")),
        billing_cycle_anchor=time_or_none(data.get("billing_cycle_anchor")),
        trial_end=time_or_none(data.get("trial_end")),
        cancel_at=cancel_at,
        cancels_at_period_end=bool(data.get("cancel_at_period_end")),
        collection_paused=pause.get("behavior") or "",
        collection_paused_until=time_or_none(pause.get("resumes_at")),
        discounts=tuple(discount(one) for one in data.get("discounts") or [] if isinstance(one, dict)),
        card=card(method.get("card") if isinstance(method, dict) else None),
        operation=(data.get("metadata") or {}).get("operation", ""),
        redacted={key: data[key] for key in keep if key in data}
        | {"customer": identity(data["customer"]), "metadata": ours(data)},
    )


def discount(data: dict[str, Any]) -> Discount:
    """Return a discount of a subscription. The coupon's name is dropped, because a person typed it at Stripe."""
    source = (data.get("source") or {}).get("coupon")
    return replace(coupon(source if isinstance(source, dict) else {}), until=time_or_none(data.get("end")))


def coupon(data: dict[str, Any]) -> Discount:
    percent = data.get("percent_off")
    return Discount(
        percent=None if percent is None else Decimal(str(percent)),
        amount=Money(data.get("amount_off") or 0, data.get("currency") or ""),
        duration=data.get("duration") or "",
        months=data.get("duration_in_months"),
    )
