"""Previews of invoices. Nothing changes. Source: https://docs.stripe.com/api/invoices/create_preview"""

from typing import Any

from billing import errors
from billing.stripe_api import client, inbound
from billing.stripe_api.gateway import answers
from billing.stripe_api.inbound.states import PreviewedInvoice


def preview(params: dict[str, Any]) -> PreviewedInvoice:
    """Return the invoice that would come."""
    return inbound.invoices.previewed_invoice(fetch(params))


def fetch(params: dict[str, Any]) -> dict[str, Any]:
    """Return the preview as it came, with all its lines. Only ten of them come with it.

    Stripe reckons a preview anew for each request, and may not find the one that it just showed. Then the list stays
    as it came and says that it has more. The totals are those of all lines in any case.
    """
    data = client.preview("/v1/invoices/create_preview", params)
    if data["lines"]["has_more"]:
        path = f"/v1/invoices/{data['id']}/lines"
        try:
            rows, cursor = answers.after(path, {}, "")
            whole = {"data": rows, "has_more": bool(cursor)}
            answers.complete(whole, path)
        except errors.StripeObjectMissing:
            return data
        data["lines"] = whole
    return data
