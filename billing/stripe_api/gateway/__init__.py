"""One function for each request that we make to Stripe, in our words. The answers are frozen values.

A function that changes something takes ``step=``. Repeating it with the same step has no second effect.
Each function may raise CardDeclined, StripeRejected or StripeUnavailable (billing/errors/at_stripe.py).
Amounts are minor units.
"""

from billing.stripe_api.gateway import (
    account,
    adjustments,
    catalogue,
    charges,
    coupons,
    customers,
    done,
    invoices,
    looks,
    payment_links,
    payment_methods,
    schedules,
    subscription_terms,
    subscriptions,
)

__all__ = [
    "account",
    "adjustments",
    "catalogue",
    "charges",
    "coupons",
    "customers",
    "done",
    "invoices",
    "looks",
    "payment_links",
    "payment_methods",
    "schedules",
    "subscription_terms",
    "subscriptions",
]
