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
    """Everything that Stripe has of one customer."""

    customer: Object
    subscriptions: list[Object] = field(default_factory=list)
    invoices: list[Object] = field(default_factory=list)
    charges: list[Object] = field(default_factory=list)
    refunds: list[Object] = field(default_factory=list)
    credit_notes: list[Object] = field(default_factory=list)
    disputes: list[Object] = field(default_factory=list)
    cards: list[Object] = field(default_factory=list)

    @property
    def current(self) -> Object | None:
        """Return the oldest live subscription, or the newest one if none is live."""
        by_age = sorted(self.subscriptions, key=lambda one: (one["created"], one["id"]))
        live = [one for one in by_age if one["status"] in LIVE]
        return (live or by_age[-1:] or [None])[0]


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
    """Read what Stripe has of this customer now. A deleted customer keeps what it was asked to pay, nothing else."""
    found = one(stripe, f"customers/{customer}", **{"expand[]": "invoice_settings.default_payment_method"})
    deleted = found.get("deleted", False)
    discounts = {"expand[]": "data.discounts.source.coupon"}
    subscriptions = [] if deleted else everything(stripe, "subscriptions", customer=customer, status="all", **discounts)
    if not invoices_too:
        return Theirs(found, subscriptions)
    charges = everything(stripe, "charges", customer=customer)
    return Theirs(
        found,
        subscriptions,
        everything(stripe, "invoices", customer=customer, **{"expand[]": "data.payments"}),
        charges,
        [one for charge in charges for one in everything(stripe, "refunds", charge=charge["id"])],
        everything(stripe, "credit_notes", customer=customer),
        [
            one
            for charge in charges
            if charge["disputed"]
            for one in everything(stripe, "disputes", charge=charge["id"])
        ],
        [] if deleted else everything(stripe, f"customers/{customer}/payment_methods", type="card"),
    )
