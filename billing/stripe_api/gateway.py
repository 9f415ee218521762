"""One function per thing we ask of Stripe, in our words, with frozen values as answers.

A function that changes something takes ``step=`` and can be repeated with the same step without a second
effect. Each may raise CardDeclined, StripeRejected or StripeUnavailable (billing/errors.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stripe import StripeObject

from billing import errors
from billing.models import Office, Plan, PlanPrice
from billing.stripe_api import client, inbound
from billing.stripe_api.client import Step
from billing.stripe_api.inbound import CustomerState, PreviewedInvoice, Snapshot, SubscriptionState

PAGE = 100


@dataclass(frozen=True, slots=True)
class AccountState:
    id: str
    livemode: bool


@dataclass(frozen=True, slots=True)
class EndpointState:
    id: str
    url: str
    secret: str
    enabled_events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StartedSubscription:
    state: SubscriptionState
    invoice_id: str
    invoice_status: str


def account(*, livemode: bool) -> AccountState:
    """The account that the key belongs to. Source: https://docs.stripe.com/api/accounts/retrieve"""
    return AccountState(id=_id(client.get("/v1/account")), livemode=livemode)


def create_product(plan: Plan, *, step: Step) -> str:
    """A product stands for the plan. Source: https://docs.stripe.com/api/products/create"""
    return _id(client.post("/v1/products", {"name": plan.name, "metadata": {"plan": str(plan.public_id)}}, step=step))


def create_price(price: PlanPrice, *, step: Step) -> str:
    """A price stands for the plan price. Source: https://docs.stripe.com/api/prices/create"""
    params = {
        "product": price.plan.stripe_product_id,
        "currency": price.currency,
        "unit_amount": price.unit_amount,
        "recurring": {"interval": price.interval, "interval_count": price.interval_count},
        "metadata": {"price": str(price.public_id)},
    }
    return _id(client.post("/v1/prices", params, step=step))


def create_webhook_endpoint(url: str, *, events: list[str], step: Step) -> EndpointState:
    """Stripe reports events to ``url``; the secret is in this answer and never again.

    Source: https://docs.stripe.com/api/webhook_endpoints/create
    """
    params = {
        "url": url,
        "enabled_events": events,
        "api_version": client.API_VERSION,
        "description": "Office Billing",
    }
    data = inbound.plain(client.post("/v1/webhook_endpoints", params, step=step))
    return EndpointState(data["id"], data["url"], data.get("secret") or "", tuple(data["enabled_events"]))


def find_webhook_endpoint(url: str) -> EndpointState | None:
    """The endpoint that reports to ``url``, without its secret."""
    for data in _page("/v1/webhook_endpoints", {}):
        if data["url"] == url and data["status"] == "enabled":
            return EndpointState(data["id"], data["url"], "", tuple(data["enabled_events"]))
    return None


def create_customer(office: Office, *, operation: str, step: Step) -> str:
    """A customer stands for the Office. Source: https://docs.stripe.com/api/customers/create"""
    params = {
        "name": office.name,
        "email": office.billing_email,
        "preferred_locales": [office.locale],
        "metadata": {"office": str(office.public_id), "operation": operation},
    }
    return _id(client.post("/v1/customers", params, step=step))


def find_customer(office: Office, *, operation: str) -> str:
    """The customer that this operation made, or an empty text."""
    for data in _page("/v1/customers", {"email": office.billing_email}):
        if (data.get("metadata") or {}).get("operation") == operation:
            return data["id"]
    return ""


def attach_payment_method(payment_method: str, *, customer: str, step: Step) -> str:
    """The card belongs to the customer. Money does not move.

    Source: https://docs.stripe.com/api/payment_methods/attach
    """
    return _id(client.post(f"/v1/payment_methods/{payment_method}/attach", {"customer": customer}, step=step))


def set_default_payment_method(payment_method: str, *, customer: str, step: Step) -> None:
    """Invoices are charged to this card. Money does not move."""
    params = {"invoice_settings": {"default_payment_method": payment_method}}
    client.post(f"/v1/customers/{customer}", params, step=step)


def start_subscription(
    customer: str,
    price: PlanPrice,
    *,
    quantity: int,
    trial_days: int,
    office: str,
    operation: str,
    step: Step,
) -> StartedSubscription:
    """A subscription exists, trialing, or incomplete until its first invoice is paid. Money does not move.

    Source: https://docs.stripe.com/api/subscriptions/create
    """
    params: dict[str, Any] = {
        "customer": customer,
        "items": [{"price": price.stripe_price_id, "quantity": quantity}],
        "payment_behavior": "default_incomplete",
        "metadata": {"office": office, "operation": operation},
        "expand": ["latest_invoice"],
    }
    if trial_days:
        params["trial_period_days"] = trial_days
    data = inbound.plain(client.post("/v1/subscriptions", params, step=step))
    invoice = data.get("latest_invoice") or {}
    return StartedSubscription(inbound.subscription(data), invoice.get("id", ""), invoice.get("status") or "")


def find_subscription(customer: str, *, operation: str) -> SubscriptionState | None:
    """The subscription that this operation made."""
    for data in _page("/v1/subscriptions", {"customer": customer, "status": "all"}):
        if (data.get("metadata") or {}).get("operation") == operation:
            return inbound.subscription(data)
    return None


def detach_payment_method(payment_method: str, *, step: Step) -> None:
    """The card belongs to nobody any more. Money does not move."""
    client.post(f"/v1/payment_methods/{payment_method}/detach", {}, step=step)


def pay_invoice(invoice: str, *, payment_method: str = "", step: Step) -> None:
    """The invoice is paid, with this card or the default one. **Money moves.**

    Source: https://docs.stripe.com/api/invoices/pay
    """
    params: dict[str, Any] = {"off_session": True}
    if payment_method:
        params["payment_method"] = payment_method
    client.post(f"/v1/invoices/{invoice}/pay", params, step=step)


def change_subscription(
    current: SubscriptionState,
    price: PlanPrice,
    *,
    quantity: int,
    proration: str,
    as_of: datetime | None,
    operation: str,
    step: Step,
) -> None:
    """It has this price and quantity. **Money may move**: what is due at once is charged, or nothing changes.

    ``proration``: create_prorations (with the next invoice), always_invoice (now), none.
    Source: https://docs.stripe.com/billing/subscriptions/change-price
    """
    params: dict[str, Any] = {
        **_changed_items(current, price, quantity, proration, as_of),
        "payment_behavior": "error_if_incomplete",
        "metadata": {"operation": operation},
    }
    client.post(f"/v1/subscriptions/{current.id}", params, step=step)


def preview_subscription_change(
    current: SubscriptionState, price: PlanPrice, *, quantity: int, proration: str, as_of: datetime | None
) -> PreviewedInvoice:
    """The invoice that the change would make: at once, or as the next renewal. Nothing changes.

    Source: https://docs.stripe.com/api/invoices/create_preview
    """
    details = _changed_items(current, price, quantity, proration, as_of)
    params = {"subscription": current.id, "subscription_details": details}
    return inbound.previewed(inbound.plain(client.preview("/v1/invoices/create_preview", params)))


def _changed_items(
    current: SubscriptionState, price: PlanPrice, quantity: int, proration: str, as_of: datetime | None
) -> dict[str, Any]:
    item = {"id": current.item_id, "price": price.stripe_price_id, "quantity": quantity}
    params: dict[str, Any] = {"items": [item], "proration_behavior": proration}
    if as_of is not None and proration != "none":
        params["proration_date"] = int(as_of.timestamp())
    return params


def fetch_subscription(subscription: str) -> SubscriptionState | None:
    """The subscription as Stripe has it now. Source: https://docs.stripe.com/api/subscriptions/retrieve"""
    data = _one(f"/v1/subscriptions/{subscription}", {})
    return inbound.subscription(data) if data else None


def cancel_subscription(subscription: str, *, at_period_end: bool, step: Step) -> None:
    """It ends now, or will not renew. Money does not move.

    Source: https://docs.stripe.com/api/subscriptions/cancel
    """
    path = f"/v1/subscriptions/{subscription}"
    if at_period_end:
        client.post(path, {"cancel_at_period_end": True}, step=step)
        return
    try:
        client.delete(path, step=step)
    except errors.StripeObjectMissing:
        state = inbound.subscription(client.get(path))
        if state.status not in ("canceled", "incomplete_expired"):
            raise


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
    customer = fetch_customer(office.payment_provider_customer_id or "")
    if customer.deleted:
        return Snapshot(office.pk, ticket, at, customer)
    found: dict[str, dict[str, Any]] = {}
    missing: list[str] = []
    subscriptions = list(
        _page(
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
        for data in _page("/v1/invoices", {"customer": customer.id, "expand": ["data.payments"]}):
            found.setdefault(data["id"], data)
        for absent in sorted(set(invoices) - set(found)):
            one_invoice = _one(f"/v1/invoices/{absent}", {"expand": ["payments"]})
            if one_invoice is None:
                missing.append(absent)
            elif inbound.identity(one_invoice.get("customer")) == customer.id:
                found[absent] = one_invoice
    charges: list[dict[str, Any]] = []
    if set(payments):
        charges = list(_page("/v1/charges", {"customer": customer.id}))
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


def fetch_customer(customer: str) -> CustomerState:
    """The customer with its default card; a deleted one says so. Source: https://docs.stripe.com/api/customers/retrieve"""
    path = f"/v1/customers/{customer}"
    return inbound.customer(client.get(path, {"expand": ["invoice_settings.default_payment_method"]}))


def customer_of(stripe_id: str) -> str:
    """Whose charge, invoice or payment intent it is: for events that name no customer. Empty if unknown."""
    path = {"ch": "charges", "in": "invoices", "pi": "payment_intents"}.get(stripe_id.partition("_")[0])
    data = _one(f"/v1/{path}/{stripe_id}", {}) if path else None
    return inbound.identity(data.get("customer")) if data else ""


def _page(path: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    """The newest hundred."""
    return inbound.plain(client.get(path, {**params, "limit": PAGE}))["data"]


def _one(path: str, params: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return inbound.plain(client.get(path, params))
    except errors.StripeObjectMissing:
        return None


def _id(answer: StripeObject) -> str:
    return str(answer["id"])
