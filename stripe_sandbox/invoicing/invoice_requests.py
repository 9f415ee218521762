"""The API of invoices. Source: https://docs.stripe.com/api/invoices"""

from stripe_sandbox import currencies, discounts, payment_rows, search
from stripe_sandbox.dates import HOUR
from stripe_sandbox.errors import invalid, required, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, gone, merged, page, reads, refuse, refuse_automatic_tax
from stripe_sandbox.invoicing import amounts, collection, invoice_items, invoice_lines, invoices
from stripe_sandbox.store import Row, Store

NOT_HERE = (
    "account_tax_ids application_fee_amount customer_account default_source from_invoice on_behalf_of shipping_cost "
    "transfer_data"
).split()
NOT_WHEN_PAID = ("forgive", "mandate", "source")
NO_SETTINGS = {"default_mandate": None, "payment_method_options": None, "payment_method_types": None}
COPIED = (
    "auto_advance automatically_finalizes_at collection_method custom_fields default_payment_method description "
    "due_date effective_at footer number rendering shipping_details statement_descriptor"
).split()


def _given(store: Store, params: Params, customer: str) -> Row:
    refuse(params, NOT_HERE, "an invoice")
    refuse_automatic_tax(params)
    values = {name: params[name] if params[name] != "" else None for name in COPIED if name in params}
    if "default_tax_rates" in params:
        values["default_tax_rates"] = params["default_tax_rates"] or []
    if "rendering" in params:
        values["rendering"] = _rendering(params["rendering"])
    if method := params.get("default_payment_method"):
        _check_method(store, method, customer)
    if "payment_settings" in params:
        values["payment_settings"] = {**NO_SETTINGS, **_set(params["payment_settings"])}
    if "days_until_due" in params:
        invoices.check_days(params["days_until_due"])
        values["_days_until_due"] = params["days_until_due"]
    return values


def _discount(store: Store, invoice: Row, params: Params) -> None:
    """Give the draft the discounts that the request names, if it names any."""
    if "discounts" in params:
        made = discounts.create(store, params["discounts"], customer=invoice["customer"], invoice=invoice["id"])
        store.change(invoice, discounts=made)


def create(store: Store, params: Params, ids: Ids) -> Row:
    """Create a draft, with what waited for it if the request says so."""
    subscription = (
        store.need("subscription", params["subscription"], "subscription") if params.get("subscription") else None
    )
    key = params.get("customer") or (subscription or {}).get("customer")
    if not key:
        raise required("customer")
    customer = store.need("customer", key, "customer")
    currency = params.get("currency") or (subscription or customer)["currency"] or currencies.DEFAULT
    if params.get("days_until_due") and params.get("collection_method") != "send_invoice":
        raise invalid(
            "You can only set `days_until_due` if `collection_method` is `send_invoice`.", param="days_until_due"
        )
    includes = params.get("pending_invoice_items_behavior", "include" if subscription else "exclude") == "include"
    owner = subscription["id"] if subscription else None
    waiting = invoice_items.pending(store, key, owner) if includes else []
    if subscription and not waiting:
        raise invalid("Nothing to invoice for subscription", code="invoice_no_subscription_line_items")
    values = {"auto_advance": False, "metadata": merged(None, params.get("metadata")), "currency": currency}
    invoice = invoices.draft(
        store,
        customer,
        subscription=subscription,
        reason="manual",
        **{**values, **_given(store, params, key)},
    )
    invoice_items.take_in(store, invoice, waiting)
    _discount(store, invoice, params)
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
        values.setdefault("automatically_finalizes_at", store.now(invoice["customer"]) + HOUR)
    store.change(invoice, "invoice.updated", **values)
    if invoice["status"] == "draft":
        _discount(store, invoice, params)
        amounts.refresh(store, invoice)
    return invoice


def delete(store: Store, params: Params, ids: Ids) -> Row:
    """Delete a draft that no subscription made. Its items wait again."""
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
        store.change(invoice, next_payment_attempt=store.now(invoice["customer"]) + HOUR)
    return invoice


def _rendering(given: Params) -> Row:
    refuse(given or {}, ("template", "template_version"), "an invoice's rendering")
    return {"amount_tax_display": None, "pdf": None, **_set(given or {}), "template": None, "template_version": None}


def _check_method(store: Store, key: str, customer: str) -> None:
    """Refuse a card that is not the customer's. Raises: a 400."""
    if store.need("payment_method", key, "default_payment_method")["customer"] != customer:
        raise invalid(
            f"The customer does not have a payment method with the ID {key}. The payment method must be attached to "
            "the customer.",
            param="default_payment_method",
            code="resource_missing",
        )


def _set(given: Params) -> Row:
    """Return what a request says. An empty value, at any depth, becomes null."""
    return {name: _set(value) if isinstance(value, dict) and value else value or None for name, value in given.items()}


def pay(store: Store, params: Params, ids: Ids) -> Row:
    refuse(params, NOT_WHEN_PAID, "the payment of an invoice")
    invoice = store.need("invoice", ids["invoice"])
    collection.pay(
        store,
        invoice,
        method_id=params.get("payment_method"),
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
    """Let this payment pay the invoice or a part of it: now if it has succeeded, else as soon as it succeeds.

    Source: https://docs.stripe.com/api/invoices/attach_payment
    """
    if "payment_record" in params:
        raise unsupported("payment records")
    invoice = store.need("invoice", ids["invoice"])
    intent = store.need("payment_intent", params.get("payment_intent"), "payment_intent")
    if invoice["status"] != "open":
        raise invalid("Only open invoices can have payments attached.")
    if intent["customer"] != invoice["customer"] or intent["currency"] != invoice["currency"]:
        raise invalid("The PaymentIntent is of another customer or currency.", param="payment_intent")
    if intent["status"] == "canceled":
        raise invalid("This PaymentIntent is canceled.", param="payment_intent", code="payment_intent_unexpected_state")
    if any(one["status"] != "canceled" for one in store.all("invoice_payment", _intent=intent["id"])):
        raise unsupported("attaching a payment to a second invoice")
    asked = min(intent["amount"], invoice["amount_remaining"])
    payment = payment_rows.add_invoice_payment(store, invoice, intent, asked, is_default=False)
    if intent["status"] == "succeeded":
        collection.credit(store, invoice, payment, intent["amount_received"])
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
    _refuse_payments(store, invoice, "void", "open", "paid")
    invoices.void(store, invoice)
    return invoice


def mark_uncollectible(store: Store, params: Params, ids: Ids) -> Row:
    invoice = store.need("invoice", ids["invoice"])
    _refuse_payments(store, invoice, "mark uncollectible", "open")
    invoices.give_up(store, invoice)
    return invoice


def _refuse_payments(store: Store, invoice: Row, what: str, *statuses: str) -> None:
    """Refuse what cannot be done to an invoice with payments of these statuses, its own open one apart. Raises: a 400.

    Source: https://docs.stripe.com/invoicing/partial-payments#invoice-payment-statuses
    """
    for payment in store.all("invoice_payment", invoice=invoice["id"]):
        is_own = payment["is_default"] and payment["status"] == "open"
        if payment["status"] in statuses and not is_own and invoice["status"] != "paid":
            raise invalid(f"You cannot {what} an invoice that has payments with the status {payment['status']}.")


ROUTES: Routes = {
    ("get", "/v1/invoices"): list_invoices,
    ("post", "/v1/invoices"): create,
    ("get", "/v1/invoices/search"): search.searches("invoice", "/v1/invoices/search"),
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
