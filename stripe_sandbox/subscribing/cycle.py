"""What time and invoices do to a subscription: it renews, falls behind, recovers and ends.

Source: https://docs.stripe.com/billing/subscriptions/overview
"""

from stripe_sandbox import timeline
from stripe_sandbox.dates import DAY
from stripe_sandbox.invoicing import collection, invoices
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import drafts, ends, pending_updates, renewals, resuming
from stripe_sandbox.subscribing import subscription_rows as rows

REVIVED_BY_PAYMENT = ("incomplete", "past_due", "unpaid")


# ── by itself ─────────────────────────────────────────────────────────────────────────────────────────────


@timeline.timed("subscription")
def due(store: Store, subscription: Row) -> timeline.Due | None:
    """Return what happens next to it. If two things have the same time, the one that stands first here comes first."""
    status = subscription["status"]
    if status in rows.ENDED or not rows.items_of(store, subscription):
        return None
    if status == "incomplete":
        return subscription["created"] + rows.TIME_TO_PAY, _expire
    waits: list[timeline.Due] = []
    if pending := subscription["pending_update"]:
        waits.append((pending["expires_at"], ends.drop_pending_update))
    if resumption := subscription["_resumption"]:
        waits.append((resumption["expires_at"], resuming.expire))
    if subscription["cancel_at"]:
        waits.append((subscription["cancel_at"], _end))
    resumes = (subscription["pause_collection"] or {}).get("resumes_at")
    if resumes:
        waits.append((resumes, _collect_again))
    if status != "paused":
        end = rows.period_end(store, subscription)
        if status == "trialing" and subscription["_warned"] != subscription["trial_end"]:
            waits.append((max(subscription["trial_end"] - 3 * DAY, subscription["created"]), _warn))
        days = store.settings["upcoming_days"]
        if (
            days
            and subscription["_foretold"] != end
            and not (subscription["cancel_at"] and subscription["cancel_at"] <= end)
        ):
            waits.append((max(end - days * DAY, subscription["created"]), _foretell))
        waits.append((end, renewals.renew))
    return min(waits, key=lambda one: one[0]) if waits else None


def _expire(store: Store, subscription: Row) -> None:
    now = store.now(subscription["customer"])
    store.change(subscription, rows.UPDATED, status="incomplete_expired", ended_at=now)
    for invoice in store.all("invoice", _subscription=subscription["id"], status="open"):
        invoices.void(store, invoice)


def _warn(store: Store, subscription: Row) -> None:
    store.change(subscription, _warned=subscription["trial_end"])
    store.emit("customer.subscription.trial_will_end", subscription)


def _foretell(store: Store, subscription: Row) -> None:
    end = rows.period_end(store, subscription)
    view = renewals.upcoming(store, subscription)
    store.change(subscription, _foretold=end)
    if view:
        store.emit("invoice.upcoming", subscription, view=view)


def _end(store: Store, subscription: Row) -> None:
    reason = (subscription["cancellation_details"] or {}).get("reason") or "cancellation_requested"
    ends.end(store, subscription, reason)
    drafts.bill_waiting(store, subscription, "subscription_cycle")


def _collect_again(store: Store, subscription: Row) -> None:
    store.change(subscription, rows.UPDATED, pause_collection=None)


# ── by its invoices ───────────────────────────────────────────────────────────────────────────────────────


def settled(store: Store, invoice: Row) -> None:
    """Follow the latest invoice: when it is paid, the subscription starts or is active again.

    A pending update follows the invoice that was made for it. So does the resuming of a paused subscription.
    """
    subscription = store.get("subscription", invoice["_subscription"])
    if subscription is None or subscription["status"] in rows.ENDED:
        return
    event = rows.UPDATED if subscription["_announced"] else ""
    if invoice["status"] == "paid":
        _save_method(store, subscription, invoice, event)
    if _waits_for(subscription["_pending"], invoice):
        pending_updates.settle(store, subscription, invoice)
        if invoice["status"] != "paid":
            return
    if _waits_for(subscription["_resumption"], invoice):
        resuming.settle(store, subscription, invoice)
    if invoice["id"] != subscription["latest_invoice"]:
        return
    status = subscription["status"]
    if status == "incomplete" and invoice["status"] == "void":
        store.change(subscription, event, status="incomplete_expired", ended_at=store.now(subscription["customer"]))
    elif status in REVIVED_BY_PAYMENT and not (status == "incomplete" and invoice["status"] == "uncollectible"):
        store.change(subscription, event, status="active")


def _waits_for(waiting: Row | None, invoice: Row) -> bool:
    return waiting is not None and waiting["invoice"] == invoice["id"]


def _save_method(store: Store, subscription: Row, invoice: Row, event: str) -> None:
    """Keep the card that paid as the subscription's default, if its settings say so."""
    if subscription["payment_settings"]["save_default_payment_method"] != "on_subscription":
        return
    intent = store.get("payment_intent", invoice["_intent"]) or {}
    method = store.get("payment_method", intent.get("payment_method"))
    if intent.get("status") == "succeeded" and method and method["customer"] == subscription["customer"]:
        store.change(subscription, event, default_payment_method=method["id"])


def on_its_way(store: Store, invoice: Row) -> None:
    """Start the subscription while the debit for its first invoice is on its way.

    Source: https://docs.stripe.com/billing/subscriptions/ach-debit
    """
    subscription = store.get("subscription", invoice["_subscription"])
    if subscription and subscription["status"] == "incomplete" and invoice["id"] == subscription["latest_invoice"]:
        store.change(subscription, rows.UPDATED if subscription["_announced"] else "", status="active")


def unpaid(store: Store, invoice: Row) -> None:
    """Make it past due after a failed attempt or a missed due date. After the last attempt, follow the setting."""
    subscription = store.get("subscription", invoice["_subscription"])
    if subscription is None or subscription["status"] in (*rows.ENDED, "incomplete", "paused"):
        return
    last = invoice["collection_method"] == "charge_automatically" and not invoice["next_payment_attempt"]
    wanted = store.settings["retries_exhausted"]
    if last and wanted == "cancel":
        ends.end(store, subscription, "payment_failed")
    elif last and wanted == "unpaid":
        store.change(subscription, rows.UPDATED, status="unpaid")
    elif subscription["status"] != "unpaid":
        store.change(subscription, rows.UPDATED, status="past_due")


invoices.SETTLED.append(settled)
collection.ON_ITS_WAY.append(on_its_way)
collection.UNPAID.append(unpaid)
