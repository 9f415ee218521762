"""The page of a row in Stripe's dashboard. A local Stripe has none.

Source: https://docs.stripe.com/dashboard/basics
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import Model

from billing.models import Invoice, Office, Payment, Subscription

DASHBOARD = "https://dashboard.stripe.com/"
PAGES: dict[type[Model], tuple[str, Callable[[Any], str | None]]] = {
    Office: ("customers", lambda office: office.payment_provider_customer_id if office.is_customer else ""),
    Subscription: ("subscriptions", lambda row: row.stripe_id),
    Invoice: ("invoices", lambda row: row.stripe_id),
    Payment: ("payments", lambda row: row.payment_intent_id or row.stripe_id),
}
"""Below which part of the dashboard each kind of row has its page, and by which id."""


def page_of(row: Model | None) -> str:
    """Return the address. "" if there is none."""
    if row is None or settings.STRIPE_API_BASE or type(row) not in PAGES:
        return ""
    part, id_of = PAGES[type(row)]
    stripe_id = id_of(row)
    return f"{DASHBOARD}{'' if settings.STRIPE_LIVE_MODE else 'test/'}{part}/{stripe_id}" if stripe_id else ""
