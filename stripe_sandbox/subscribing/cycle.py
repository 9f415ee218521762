"""What time, and its invoices, do to a subscription: it renews, falls behind, recovers and ends.

Source: https://docs.stripe.com/billing/subscriptions/overview
"""

from typing import Any

from stripe_sandbox import timeline
from stripe_sandbox.card_rules import usable_method
from stripe_sandbox.dates import add_interval
from stripe_sandbox.invoicing import amounts, collection, invoice_items, invoice_lines, invoices
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import pending_updates, proration, resuming
from stripe_sandbox.views import shown

HOUR, DAY = 3600, 86_400
ENDED = ("canceled", "incomplete_expired")
UPDATED = "customer.subscription.updated"
NO_DETAILS = {"comment": None, "feedback": None, "feedback_option": None, "reason": None}
REVIVED_BY_PAYMENT = ("incomplete", "past_due", "unpaid")
TIME_TO_PAY = 23 * HOUR
"""For a first invoice, a pending update's, and the one of resuming."""


def items_of(store: Store, subscription: Row) -> list[Row]:
    return store.all("subscription_item", subscription=subscription["id"])


def period_end(store: Store, subscription: Row) -> int:
    return min(item["current_period_end"] for item in items_of(store, subscription))


def recurring_of(store: Store, subscription: Row) -> Row:
    """The interval that all its items share."""
    return store.objects["price"][items_of(store, subscription)[0]["price"]]["recurring"]


def period_at(store: Store, subscription: Row, after: int) -> tuple[int, int]:
    """Start and end of the period that ends first after this moment, counted from the anchor."""
    anchor, recurring = subscription["billing_cycle_anchor"], recurring_of(store, subscription)
    length = add_interval(anchor, recurring, 1) - anchor
    times = max(1, (after - anchor) // length - 1)
    while add_interval(anchor, recurring, times) <= after:
        times += 1
    while times > 1 and add_interval(anchor, recurring, times - 1) > after:
        times -= 1
    return add_interval(anchor, recurring, times - 1), add_interval(anchor, recurring, times)


def set_period(store: Store, subscription: Row, start: int, end: int) -> None:
    """Its items' period is [start, end); where it ends with its period, it does so with this one."""
    for item in items_of(store, subscription):
        store.change(item, current_period_start=start, current_period_end=end)
    store.change(subscription, _billed_until=None)
    if subscription["cancel_at_period_end"]:
        store.change(subscription, cancel_at=end)


def billed_until(store: Store, subscription: Row) -> int:
    """The end of its period, or the moment within to which the period is billed because it will end there."""
    return subscription["_billed_until"] or period_end(store, subscription)


def bill_period(
    store: Store,
    subscription: Row,
    reason: str,
    *,
    free: bool = False,
    part: tuple[int, int] = (1, 1),
    prorates: bool = True,
) -> Row:
    """A draft for the period that has begun, with what waited for it; ``part`` of a whole period, if it is shorter.

    A period in which the subscription is to end is billed only until then, if it ``prorates``.
    """
    customer = store.need("customer", subscription["customer"])
    start = min(item["current_period_start"] for item in items_of(store, subscription))
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
    end, cancel_at = period_end(store, subscription), subscription["cancel_at"]
    until = cancel_at if cancel_at and start < cancel_at < end and prorates and not free else end
    if until < end:
        store.change(subscription, _billed_until=until)
        part = (part[0] * (until - start), part[1] * (end - start))
    lines = []
    for item in items_of(store, subscription):
        whole = invoice_lines.amount_of(store.objects["price"][item["price"]], item["quantity"])
        amount = 0 if free else amounts.share(whole, *part)
        lines.append((item, invoice_lines.add_item_line(store, invoice, item, amount, until)))
    announce(store, subscription, invoice)
    for item, line in lines:
        if amounts.net(line):
            proration.remember(store, item, amounts.net(line), line["period"]["start"], line["period"]["end"])
    return invoice


def bill_waiting(store: Store, subscription: Row, reason: str) -> Row | None:
    """A draft of what waits for this subscription's next invoice, or None where nothing does."""
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
    """The draft's amounts are computed, and it is the subscription's latest invoice, which the caller tells."""
    amounts.compute(store, invoice)
    store.emit("invoice.created", invoice)
    store.change(subscription, latest_invoice=invoice["id"])
    return invoice


def _previous_start(store: Store, subscription: Row, start: int) -> int:
    return max(subscription["_period_before"] or subscription["start_date"], subscription["start_date"])


# ── by itself ─────────────────────────────────────────────────────────────────────────────────────────────


@timeline.timed("subscription")
def due(store: Store, subscription: Row) -> timeline.Due | None:
    """What happens next to it; of two things at one moment the one that is named first here."""
    status = subscription["status"]
    if status in ENDED or not items_of(store, subscription):
        return None
    if status == "incomplete":
        return subscription["created"] + TIME_TO_PAY, _expire
    waits: list[timeline.Due] = []
    if pending := subscription["pending_update"]:
        waits.append((pending["expires_at"], pending_updates.drop))
    if resumption := subscription["_resumption"]:
        waits.append((resumption["expires_at"], resuming.expire))
    if subscription["cancel_at"]:
        waits.append((subscription["cancel_at"], _end))
    resumes = (subscription["pause_collection"] or {}).get("resumes_at")
    if resumes:
        waits.append((resumes, _collect_again))
    if status != "paused":
        end = period_end(store, subscription)
        if status == "trialing" and subscription["_warned"] != subscription["trial_end"]:
            waits.append((max(subscription["trial_end"] - 3 * DAY, subscription["created"]), _warn))
        days = store.settings["upcoming_days"]
        if (
            days
            and subscription["_foretold"] != end
            and not (subscription["cancel_at"] and subscription["cancel_at"] <= end)
        ):
            waits.append((max(end - days * DAY, subscription["created"]), _foretell))
        waits.append((end, renew))
    return min(waits, key=lambda one: one[0]) if waits else None


def _expire(store: Store, subscription: Row) -> None:
    now = store.now(subscription["customer"])
    store.change(subscription, UPDATED, status="incomplete_expired", ended_at=now)
    for invoice in store.all("invoice", _subscription=subscription["id"], status="open"):
        invoices.void(store, invoice)


def _warn(store: Store, subscription: Row) -> None:
    store.change(subscription, _warned=subscription["trial_end"])
    store.emit("customer.subscription.trial_will_end", subscription)


def _foretell(store: Store, subscription: Row) -> None:
    end = period_end(store, subscription)
    view = upcoming(store, subscription)
    store.change(subscription, _foretold=end)
    if view:
        store.emit("invoice.upcoming", subscription, view=view)


def upcoming(store: Store, subscription: Row) -> Row | None:
    """The next renewal's draft as it would be, and nothing has happened; None where none will come."""
    clock, when = store.clock_of(subscription["customer"]), period_end(store, subscription)
    with store.rehearsal(), store.at(clock, when):
        invoice = renew(store, subscription)
        return preview_of(store, invoice) if invoice else None


def preview_of(store: Store, invoice: Row) -> Row:
    """The draft under an id that cannot be asked for."""
    return {**shown(store, invoice), "id": f"upcoming_{invoice['id']}", "number": None}


def _end(store: Store, subscription: Row) -> None:
    reason = (subscription["cancellation_details"] or {}).get("reason") or "cancellation_requested"
    end(store, subscription, reason)
    bill_waiting(store, subscription, "subscription_cycle")


def _collect_again(store: Store, subscription: Row) -> None:
    store.change(subscription, UPDATED, pause_collection=None)


def renew(store: Store, subscription: Row) -> Row | None:
    """The next period has begun, and its invoice is a draft. A trial without a card may end otherwise."""
    start = period_end(store, subscription)
    was_trial = subscription["status"] == "trialing"
    if was_trial and end_trial_without_card(store, subscription, UPDATED):
        return None
    items = items_of(store, subscription)
    before: Row = {"items": shown(store, subscription)["items"], "latest_invoice": subscription["latest_invoice"]}
    old_start = min(item["current_period_start"] for item in items)
    for item in items:
        proration.forget(store, item)
    set_period(store, subscription, start, period_at(store, subscription, start)[1])
    values: Row = {"_period_before": old_start}
    if was_trial:
        values["status"], before["status"] = "active", "trialing"
    store.change(subscription, **values)
    invoice = bill_period(store, subscription, "subscription_cycle")
    store.emit(UPDATED, subscription, before)
    return invoice


def end_trial_without_card(store: Store, subscription: Row, event: str = "") -> bool:
    """A trial that ends now has paused or ended the subscription, where there is no card and that is asked for.

    Source: https://docs.stripe.com/billing/subscriptions/trials#create-free-trials-without-payment
    """
    wanted = (subscription["trial_settings"] or {}).get("end_behavior", {}).get("missing_payment_method")
    if wanted not in ("pause", "cancel") or subscription["collection_method"] != "charge_automatically":
        return False
    if usable_method(store, store.need("customer", subscription["customer"]), subscription):
        return False
    if wanted == "cancel":
        end(store, subscription, "payment_failed")
    else:
        store.change(subscription, event, status="paused")
        store.emit("customer.subscription.paused", subscription)
    return True


# ── by its invoices ───────────────────────────────────────────────────────────────────────────────────────


def settled(store: Store, invoice: Row) -> None:
    """A subscription follows its latest invoice: paid, it comes to life or back to it.

    A pending update, and the resuming of a paused subscription, each follow the invoice that was made for them.
    """
    subscription = store.get("subscription", invoice["_subscription"])
    if subscription is None or subscription["status"] in ENDED:
        return
    event = UPDATED if subscription["_announced"] else ""
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
    """The card that paid is the subscription's own from now on, if it is told to keep it."""
    if subscription["payment_settings"]["save_default_payment_method"] != "on_subscription":
        return
    intent = store.get("payment_intent", invoice["_intent"]) or {}
    method = store.get("payment_method", intent.get("payment_method"))
    if intent.get("status") == "succeeded" and method and method["customer"] == subscription["customer"]:
        store.change(subscription, event, default_payment_method=method["id"])


def unpaid(store: Store, invoice: Row) -> None:
    """An attempt failed, or the due date passed: past due; after the last attempt as the account's setting says."""
    subscription = store.get("subscription", invoice["_subscription"])
    if subscription is None or subscription["status"] in (*ENDED, "incomplete", "paused"):
        return
    last = invoice["collection_method"] == "charge_automatically" and not invoice["next_payment_attempt"]
    wanted = store.settings["retries_exhausted"]
    if last and wanted == "cancel":
        end(store, subscription, "payment_failed")
    elif last and wanted == "unpaid":
        store.change(subscription, UPDATED, status="unpaid")
    elif subscription["status"] != "unpaid":
        store.change(subscription, UPDATED, status="past_due")


def end(store: Store, subscription: Row, reason: str, **details: Any) -> None:
    """It is canceled for good. Open invoices are collected no more; those of one that never began are void."""
    pending_updates.drop(store, subscription)
    was_incomplete = subscription["status"] == "incomplete"
    now = store.now(subscription["customer"])
    store.change(
        subscription,
        status="canceled",
        canceled_at=subscription["canceled_at"] or now,
        ended_at=now,
        _resumption=None,
        cancellation_details={
            **NO_DETAILS,
            **(subscription["cancellation_details"] or {}),
            **details,
            "reason": reason,
        },
    )
    store.emit("customer.subscription.deleted", subscription)
    for invoice in store.all("invoice", _subscription=subscription["id"]):
        if invoice["status"] == "open" and was_incomplete:
            invoices.void(store, invoice)
        elif invoice["status"] in ("draft", "open"):
            store.change(invoice, "invoice.updated", auto_advance=False, next_payment_attempt=None)


invoices.SETTLED.append(settled)
collection.UNPAID.append(unpaid)
