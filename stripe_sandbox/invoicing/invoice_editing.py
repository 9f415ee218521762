"""Lines of a draft that are added, changed and removed by request; and the lists of an invoice's lines and payments.

Source: https://docs.stripe.com/api/invoices/add_lines
"""

from stripe_sandbox import discounts
from stripe_sandbox.errors import invalid
from stripe_sandbox.handlers import Ids, Params, Routes, lists, merged, page, reads
from stripe_sandbox.invoicing import amounts, invoice_items, invoice_lines
from stripe_sandbox.store import Row, Store


def add_lines(store: Store, params: Params, ids: Ids) -> Row:
    """Add lines to a draft. Source: https://docs.stripe.com/api/invoices/add_lines"""
    invoice = invoice_lines.editable(store.need("invoice", ids["invoice"]))
    for n, given in enumerate(params["lines"]):
        if given.get("invoice_item"):
            item = store.need("invoiceitem", given["invoice_item"], f"lines[{n}][invoice_item]")
            if item["invoice"]:
                raise invalid("The invoice item is on an invoice already.", param=f"lines[{n}][invoice_item]")
            invoice_items.take_in(store, invoice, [item])
            continue
        amount, values = invoice_lines.priced(store, given, invoice["currency"], f"lines[{n}]")
        invoice_lines.add_line(store, invoice, amount, **values, **_described(store, given, invoice))
    return _edited(store, invoice, params)


def update_lines(store: Store, params: Params, ids: Ids) -> Row:
    invoice = invoice_lines.editable(store.need("invoice", ids["invoice"]))
    for n, given in enumerate(params["lines"]):
        _update_line(store, invoice, given["id"], given, f"lines[{n}]")
    return _edited(store, invoice, params)


def update_line(store: Store, params: Params, ids: Ids) -> Row:
    invoice = invoice_lines.editable(store.need("invoice", ids["invoice"]))
    line = _update_line(store, invoice, ids["line_item_id"], params, "")
    amounts.refresh(store, invoice)
    return line


def _update_line(store: Store, invoice: Row, key: str, given: Params, param: str) -> Row:
    line = store.need("line_item", key, f"{param}[id]" if param else "id")
    if line["invoice"] != invoice["id"]:
        raise invalid("The line is not on this invoice.", param=f"{param}[id]")
    values = _described(store, given, invoice, line)
    if {"amount", "pricing", "price_data", "quantity"} & set(given):
        if "quantity" in given and line["pricing"] and not {"amount", "pricing", "price_data"} & set(given):
            given = {**given, "pricing": {"price": line["pricing"]["price_details"]["price"]}}
        amount, more = invoice_lines.priced(store, given, invoice["currency"], param)
        values |= {"amount": amount, "subtotal": amount, "quantity_decimal": str(more["quantity"]), **more}
    store.change(line, **values)
    return line


def remove_lines(store: Store, params: Params, ids: Ids) -> Row:
    invoice = invoice_lines.editable(store.need("invoice", ids["invoice"]))
    for n, given in enumerate(params["lines"]):
        line = store.need("line_item", given["id"], f"lines[{n}][id]")
        if line["invoice"] != invoice["id"]:
            raise invalid("The line is not on this invoice.", param=f"lines[{n}][id]")
        details = (line["parent"] or {}).get("invoice_item_details") or {}
        item = store.get("invoiceitem", details.get("invoice_item"))
        store.remove(line)
        if item and given["behavior"] == "delete":
            invoice_items.remove(store, item)
        elif item:
            store.change(item, invoice=None)
    return _edited(store, invoice, params)


def _described(store: Store, given: Params, invoice: Row, line: Row | None = None) -> Row:
    values = {name: given[name] for name in ("description", "discountable", "period") if name in given}
    if "metadata" in given:
        values["metadata"] = merged(line and line["metadata"], given["metadata"])
    if "tax_rates" in given:
        values["_tax_rates"] = given["tax_rates"] or []
    if "discounts" in given:
        values["discounts"] = discounts.create(store, given["discounts"] or [], customer=invoice["customer"])
    return values


def _edited(store: Store, invoice: Row, params: Params) -> Row:
    if "invoice_metadata" in params:
        store.change(invoice, metadata=merged(invoice["metadata"], params["invoice_metadata"]))
    amounts.refresh(store, invoice)
    return invoice


def list_lines(store: Store, params: Params, ids: Ids) -> Row:
    """List the lines of an invoice, or of a preview that was shown just now."""
    key = ids["invoice"]
    found = store.previewed.get(key) or store.all("line_item", invoice=store.need("invoice", key)["id"])
    return page(store, found, params, f"/v1/invoices/{key}/lines", newest_first=False)


ROUTES: Routes = {
    ("get", "/v1/invoices/{invoice}/lines"): list_lines,
    ("post", "/v1/invoices/{invoice}/lines/{line_item_id}"): update_line,
    ("post", "/v1/invoices/{invoice}/add_lines"): add_lines,
    ("post", "/v1/invoices/{invoice}/update_lines"): update_lines,
    ("post", "/v1/invoices/{invoice}/remove_lines"): remove_lines,
    ("get", "/v1/invoice_payments"): lists("invoice_payment", "/v1/invoice_payments", "invoice", "status"),
    ("get", "/v1/invoice_payments/{invoice_payment}"): reads("invoice_payment", "invoice_payment"),
}
