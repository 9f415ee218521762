"""Invoices as the API has them. Source: https://docs.stripe.com/api/invoices"""

from stripe_sandbox import amounts, discounts, invoice_items, invoice_lines, invoices, previews, search
from stripe_sandbox.errors import invalid, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, gone, merged, page, reads
from stripe_sandbox.store import Row, Store

UNSUPPORTED = "application_fee_amount customer_account from_invoice on_behalf_of shipping_cost transfer_data".split()
COPIED = (
    "auto_advance automatically_finalizes_at collection_method custom_fields default_payment_method description "
    "due_date effective_at footer number rendering shipping_details statement_descriptor"
).split()


def _given(store: Store, params: Params, customer: str) -> Row:
    for name in UNSUPPORTED:
        if params.get(name):
            raise unsupported(f"{name} of an invoice")
    if (params.get("automatic_tax") or {}).get("enabled"):
        raise unsupported("automatic tax; use tax rates")
    values = {name: params[name] if params[name] != "" else None for name in COPIED if name in params}
    if "default_tax_rates" in params:
        for key in params["default_tax_rates"] or []:
            store.need("tax_rate", key, "default_tax_rates")
        values["default_tax_rates"] = params["default_tax_rates"] or []
    if "days_until_due" in params:
        values["_days_until_due"] = params["days_until_due"]
    if "discounts" in params:
        values["discounts"] = discounts.create(store, params["discounts"] or [], customer=customer)
    return values


def create(store: Store, params: Params, ids: Ids) -> Row:
    """A draft, with what waited for it if that is asked for."""
    subscription = (
        store.need("subscription", params["subscription"], "subscription") if params.get("subscription") else None
    )
    key = params.get("customer") or (subscription or {}).get("customer")
    if not key:
        raise invalid("Missing required param: customer.", param="customer", code="parameter_missing")
    customer = store.need("customer", key, "customer")
    currency = params.get("currency") or (subscription or customer)["currency"] or "usd"
    if params.get("days_until_due") and params.get("collection_method") != "send_invoice":
        raise invalid(
            "You can only set `days_until_due` if `collection_method` is `send_invoice`.", param="days_until_due"
        )
    includes = params.get("pending_invoice_items_behavior", "include" if subscription else "exclude") == "include"
    owner = subscription["id"] if subscription else None
    waiting = invoice_items.pending(store, key, owner) if includes else []
    if subscription and not waiting:
        raise invalid("Nothing to invoice for subscription", code="invoice_no_subscription_line_items")
    values = {"auto_advance": False, "metadata": params.get("metadata") or {}, "currency": currency}
    invoice = invoices.draft(
        store,
        customer,
        subscription=subscription,
        reason="manual",
        **{**values, **_given(store, params, key)},
    )
    invoice_items.take_in(store, invoice, waiting)
    amounts.compute(store, invoice)
    store.emit("invoice.created", invoice)
    return invoice


def update(store: Store, params: Params, ids: Ids) -> Row:
    invoice = store.need("invoice", ids["invoice"])
    allowed = {"metadata", "auto_advance", "description", "footer", "default_payment_method"}
    if invoice["status"] != "draft" and set(params) - allowed:
        raise invalid(
            "Finalized invoices can't be updated in this way; only auto_advance, description, footer, metadata "
            "and the payment method can be.",
            code="invoice_not_editable",
        )
    values = _given(store, params, invoice["customer"])
    if "metadata" in params:
        values["metadata"] = merged(invoice["metadata"], params["metadata"])
    if values.get("auto_advance") and invoice["status"] == "draft" and not invoice["automatically_finalizes_at"]:
        values.setdefault("automatically_finalizes_at", store.now(invoice["customer"]) + invoices.HOUR)
    store.change(invoice, "invoice.updated", **values)
    if invoice["status"] == "draft":
        amounts.refresh(store, invoice)
    return invoice


def delete(store: Store, params: Params, ids: Ids) -> Row:
    """A draft that no subscription made is gone; its items wait again."""
    invoice = invoice_lines.editable(store.need("invoice", ids["invoice"]))
    if invoice["_subscription"] and invoice["billing_reason"] != "manual":
        raise invalid("You cannot delete an invoice that was made by a subscription.")
    for line in store.all("line_item", invoice=invoice["id"]):
        store.remove(line)
    for item in store.all("invoiceitem", invoice=invoice["id"]):
        store.change(item, invoice=None)
    store.emit("invoice.deleted", invoice)
    store.remove(invoice)
    return gone("invoice", invoice["id"])


def finalize(store: Store, params: Params, ids: Ids) -> Row:
    invoice = store.need("invoice", ids["invoice"])
    if "auto_advance" in params:
        store.change(invoice, auto_advance=params["auto_advance"])
    invoices.finalise(store, invoice)
    if (
        invoice["status"] == "open"
        and invoice["auto_advance"]
        and invoice["collection_method"] == "charge_automatically"
    ):
        store.change(invoice, next_payment_attempt=store.now(invoice["customer"]) + invoices.HOUR)
    return invoice


def pay(store: Store, params: Params, ids: Ids) -> Row:
    invoice = store.need("invoice", ids["invoice"])
    invoices.pay(
        store,
        invoice,
        method_id=params.get("payment_method"),
        off_session=params.get("off_session", True),
        out_of_band=params.get("paid_out_of_band", False),
    )
    return invoice


def send(store: Store, params: Params, ids: Ids) -> Row:
    invoice = store.need("invoice", ids["invoice"])
    if invoice["status"] == "draft":
        invoices.finalise(store, invoice)
    store.emit("invoice.sent", invoice)
    return invoice


def attach_payment(store: Store, params: Params, ids: Ids) -> Row:
    """A payment that was made elsewhere pays this invoice."""
    invoice = store.need("invoice", ids["invoice"])
    intent = store.need("payment_intent", params.get("payment_intent"), "payment_intent")
    if invoice["status"] != "open":
        raise invalid("Only open invoices can have payments attached.")
    if intent["customer"] != invoice["customer"] or intent["currency"] != invoice["currency"]:
        raise invalid("The PaymentIntent is of another customer or currency.", param="payment_intent")
    if intent["status"] != "succeeded" or intent["amount_received"] != invoice["amount_remaining"]:
        raise unsupported("attaching a payment that has not succeeded, or that does not pay the whole invoice")
    if intent["_invoice"]:
        raise invalid("The PaymentIntent is attached to an invoice already.", param="payment_intent")
    invoices.cancel_payment(store, invoice)
    store.change(intent, _invoice=invoice["id"])
    store.add(
        "invoice_payment",
        amount_requested=intent["amount"],
        currency=intent["currency"],
        invoice=invoice["id"],
        is_default=False,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
        _intent=intent["id"],
        _customer=invoice["customer"],
    )
    invoices.attempt_succeeded(store, invoice, intent["amount"])
    return invoice


def list_invoices(store: Store, params: Params, ids: Ids) -> Row:
    wanted = {name: params[name] for name in ("customer", "status", "collection_method") if name in params}
    if params.get("subscription"):
        found = store.all("invoice", _subscription=params["subscription"], **wanted)
    else:
        found = store.all("invoice", **wanted)
    if not params.get("customer") and not params.get("subscription"):
        found = [one for one in found if not one["test_clock"]]
    return page(store, found, params, "/v1/invoices")


def void(store: Store, params: Params, ids: Ids) -> Row:
    invoice = store.need("invoice", ids["invoice"])
    invoices.void(store, invoice)
    return invoice


def mark_uncollectible(store: Store, params: Params, ids: Ids) -> Row:
    invoice = store.need("invoice", ids["invoice"])
    invoices.give_up(store, invoice)
    return invoice


ROUTES: Routes = {
    ("get", "/v1/invoices"): list_invoices,
    ("post", "/v1/invoices"): create,
    ("get", "/v1/invoices/search"): search.searches("invoice", "/v1/invoices/search"),
    ("post", "/v1/invoices/create_preview"): previews.create,
    ("get", "/v1/invoices/{invoice}"): reads("invoice", "invoice"),
    ("post", "/v1/invoices/{invoice}"): update,
    ("delete", "/v1/invoices/{invoice}"): delete,
    ("post", "/v1/invoices/{invoice}/finalize"): finalize,
    ("post", "/v1/invoices/{invoice}/pay"): pay,
    ("post", "/v1/invoices/{invoice}/send"): send,
    ("post", "/v1/invoices/{invoice}/void"): void,
    ("post", "/v1/invoices/{invoice}/mark_uncollectible"): mark_uncollectible,
    ("post", "/v1/invoices/{invoice}/attach_payment"): attach_payment,
}
