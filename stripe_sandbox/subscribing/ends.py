"""What ends for good: a subscription, or an update that waited for its payment.

Source: https://docs.stripe.com/billing/subscriptions/cancel
"""

from collections.abc import Callable
from typing import Any

from stripe_sandbox.invoicing import invoices
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import subscription_rows as rows

ENDED: list[Callable[[Store, Row], None]] = []
"""Called when a subscription was canceled. Its schedule ends too."""


def end(store: Store, subscription: Row, reason: str, **details: Any) -> None:
    """Cancel it for good. Open invoices are no longer collected. If it was incomplete, they are voided."""
    drop_pending_update(store, subscription)
    was_incomplete = subscription["status"] == "incomplete"
    now = store.now(subscription["customer"])
    store.change(
        subscription,
        status="canceled",
        canceled_at=subscription["canceled_at"] or now,
        ended_at=now,
        _resumption=None,
        cancellation_details={
            **rows.NO_DETAILS,
            **(subscription["cancellation_details"] or {}),
            **details,
            "reason": reason,
        },
    )
    store.emit("customer.subscription.deleted", subscription)
    for listener in ENDED:
        listener(store, subscription)
    for invoice in store.all("invoice", _subscription=subscription["id"]):
        if invoice["status"] == "open" and was_incomplete:
            invoices.void(store, invoice)
        elif invoice["status"] in ("draft", "open"):
            store.change(invoice, "invoice.updated", auto_advance=False, next_payment_attempt=None)


def drop_pending_update(store: Store, subscription: Row) -> None:
    """Void the invoice of a pending update, so that the update is never made. Without one, nothing happens."""
    if subscription["_pending"]:
        invoices.void(store, store.objects["invoice"][subscription["_pending"]["invoice"]])
