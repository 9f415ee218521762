"""Reading Stripe's subscriptions with their items and discounts."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.discounts import Discount
from billing.money import Money, monthly
from billing.stripe_api.inbound.customers import charged_card
from billing.stripe_api.inbound.prices import is_plain
from billing.stripe_api.inbound.schedules import managing
from billing.stripe_api.inbound.states import ItemState, SubscriptionState
from billing.stripe_api.inbound.values import identity, ours, time_or_none


def subscription(data: dict[str, Any]) -> SubscriptionState:
    """Read a subscription. Its items must all be there, if more is read than its id, status and metadata.

    See ``gateway.subscriptions.complete_items``.
    """
    items = tuple(item(one, data["currency"]) for one in data["items"]["data"])
    first = min(items, key=lambda one: (one.current_period_end is None, one.current_period_end), default=None)
    keep = ("id", "object", "status", "created", "livemode", "currency", "metadata", "cancel_at", "ended_at")
    pause = data.get("pause_collection") or {}
    schedule = managing(data.get("schedule"))
    cancel_at = time_or_none(data.get("cancel_at"))
    if cancel_at is None and data.get("cancel_at_period_end") and first:
        cancel_at = first.current_period_end
    if schedule:  # it decides about the end, and Stripe lets nobody set another one beside it
        cancel_at = schedule.ends_at
    return SubscriptionState(
        id=data["id"],
        items=items,
        status=data["status"],
        currency=data["currency"],
        created_at=datetime.fromtimestamp(data["created"], UTC),
        started_at=time_or_none(data.get("start_date")),
        ended_at=time_or_none(data.get("ended_at")),
        current_period_start=first.current_period_start if first else None,
        current_period_end=first.current_period_end if first else None,
        billing_cycle_anchor=time_or_none(data.get("billing_cycle_anchor")),
        trial_end=time_or_none(data.get("trial_end")),
        cancel_at=cancel_at,
        cancels_at_period_end=bool(data.get("cancel_at_period_end")),
        collection_paused=pause.get("behavior") or "",
        collection_paused_until=time_or_none(pause.get("resumes_at")),
        discounts=_discounts(data, data["currency"]),
        schedule=schedule,
        card=charged_card(data),
        operation=(data.get("metadata") or {}).get("operation", ""),
        redacted={key: data[key] for key in keep if key in data}
        | {"customer": identity(data["customer"]), "metadata": ours(data)},
    )


def item(data: dict[str, Any], currency: str) -> ItemState:
    """Read an item of a subscription in this currency.

    Metered use has no quantity at Stripe. Here it counts as 0, because nobody knows it yet. A price can have amounts in
    several currencies, and shows that of its own. In another one, the amount is not known.
    """
    price = data["price"]
    recurring = price["recurring"]
    is_known = is_plain(price) and price["currency"] == currency
    unit_amount = price.get("unit_amount") if is_known else None
    quantity = data.get("quantity", 0)
    every = {"interval": recurring["interval"], "interval_count": recurring["interval_count"]}
    return ItemState(
        id=data["id"],
        price_id=price["id"],
        quantity=quantity,
        currency=currency,
        unit_amount=unit_amount,
        monthly_amount=0 if unit_amount is None else monthly(unit_amount * quantity, **every),
        current_period_start=time_or_none(data.get("current_period_start")),
        current_period_end=time_or_none(data.get("current_period_end")),
        discounts=_discounts(data, currency),
        **every,
    )


def _discounts(data: dict[str, Any], currency: str) -> tuple[Discount, ...]:
    return tuple(discount(one, currency) for one in data.get("discounts") or [] if isinstance(one, dict))


def discount(data: dict[str, Any], currency: str) -> Discount:
    """Return a discount of a subscription in this currency. The coupon's name is dropped: a person typed it at Stripe.

    Its coupon must show its other currencies, if it takes off an amount and its own currency is another one.
    See ``gateway.subscriptions.complete_items``.
    """
    source = (data.get("source") or {}).get("coupon")
    found = source if isinstance(source, dict) else {}
    here = next((one for one in amounts_off(found) if one.currency == currency), None)
    read = replace(coupon(found), until=time_or_none(data.get("end")))
    return replace(read, amount=here) if here else read


def coupon(data: dict[str, Any]) -> Discount:
    percent = data.get("percent_off")
    return Discount(
        percent=None if percent is None else Decimal(str(percent)),
        amount=Money(data.get("amount_off") or 0, data.get("currency") or ""),
        duration=data.get("duration") or "",
        months=data.get("duration_in_months"),
    )


def amounts_off(coupon: dict[str, Any]) -> tuple[Money, ...]:
    """Return what a coupon takes off, an amount for each currency, its own first. It is empty for a percentage.

    Source: https://docs.stripe.com/api/coupons/object#coupon_object-currency_options
    """
    if coupon.get("amount_off") is None or not coupon.get("currency"):
        return ()
    own = coupon["currency"]
    others = {currency: one["amount_off"] for currency, one in (coupon.get("currency_options") or {}).items()}
    others.pop(own, None)
    return (Money(coupon["amount_off"], own), *(Money(amount, currency) for currency, amount in others.items()))
