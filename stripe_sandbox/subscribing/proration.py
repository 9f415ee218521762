"""What a change in the middle of a period costs: a credit for unused time, a debit for the rest. To the second.

A subscription item remembers what it was debited for its current period. So a credit never gives back more than was
asked for. (This is Stripe's flexible billing mode, with discounts included in the amounts.)
Source: https://docs.stripe.com/billing/subscriptions/prorations, …/subscriptions/billing-mode
"""

from datetime import UTC, datetime
from typing import Any

from stripe_sandbox import discounts
from stripe_sandbox.dates import add_interval
from stripe_sandbox.invoicing import amounts, invoice_items, invoice_lines
from stripe_sandbox.store import Row, Store


def remember(store: Store, item: Row, amount: int, start: int, end: int) -> None:
    """Remember that the item was debited ``amount`` minor units, less its discounts, for [start, end)."""
    segment = {"amount": amount, "start": start, "end": end, "price": item["price"], "quantity": item["quantity"]}
    store.change(item, _debits=[*item["_debits"], segment])


def forget(store: Store, item: Row) -> None:
    """Forget what the item was debited, so that nothing of it is credited."""
    store.change(item, _debits=[])


def credit(store: Store, subscription: Row, item: Row, at: int) -> None:
    """Credit with the next invoice what was debited for the time after ``at``, and forget that part."""
    kept = []
    for segment in item["_debits"]:
        start = max(at, segment["start"])
        if start >= segment["end"]:
            kept.append(segment)
            continue
        length = segment["end"] - segment["start"]
        amount = amounts.share(segment["amount"], segment["end"] - start, length, subscription["currency"])
        price = store.objects["price"][segment["price"]]
        _wait(store, subscription, item, -amount, price, segment["quantity"], start, segment["end"], "Unused time on")
        if start > segment["start"]:
            kept.append({**segment, "amount": segment["amount"] - amount, "end": start})
    store.change(item, _debits=kept)


def remove_waiting(store: Store, subscription: Row) -> None:
    """Remove the prorations that wait for the subscription's next invoice."""
    for item in invoice_items.pending(store, subscription["customer"], subscription["id"]):
        if item["proration"]:
            invoice_items.remove(store, item)


def debit(store: Store, subscription: Row, item: Row, at: int, until: int) -> None:
    """Debit with the next invoice the item's terms in [at, until), a part of its period."""
    start, end = item["current_period_start"], item["current_period_end"]
    price = store.objects["price"][item["price"]]
    full = invoice_lines.amount_of(price, item["quantity"])
    part = amounts.share(full, until - at, end - start, subscription["currency"])
    amount = _discounted(store, subscription, item, part)
    _wait(store, subscription, item, amount, price, item["quantity"], at, until, "Remaining time on")
    remember(store, item, amount, at, until)


def backdate(store: Store, subscription: Row, item: Row, start: int, now: int) -> None:
    """Debit with the next invoice the time from a start in the past until now, a line for each of its periods.

    The periods are counted back from now. The share of the first one is of a whole period that begins at its start.
    Source: https://docs.stripe.com/billing/subscriptions/backdating
    """
    price = store.objects["price"][item["price"]]
    full, currency = invoice_lines.amount_of(price, item["quantity"]), subscription["currency"]
    segments: list[tuple[int, int, bool]] = []
    until = now
    while until > start:
        begins = add_interval(now, price["recurring"], -len(segments) - 1)
        segments.append((max(begins, start), until, begins >= start))
        until = begins
    for begins, ends, is_whole in reversed(segments):
        whole = ends - begins if is_whole else add_interval(start, price["recurring"], 1) - start
        amount = _discounted(store, subscription, item, amounts.share(full, ends - begins, whole, currency))
        _wait(store, subscription, item, amount, price, item["quantity"], begins, ends, "Time on")


def _discounted(store: Store, subscription: Row, item: Row, amount: int) -> int:
    """Take off the percentages that are valid now. Fixed amounts are taken only from whole periods."""
    at = store.now(subscription["customer"])
    for key in [*item["discounts"], *subscription["discounts"]]:
        row = store.objects["discount"][key]
        coupon = store.objects["coupon"][row["source"]["coupon"]]
        products = (coupon.get("applies_to") or {}).get("products")
        product = store.objects["price"][item["price"]]["product"]
        if (
            coupon["percent_off"] is None
            or not discounts.active(store, row, at)
            or (products and product not in products)
        ):
            continue
        amount -= amounts.rounded(amount * amounts.percent(coupon["percent_off"]), subscription["currency"])
    return amount


def _wait(
    store: Store, subscription: Row, item: Row, amount: int, price: Row, quantity: int, start: int, end: int, what: str
) -> None:
    name = store.objects["product"][price["product"]]["name"]
    details: dict[str, Any] = {"subscription": subscription["id"], "subscription_item": item["id"]}
    invoice_items.add(
        store,
        subscription["customer"],
        amount,
        subscription["currency"],
        description=f"{what} {quantity} × {name} after {datetime.fromtimestamp(start, UTC):%d %b %Y}",
        parent={"type": "subscription_details", "subscription_details": details},
        period=invoice_lines.period_of(start, end),
        pricing=invoice_lines.pricing_of(price),
        proration=True,
        proration_details={"credited_items": None, "discount_amounts": []},
        quantity=quantity,
        tax_rates=item["tax_rates"] or [],
    )
