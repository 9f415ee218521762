"""What a look fetches: the customer with its subscriptions, and what is named."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from billing.models import Office
from billing.stripe_api import inbound
from billing.stripe_api.gateway import adjustments, answers, customers
from billing.stripe_api.inbound.states import PaymentMethodState, Snapshot


def fetch(
    office: Office,
    *,
    ticket: int,
    at: datetime,
    invoices: Iterable[str] = (),
    payments: Iterable[str] = (),
    disputes: Iterable[str] = (),
    credit_notes: Iterable[str] = (),
    payment_methods: bool = False,
    cards: Iterable[str] = (),
) -> Snapshot:
    """One customer as Stripe has it now: customer and subscriptions with their latest invoices, and the
    invoices that are named; the payments that are, with their refunds; the disputes of charges that are; the
    credit notes, if any invoice of theirs is; and the cards, if they are asked for. Two requests, one more for
    each kind that is asked for, one for each invoice or card that should be there and is not, and one for each
    invoice with more lines than come with it. A deleted customer has no subscriptions and cards any more; what it
    was asked to pay and paid stays."""
    customer = customers.fetch_customer(office.payment_provider_customer_id or "")
    found: dict[str, dict[str, Any]] = {}
    missing: list[str] = []
    subscriptions = (
        []
        if customer.deleted
        else answers.page(
            "/v1/subscriptions",
            {
                "customer": customer.id,
                "status": "all",
                "expand": [
                    "data.latest_invoice",
                    "data.latest_invoice.payments",
                    "data.discounts.source.coupon",
                    "data.default_payment_method",
                ],
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
            elif inbound.values.identity(one_invoice.get("customer")) == customer.id:
                found[absent] = one_invoice
    for one_invoice in found.values():
        answers.complete(one_invoice["lines"])
    charges = adjustments.charges(customer.id, payments) if set(payments) else []
    adjusted = adjustments.refunds(charges)
    for charge in sorted(set(disputes)):
        adjusted += adjustments.disputes(charge)
    if set(credit_notes):
        adjusted += adjustments.credit_notes(customer.id)
    asked = payment_methods and not customer.deleted
    kept, detached = _payment_methods(office, customer.id, cards) if asked else ((), ())
    return Snapshot(
        office_id=office.pk,
        ticket=ticket,
        seen_at=at,
        customer=customer,
        subscriptions=tuple(inbound.subscriptions.subscription(one) for one in subscriptions),
        invoices=tuple(inbound.invoices.invoice(one) for one in found.values()),
        payments=tuple(inbound.payments.payment(one) for one in charges),
        adjustments=tuple(adjusted),
        missing=tuple(missing),
        payment_methods=kept,
        detached=detached,
    )


def _payment_methods(
    office: Office, customer: str, named: Iterable[str]
) -> tuple[tuple[PaymentMethodState, ...], tuple[str, ...]]:
    """The cards on file, and those of our rows, or named, that are no longer: absence from the list alone does not say
    so.

    Source: https://docs.stripe.com/api/payment_methods/customer_list
    """
    listed = answers.page(f"/v1/customers/{customer}/payment_methods", {"type": "card"})
    found = {data["id"]: data for data in listed}
    detached = []
    for absent in sorted((_on_file(office) | set(named)) - set(found)):
        data = answers.one(f"/v1/payment_methods/{absent}", {})
        if data and inbound.values.identity(data.get("customer")) == customer:
            found[absent] = data
        else:
            detached.append(absent)
    return tuple(inbound.customers.payment_method(data) for data in found.values()), tuple(detached)


def _on_file(office: Office) -> set[str]:
    return set(office.payment_methods.filter(detached_at=None).values_list("stripe_id", flat=True))


def customer_of(stripe_id: str) -> str:
    """Whose charge, invoice or payment intent it is: for events that name no customer. Empty if unknown."""
    path = {"ch": "charges", "py": "charges", "in": "invoices", "pi": "payment_intents"}.get(
        stripe_id.partition("_")[0]
    )
    data = answers.one(f"/v1/{path}/{stripe_id}", {}) if path else None
    return inbound.values.identity(data.get("customer")) if data else ""
