"""Pending updates: a change of a subscription that is made when its invoice is paid, and otherwise never.

Source: https://docs.stripe.com/billing/subscriptions/pending-updates
"""

from stripe_sandbox.errors import StripeError, invalid, unsupported
from stripe_sandbox.handlers import Params
from stripe_sandbox.invoicing import amounts, collection, invoice_items, invoices
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import drafts, proration
from stripe_sandbox.subscribing import subscription_changes as changes
from stripe_sandbox.subscribing import subscription_rows as rows
from stripe_sandbox.subscribing import subscription_terms as terms
from stripe_sandbox.views import before_change, shown

SUPPORTED = {
    "items",
    "trial_end",
    "billing_cycle_anchor",
    "proration_behavior",
    "proration_date",
    "payment_behavior",
    "off_session",
    "expand",
    "add_invoice_items",
}

SUPPORTED_OF_ITEMS = {"id", "price", "plan", "price_data", "quantity", "deleted", "clear_usage"}
"""Source: https://docs.stripe.com/billing/subscriptions/pending-updates-reference"""


def update(store: Store, subscription: Row, params: Params) -> Row:
    """Make the change if its invoice is paid now. Else it waits for the payment: 23 hours, or to the period's end."""
    strange = set(params) - SUPPORTED
    if strange:
        raise invalid(
            f"{', '.join(sorted(strange))} cannot be changed with payment_behavior=pending_if_incomplete.",
            param=min(strange),
        )
    for n, given in enumerate(params.get("items") or []):
        if strange := set(given) - SUPPORTED_OF_ITEMS:
            name = f"items[{n}][{min(strange)}]"
            raise invalid(f"{name} cannot be changed with payment_behavior=pending_if_incomplete.", param=name)
    if subscription["pending_update"]:
        raise invalid("This subscription has a pending update already.")
    if len(rows.intervals_of(store, subscription)) > 1:
        raise unsupported("a pending update of a subscription with items of different intervals")
    if subscription["pause_collection"] or subscription["collection_method"] != "charge_automatically":
        return changes.change_and_charge(store, subscription, params, "allow_incomplete")  # nothing is to be paid now
    wanted = changes.wanted_items(store, subscription, params.get("items") or [])
    for item in wanted:
        if item.row is None:  # so that the invoice's lines contain its id
            item.values["id"] = store.new_id("subscription_item")
    pending, known = _pending(store, subscription, params, wanted), _waiting(store, subscription)
    with store.rehearsal():
        rehearsed = changes.change(store, subscription, params, wanted)
        pending["billed_until"] = {item["id"]: item["_billed_until"] for item in rows.items_of(store, subscription)}
        lines = [dict(line) for line in store.all("line_item", invoice=rehearsed["id"])] if rehearsed else []
        view = {
            "subscription_items": [shown(store, item) for item in rows.items_of(store, subscription)],
            **{name: subscription[name] for name in ("billing_cycle_anchor", "trial_end")},
        }
    lines = [line for line in lines if _item_of(line) not in known]
    if not lines:
        return changes.change_and_charge(store, subscription, params, "allow_incomplete", wanted)
    invoice = _copy_invoice(store, subscription, lines)
    store.change(subscription, _pending={"invoice": invoice["id"], **pending})
    invoices.finalise(store, invoice)
    try:
        if invoice["status"] == "open":
            collection.pay(store, invoice)
        if invoices.is_on_its_way(store, invoice):
            raise unsupported("a pending update that is paid from a bank account")
    except StripeError as error:
        if error.status != 402:
            raise
        expires = min(pending["since"] + rows.TIME_TO_PAY, rows.period_end(store, subscription))
        store.change(invoice, auto_advance=False)
        wait = {"expires_at": expires, "trial_from_plan": None, **view}
        store.change(subscription, rows.UPDATED, pending_update=wait)
    return subscription


def _waiting(store: Store, subscription: Row) -> set[str | None]:
    """Return the ids of what already waits for the next invoice. A pending update's own invoice contains none of it."""
    return {
        item["id"] for item in invoice_items.pending(store, subscription["customer"], subscription["id"], every=True)
    }


def _item_of(line: Row) -> str | None:
    """Return the id of the invoice item from which this line was made."""
    parent = line["parent"] or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return details.get("invoice_item")


def _pending(store: Store, subscription: Row, params: Params, wanted: list[terms.Item]) -> Row:
    """Return what the change will do to the items and the period when it is paid, as it was checked today."""
    items = [
        {
            "id": item.row["id"] if item.row else item.values["id"],
            "new": item.row is None,
            "price": item.price["id"],
            "quantity": item.quantity,
            "deleted": item.deleted,
        }
        for item in wanted
    ]
    resets = changes.resets(store, subscription, params, wanted)
    return {"since": store.now(subscription["customer"]), "items": items, "resets": resets}


def _copy_invoice(store: Store, subscription: Row, lines: list[Row]) -> Row:
    """Make a draft with the lines of the rehearsal, whose invoice items do not exist."""
    customer = store.need("customer", subscription["customer"])
    invoice = invoices.draft(
        store, customer, subscription=subscription, reason="subscription_update", currency=subscription["currency"]
    )
    for line in lines:
        own = ("id", "object", "invoice", "livemode", "_seq", "_kind", "_noted", "_changed")
        values = {key: line[key] for key in line if key not in own}
        kind = line["parent"]["type"]
        values["parent"] = {**line["parent"], kind: {**line["parent"][kind], "invoice_item": None}}
        store.add("line_item", invoice=invoice["id"], **values)
    return drafts.announce(store, subscription, invoice)


def settle(store: Store, subscription: Row, invoice: Row) -> None:
    """Make the change if its invoice is paid. If the invoice is void or uncollectible, the change is never made."""
    pending, waited = subscription["_pending"], subscription["pending_update"] is not None
    store.change(subscription, pending_update=None, _pending=None)
    if invoice["status"] != "paid":
        store.emit("customer.subscription.pending_update_expired", subscription)
        return
    _apply(store, subscription, pending, invoice)
    if waited:
        store.emit("customer.subscription.pending_update_applied", subscription)


def _apply(store: Store, subscription: Row, pending: Row, invoice: Row) -> None:
    """Make the change that this invoice paid for, without further cost, to the items that still exist."""
    before = shown(store, subscription)
    items = {row["id"]: row for row in rows.items_of(store, subscription)}
    wanted = [
        terms.Item(
            items.get(one["id"]),
            store.objects["price"][one["price"]],
            one["quantity"],
            one["deleted"],
            {"id": one["id"]} if one["new"] else {},
        )
        for one in pending["items"]
        if one["new"] or one["id"] in items
    ]
    changes.apply_items(store, subscription, wanted)
    if pending["resets"]:
        changes.begin_period(store, subscription, pending["since"])
        for item in rows.items_of(store, subscription):
            store.change(item, _billed_until=pending["billed_until"].get(item["id"]))
    lines = {
        ((line["pricing"] or {}).get("price_details") or {}).get("price"): line
        for line in store.all("line_item", invoice=invoice["id"])
    }  # a debit comes after the credit for the same price
    for item in rows.items_of(store, subscription):
        if line := lines.get(item["price"]):
            proration.forget(store, item)
            proration.remember(store, item, amounts.net(line), line["period"]["start"], line["period"]["end"])
    store.emit(rows.UPDATED, subscription, before_change(before, shown(store, subscription)))
