"""The renewal of a subscription, made or previewed, and the end of a trial without a card.

Source: https://docs.stripe.com/billing/subscriptions/overview
"""

from collections.abc import Callable

from stripe_sandbox import card_rules
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import drafts, ends, proration
from stripe_sandbox.subscribing import subscription_rows as rows
from stripe_sandbox.views import shown

BEFORE: list[Callable[[Store, Row], None]] = []
"""Called before a subscription renews. A schedule begins its next phase."""


def renew(store: Store, subscription: Row) -> Row | None:
    """Begin the next period of each item whose period ends now. Returns their invoice's draft.

    There is none if a trial without a card was paused or canceled, and if a schedule began another period or ended it.
    """
    start = rows.period_end(store, subscription)
    for listener in BEFORE:
        listener(store, subscription)
    if subscription["status"] in rows.ENDED or rows.period_end(store, subscription) > start:
        return None
    was_trial = subscription["status"] == "trialing"
    if was_trial and end_trial_without_card(store, subscription, rows.UPDATED):
        return None
    items = [item for item in rows.items_of(store, subscription) if item["current_period_end"] == start]
    before: Row = {"items": shown(store, subscription)["items"], "latest_invoice": subscription["latest_invoice"]}
    old_start = min(item["current_period_start"] for item in items)
    for item in items:
        proration.forget(store, item)
    periods = {item["id"]: (start, rows.period_at(store, subscription, item, start)[1]) for item in items}
    rows.set_periods(store, subscription, periods)
    values: Row = {"_period_before": old_start}
    if was_trial:
        values["status"], before["status"] = "active", "trialing"
    store.change(subscription, **values)
    invoice = drafts.bill_period(store, subscription, "subscription_cycle")
    store.emit(rows.UPDATED, subscription, before)
    return invoice


def end_trial_without_card(store: Store, subscription: Row, event: str = "") -> bool:
    """Pause or cancel a subscription whose trial ends now without a card, if its settings say so. Returns whether.

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
    """Return the draft of the next renewal as it would be, or None if there will be none."""
    clock, when = store.clock_of(subscription["customer"]), rows.period_end(store, subscription)
    with store.rehearsal(), store.at(clock, when):
        invoice = renew(store, subscription)
        return preview_of(store, invoice) if invoice else None


def preview_of(store: Store, invoice: Row) -> Row:
    """Return the draft under an id with which only the lines of a preview can be read."""
    view, key = shown(store, invoice), f"upcoming_{invoice['id']}"
    return {**view, "id": key, "number": None, "lines": {**view["lines"], "url": f"/v1/invoices/{key}/lines"}}
