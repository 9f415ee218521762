"""Turning Stripe's objects into frozen values of ours. A Snapshot is one customer as it is at Stripe now.

Stripe's epochs are converted to aware UTC here. Only an event's own time is converted in ``webhooks.hints``.
What we must not keep (names, addresses, e-mail, fingerprints, free text) is dropped here: the parts of a Snapshot have
no field for it, and ``redacted`` keeps a short list. A ``Contact`` is read only to compare it, or to adopt a customer.
Source: https://docs.stripe.com/api
"""

from billing.stripe_api.inbound import (
    adjustments,
    customers,
    invoices,
    payments,
    prices,
    schedules,
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
    "schedules",
    "states",
    "subscriptions",
    "values",
]
