"""Stripe's lists of everything, a hundred objects in each request. A comparison reads them page by page.

They leave out customers on test clocks and their objects. Each function takes the cursor where the last page ended.
``since`` asks only for objects made from then on, and ``customer`` only for those of one customer.
Source: https://docs.stripe.com/api/pagination
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.schedules import Schedule
from billing.stripe_api import inbound
from billing.stripe_api.gateway import answers
from billing.stripe_api.gateway.customers import EXPANDED
from billing.stripe_api.gateway.invoices import complete_invoice
from billing.stripe_api.gateway.schedules import LIST, NOT_STARTED
from billing.stripe_api.gateway.subscriptions import complete_items
from billing.stripe_api.inbound.states import (
    AdjustmentState,
    Contact,
    CustomerState,
    InvoiceState,
    PaymentState,
    SubscriptionState,
)

State = CustomerState | SubscriptionState | InvoiceState | PaymentState | AdjustmentState | Schedule


@dataclass(frozen=True, slots=True)
class Listed:
    """One object of a list.

    ``customer`` is its customer, or empty if the list does not say (refunds, disputes). ``owner`` comes only with
    subscriptions, and only if it was asked for. ``contact`` comes with ``owner`` and with customers.
    """

    customer: str
    state: State
    owner: CustomerState | None = None
    contact: Contact | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. ``next`` is the cursor of the next page, empty after the last."""

    objects: tuple[Listed, ...]
    next: str


def customers(cursor: str = "") -> Page:
    """Return a page of customers with their default cards. Stripe does not list deleted customers.

    Source: https://docs.stripe.com/api/customers/list
    """
    return _page(
        "/v1/customers",
        {"expand": [f"data.{field}" for field in EXPANDED]},
        cursor,
        None,
        "",
        lambda data: Listed(data["id"], inbound.customers.customer(data), contact=inbound.customers.contact(data)),
    )


def subscriptions(cursor: str = "", *, customer: str = "", with_owners: bool = False) -> Page:
    """Return a page of subscriptions, also ended ones. Source: https://docs.stripe.com/api/subscriptions/list"""
    expand = ["data.default_payment_method", "data.default_source", "data.discounts.source.coupon", "data.schedule"]
    if with_owners:
        expand += [f"data.customer.{field}" for field in EXPANDED]
    return _page("/v1/subscriptions", {"status": "all", "expand": expand}, cursor, None, customer, _subscription)


def schedules(cursor: str = "", *, customer: str = "") -> Page:
    """Return a page of the schedules that have not started.

    Source: https://docs.stripe.com/api/subscription_schedules/list
    """
    return _page(
        LIST,
        NOT_STARTED,
        cursor,
        None,
        customer,
        lambda data: Listed(inbound.values.identity(data["customer"]), inbound.schedules.schedule(data)),
    )


def invoices(cursor: str = "", *, since: datetime | None = None, customer: str = "", status: str = "") -> Page:
    """Return a page of invoices with all their lines. Source: https://docs.stripe.com/api/invoices/list"""
    chosen = {"status": status} if status else {}
    return _page("/v1/invoices", {"expand": ["data.payments"], **chosen}, cursor, since, customer, _invoice)


def payments(cursor: str = "", *, since: datetime | None = None, customer: str = "") -> Page:
    """Return a page of charges. Source: https://docs.stripe.com/api/charges/list"""
    return _page(
        "/v1/charges",
        {"expand": [f"data.{inbound.payments.EXPANDED}"]},
        cursor,
        since,
        customer,
        lambda data: Listed(inbound.values.identity(data.get("customer")), inbound.payments.payment(data)),
    )


def refunds(cursor: str = "", *, since: datetime | None = None, charge: str = "") -> Page:
    """Return a page of the refunds of one charge, or of all refunds. Source: https://docs.stripe.com/api/refunds/list"""
    return _page(
        "/v1/refunds",
        {"charge": charge} if charge else {},
        cursor,
        since,
        "",
        lambda data: Listed("", inbound.adjustments.refund(data)),
    )


def credit_notes(cursor: str = "", *, since: datetime | None = None, customer: str = "") -> Page:
    """Return a page of credit notes. Source: https://docs.stripe.com/api/credit_notes/list"""
    return _page(
        "/v1/credit_notes",
        {},
        cursor,
        since,
        customer,
        lambda data: Listed(inbound.values.identity(data["customer"]), inbound.adjustments.credit_note(data)),
    )


def disputes(cursor: str = "", *, since: datetime | None = None, charge: str = "") -> Page:
    """Return a page of the disputes of one charge, or of all. Source: https://docs.stripe.com/api/disputes/list"""
    return _page(
        "/v1/disputes",
        {"charge": charge} if charge else {},
        cursor,
        since,
        "",
        lambda data: Listed("", inbound.adjustments.dispute(data)),
    )


def events(cursor: str, *, since: datetime | None, undelivered: bool) -> tuple[list[dict[str, Any]], str]:
    """Return a page of events as Stripe would have sent them, and the cursor of the next page (empty after the last).

    Stripe keeps events for 30 days. With ``undelivered``, only those that Stripe could not deliver are returned.

    Source: https://docs.stripe.com/api/events/list
    """
    params: dict[str, Any] = {"delivery_success": False} if undelivered else {}
    return answers.after("/v1/events", params | _since(since), cursor)


def _page(
    path: str,
    params: dict[str, Any],
    cursor: str,
    since: datetime | None,
    customer: str,
    read: Callable[[dict[str, Any]], Listed],
) -> Page:
    chosen = {"customer": customer} if customer else {}
    rows, following = answers.after(path, {**params, **chosen, **_since(since)}, cursor)
    return Page(tuple(read(data) for data in rows), following)


def _since(since: datetime | None) -> dict[str, Any]:
    return {"created": {"gte": int(since.timestamp())}} if since else {}


def _subscription(data: dict[str, Any]) -> Listed:
    complete_items(data)
    whose, state = data["customer"], inbound.subscriptions.subscription(data)
    if not isinstance(whose, dict):
        return Listed(whose, state)
    return Listed(whose["id"], state, owner=inbound.customers.customer(whose), contact=inbound.customers.contact(whose))


def _invoice(data: dict[str, Any]) -> Listed:
    complete_invoice(data)
    return Listed(inbound.values.identity(data.get("customer")), inbound.invoices.invoice(data))


@dataclass(frozen=True, slots=True)
class PricePage:
    prices: tuple[inbound.states.PriceState, ...]
    next: str


def prices(cursor: str = "") -> PricePage:
    """Return a page of recurring prices, also archived ones. Source: https://docs.stripe.com/api/prices/list"""
    rows, following = answers.after("/v1/prices", {"type": "recurring", "expand": ["data.product"]}, cursor)
    return PricePage(tuple(inbound.prices.price(data) for data in rows), following)
