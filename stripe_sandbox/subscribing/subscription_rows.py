"""What the rows of a subscription say: whether it has ended, which items it has, and which period is theirs.

Source: https://docs.stripe.com/billing/subscriptions/overview
"""

from stripe_sandbox.dates import HOUR, add_interval
from stripe_sandbox.store import Row, Store

ENDED = ("canceled", "incomplete_expired")
UPDATED = "customer.subscription.updated"
NO_DETAILS = {"comment": None, "feedback": None, "feedback_option": None, "reason": None}
"""Of a cancellation."""
TIME_TO_PAY = 23 * HOUR
"""For a first invoice, a pending update's, and the one of resuming."""


def items_of(store: Store, subscription: Row) -> list[Row]:
    """List its items, oldest first."""
    return store.all("subscription_item", subscription=subscription["id"])


def recurring_of(store: Store, subscription: Row) -> Row:
    """Look up the interval that all its items share."""
    return store.objects["price"][items_of(store, subscription)[0]["price"]]["recurring"]


def period_end(store: Store, subscription: Row) -> int:
    """Say when its period ends, in seconds since 1970."""
    return min(item["current_period_end"] for item in items_of(store, subscription))


def period_at(store: Store, subscription: Row, after: int) -> tuple[int, int]:
    """Compute the period that ends first after this moment, counted from the anchor: [start, end)."""
    anchor, recurring = subscription["billing_cycle_anchor"], recurring_of(store, subscription)
    length = add_interval(anchor, recurring, 1) - anchor
    times = max(1, (after - anchor) // length - 1)
    while add_interval(anchor, recurring, times) <= after:
        times += 1
    while times > 1 and add_interval(anchor, recurring, times - 1) > after:
        times -= 1
    return add_interval(anchor, recurring, times - 1), add_interval(anchor, recurring, times)


def billed_until(store: Store, subscription: Row) -> int:
    """Say until when it is billed: the end of its period, or the moment before at which it will end."""
    return subscription["_billed_until"] or period_end(store, subscription)


def set_period(store: Store, subscription: Row, start: int, end: int) -> None:
    """Give its items the period [start, end). Where it is to end with its period, it ends with this one."""
    for item in items_of(store, subscription):
        store.change(item, current_period_start=start, current_period_end=end)
    store.change(subscription, _billed_until=None)
    if subscription["cancel_at_period_end"]:
        store.change(subscription, cancel_at=end)
