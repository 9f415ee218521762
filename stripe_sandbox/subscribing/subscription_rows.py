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


def recurring_of(store: Store, item: Row) -> Row:
    """Return the interval of an item's price."""
    return store.objects["price"][item["price"]]["recurring"]


def interval_of(price: Row) -> tuple[str, int]:
    """Return the interval of a price and how many of it are one period, such as ("month", 3)."""
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def intervals_of(store: Store, subscription: Row) -> set[tuple[str, int]]:
    """Return the intervals of its items: one, or several if it is of mixed intervals."""
    return {interval_of(store.objects["price"][item["price"]]) for item in items_of(store, subscription)}


def period_end(store: Store, subscription: Row) -> int:
    """Return when the first of its items' periods ends, in seconds since 1970. It renews then."""
    return min(item["current_period_end"] for item in items_of(store, subscription))


def last_period_end(store: Store, subscription: Row) -> int:
    """Return when the last of its items' periods ends, in seconds since 1970."""
    return max(item["current_period_end"] for item in items_of(store, subscription))


def period_at(store: Store, subscription: Row, item: Row, after: int) -> tuple[int, int]:
    """Return the item's period that ends first after this moment, counted from the anchor: [start, end)."""
    anchor, recurring = subscription["billing_cycle_anchor"], recurring_of(store, item)
    length = add_interval(anchor, recurring, 1) - anchor
    times = max(1, (after - anchor) // length - 1)
    while add_interval(anchor, recurring, times) <= after:
        times += 1
    while times > 1 and add_interval(anchor, recurring, times - 1) > after:
        times -= 1
    return add_interval(anchor, recurring, times - 1), add_interval(anchor, recurring, times)


def billed_until(item: Row) -> int:
    """Return until when an item is billed: the end of its period, or an earlier moment at which it will end."""
    until: int = item.get("_billed_until") or item["current_period_end"]
    return until


def set_period(store: Store, subscription: Row, start: int, end: int) -> None:
    """Give all its items the period [start, end). If it is to end with its period, it ends with this one."""
    set_periods(store, subscription, {item["id"]: (start, end) for item in items_of(store, subscription)})


def set_periods(store: Store, subscription: Row, periods: dict[str, tuple[int, int]]) -> None:
    """Give the items with these ids their periods [start, end).

    If the subscription is to end with its period, it ends with the first of its items' periods.
    """
    for item in items_of(store, subscription):
        if item["id"] in periods:
            start, end = periods[item["id"]]
            store.change(item, current_period_start=start, current_period_end=end, _billed_until=None)
    if subscription["cancel_at_period_end"]:
        store.change(subscription, cancel_at=period_end(store, subscription))


def periods_at(store: Store, subscription: Row, after: int) -> dict[str, tuple[int, int]]:
    """Return for each item, by its id, the period that ends first after this moment: [start, end)."""
    return {item["id"]: period_at(store, subscription, item, after) for item in items_of(store, subscription)}
