"""Customers and their cards."""

from billing.models import Office
from billing.stripe_api import client, inbound
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import answers
from billing.stripe_api.inbound import CustomerState


def create_customer(office: Office, *, operation: str, step: Step) -> str:
    """A customer stands for the Office. Source: https://docs.stripe.com/api/customers/create"""
    params = {
        "name": office.name,
        "email": office.billing_email,
        "preferred_locales": [office.locale],
        "metadata": {"office": str(office.public_id), "operation": operation},
    }
    return answers.identity_of(client.post("/v1/customers", params, step=step))


def find_customer(office: Office, *, operation: str) -> str:
    """The customer that this operation made, or an empty text."""
    for data in answers.page("/v1/customers", {"email": office.billing_email}):
        if (data.get("metadata") or {}).get("operation") == operation:
            return data["id"]
    return ""


def fetch_customer(customer: str) -> CustomerState:
    """The customer with its default card; a deleted one says so. Source: https://docs.stripe.com/api/customers/retrieve"""
    path = f"/v1/customers/{customer}"
    return inbound.customer(client.get(path, {"expand": ["invoice_settings.default_payment_method"]}))


def attach_payment_method(payment_method: str, *, customer: str, step: Step) -> str:
    """The card belongs to the customer. Money does not move.

    Source: https://docs.stripe.com/api/payment_methods/attach
    """
    return answers.identity_of(
        client.post(f"/v1/payment_methods/{payment_method}/attach", {"customer": customer}, step=step)
    )


def detach_payment_method(payment_method: str, *, step: Step) -> None:
    """The card belongs to nobody any more. Money does not move."""
    client.post(f"/v1/payment_methods/{payment_method}/detach", {}, step=step)


def set_default_payment_method(payment_method: str, *, customer: str, step: Step) -> None:
    """Invoices are charged to this card. Money does not move."""
    params = {"invoice_settings": {"default_payment_method": payment_method}}
    client.post(f"/v1/customers/{customer}", params, step=step)
