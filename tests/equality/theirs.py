"""What Stripe has of a customer, read over HTTP without our own code."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx
from django.conf import settings

from tests.conftest import LocalStripe

LIVE = ("trialing", "active", "past_due", "unpaid", "paused")
Object = dict[str, Any]


@dataclass(frozen=True)
class Theirs:
    """Everything that Stripe has of one customer. Each list that an object holds is read to its end."""

    customer: Object
    subscriptions: list[Object] = field(default_factory=list)
    invoices: list[Object] = field(default_factory=list)
    charges: list[Object] = field(default_factory=list)
    refunds: list[Object] = field(default_factory=list)
    credit_notes: list[Object] = field(default_factory=list)
    disputes: list[Object] = field(default_factory=list)
    payment_methods: list[Object] = field(default_factory=list)
    schedules: list[Object] = field(default_factory=list)


def everything(stripe: LocalStripe, path: str, **params: Any) -> list[Object]:
    """Return all pages of a list, newest first."""
    headers = {"Authorization": f"Bearer {settings.STRIPE_API_KEY}"}
    found: list[Object] = []
    while True:
        after = {"starting_after": found[-1]["id"]} if found else {}
        answer = stripe.http.get(f"/v1/{path}", params={"limit": 100, **params, **after}, headers=headers)
        page = answer.raise_for_status().json()
        found += page["data"]
        if not page["has_more"]:
            return found


def one(stripe: LocalStripe, path: str, **params: Any) -> Object:
    headers = {"Authorization": f"Bearer {settings.STRIPE_API_KEY}"}
    return stripe.http.get(f"/v1/{path}", params=params, headers=headers).raise_for_status().json()


def one_or_none(stripe: LocalStripe, path: str) -> Object | None:
    try:
        return one(stripe, path)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != HTTPStatus.NOT_FOUND:
            raise
        return None


def read(stripe: LocalStripe, customer: str, *, invoices_too: bool = True) -> Theirs:
    """Read what Stripe has of this customer now. A deleted customer keeps what it was asked to pay, nothing else.

    Without ``invoices_too``, only what says which subscriptions there are, and which of them began.
    """
    found = one(stripe, f"customers/{customer}", **{"expand[]": "invoice_settings.default_payment_method"})
    deleted = found.get("deleted", False)
    subscriptions = [] if deleted else _subscriptions(stripe, customer)
    if not invoices_too:
        over = not any(one["status"] in LIVE for one in subscriptions)
        return Theirs(found, subscriptions, _invoices(stripe, customer) if over and subscriptions else [])
    charges = everything(stripe, "charges", customer=customer, **{"expand[]": "data.failure_balance_transaction"})
    return Theirs(
        found,
        subscriptions,
        _invoices(stripe, customer),
        charges,
        [one for charge in charges for one in everything(stripe, "refunds", charge=charge["id"])],
        everything(stripe, "credit_notes", customer=customer),
        [
            one
            for charge in charges
            if charge["disputed"]
            for one in everything(stripe, "disputes", charge=charge["id"])
        ],
        [] if deleted else everything(stripe, f"customers/{customer}/payment_methods"),
        [] if deleted else everything(stripe, "subscription_schedules", customer=customer),
    )


def _subscriptions(stripe: LocalStripe, customer: str) -> list[Object]:
    """Return the subscriptions with all their items, in the order in which each subscription shows them."""
    expanded = ("discounts.source.coupon", "default_payment_method", "schedule")
    expand = {f"expand[{number}]": f"data.{name}" for number, name in enumerate(expanded)}
    found = everything(stripe, "subscriptions", customer=customer, status="all", **expand)
    for subscription in found:
        items = subscription["items"]
        if items["has_more"] or any(item["discounts"] for item in items["data"]):
            order = [item["id"] for item in items["data"]]
            of = {"subscription": subscription["id"], "expand[]": "data.discounts.source.coupon"}
            listed = {item["id"]: item for item in everything(stripe, "subscription_items", **of)}
            items["data"] = [listed.pop(key) for key in order] + list(listed.values())
    return found


def _invoices(stripe: LocalStripe, customer: str) -> list[Object]:
    """Return the invoices with all their lines and payments."""
    found = everything(stripe, "invoices", customer=customer, **{"expand[]": "data.payments"})
    for invoice in found:
        if invoice["lines"]["has_more"]:
            invoice["lines"]["data"] = everything(stripe, f"invoices/{invoice['id']}/lines")
        if invoice["payments"]["has_more"]:
            invoice["payments"]["data"] = everything(stripe, "invoice_payments", invoice=invoice["id"])
    return found
