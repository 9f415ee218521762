"""What a look fetches: the customer with its subscriptions, and the objects that are named."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from billing.models import Office
from billing.stripe_api import inbound
from billing.stripe_api.gateway import adjustments, answers, customers
from billing.stripe_api.gateway import schedules as schedule_lists
from billing.stripe_api.gateway.invoices import complete_invoice
from billing.stripe_api.gateway.subscriptions import complete_items
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
    fraud_warnings: Iterable[str] = (),
    payment_methods: bool = False,
    cards: Iterable[str] = (),
    schedules: Iterable[str] = (),
) -> Snapshot:
    """Fetch one customer as Stripe has it now, and return a snapshot with this ticket.

    Always: the customer, and its subscriptions with their latest invoices and what manages them. In addition:

    - ``invoices``: the newest invoices, and older ones that are named
    - ``payments``: the newest charges with their refunds, and older ones that are named
    - ``disputes``: the disputes of the charges that are named
    - ``fraud_warnings``: the early fraud warnings of the charges that are named
    - ``credit_notes``: the newest credit notes, if any invoice is named
    - ``payment_methods``: the cards on file. ``cards`` names more cards to check
    - ``schedules``: those that have not started, if any is named, or if our rows have such a one

    This takes two requests, and at most one more for each kind that is asked for, but disputes and fraud warnings take
    one for each charge. There is one more for each named object and each card that is not in its list, for each
    invoice, subscription or charge whose parts did not all come with it, and for each subscription with discounts on
    its items.

    A deleted customer has no subscriptions and no cards. Its invoices and payments stay.
    """
    customer = customers.fetch_customer(office.payment_provider_customer_id or "")
    wanted = set(schedules) or office.coming_schedules
    waiting = () if customer.deleted else schedule_lists.not_started(customer.id) if wanted else None
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
                    "data.default_source",
                    "data.schedule",
                ],
            },
        )
    )
    for one in subscriptions:
        complete_items(one)
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
        complete_invoice(one_invoice)
    charges = adjustments.charges(customer.id, payments) if set(payments) else []
    adjusted = adjustments.refunds(charges)
    for charge in sorted(set(disputes)):
        adjusted += adjustments.disputes(charge)
    if set(credit_notes):
        adjusted += adjustments.credit_notes(customer.id)
    warnings = [one for charge in sorted(set(fraud_warnings)) for one in adjustments.fraud_warnings(charge)]
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
        fraud_warnings=tuple(warnings),
        missing=tuple(missing),
        payment_methods=kept,
        detached=detached,
        schedules=waiting,
    )


def _payment_methods(
    office: Office, customer: str, named: Iterable[str]
) -> tuple[tuple[PaymentMethodState, ...], tuple[str, ...]]:
    """Return the cards on file, and the ids of the cards of our rows, or named, that are no longer on file.

    Absence from the list proves nothing, so Stripe is asked for each absent card.

    Source: https://docs.stripe.com/api/payment_methods/customer_list
    """
    listed = answers.page(f"/v1/customers/{customer}/payment_methods", {})
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
    """Return the customer of a charge, invoice or payment intent, for events that name none. "" if unknown."""
    path = {"ch": "charges", "py": "charges", "in": "invoices", "pi": "payment_intents"}.get(
        stripe_id.partition("_")[0]
    )
    data = answers.one(f"/v1/{path}/{stripe_id}", {}) if path else None
    return inbound.values.identity(data.get("customer")) if data else ""
