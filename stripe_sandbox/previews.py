"""Previews of invoices: the same code in a rehearsal, which changes nothing.

Source: https://docs.stripe.com/api/invoices/create_preview
"""

from stripe_sandbox import balances, currencies, discounts
from stripe_sandbox.errors import invalid, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, refuse, refuse_automatic_tax
from stripe_sandbox.invoicing import amounts, invoice_items, invoice_lines, invoices
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import drafts, proration, renewals, subscriptions
from stripe_sandbox.subscribing import subscription_changes as changes
from stripe_sandbox.subscribing import subscription_rows as rows

NOT_HERE = ("customer_account", "customer_details", "on_behalf_of")
MOST_KEPT = 20
"""How many previews can still be read line by line."""
OF_THE_SUBSCRIPTION = (
    "billing_cycle_anchor cancel_at cancel_at_period_end default_tax_rates items proration_behavior "
    "proration_date trial_end"
).split()


def create(store: Store, params: Params, ids: Ids) -> Row:
    """Return the next invoice as it would be, under an id with which only its lines can be read."""
    refuse(params, NOT_HERE, "a preview")
    refuse_automatic_tax(params)
    if params.get("preview_mode") == "recurring" or params.get("schedule") or params.get("schedule_details"):
        raise unsupported("previews of schedules, and of recurring amounts alone")
    key = params.get("customer")
    subscription = (
        store.need("subscription", params["subscription"], "subscription") if params.get("subscription") else None
    )
    if subscription:
        key = subscription["customer"]
    if not key:
        raise unsupported("a preview without a customer")
    customer = store.need("customer", key, "customer")
    with store.rehearsal():
        for n, given in enumerate(params.get("invoice_items") or []):
            _add_item(store, customer, subscription, given, n)
        invoice = _drafted(store, customer, subscription, params)
        preview = renewals.preview_of(store, invoice)
        _keep_lines(store, preview["id"], invoice)
        return preview


def _keep_lines(store: Store, preview: str, invoice: Row) -> None:
    """Keep the lines of the preview for a while, because only ten of them come with it."""
    store.previewed[preview] = [dict(line) for line in store.all("line_item", invoice=invoice["id"])]
    while len(store.previewed) > MOST_KEPT:
        del store.previewed[next(iter(store.previewed))]


def _add_item(store: Store, customer: Row, subscription: Row | None, given: Params, n: int) -> None:
    if given.get("invoiceitem"):
        raise unsupported("changing an invoice item within a preview")
    currency = given.get("currency") or (subscription or customer)["currency"] or currencies.DEFAULT
    amount, values = invoice_lines.priced(store, given, currency, f"invoice_items[{n}]")
    for name in ("description", "discountable", "metadata", "period", "tax_rates"):
        if name in given:
            values[name] = given[name]
    if subscription:
        values["parent"] = {
            "type": "subscription_details",
            "subscription_details": {"subscription": subscription["id"], "subscription_item": None},
        }
    invoice_items.add(store, customer["id"], amount, currency, **values)


def _drafted(store: Store, customer: Row, subscription: Row | None, params: Params) -> Row:
    """Draft the invoice. Discounts are the subscription's, as in its creation or its change, or the invoice's own."""
    details = params.get("subscription_details") or {}
    given = {name: details[name] for name in OF_THE_SUBSCRIPTION if name in details}
    if "discounts" in params:
        given["discounts"] = params["discounts"]
    if subscription is None and details.get("items"):
        return subscriptions.build(store, {"customer": customer["id"], **given})[1]
    if subscription is None:
        return _of_what_waits(store, customer, params)
    if details.get("cancel_now"):
        return _of_an_end(store, subscription, details)
    now = changes.change(store, subscription, given) if given else None
    if now:
        return now
    if subscription["cancel_at"] and subscription["cancel_at"] <= rows.period_end(store, subscription):
        invoice = drafts.bill_waiting(store, subscription, "subscription_cycle")
    else:
        with store.at(store.clock_of(customer["id"]), rows.period_end(store, subscription)):
            invoice = renewals.renew(store, subscription)
    if invoice is None:
        raise invalid("No upcoming invoices for customer", code="invoice_upcoming_none", status=404)
    return invoice


def _of_what_waits(store: Store, customer: Row, params: Params) -> Row:
    """Draft what waits in the currency that the request names. Without one, it is the customer's."""
    wanted = params.get("currency") or balances.default_currency(customer)
    waiting = [one for one in invoice_items.pending(store, customer["id"]) if one["currency"] == wanted]
    if not waiting:
        raise invalid("No upcoming invoices for customer", code="invoice_upcoming_none", status=404)
    invoice = invoices.draft(store, customer, reason="upcoming", currency=wanted)
    invoice_items.take_in(store, invoice, waiting)
    made = discounts.create(store, params.get("discounts"), customer=customer["id"], invoice=invoice["id"])
    store.change(invoice, discounts=made)
    amounts.compute(store, invoice)
    return invoice


def _of_an_end(store: Store, subscription: Row, details: Params) -> Row:
    if details.get("proration_behavior", "create_prorations") != "none":
        for item in rows.items_of(store, subscription):
            at = details.get("proration_date") or store.now(subscription["customer"])
            proration.credit(store, subscription, item, at)
    invoice = drafts.bill_waiting(store, subscription, "subscription_update")
    if invoice is None:
        raise invalid("No upcoming invoices for customer", code="invoice_upcoming_none", status=404)
    return invoice


ROUTES: Routes = {
    ("post", "/v1/invoices/create_preview"): create,
}
