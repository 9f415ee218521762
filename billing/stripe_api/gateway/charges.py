"""One-off charges: an invoice with one line, made in several requests."""

from typing import Any

from billing import errors, invoice_lines
from billing.money import is_too_little
from billing.stripe_api import client, inbound
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import answers, customers, invoice_previews
from billing.stripe_api.inbound.states import PreviewedInvoice


def tax_rates_of(subscription: str) -> list[str]:
    """Return the default tax rates of the subscription. Without a subscription there are none."""
    data = answers.one(f"/v1/subscriptions/{subscription}", {}) if subscription else None
    return [inbound.values.identity(rate) for rate in (data or {}).get("default_tax_rates") or []]


def preview_charge(
    customer: str, *, charge: str, amount: int, currency: str, tax_rates: list[str], is_sent: bool
) -> PreviewedInvoice:
    """Return a preview of the invoice with this one line. Nothing changes.

    Without a subscription in the request, Stripe previews the customer's next renewal with the line in it. Only the
    line with its taxes is taken from that, and the customer's credit in this currency is taken off.

    Raises:
        StripeRejected: the preview does not have the line.
    Source: https://docs.stripe.com/api/invoices/create_preview
    """
    item = {**_line(charge, amount, currency, tax_rates), "metadata": {"charge": charge}}
    params = {"customer": customer, "currency": currency, "invoice_items": [item]}
    data = invoice_previews.fetch(params)
    line = next((one for one in map(inbound.invoices.line, data["lines"]["data"]) if one["charge"] == charge), None)
    if line is None:
        raise errors.StripeRejected("Stripe showed no preview of this charge.")
    total = line["amount"] + line["tax_on_top"]
    due = max(total - customers.fetch_customer(customer).credit_in(currency), 0)
    put_off = due if is_too_little(due, currency) else 0
    return PreviewedInvoice(
        currency=currency,
        subtotal=amount,
        discount=0,
        tax=line["tax"],
        tax_within=line["tax"] - line["tax_on_top"],
        total=total,
        amount_due=due - put_off,
        put_off=put_off,
        is_sent=is_sent,
        period_start=None,
        period_end=None,
        lines=(line,),
    )


def draft_invoice(customer: str, *, currency: str, days_until_due: int, office: str, operation: str, step: Step) -> str:
    """Create an empty draft invoice and return its id. Stripe does not finalise it by itself. Money does not move.

    Source: https://docs.stripe.com/api/invoices/create
    """
    params: dict[str, Any] = {
        "customer": customer,
        "currency": currency,
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "metadata": {"office": office, "operation": operation},
        "collection_method": "send_invoice" if days_until_due else "charge_automatically",
    }
    if days_until_due:
        params["days_until_due"] = days_until_due
    return answers.identity_of(client.post("/v1/invoices", params, step=step))


def add_charge(
    invoice: str,
    *,
    customer: str,
    charge: str,
    amount: int,
    currency: str,
    tax_rates: list[str],
    operation: str,
    step: Step,
) -> None:
    """Add this line to the draft. No discount lowers it. Money does not move.

    Source: https://docs.stripe.com/api/invoiceitems/create
    """
    params = {
        **_line(charge, amount, currency, tax_rates),
        "customer": customer,
        "invoice": invoice,
        "metadata": {"operation": operation, "charge": charge},
    }
    client.post("/v1/invoiceitems", params, step=step)


def delete_draft(invoice: str, *, step: Step) -> None:
    """Delete the draft with its line. Do nothing if it is gone already.

    Source: https://docs.stripe.com/api/invoices/delete
    """
    try:
        client.delete(f"/v1/invoices/{invoice}", step=step)
    except errors.StripeObjectMissing:
        return


def _line(charge: str, amount: int, currency: str, tax_rates: list[str]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "amount": amount,
        "currency": currency,
        "description": invoice_lines.CATALOGUE[charge],
        "discountable": False,
    }
    return line | ({"tax_rates": tax_rates} if tax_rates else {})
