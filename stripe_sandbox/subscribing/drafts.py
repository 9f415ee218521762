"""The drafts of a subscription's invoices: for a period, or for what waits for the next invoice.

Source: https://docs.stripe.com/billing/invoices/subscription
"""

from stripe_sandbox.invoicing import amounts, invoice_items, invoice_lines, invoices
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import proration
from stripe_sandbox.subscribing import subscription_rows as rows


def bill_period(
    store: Store,
    subscription: Row,
    reason: str,
    *,
    free: bool = False,
    part: tuple[int, int] = (1, 1),
    prorates: bool = True,
) -> Row:
    """Make the draft for the period that has begun last, with what waited for it.

    Items whose period began before are not billed.

    ``part`` is the share of a whole period, as numerator and denominator.

    If the subscription is to end within the period and ``prorates`` is true, the period is billed only until that end.
    """
    customer = store.need("customer", subscription["customer"])
    start = max(item["current_period_start"] for item in rows.items_of(store, subscription))
    invoice = invoices.draft(
        store,
        customer,
        subscription=subscription,
        reason=reason,
        currency=subscription["currency"],
        auto_advance=subscription["status"] != "unpaid",
        period_start=start if reason != "subscription_cycle" else _previous_start(store, subscription, start),
        period_end=start,
    )
    waiting = invoice_items.pending(store, customer["id"], subscription["id"], every=True)
    invoice_items.take_in(store, invoice, waiting)
    cancel_at, lines = subscription["cancel_at"], []
    for item in rows.items_of(store, subscription):
        if item["current_period_start"] != start:
            continue
        end, share = item["current_period_end"], part
        until = cancel_at if cancel_at and start < cancel_at < end and prorates and not free else end
        if until < end:
            store.change(item, _billed_until=until)
            share = (part[0] * (until - start), part[1] * (end - start))
        whole = invoice_lines.amount_of(store.objects["price"][item["price"]], item["quantity"])
        amount = 0 if free else amounts.share(whole, *share, subscription["currency"])
        lines.append((item, invoice_lines.add_item_line(store, invoice, item, amount, until)))
    announce(store, subscription, invoice)
    for item, line in lines:
        if amounts.net(line):
            proration.remember(store, item, amounts.net(line), line["period"]["start"], line["period"]["end"])
    return invoice


def _previous_start(store: Store, subscription: Row, start: int) -> int:
    return max(subscription["_period_before"] or subscription["start_date"], subscription["start_date"])


def bill_waiting(store: Store, subscription: Row, reason: str) -> Row | None:
    """Make a draft of what waits for this subscription's next invoice. Returns None if nothing waits."""
    waiting = invoice_items.pending(store, subscription["customer"], subscription["id"])
    if not waiting:
        return None
    customer = store.need("customer", subscription["customer"])
    invoice = invoices.draft(
        store, customer, subscription=subscription, reason=reason, currency=subscription["currency"]
    )
    invoice_items.take_in(store, invoice, waiting)
    return announce(store, subscription, invoice)


def announce(store: Store, subscription: Row, invoice: Row) -> Row:
    """Compute the draft, send its event, and make it the latest invoice. The caller sends the subscription's event."""
    amounts.compute(store, invoice)
    store.emit("invoice.created", invoice)
    store.change(subscription, latest_invoice=invoice["id"])
    return invoice
