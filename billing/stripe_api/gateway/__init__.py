"""One function per thing we ask of Stripe, in our words, with frozen values as answers.

A function that changes something takes ``step=`` and can be repeated with the same step without a second
effect. Each may raise CardDeclined, StripeRejected or StripeUnavailable (billing/errors.py).
"""

from billing.stripe_api.gateway import (
    account,
    adjustments,
    catalogue,
    charges,
    coupons,
    customers,
    invoices,
    looks,
    payment_links,
    payment_methods,
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
    "invoices",
    "looks",
    "payment_links",
    "payment_methods",
    "subscription_terms",
    "subscriptions",
]
