"""Ids with another form than Stripe's present ones: chosen by the vendor, moved from elsewhere, or very old.

Such an id may be sent back if Stripe gave it, so if it is stored here. Nobody can type into these columns.
"""

import re
from typing import Any

from django.apps import apps

from billing.stripe_api.value_types import Type

NAME = "an id that Stripe gave and that is stored here"
OPAQUE = re.compile(r"(?!\.{1,2}$)[!-~]{1,255}")
NOT_IN_A_PATH = re.compile(r"[/?#%\\]")
COLUMNS = {
    "customer": ("Office.payment_provider_customer_id", "ReceivedEvent.customer_id", "Finding.subject"),
    "subscription": ("Subscription.stripe_id", "Office.payment_provider_subscription_id"),
    "item": ("SubscriptionItem.stripe_id",),
    "invoice": ("Invoice.stripe_id",),
    "charge": ("Payment.stripe_id",),
    "card": ("PaymentMethod.stripe_id",),
    "product": ("Plan.stripe_product_id",),
    "price": ("PlanPrice.stripe_price_id",),
}
"""Where the ids of each kind are, that came from Stripe."""


def stored_id(kind: str) -> Type:
    """Return the type of ids of this kind that are stored here, whatever they look like. It asks the database."""
    return Type(NAME, lambda value: _is_opaque(value) and any(_has(column, value) for column in COLUMNS[kind]))


def _is_opaque(value: Any) -> bool:
    return isinstance(value, str) and bool(OPAQUE.fullmatch(value)) and not NOT_IN_A_PATH.search(value)


def _has(column: str, value: str) -> bool:
    model, _, name = column.partition(".")
    return apps.get_model("billing", model)._default_manager.filter(**{name: value}).exists()
