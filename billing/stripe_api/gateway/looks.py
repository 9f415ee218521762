"""What a look fetches."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from billing.models import Office
from billing.stripe_api import inbound
from billing.stripe_api.gateway import answers, customers
from billing.stripe_api.inbound import Snapshot


def fetch(
    office: Office,
    *,
    ticket: int,
    at: datetime,
    invoices: Iterable[str] = (),
    payments: Iterable[str] = (),
) -> Snapshot:
    """One customer as Stripe has it now: customer and subscriptions with their latest invoices, and the
    invoices and payments that are named. Two requests, and one more for each kind that is named."""
    customer = customers.fetch_customer(office.payment_provider_customer_id or "")
    if customer.deleted:
        return Snapshot(office.pk, ticket, at, customer)
    found: dict[str, dict[str, Any]] = {}
    missing: list[str] = []
    subscriptions = list(
        answers.page(
            "/v1/subscriptions",
            {
                "customer": customer.id,
                "status": "all",
                "expand": ["data.latest_invoice", "data.latest_invoice.payments"],
            },
        )
    )
    for one in subscriptions:
        if isinstance(one.get("latest_invoice"), dict):
            found[one["latest_invoice"]["id"]] = one["latest_invoice"]
    if set(invoices) - set(found):
        for data in answers.page("/v1/invoices", {"customer": customer.id, "expand": ["data.payments"]}):
            found.setdefault(data["id"], data)
        for absent in sorted(set(invoices) - set(found)):
            one_invoice = answers.one(f"/v1/invoices/{absent}", {"expand": ["payments"]})
            if one_invoice is None:
                missing.append(absent)
            elif inbound.identity(one_invoice.get("customer")) == customer.id:
                found[absent] = one_invoice
    charges: list[dict[str, Any]] = []
    if set(payments):
        charges = list(answers.page("/v1/charges", {"customer": customer.id}))
    return Snapshot(
        office_id=office.pk,
        ticket=ticket,
        seen_at=at,
        customer=customer,
        subscriptions=tuple(inbound.subscription(one) for one in subscriptions),
        invoices=tuple(inbound.invoice(one) for one in found.values()),
        payments=tuple(inbound.payment(one) for one in charges),
        missing=tuple(missing),
    )


def customer_of(stripe_id: str) -> str:
    """Whose charge, invoice or payment intent it is: for events that name no customer. Empty if unknown."""
    path = {"ch": "charges", "py": "charges", "in": "invoices", "pi": "payment_intents"}.get(
        stripe_id.partition("_")[0]
    )
    data = answers.one(f"/v1/{path}/{stripe_id}", {}) if path else None
    return inbound.identity(data.get("customer")) if data else ""
