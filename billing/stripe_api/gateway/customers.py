"""Customers and their cards."""

from typing import Any

from billing.models import Office
from billing.models.statuses import InvoiceStatus
from billing.stripe_api import client, inbound
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import answers
from billing.stripe_api.inbound.states import CustomerState

EXPANDED = ("invoice_settings.default_payment_method", "default_source", "invoice_credit_balance")
"""What is asked for beside a customer's own fields."""


def create_customer(office: Office, *, operation: str, step: Step) -> str:
    """Create the Office's customer and return its id. Source: https://docs.stripe.com/api/customers/create"""
    params = {
        "name": office.name,
        "email": office.billing_email,
        "preferred_locales": [office.locale],
        "metadata": {"office": str(office.public_id), "operation": operation},
    }
    return answers.identity_of(client.post("/v1/customers", params, step=step))


def find_customer(email: str, *, operation: str) -> str:
    """Return the id of the customer that this operation made with this e-mail address, or ""."""
    for data in answers.page("/v1/customers", {"email": email}):
        if (data.get("metadata") or {}).get("operation") == operation:
            return data["id"]
    return ""


def contact(*, name: str, email: str, locale: str, operation: str) -> dict[str, Any]:
    """Return the contact details as ``update_customer`` sends them."""
    return {"name": name, "email": email, "preferred_locales": [locale], "metadata": {"operation": operation}}


def path_of(customer: str) -> str:
    return f"/v1/customers/{customer}"


def update_customer(customer: str, contact: dict[str, Any], *, step: Step) -> None:
    """Change the name, e-mail address and language of the customer, to which invoices are sent. Money does not move.

    Source: https://docs.stripe.com/api/customers/update
    """
    client.post(path_of(customer), contact, step=step)


def adjust_credit(customer: str, amount: int, *, currency: str, operation: str, step: Step) -> None:
    """Raise the customer's credit by ``amount`` minor units, or lower it if ``amount`` is below zero.

    Credit is taken off the next invoices. Stripe's sign is the opposite: its balance is what the customer owes.
    Source: https://docs.stripe.com/billing/customer/balance
    """
    params = {"amount": -amount, "currency": currency, "metadata": {"operation": operation}}
    client.post(f"{path_of(customer)}/balance_transactions", params, step=step)


def has_credit_adjustment(customer: str, *, operation: str) -> bool:
    """Return whether this operation changed the credit."""
    return answers.has_made(f"{path_of(customer)}/balance_transactions", {}, operation=operation)


def create_portal_link(customer: str, *, return_url: str, step: Step) -> str:
    """Create a link to Stripe's portal, where the customer's billing can be seen and changed for a short time.

    Source: https://docs.stripe.com/api/customer_portal/sessions/create
    """
    params = {"customer": customer, "return_url": return_url}
    return str(client.post("/v1/billing_portal/sessions", params, step=step)["url"])


def fetch_customer(customer: str) -> CustomerState:
    """Return the customer with its default payment method. A deleted customer has ``deleted``.

    Source: https://docs.stripe.com/api/customers/retrieve
    """
    return inbound.customers.customer(client.get(path_of(customer), {"expand": list(EXPANDED)}))


def has_bought(customer: str, *, besides: str = "") -> bool:
    """Return whether the customer has paid, or has an invoice that counts, leaving out those of one subscription.

    Stripe means such customers by those that a code for the first time is not for.
    Source: https://docs.stripe.com/api/promotion_codes/object#promotion_code_object-restrictions-first_time_transaction
    """
    if any(one["paid"] for one in answers.page("/v1/charges", {"customer": customer})):
        return True
    count = (InvoiceStatus.OPEN, InvoiceStatus.PAID, InvoiceStatus.UNCOLLECTIBLE)
    invoices = [inbound.invoices.invoice(one) for one in answers.page("/v1/invoices", {"customer": customer})]
    return any(one.status in count and not (besides and one.subscription_id == besides) for one in invoices)


def attach_payment_method(payment_method: str, *, customer: str, step: Step) -> str:
    """Attach the card to the customer. Money does not move.

    Source: https://docs.stripe.com/api/payment_methods/attach
    """
    return answers.identity_of(
        client.post(f"/v1/payment_methods/{payment_method}/attach", {"customer": customer}, step=step)
    )


def detach_payment_method(payment_method: str, *, step: Step) -> None:
    """Detach the card from its customer. Money does not move."""
    client.post(f"/v1/payment_methods/{payment_method}/detach", {}, step=step)


def set_default_payment_method(payment_method: str, *, customer: str, step: Step) -> None:
    """Make this card the default, to which invoices are charged. Money does not move."""
    params = {"invoice_settings": {"default_payment_method": payment_method}}
    client.post(path_of(customer), params, step=step)
