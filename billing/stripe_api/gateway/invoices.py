"""Invoices: reading, collecting, and giving up the claim."""

import re
from typing import Any, Literal
from urllib.parse import urlsplit

from django.conf import settings

from billing import errors
from billing.stripe_api import client, inbound
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import answers, invoice_previews
from billing.stripe_api.inbound.states import InvoiceState, PreviewedInvoice

Document = Literal["pdf", "page"]
FIELD: dict[Document, str] = {"pdf": "invoice_pdf", "page": "hosted_invoice_url"}
AT_STRIPE = re.compile(r"https://(?:[a-z0-9-]+\.)+stripe\.com/[^\s\\]*")


def fetch_invoice(invoice: str) -> InvoiceState | None:
    """Return the invoice as Stripe has it now, or None. Source: https://docs.stripe.com/api/invoices/retrieve"""
    data = answers.one(f"/v1/invoices/{invoice}", {"expand": ["payments"]})
    if data is None:
        return None
    complete_invoice(data)
    return inbound.invoices.invoice(data)


def complete_invoice(data: dict[str, Any]) -> None:
    """Add to an invoice the lines and payments that did not come with it. No request if all did."""
    answers.complete(data["lines"], f"/v1/invoices/{data['id']}/lines")
    answers.complete(data["payments"], "/v1/invoice_payments", {"invoice": data["id"]})


def find_invoice(customer: str, *, operation: str) -> InvoiceState | None:
    """Return the invoice that this operation made, or None. Only the customer's newest hundred are searched."""
    for data in answers.page("/v1/invoices", {"customer": customer, "expand": ["data.payments"]}):
        if (data.get("metadata") or {}).get("operation") == operation:
            complete_invoice(data)
            return inbound.invoices.invoice(data)
    return None


def preview_renewal(subscription: str) -> PreviewedInvoice | None:
    """Return a preview of the subscription's next invoice, or None if there will be none. Nothing changes.

    Source: https://docs.stripe.com/api/invoices/create_preview
    """
    try:
        return invoice_previews.preview({"subscription": subscription})
    except errors.StripeObjectMissing:
        return None


def document_address(invoice: str, document: Document) -> str:
    """Return the address at which Stripe shows the invoice, or "" if it shows none. It is never stored.

    Raises:
        StripeRejected: the address is not at Stripe.
    """
    data = answers.one(f"/v1/invoices/{invoice}", {})
    address = str((data or {}).get(FIELD[document]) or "")
    if address and not _is_stripes(address):
        raise errors.StripeRejected("The address of this document is not at Stripe, so it was not opened.")
    return address


def _is_stripes(address: str) -> bool:
    if AT_STRIPE.fullmatch(address):
        return True
    if settings.STRIPE_KIND != "sandbox":
        return False
    local, given = urlsplit(settings.STRIPE_API_BASE), urlsplit(address)
    return (given.scheme, given.netloc) == (local.scheme, local.netloc)


def finalise_invoice(invoice: str, *, step: Step) -> InvoiceState:
    """Finalise the draft: it is open and has a number. Stripe does not collect it by itself. Money does not move.

    Source: https://docs.stripe.com/api/invoices/finalize
    """
    params = {"auto_advance": False, "expand": ["payments"]}
    return inbound.invoices.invoice(client.post(f"/v1/invoices/{invoice}/finalize", params, step=step))


def pay_invoice(invoice: str, *, payment_method: str = "", step: Step) -> None:
    """Pay the invoice now, with this card or the default card. **Money moves.**

    Source: https://docs.stripe.com/api/invoices/pay
    """
    params: dict[str, Any] = {"off_session": True}
    if payment_method:
        params["payment_method"] = payment_method
    client.post(f"/v1/invoices/{invoice}/pay", params, step=step)


def send_invoice(invoice: str, *, step: Step) -> None:
    """Make Stripe send the invoice to the customer's e-mail address, with a page on which it can be paid.

    Source: https://docs.stripe.com/api/invoices/send
    """
    client.post(f"/v1/invoices/{invoice}/send", {}, step=step)


def was_sent(invoice: str, *, key: str) -> bool:
    """Return whether the request with this idempotency key sent the invoice.

    The event says so. Only the newest hundred events of this type are searched, and Stripe keeps events for 30 days.

    Source: https://docs.stripe.com/api/events/object#event_object-request
    """
    for event in answers.page("/v1/events", {"type": "invoice.sent"}):
        asked = event.get("request") or {}
        if asked.get("idempotency_key") == key and event["data"]["object"]["id"] == invoice:
            return True
    return False


def void_invoice(invoice: str, *, step: Step) -> None:
    """Void the invoice: it counts as if it had never been made. Credit that it used goes back to the customer.

    Source: https://docs.stripe.com/api/invoices/void
    """
    client.post(f"/v1/invoices/{invoice}/void", {}, step=step)


def mark_uncollectible(invoice: str, *, step: Step) -> None:
    """Mark the invoice as uncollectible. It can still be paid. Money does not move.

    Source: https://docs.stripe.com/api/invoices/mark_uncollectible
    """
    client.post(f"/v1/invoices/{invoice}/mark_uncollectible", {}, step=step)
