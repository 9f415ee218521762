"""Changes of a running subscription: items, quantity, interval, anchor, trial, discounts; and when they are paid.

Source: https://docs.stripe.com/api/subscriptions/update
"""

from stripe_sandbox import discounts
from stripe_sandbox.errors import invalid, unsupported
from stripe_sandbox.handlers import Params, merged
from stripe_sandbox.invoicing import collection, invoice_items, invoice_lines, invoices
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import drafts, ends, proration, renewals
from stripe_sandbox.subscribing import subscription_rows as rows
from stripe_sandbox.subscribing import subscription_terms as terms
from stripe_sandbox.views import before_change, shown

BILLED = {"items", "trial_end", "billing_cycle_anchor"}
"""The parameters that may cost something at once."""


def change_and_charge(
    store: Store, subscription: Row, params: Params, behaviour: str, wanted: list[terms.Item] | None = None
) -> Row:
    """Change the terms, and collect what that costs at once."""
    invoice = change(store, subscription, params, wanted)
    if invoice:
        _charge(store, subscription, invoice, behaviour)
    return subscription


def change(store: Store, subscription: Row, params: Params, wanted: list[terms.Item] | None = None) -> Row | None:
    """Change the terms. Returns the draft that is needed at once, or None. Nothing is charged yet.

    ``wanted`` are the items that the request asks for, if they were read already.
    """
    if BILLED & set(params):
        ends.drop_pending_update(store, subscription)
    before = shown(store, subscription)
    _plain_changes(store, subscription, params)
    add_once(store, subscription, params)
    moved = _move_end(store, subscription, params)
    invoice = None
    if BILLED & set(params):
        if wanted is None:
            wanted = wanted_items(store, subscription, params.get("items") or [])
        invoice = _billed_changes(store, subscription, params, wanted)
    elif moved and params.get("proration_behavior") == "always_invoice":
        invoice = drafts.bill_waiting(store, subscription, "subscription_update")
    different = before_change(before, shown(store, subscription))
    if different and (subscription["status"] not in rows.ENDED or before["status"] in rows.ENDED):
        store.emit(rows.UPDATED, subscription, different)
    return invoice


def _prorates(params: Params) -> bool:
    return params.get("proration_behavior", "create_prorations") != "none"


def _move_end(store: Store, subscription: Row, params: Params) -> bool:
    """Credit the difference if it now ends earlier in its period, or debit it if later. Returns whether it did.

    Source: the parameter cancel_at of https://docs.stripe.com/api/subscriptions/update
    """
    if subscription["status"] in (*rows.ENDED, "incomplete", "trialing", "paused") or not _prorates(params):
        return False
    moved = False
    for item in rows.items_of(store, subscription):
        billed, end = rows.billed_until(item), item["current_period_end"]
        until = min(subscription["cancel_at"] or end, end)
        if until == billed:
            continue
        if not moved:
            ends.drop_pending_update(store, subscription)
            moved = True
        if until < billed:
            proration.credit(store, subscription, item, until)
        else:
            proration.debit(store, subscription, item, billed, until)
        store.change(item, _billed_until=until if until < end else None)
    return moved


def _plain_changes(store: Store, subscription: Row, params: Params) -> None:
    customer = store.need("customer", subscription["customer"])
    values = terms.plain(store, params, customer, subscription) | terms.pause(store, params, subscription)
    if subscription["status"] not in rows.ENDED:
        values |= terms.cancellation(store, params, subscription)
    if "metadata" in params:
        values["metadata"] = merged(subscription["metadata"], params["metadata"])
    if "cancellation_details" in params:
        details = values.get("cancellation_details") or subscription["cancellation_details"]
        values["cancellation_details"] = {**details, **params["cancellation_details"]}
    if "discounts" in params:
        values["discounts"] = discounts.create(
            store, params["discounts"] or [], customer=customer["id"], subscription=subscription["id"]
        )
    store.change(subscription, **values)


def add_once(store: Store, subscription: Row, params: Params) -> None:
    """Let the items of ``add_invoice_items`` wait for the subscription's next invoice."""
    for n, given in enumerate(params.get("add_invoice_items") or []):
        amount, values = invoice_lines.priced(store, given, subscription["currency"], f"add_invoice_items[{n}]")
        values |= {name: given[name] for name in ("metadata", "period", "tax_rates", "discountable") if name in given}
        values["parent"] = {
            "type": "subscription_details",
            "subscription_details": {"subscription": subscription["id"], "subscription_item": None},
        }
        invoice_items.add(store, subscription["customer"], amount, subscription["currency"], **values)


def _billed_changes(store: Store, subscription: Row, params: Params, wanted: list[terms.Item]) -> Row | None:
    if subscription["status"] == "incomplete":
        raise invalid("This subscription's first invoice is not paid yet; its items, trial and anchor cannot change.")
    now, at = store.now(subscription["customer"]), _proration_date(store, subscription, params)
    prorates = _prorates(params)
    trial, anew = terms.trial_end(store, params, now), resets(store, subscription, params, wanted)
    touched = [item for item in wanted if anew or trial or item.changes()]
    _credit(store, subscription, touched, at, prorates=prorates, whole=bool(anew or trial))
    changed = apply_items(store, subscription, wanted)
    if trial:
        _begin_trial(store, subscription, now, trial)
        return None
    if subscription["status"] == "paused":  # billed only after it is resumed
        return None
    if params.get("trial_end") == "now" and _ends_trial_without_card(store, subscription, now):
        return None
    if anew:
        begin_period(store, subscription, now)
        return drafts.bill_period(store, subscription, "subscription_update", prorates=prorates)
    if prorates and subscription["status"] != "trialing":
        for row in changed:
            proration.debit(store, subscription, row, at, rows.billed_until(row))
    if params.get("proration_behavior") == "always_invoice":
        return drafts.bill_waiting(store, subscription, "subscription_update")
    return None


def resets(store: Store, subscription: Row, params: Params, wanted: list[terms.Item]) -> bool:
    """Whether a whole period begins with the change."""
    ends_trial = params.get("trial_end") == "now" and subscription["status"] == "trialing"
    if ends_trial or params.get("billing_cycle_anchor") == "now":
        return True
    intervals, now = _intervals(wanted), rows.intervals_of(store, subscription)
    return intervals != now and len(now) == 1 and subscription["status"] != "trialing"


def _ends_trial_without_card(store: Store, subscription: Row, now: int) -> bool:
    """End the trial now, as it would end at its time without a card. Returns whether it was paused or canceled."""
    if subscription["status"] != "trialing" or not renewals.end_trial_without_card(store, subscription):
        return False
    store.change(subscription, trial_end=now, billing_cycle_anchor=now)
    start = min(item["current_period_start"] for item in rows.items_of(store, subscription))
    rows.set_period(store, subscription, start, now)
    return True


def _proration_date(store: Store, subscription: Row, params: Params) -> int:
    at = int(params.get("proration_date") or store.now(subscription["customer"]))
    start = min(item["current_period_start"] for item in rows.items_of(store, subscription))
    end = min(rows.billed_until(item) for item in rows.items_of(store, subscription))
    if params.get("proration_date") and not start <= at <= end:
        raise invalid("Cannot specify a proration date outside of the current billing period.", param="proration_date")
    return at


def _intervals(wanted: list[terms.Item]) -> set[tuple[str, int]]:
    return {rows.interval_of(item.price) for item in wanted if not item.deleted}


def _refuse_other_intervals(store: Store, subscription: Row, wanted: list[terms.Item]) -> None:
    """Refuse a change of intervals where the items have, or would have, different ones. Raises: 501."""
    now = rows.intervals_of(store, subscription)
    if len(now) == len(_intervals(wanted)) == 1:
        return
    for item in wanted:
        before = item.row and rows.interval_of(store.objects["price"][item.row["price"]])
        if not item.deleted and before != rows.interval_of(item.price):
            raise unsupported("a change of intervals of a subscription with items of different ones")


def wanted_items(store: Store, subscription: Row, given: list[Params]) -> list[terms.Item]:
    """Return all items after the change: those that the request names, and the others unchanged."""
    others = {row["id"]: row for row in rows.items_of(store, subscription)}
    found = []
    for n, one in enumerate(given):
        row = None
        if one.get("id"):
            row = others.pop(one["id"], None)
            if row is None:
                raise invalid(
                    f"No such subscription item: '{one['id']}'", param=f"items[{n}][id]", code="resource_missing"
                )
        found.append(terms.item_of(store, one, subscription["customer"], f"items[{n}]", row))
    kept = [terms.Item(row, store.objects["price"][row["price"]], row["quantity"]) for row in others.values()]
    wanted = kept + found
    for item in wanted:
        terms.check_currency(item.price, subscription["currency"])
    terms.check_together(wanted, subscription["billing_mode"]["type"])
    _refuse_other_intervals(store, subscription, wanted)
    return wanted


def _credit(store: Store, subscription: Row, items: list[terms.Item], at: int, *, prorates: bool, whole: bool) -> None:
    for item in items:
        if item.row and prorates:
            proration.credit(store, subscription, item.row, at)
        elif item.row and whole:
            proration.forget(store, item.row)


def apply_items(store: Store, subscription: Row, wanted: list[terms.Item]) -> list[Row]:
    """Change the rows to the wanted items. Returns the rows whose charge changed."""
    first = rows.items_of(store, subscription)[0]
    start, end = first["current_period_start"], first["current_period_end"]
    changed = []
    for item in wanted:
        if item.row is None:
            changed.append(terms.add_item(store, subscription, item, start, end))
        elif item.deleted:
            store.remove(item.row)
        else:
            different = item.changes()
            store.change(item.row, price=item.price["id"], quantity=item.quantity, **item.values)
            terms.link_discounts(store, item.row)
            if different:
                changed.append(item.row)
    return changed


def _begin_trial(store: Store, subscription: Row, now: int, trial_end: int) -> None:
    """Begin a trial. It is free until its end, when a new cycle begins."""
    start = subscription["trial_start"] if subscription["status"] == "trialing" else now
    store.change(
        subscription,
        status="trialing",
        trial_start=start,
        trial_end=trial_end,
        billing_cycle_anchor=trial_end,
    )
    begun = min(item["current_period_start"] for item in rows.items_of(store, subscription))
    rows.set_period(store, subscription, begun if start != now else now, trial_end)


def begin_period(store: Store, subscription: Row, now: int) -> None:
    """Begin a whole period at this moment."""
    values: Row = {"billing_cycle_anchor": now}
    if subscription["status"] == "trialing":
        values |= {"status": "active", "trial_end": now}
    store.change(subscription, **values)
    rows.set_periods(store, subscription, rows.periods_at(store, subscription, now))


def _charge(store: Store, subscription: Row, invoice: Row, behaviour: str) -> None:
    """Collect the draft of a change now. If the card is refused, it is past due, or the error is raised."""
    if collection.hold_back(store, invoice):
        return
    invoices.finalise(store, invoice)
    if invoice["status"] != "open":
        return
    if behaviour == "default_incomplete":
        store.change(subscription, rows.UPDATED, status="past_due")
    elif behaviour == "error_if_incomplete" and invoice["collection_method"] == "charge_automatically":
        collection.pay(store, invoice)
    else:
        collection.attempt(store, invoice)
