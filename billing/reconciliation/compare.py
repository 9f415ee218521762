"""The differences between a row and what Stripe shows, and how they are described. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing import zones
from billing.money import Money

Values = Mapping[str, Any]

AMOUNTS = (
    "amount amount_paid amount_refunded amount_remaining credit_balance credited_after_payment credited_before_payment "
    "discount ending_balance monthly_amount overpaid paid_elsewhere starting_balance subtotal tax total"
).split()
ABOUT_MONEY = ("cancel_at", "default card", "default_card_id", "disputed", "other_credits", "schedule", "schedules")
UNTOLD = (
    "test_clock",
    "lines",
    "deleted_at",
    "payment_intent_id",
    "subscription_id",
    "invoice_id",
    "plan_price_id",
    "default_card_id",
    "other_credits",
    "items",
    "schedule",
    "schedules",
)
KEPT_LATER = ("overpaid", "auto_advance")
"""Columns of an invoice that are empty where it was last seen before they were kept."""
NAMES = {
    "plan_price_id": "plan",
    "payment_intent_id": "payment",
    "default card": "default payment method",
    "default_card_id": "which payment method is the default",
}


@dataclass(frozen=True, slots=True)
class Difference:
    column: str
    ours: Any
    theirs: Any


NOT_HERE = (Difference("", None, None),)
"""The difference of an object that has no row here."""


def differences(ours: Values | None, theirs: Values) -> tuple[Difference, ...]:
    """Return the columns in which ours differs from theirs. ``ours`` is None where there is no row.

    An invoice's balances are not known while it is a draft, or if it was last seen before they were kept. Nor is what
    was paid beyond what was due, or whether Stripe collects it by itself, if it was last seen before that, nor are the
    items of a subscription that was last seen before items were kept, nor when a debit was returned, or the money of a
    dispute moved, before that was kept, nor which lines are the subscription's own. That is no difference.
    """
    if ours is None:
        return NOT_HERE
    unknown = {"starting_balance", "ending_balance"} if ours.get("ending_balance") is None else set()
    unknown |= {name for name in KEPT_LATER if ours.get(name) is None}
    if "lines" in theirs and ours["lines"] == [_as_before(line) for line in theirs["lines"]]:
        unknown.add("lines")
    unknown |= {name for name in ("items", "returned_at", "taken_at") if not ours.get(name)}
    return tuple(
        Difference(name, ours[name], value)
        for name, value in theirs.items()
        if ours[name] != value and name not in unknown
    )


def _as_before(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "of_subscription"}


def in_words(found: tuple[Difference, ...], currency: str, zone: str) -> str:
    """Describe the differences: both values of each column, without Stripe's ids. Times are in the zone."""
    return "; ".join(_told(one, currency, zone) for one in found)


def severity(found: tuple[Difference, ...]) -> str:
    """Return how serious the differences are.

    ``critical`` is about whether there is service, ``warning`` is about money, and ``notice`` is the rest.
    """
    columns = {one.column for one in found}
    if columns & {
        "",
        "status",
        "current_period_end",
        "ended_at",
        "plan_price_id",
        "quantity",
        "items",
        "customer exists",
    }:
        return "critical"
    return "warning" if columns & {*AMOUNTS, *ABOUT_MONEY} else "notice"


def _told(one: Difference, currency: str, zone: str) -> str:
    if not one.column:
        return "it was not here at all"
    name = NAMES.get(one.column, one.column.removesuffix("_id").replace("_", " "))
    if one.column in UNTOLD:
        return f"{name} differed"
    ours, theirs = (_value(one.column, value, currency, zone) for value in (one.ours, one.theirs))
    return f"{name}: {ours} here, {theirs} at Stripe"


def _value(column: str, value: Any, currency: str, zone: str) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, datetime):
        return zones.moment(value, zone)
    if column in AMOUNTS and currency:
        return str(Money(value, currency))
    return str(value)
