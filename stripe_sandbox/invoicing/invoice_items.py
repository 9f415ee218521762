"""Invoice items: they wait for a customer's or a subscription's next invoice, and become its lines.

Source: https://docs.stripe.com/api/invoiceitems
"""

from typing import Any

from stripe_sandbox import currencies, discounts
from stripe_sandbox.errors import invalid, required
from stripe_sandbox.handlers import Ids, Params, Routes, gone, merged, page, reads, refuse
from stripe_sandbox.invoicing import amounts, invoice_lines
from stripe_sandbox.store import Row, Store

NOT_HERE = ("customer_account", "quantity_decimal")


def add(store: Store, customer: str, amount: int, currency: str, **values: Any) -> Row:
    """Add an invoice item. It waits for the next invoice, unless ``invoice`` is given."""
    now = store.now(customer)
    given = {
        "description": None,
        "discountable": not values.get("proration", False),
        "discounts": [],
        "invoice": None,
        "parent": None,
        "period": invoice_lines.period_of(now, now),
        "pricing": None,
        "proration": False,
        "quantity": 1,
        "tax_rates": [],
        **values,
        "metadata": merged(None, values.get("metadata")),
    }
    item = store.add(
        "invoiceitem",
        amount=amount,
        currency=currency,
        customer=customer,
        date=now,
        net_amount=amount,
        quantity_decimal=str(given["quantity"]),
        test_clock=store.clock_of(customer) or None,
        **given,
    )
    store.emit("invoiceitem.created", item)
    return item


def remove(store: Store, item: Row) -> None:
    """Delete the item, which is on no invoice or on a draft that the caller mends."""
    store.emit("invoiceitem.deleted", item)
    store.remove(item)


def parent_of(subscription: str, item: str | None = None) -> Row:
    """Return how an invoice item names its subscription and the subscription's item."""
    details = {"subscription": subscription, "subscription_item": item}
    return {"type": "subscription_details", "subscription_details": details}


def take_in(store: Store, invoice: Row, items: list[Row]) -> None:
    """Make the waiting items lines of the draft invoice."""
    for item in items:
        if item["currency"] != invoice["currency"]:
            continue
        store.change(item, invoice=invoice["id"])
        _as_line(store, invoice, item)


def pending(store: Store, customer: str, subscription: str | None = None, *, every: bool = False) -> list[Row]:
    """List the items that wait: of this subscription, of no subscription, or with ``every`` both."""
    found = []
    for item in store.all("invoiceitem", customer=customer, invoice=None):
        owner = ((item["parent"] or {}).get("subscription_details") or {}).get("subscription")
        if owner == subscription or (every and owner is None):
            found.append(item)
    return found


def _as_line(store: Store, invoice: Row, item: Row) -> Row:
    owner = (item["parent"] or {}).get("subscription_details") or {}
    details = {
        "invoice_item": item["id"],
        "proration": item["proration"],
        "proration_details": {"credited_items": None} if item["proration"] else None,
        "subscription": owner.get("subscription"),
    }
    by_item = owner.get("subscription_item")
    parent: Row = {"type": "invoice_item_details", "invoice_item_details": details, "subscription_item_details": None}
    if by_item:
        parent = {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {**details, "subscription_item": by_item},
        }
    return invoice_lines.add_line(
        store,
        invoice,
        item["amount"],
        description=item["description"],
        discountable=item["discountable"],
        discounts=item["discounts"] or [],
        metadata=item["metadata"],
        parent=parent,
        period=item["period"],
        pricing=item["pricing"],
        quantity=item["quantity"],
        _tax_rates=item["tax_rates"] or [],
    )


# ── addresses ─────────────────────────────────────────────────────────────────────────────────────────────


def create_item(store: Store, params: Params, ids: Ids) -> Row:
    """Create an invoice item. Source: https://docs.stripe.com/api/invoiceitems/create"""
    invoice = (
        invoice_lines.editable(store.need("invoice", params["invoice"], "invoice")) if params.get("invoice") else None
    )
    key = params.get("customer") or (invoice or {}).get("customer")
    if not key:
        raise required("customer")
    customer = store.need("customer", key, "customer")
    subscription = (
        store.need("subscription", params["subscription"], "subscription") if params.get("subscription") else None
    )
    refuse(params, NOT_HERE, "an invoice item")
    currency = _currency(store, params, invoice or subscription or customer)
    amount, values = invoice_lines.priced(store, params, currency)
    if subscription:
        values["parent"] = parent_of(subscription["id"])
    values |= {name: params[name] for name in ("description", "discountable", "metadata", "period") if name in params}
    values["tax_rates"] = params.get("tax_rates") or []
    if invoice:
        values["invoice"] = invoice["id"]
    if params.get("discounts"):
        values["discounts"] = discounts.create(store, params["discounts"], customer=customer["id"])
    item = add(store, customer["id"], amount, currency, **values)
    if invoice:
        _as_line(store, invoice, item)
        amounts.refresh(store, invoice)
    return item


def _currency(store: Store, params: Params, source: Row) -> str:
    """Return the item's currency. A customer's items may wait in several; an invoice or a subscription has only one."""
    given = params.get("currency") or (params.get("price_data") or {}).get("currency")
    key = (params.get("pricing") or {}).get("price")
    if not given and key:
        given = store.need("price", key, "pricing[price]")["currency"]
    if given and source["_kind"] != "customer" and source["currency"] != given:
        raise invalid(
            f"The item is in {given}, and can only be in {source['currency']}, as what it is billed with.",
            param="currency",
        )
    return given or source["currency"] or currencies.DEFAULT


def update_item(store: Store, params: Params, ids: Ids) -> Row:
    item = store.need("invoiceitem", ids["invoiceitem"])
    refuse(params, NOT_HERE, "an invoice item")
    invoice = invoice_lines.editable(store.objects["invoice"][item["invoice"]]) if item["invoice"] else None
    changes = {name: params[name] for name in ("description", "discountable", "period") if name in params}
    if "tax_rates" in params:
        changes["tax_rates"] = params["tax_rates"] or []
    if {"amount", "pricing", "price_data", "quantity", "unit_amount_decimal"} & set(params):
        given = params
        if (
            "quantity" in params
            and item["pricing"]
            and not {"pricing", "price_data", "unit_amount_decimal"} & set(params)
        ):
            given = {**params, "pricing": {"price": item["pricing"]["price_details"]["price"]}}
        amount, values = invoice_lines.priced(store, given, item["currency"])
        changes |= {"amount": amount, "net_amount": amount, "quantity_decimal": str(values["quantity"]), **values}
    if "metadata" in params:
        changes["metadata"] = merged(item["metadata"], params["metadata"])
    if "discounts" in params:
        changes["discounts"] = discounts.create(store, params["discounts"] or [], customer=item["customer"])
    store.change(item, **changes)
    if invoice:
        for line in _lines_of(store, invoice, item):
            store.remove(line)
        _as_line(store, invoice, item)
        amounts.refresh(store, invoice)
    return item


def _lines_of(store: Store, invoice: Row, item: Row) -> list[Row]:
    found = []
    for line in store.all("line_item", invoice=invoice["id"]):
        parent = line["parent"] or {}
        details = parent.get("invoice_item_details") or parent.get("subscription_item_details") or {}
        if details.get("invoice_item") == item["id"]:
            found.append(line)
    return found


def delete_item(store: Store, params: Params, ids: Ids) -> Row:
    item = store.need("invoiceitem", ids["invoiceitem"])
    invoice = invoice_lines.editable(store.objects["invoice"][item["invoice"]]) if item["invoice"] else None
    for line in _lines_of(store, invoice, item) if invoice else []:
        store.remove(line)
    remove(store, item)
    if invoice:
        amounts.refresh(store, invoice)
    return gone("invoiceitem", item["id"])


def list_items(store: Store, params: Params, ids: Ids) -> Row:
    wanted = {name: params[name] for name in ("customer", "invoice") if name in params}
    found = store.all("invoiceitem", **wanted)
    if "pending" in params:
        found = [item for item in found if (item["invoice"] is None) == params["pending"]]
    return page(store, found, params, "/v1/invoiceitems")


ROUTES: Routes = {
    ("get", "/v1/invoiceitems"): list_items,
    ("post", "/v1/invoiceitems"): create_item,
    ("get", "/v1/invoiceitems/{invoiceitem}"): reads("invoiceitem", "invoiceitem"),
    ("post", "/v1/invoiceitems/{invoiceitem}"): update_item,
    ("delete", "/v1/invoiceitems/{invoiceitem}"): delete_item,
}
