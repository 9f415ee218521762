"""Stripe's objects → Snapshot: what one customer looks like at Stripe now, in frozen values of ours.

Only here are Stripe's epochs converted. What we must not keep (names, addresses, e-mail, fingerprints,
free text) is dropped here: the dataclasses have no field for it, and ``redacted`` keeps a short list.
Source: https://docs.stripe.com/api
"""

from billing.stripe_api.inbound.adjustments import (
    PreviewedCreditNote,
    credit_note,
    dispute,
    previewed_credit_note,
    refund,
)
from billing.stripe_api.inbound.customers import contact, customer, payment_method
from billing.stripe_api.inbound.invoices import invoice, line, previewed_invoice
from billing.stripe_api.inbound.payments import payment
from billing.stripe_api.inbound.prices import price
from billing.stripe_api.inbound.states import (
    AdjustmentState,
    Card,
    Contact,
    CustomerState,
    InvoiceState,
    PaymentMethodState,
    PaymentState,
    PreviewedInvoice,
    PriceState,
    Snapshot,
    SubscriptionState,
)
from billing.stripe_api.inbound.subscriptions import coupon, subscription
from billing.stripe_api.inbound.values import identity, moment, when

__all__ = [
    "AdjustmentState",
    "Card",
    "Contact",
    "CustomerState",
    "InvoiceState",
    "PaymentMethodState",
    "PaymentState",
    "PreviewedCreditNote",
    "PreviewedInvoice",
    "PriceState",
    "Snapshot",
    "SubscriptionState",
    "contact",
    "coupon",
    "credit_note",
    "customer",
    "dispute",
    "identity",
    "invoice",
    "line",
    "moment",
    "payment",
    "payment_method",
    "previewed_credit_note",
    "previewed_invoice",
    "price",
    "refund",
    "subscription",
    "when",
]
