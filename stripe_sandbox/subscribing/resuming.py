"""Resuming a subscription that paused at the end of its trial.

Source: https://docs.stripe.com/api/subscriptions/resume
"""

from stripe_sandbox.errors import invalid
from stripe_sandbox.handlers import Ids, Params
from stripe_sandbox.invoicing import collection, invoices
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import drafts, proration
from stripe_sandbox.subscribing import subscription_rows as rows


def resume(store: Store, params: Params, ids: Ids) -> Row:
    """Resume it when its invoice is paid or marked uncollectible. If nothing is billed, it is active at once."""
    subscription = store.need("subscription", ids["subscription"])
    if subscription["status"] != "paused":
        raise invalid("Only paused subscriptions can be resumed.")
    if subscription["_resumption"]:
        raise invalid("This subscription is being resumed: pay or void its latest invoice first.")
    if subscription["collection_method"] != "charge_automatically":
        raise invalid("Only subscriptions that are charged automatically can be resumed.")
    items, latest = rows.items_of(store, subscription), subscription["latest_invoice"]
    before = {
        "billing_cycle_anchor": subscription["billing_cycle_anchor"],
        "periods": {one["id"]: [one["current_period_start"], one["current_period_end"]] for one in items},
    }
    for item in items:
        proration.forget(store, item)
    invoice = _bill(store, subscription, params)
    if invoice is None:
        store.change(subscription, rows.UPDATED, status="active")
        store.emit("customer.subscription.resumed", subscription)
        return subscription
    expires = store.now(subscription["customer"]) + rows.TIME_TO_PAY
    store.change(subscription, _resumption={"invoice": invoice["id"], "expires_at": expires, **before})
    store.emit(rows.UPDATED, subscription, {"latest_invoice": latest})
    collection.advance(store, invoice)
    return subscription


def _bill(store: Store, subscription: Row, params: Params) -> Row | None:
    """Make the draft for a whole period from now, or, if it prorates, for the rest of the current period."""
    now = store.now(subscription["customer"])
    if params.get("billing_cycle_anchor", "now") == "now":
        store.change(subscription, billing_cycle_anchor=now)
        rows.set_periods(store, subscription, rows.periods_at(store, subscription, now))
        return drafts.bill_period(store, subscription, "subscription_update")
    rows.set_periods(store, subscription, rows.periods_at(store, subscription, now))
    if params.get("proration_behavior") == "none":
        return None
    at = params.get("proration_date", now)
    for item in rows.items_of(store, subscription):
        if not item["current_period_start"] <= at <= item["current_period_end"]:
            raise invalid(
                "Cannot specify a proration date outside of the current billing period.", param="proration_date"
            )
        proration.debit(store, subscription, item, at, item["current_period_end"])
    return drafts.bill_waiting(store, subscription, "subscription_update")


def settle(store: Store, subscription: Row, invoice: Row) -> None:
    """Make the subscription active if the invoice is paid or uncollectible. If it is void, pause it as before."""
    before = subscription["_resumption"]
    store.change(subscription, _resumption=None)
    if invoice["status"] != "void":
        store.change(subscription, rows.UPDATED, status="active")
        store.emit("customer.subscription.resumed", subscription)
        return
    store.change(subscription, rows.UPDATED, billing_cycle_anchor=before["billing_cycle_anchor"])
    rows.set_periods(store, subscription, before["periods"])
    for item in rows.items_of(store, subscription):
        proration.forget(store, item)


def expire(store: Store, subscription: Row) -> None:
    """Void the invoice, which was not paid in time. The subscription stays paused."""
    invoice = store.objects["invoice"][subscription["_resumption"]["invoice"]]
    if invoice["status"] == "draft":  # it was held back, because collection is paused too
        invoices.finalise(store, invoice)
    if invoice["status"] == "open":
        invoices.void(store, invoice)
