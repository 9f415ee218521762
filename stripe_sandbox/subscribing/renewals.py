"""The renewal of a subscription, as it happens and as it is foretold; and a trial that ends without a card.

Source: https://docs.stripe.com/billing/subscriptions/overview
"""

from stripe_sandbox import card_rules
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import drafts, ends, proration
from stripe_sandbox.subscribing import subscription_rows as rows
from stripe_sandbox.views import shown


def renew(store: Store, subscription: Row) -> Row | None:
    """Begin the next period. Returns the draft of its invoice, or None where a trial without a card ended otherwise."""
    start = rows.period_end(store, subscription)
    was_trial = subscription["status"] == "trialing"
    if was_trial and end_trial_without_card(store, subscription, rows.UPDATED):
        return None
    items = rows.items_of(store, subscription)
    before: Row = {"items": shown(store, subscription)["items"], "latest_invoice": subscription["latest_invoice"]}
    old_start = min(item["current_period_start"] for item in items)
    for item in items:
        proration.forget(store, item)
    rows.set_period(store, subscription, start, rows.period_at(store, subscription, start)[1])
    values: Row = {"_period_before": old_start}
    if was_trial:
        values["status"], before["status"] = "active", "trialing"
    store.change(subscription, **values)
    invoice = drafts.bill_period(store, subscription, "subscription_cycle")
    store.emit(rows.UPDATED, subscription, before)
    return invoice


def end_trial_without_card(store: Store, subscription: Row, event: str = "") -> bool:
    """Pause or end a subscription whose trial ends now without a card, where it asks for that. Returns whether.

    Source: https://docs.stripe.com/billing/subscriptions/trials#create-free-trials-without-payment
    """
    wanted = (subscription["trial_settings"] or {}).get("end_behavior", {}).get("missing_payment_method")
    if wanted not in ("pause", "cancel") or subscription["collection_method"] != "charge_automatically":
        return False
    if card_rules.usable_method(store, store.need("customer", subscription["customer"]), subscription):
        return False
    if wanted == "cancel":
        ends.end(store, subscription, "payment_failed")
    else:
        store.change(subscription, event, status="paused")
        store.emit("customer.subscription.paused", subscription)
    return True


def upcoming(store: Store, subscription: Row) -> Row | None:
    """Show the next renewal's draft as it would be. Returns None where none will come."""
    clock, when = store.clock_of(subscription["customer"]), rows.period_end(store, subscription)
    with store.rehearsal(), store.at(clock, when):
        invoice = renew(store, subscription)
        return preview_of(store, invoice) if invoice else None


def preview_of(store: Store, invoice: Row) -> Row:
    """Show the draft under an id that cannot be asked for."""
    return {**shown(store, invoice), "id": f"upcoming_{invoice['id']}", "number": None}
