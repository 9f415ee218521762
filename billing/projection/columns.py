"""The values of our columns for an object of Stripe: one function per kind. None of them queries the database.

``apply`` writes these values, and ``billing.reconciliation`` compares our rows with them.
"""

from collections.abc import Mapping
from typing import Any

from billing import invoice_lines
from billing.discounts import Discount
from billing.models import PlanPrice
from billing.money import Money
from billing.stripe_api.inbound.states import (
    AdjustmentState,
    Card,
    InvoicePaymentState,
    InvoiceState,
    ItemState,
    PaymentState,
    SubscriptionState,
)

INVOICE = (
    "payment_intent_id number status kind collection currency subtotal discount tax total amount_paid "
    "amount_remaining paid_elsewhere credited_before_payment credited_after_payment starting_balance ending_balance "
    "overpaid auto_advance attempt_count next_payment_attempt period_start period_end created_at due_at finalised_at "
    "paid_at voided_at uncollectible_at"
).split()
INVOICE_PAYMENT = ("payment_intent_id", "charge_id", "status", "amount_paid", "is_default")
ITEM = (
    "price_id quantity currency unit_amount interval interval_count monthly_amount current_period_start "
    "current_period_end"
).split()
MOVED = ("taken_at", "returned_at")
ADJUSTMENT = (
    "kind",
    "status",
    "currency",
    "amount",
    "reason",
    "failure_code",
    "created_at",
    "due_at",
    "outcome",
    *MOVED,
)


def main_item(state: SubscriptionState, prices: Mapping[str, PlanPrice]) -> ItemState | None:
    """Return the first item whose price is ours, otherwise the first. None: it has no items."""
    ours = [item for item in state.items if item.price_id in prices]
    return next(iter(ours or state.items), None)


def of_subscription(state: SubscriptionState, prices: Mapping[str, PlanPrice]) -> dict[str, Any]:
    """Return the columns of a subscription. ``prices`` are our prices that its items name, by their ids at Stripe."""
    main = main_item(state, prices)
    price = prices.get(main.price_id) if main else None
    return {
        "status": state.status,
        "plan_price_id": price.pk if price else None,
        "quantity": main.quantity if main else 0,
        "currency": state.currency,
        "monthly_amount": sum(item.monthly_amount for item in state.items),
        "created_at": state.created_at,
        "started_at": state.started_at,
        "ended_at": state.ended_at,
        "current_period_start": state.current_period_start,
        "current_period_end": state.current_period_end,
        "billing_cycle_anchor": state.billing_cycle_anchor,
        "trial_end": state.trial_end,
        "cancel_at": state.cancel_at,
        "collection_paused": state.collection_paused,
        "collection_paused_until": state.collection_paused_until,
        "schedule": state.schedule.stored() if state.schedule else None,
        **_of_discounts(state.discounts),
        "deleted_at": None,
    }


def of_item(state: ItemState, price: PlanPrice | None) -> dict[str, Any]:
    return {
        **{name: getattr(state, name) for name in ITEM},
        "plan_price_id": price.pk if price else None,
        **_of_discounts(state.discounts),
        "removed_at": None,
    }


def of_items(state: SubscriptionState, prices: Mapping[str, PlanPrice]) -> dict[str, dict[str, Any]]:
    """Return the columns of the items of a subscription, by their ids at Stripe."""
    return {item.id: of_item(item, prices.get(item.price_id)) for item in state.items}


def _of_discounts(discounts: tuple[Discount, ...]) -> dict[str, Any]:
    first = discounts[0] if discounts else Discount(None, Money(0, ""), "")
    return {
        "discount_count": len(discounts),
        "discount_percent": first.percent,
        "discount_amount": first.amount.amount,
        "discount_currency": first.amount.currency,
        "discount_duration": first.duration,
        "discount_until": first.until,
    }


def of_invoice(
    state: InvoiceState, prices: Mapping[str, PlanPrice], *, subscription_id: int | None = None
) -> dict[str, Any]:
    """Return the columns of an invoice. ``prices`` are our prices that its lines name, by their ids at Stripe."""
    values = {name: getattr(state, name) for name in INVOICE}
    values["lines"] = [invoice_lines.kept(line, prices.get(line["price"])) for line in state.lines]
    values["deleted_at"] = None
    if state.subscription_id:
        values["subscription_id"] = subscription_id
    return values


def of_invoice_payment(state: InvoicePaymentState) -> dict[str, Any]:
    return {name: getattr(state, name) for name in INVOICE_PAYMENT}


def of_payment(state: PaymentState, *, invoice_id: int | None = None) -> dict[str, Any]:
    values = {
        "payment_intent_id": state.payment_intent_id,
        "status": state.status,
        "currency": state.currency,
        "amount": state.amount,
        "amount_refunded": state.amount_refunded,
        "disputed": state.disputed,
        "failure_code": state.failure_code,
        "decline_code": state.decline_code,
        "card_brand": state.card.brand,
        "card_last4": state.card.last4,
        "created_at": state.created_at,
        "returned_at": state.returned_at,
    }
    return values | ({"invoice_id": invoice_id} if invoice_id else {})


def of_adjustment(state: AdjustmentState) -> dict[str, Any]:
    """Return the columns of an adjustment, without its payment, invoice and operation: those are our own rows."""
    return {name: getattr(state, name) for name in ADJUSTMENT}


def of_card(card: Card) -> dict[str, Any]:
    return {"brand": card.brand, "last4": card.last4, "expires": card.expires, "detached_at": None}
