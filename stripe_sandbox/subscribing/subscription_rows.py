"""What the rows of a subscription say: whether it has ended, which items it has, and what their period is.

Source: https://docs.stripe.com/billing/subscriptions/overview
"""

from stripe_sandbox.dates import HOUR, add_interval
from stripe_sandbox.store import Row, Store

ENDED = ("canceled", "incomplete_expired")
UPDATED = "customer.subscription.updated"
NO_DETAILS = {"comment": None, "feedback": None, "feedback_option": None, "reason": None}
"""The empty details of a cancellation."""
TIME_TO_PAY = 23 * HOUR
"""The time to pay a first invoice, the invoice of a pending update, and the invoice of resuming."""


def items_of(store: Store, subscription: Row) -> list[Row]:
    """List its items, oldest first."""
    return store.all("subscription_item", subscription=subscription["id"])


def recurring_of(store: Store, subscription: Row) -> Row:
    """Return the interval that all its items share."""
    return store.objects["price"][items_of(store, subscription)[0]["price"]]["recurring"]


def period_end(store: Store, subscription: Row) -> int:
    """Return when its period ends, in seconds since 1970."""
    return min(item["current_period_end"] for item in items_of(store, subscription))


def period_at(store: Store, subscription: Row, after: int) -> tuple[int, int]:
    """Return the period that ends first after this moment, counted from the anchor: [start, end)."""
    anchor, recurring = subscription["billing_cycle_anchor"], recurring_of(store, subscription)
    length = add_interval(anchor, recurring, 1) - anchor
    times = max(1, (after - anchor) // length - 1)
    while add_interval(anchor, recurring, times) <= after:
        times += 1
    while times > 1 and add_interval(anchor, recurring, times - 1) > after:
        times -= 1
    return add_interval(anchor, recurring, times - 1), add_interval(anchor, recurring, times)


def billed_until(store: Store, subscription: Row) -> int:
    """Return until when it is billed: the end of its period, or an earlier moment at which it will end."""
    return subscription["_billed_until"] or period_end(store, subscription)


def set_period(store: Store, subscription: Row, start: int, end: int) -> None:
    """Give its items the period [start, end). If it is to end with its period, it ends with this one."""
    for item in items_of(store, subscription):
        store.change(item, current_period_start=start, current_period_end=end)
    store.change(subscription, _billed_until=None)
    if subscription["cancel_at_period_end"]:
        store.change(subscription, cancel_at=end)
