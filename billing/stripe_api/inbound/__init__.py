"""Stripe's objects → Snapshot: what one customer looks like at Stripe now, in frozen values of ours.

Only here are Stripe's epochs converted. What we must not keep (names, addresses, e-mail, fingerprints,
free text) is dropped here: the dataclasses have no field for it, and ``redacted`` keeps a short list.
Source: https://docs.stripe.com/api
"""

from billing.stripe_api.inbound import (
    adjustments,
    customers,
    invoices,
    payments,
    prices,
    states,
    subscriptions,
    values,
)

__all__ = [
    "adjustments",
    "customers",
    "invoices",
    "payments",
    "prices",
    "states",
    "subscriptions",
    "values",
]
