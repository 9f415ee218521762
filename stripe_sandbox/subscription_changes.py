"""Changing a subscription that runs: items, seats, interval, anchor, trial, discounts; and who pays when.

Source: https://docs.stripe.com/api/subscriptions/update
"""

from stripe_sandbox import amounts, cycle, discounts, invoice_items, invoice_lines, invoices, proration
from stripe_sandbox import subscription_terms as terms
from stripe_sandbox.cycle import ENDED, HOUR, UPDATED
from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.handlers import Params, merged
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import shown

BILLED = {"items", "trial_end", "billing_cycle_anchor"}
"""The parameters that may cost something at once."""
WITH_PENDING = BILLED | {
    "proration_behavior",
    "proration_date",
    "payment_behavior",
    "off_session",
    "expand",
    "add_invoice_items",
}


def update(store: Store, subscription: Row, params: Params) -> Row:
    """The subscription has its new terms, and what they cost at once is charged as ``payment_behavior`` says."""
    terms.refuse_unsupported(params)
    if subscription["status"] in ENDED and set(params) - {"metadata", "cancellation_details"}:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    behaviour = params.get("payment_behavior", "allow_incomplete")
    if behaviour == "pending_if_incomplete":
        return _update_when_paid(store, subscription, params)
    if behaviour != "error_if_incomplete":
        invoice = change(store, subscription, params)
        if invoice:
            _charge(store, subscription, invoice, behaviour)
        return subscription
    with store.undo_on_error():
        invoice = change(store, subscription, params)
        if invoice:
            _charge(store, subscription, invoice, behaviour)
    return subscription


def change(store: Store, subscription: Row, params: Params) -> Row | None:
    """The terms are changed. Returns the draft that they call for at once, or None; nothing is charged yet."""
    before = shown(store, subscription)
    _plain_changes(store, subscription, params)
    add_once(store, subscription, params)
    invoice = _billed_changes(store, subscription, params) if BILLED & set(params) else None
    after = shown(store, subscription)
    different = {name: value for name, value in before.items() if after[name] != value}
    if different:
        store.emit(UPDATED, subscription, different)
    return invoice


def _plain_changes(store: Store, subscription: Row, params: Params) -> None:
    customer = store.need("customer", subscription["customer"])
    values = terms.plain(store, params, customer)
    if subscription["status"] not in ENDED:
        values |= terms.cancellation(store, params, subscription, cycle.period_end(store, subscription))
    if "metadata" in params:
        values["metadata"] = merged(subscription["metadata"], params["metadata"])
    if "cancellation_details" in params:
        details = values.get("cancellation_details") or subscription["cancellation_details"]
        values["cancellation_details"] = {**details, **params["cancellation_details"]}
    if "pause_collection" in params:
        asked = params["pause_collection"] or None
        values["pause_collection"] = {"resumes_at": None, **asked} if asked else None
    if "discounts" in params:
        values["discounts"] = discounts.create(
            store, params["discounts"] or [], customer=customer["id"], subscription=subscription["id"]
        )
    store.change(subscription, **values)


def add_once(store: Store, subscription: Row, params: Params) -> None:
    """What ``add_invoice_items`` asks for waits for the subscription's next invoice."""
    for n, given in enumerate(params.get("add_invoice_items") or []):
        amount, values = invoice_lines.priced(store, given, subscription["currency"], f"add_invoice_items[{n}]")
        values |= {name: given[name] for name in ("metadata", "period", "tax_rates", "discountable") if name in given}
        values["parent"] = {
            "type": "subscription_details",
            "subscription_details": {"subscription": subscription["id"], "subscription_item": None},
        }
        invoice_items.add(store, subscription["customer"], amount, subscription["currency"], **values)


def _billed_changes(store: Store, subscription: Row, params: Params, *, bill: bool = True) -> Row | None:
    if subscription["status"] == "incomplete":
        raise invalid("This subscription's first invoice is not paid yet; its items, trial and anchor cannot change.")
    now, at = store.now(subscription["customer"]), _proration_date(store, subscription, params)
    customer = store.need("customer", subscription["customer"])
    prorates = params.get("proration_behavior", "create_prorations") != "none"
    wanted = _wanted(store, subscription, params.get("items") or [])
    terms.check_together(store, wanted, customer)
    interval = _interval(next(item.price for item in wanted if not item.deleted))
    trial = terms.trial_end(store, params, now)
    resets = (
        (params.get("trial_end") == "now" and subscription["status"] == "trialing")
        or params.get("billing_cycle_anchor") == "now"
        or (interval != _interval_now(store, subscription) and subscription["status"] != "trialing")
    )
    touched = [item for item in wanted if resets or trial or item.changes()]
    if bill:
        _credit(store, subscription, touched, at, prorates=prorates, whole=bool(resets or trial))
    changed = _apply_items(store, subscription, wanted)
    if trial:
        _begin_trial(store, subscription, now, trial)
        return None
    if resets:
        _begin_period(store, subscription, now)
        return cycle.bill_period(store, subscription, "subscription_update") if bill else None
    if not bill:
        return None
    if prorates and subscription["status"] != "trialing":
        for row in changed:
            proration.debit(store, subscription, row, at)
    if params.get("proration_behavior") == "always_invoice":
        return cycle.bill_waiting(store, subscription, "subscription_update")
    return None


def _proration_date(store: Store, subscription: Row, params: Params) -> int:
    at = int(params.get("proration_date") or store.now(subscription["customer"]))
    items = cycle.items_of(store, subscription)
    start, end = min(i["current_period_start"] for i in items), max(i["current_period_end"] for i in items)
    if params.get("proration_date") and not start <= at <= end:
        raise invalid("Cannot specify a proration date outside of the current billing period.", param="proration_date")
    return at


def _interval(price: Row) -> tuple[str, int]:
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def _interval_now(store: Store, subscription: Row) -> tuple[str, int]:
    recurring = cycle.recurring_of(store, subscription)
    return recurring["interval"], recurring["interval_count"]


def _wanted(store: Store, subscription: Row, given: list[Params]) -> list[terms.Item]:
    """All items after the change: those that the request names, and the others as they are."""
    rows = {row["id"]: row for row in cycle.items_of(store, subscription)}
    found = []
    for n, one in enumerate(given):
        row = None
        if one.get("id"):
            row = rows.pop(one["id"], None)
            if row is None:
                raise invalid(
                    f"No such subscription item: '{one['id']}'", param=f"items[{n}][id]", code="resource_missing"
                )
        found.append(terms.item_of(store, one, subscription["customer"], f"items[{n}]", row))
    kept = [terms.Item(row, store.objects["price"][row["price"]], row["quantity"]) for row in rows.values()]
    return kept + found


def _credit(store: Store, subscription: Row, items: list[terms.Item], at: int, *, prorates: bool, whole: bool) -> None:
    for item in items:
        if item.row and prorates:
            proration.credit(store, subscription, item.row, at)
        elif item.row and whole:
            proration.forget(store, item.row)


def _apply_items(store: Store, subscription: Row, wanted: list[terms.Item]) -> list[Row]:
    """The rows are as asked for. Returns those that are charged otherwise than before."""
    rows = cycle.items_of(store, subscription)
    start, end = rows[0]["current_period_start"], rows[0]["current_period_end"]
    changed = []
    for item in wanted:
        if item.row is None:
            changed.append(terms.add_item(store, subscription, item, start, end))
        elif item.deleted:
            store.remove(item.row)
        else:
            different = item.changes()
            store.change(item.row, price=item.price["id"], quantity=item.quantity, **item.values)
            if different:
                changed.append(item.row)
    return changed


def _begin_trial(store: Store, subscription: Row, now: int, trial_end: int) -> None:
    """Free until then; the cycle begins anew at its end."""
    start = subscription["trial_start"] if subscription["status"] == "trialing" else now
    store.change(
        subscription,
        status="trialing",
        trial_start=start,
        trial_end=trial_end,
        billing_cycle_anchor=trial_end,
    )
    begun = min(item["current_period_start"] for item in cycle.items_of(store, subscription))
    cycle.set_period(store, subscription, begun if start != now else now, trial_end)


def _begin_period(store: Store, subscription: Row, now: int) -> None:
    """A whole period begins now."""
    values: Row = {"billing_cycle_anchor": now}
    if subscription["status"] == "trialing":
        values |= {"status": "active", "trial_end": now}
    store.change(subscription, **values)
    cycle.set_period(store, subscription, now, cycle.next_end(store, subscription, now))
    if subscription["cancel_at_period_end"]:
        store.change(subscription, cancel_at=cycle.period_end(store, subscription))


def _charge(store: Store, subscription: Row, invoice: Row, behaviour: str) -> None:
    """The draft of a change is collected now. A refused card leaves it past due, or is raised."""
    invoices.finalise(store, invoice)
    if invoice["status"] != "open":
        return
    if behaviour == "default_incomplete":
        store.change(subscription, UPDATED, status="past_due")
    elif behaviour == "error_if_incomplete" and invoice["collection_method"] == "charge_automatically":
        invoices.pay(store, invoice)
    else:
        invoices.attempt(store, invoice)


def _update_when_paid(store: Store, subscription: Row, params: Params) -> Row:
    """The change is made if its invoice is paid now; else it waits for that, 23 hours at most."""
    strange = set(params) - WITH_PENDING
    if strange:
        raise invalid(
            f"{', '.join(sorted(strange))} cannot be changed with payment_behavior=pending_if_incomplete.",
            param=min(strange),
        )
    if subscription["pending_update"]:
        raise invalid("This subscription has a pending update already.")
    with store.rehearsal():
        rehearsed = change(store, subscription, params)
        lines = [dict(line) for line in store.all("line_item", invoice=rehearsed["id"])] if rehearsed else []
        pending = {
            "subscription_items": [shown(store, item) for item in cycle.items_of(store, subscription)],
            **{name: subscription[name] for name in ("billing_cycle_anchor", "trial_end")},
        }
    if not lines:
        change(store, subscription, params)
        return subscription
    given = {name: params[name] for name in BILLED & set(params)}
    store.change(subscription, _pending={"params": given, "since": store.now(subscription["customer"])})
    invoice = _copy_invoice(store, subscription, lines)
    invoices.finalise(store, invoice)
    try:
        if invoice["status"] == "open":
            invoices.pay(store, invoice)
    except StripeError:
        expires = store.now(subscription["customer"]) + 23 * HOUR
        store.change(invoice, auto_advance=False)
        wait = {"expires_at": expires, "trial_from_plan": None, **pending}
        store.change(subscription, UPDATED, pending_update=wait)
    return subscription


def _copy_invoice(store: Store, subscription: Row, lines: list[Row]) -> Row:
    customer = store.need("customer", subscription["customer"])
    invoice = invoices.draft(
        store, customer, subscription=subscription, reason="subscription_update", currency=subscription["currency"]
    )
    for line in lines:
        own = ("id", "object", "invoice", "livemode", "_seq", "_kind", "_noted")
        store.add("line_item", invoice=invoice["id"], **{key: line[key] for key in line if key not in own})
    return cycle.announce(store, subscription, invoice)


def apply_pending(store: Store, subscription: Row, params: Params, invoice: Row) -> None:
    """The change that this invoice paid for is made, at no further cost."""
    before = shown(store, subscription)
    _billed_changes(store, subscription, params, bill=False)
    lines = {
        ((line["pricing"] or {}).get("price_details") or {}).get("price"): line
        for line in store.all("line_item", invoice=invoice["id"])
        if line["amount"] > 0
    }
    for item in cycle.items_of(store, subscription):
        if line := lines.get(item["price"]):
            proration.forget(store, item)
            proration.remember(store, item, amounts.net(line), line["period"]["start"], line["period"]["end"])
    after = shown(store, subscription)
    store.emit(UPDATED, subscription, {name: value for name, value in before.items() if after[name] != value})


cycle.APPLY_PENDING.append(apply_pending)
