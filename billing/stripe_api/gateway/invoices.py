"""Invoices."""

from typing import Any

from billing.stripe_api import client
from billing.stripe_api.client import Step


def pay_invoice(invoice: str, *, payment_method: str = "", step: Step) -> None:
    """The invoice is paid, with this card or the default one. **Money moves.**

    Source: https://docs.stripe.com/api/invoices/pay
    """
    params: dict[str, Any] = {"off_session": True}
    if payment_method:
        params["payment_method"] = payment_method
    client.post(f"/v1/invoices/{invoice}/pay", params, step=step)
