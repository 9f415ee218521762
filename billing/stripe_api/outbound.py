"""What may be sent to Stripe. A field that is not in this list is never sent, whatever the caller passed.

The list is by path, and ``*`` stands for an id. Comments say why Stripe needs the fields. No field is for patient
data. Of an Office's data there are only its name, its e-mail address, its language and neutral words.
"""

import fnmatch
from typing import Any

from billing import errors

# our own opaque ids, to find an object again, and the code of a neutral charge, to describe it in our own words
METADATA = {"office", "operation", "plan", "price", "charge"}

ALLOWED: dict[str, set[str]] = {
    # an invoice is addressed to a name and an e-mail address
    "/v1/customers": {"name", "email", "preferred_locales", "metadata"},
    "/v1/customers/*": {"name", "email", "preferred_locales", "metadata", "invoice_settings"},
    # credit: an amount, and our own id to find it again
    "/v1/customers/*/balance_transactions": {"amount", "currency", "metadata"},
    "/v1/payment_methods/*/attach": {"customer"},
    # a card is entered at Stripe, never here: in a setup intent of the vendor's front end, or on a page at Stripe
    "/v1/setup_intents": {"customer", "usage", "payment_method_types", "metadata"},
    "/v1/checkout/sessions": {
        "mode",
        "customer",
        "payment_method_types",
        "line_items",
        "subscription_data",
        "discounts",
        "success_url",
        "cancel_url",
        "setup_intent_data",
        "metadata",
    },
    "/v1/billing_portal/sessions": {"customer", "return_url"},
    # the catalogue: neutral names, because they are printed on card statements
    "/v1/products": {"name", "metadata"},
    "/v1/prices": {"product", "currency", "unit_amount", "recurring", "lookup_key", "metadata"},
    "/v1/subscriptions": {
        "customer",
        "items",
        "payment_behavior",
        "trial_period_days",
        "discounts",  # a coupon's or promotion code's id
        "metadata",
        "expand",
    },
    "/v1/subscriptions/*": {
        "cancel_at_period_end",
        "items",
        "payment_behavior",
        "proration_behavior",
        "proration_date",
        # its terms: when it ends, whether it is collected, when it is charged next, and its discount
        "cancel_at",
        "pause_collection",
        "trial_end",
        "billing_cycle_anchor",
        "discounts",
        "metadata",
    },
    "/v1/checkout/sessions/*/expire": set(),
    "/v1/invoices/create_preview": {
        "customer",
        "subscription",
        "subscription_details",
        "discounts",
        "currency",
        "invoice_items",
    },
    # a one-off charge: how it is collected, and one line. Its text comes from our catalogue and is on the invoice
    "/v1/invoices": {
        "customer",
        "currency",
        "collection_method",
        "days_until_due",
        "auto_advance",
        "pending_invoice_items_behavior",
        "metadata",
    },
    "/v1/invoiceitems": {
        "customer",
        "invoice",
        "amount",
        "currency",
        "description",
        "discountable",
        "tax_rates",
        "metadata",
    },
    "/v1/invoices/*/finalize": {"auto_advance", "expand"},
    "/v1/invoices/*/send": set(),
    "/v1/invoices/*/void": set(),
    "/v1/invoices/*/mark_uncollectible": set(),
    "/v1/payment_methods/*/detach": set(),
    "/v1/invoices/*/pay": {"off_session", "payment_method"},
    # money back: of which payment or invoice, how much, and the reason in one of Stripe's words; ours stay here
    "/v1/refunds": {"charge", "amount", "reason", "metadata"},
    "/v1/credit_notes": {"invoice", "amount", "refund_amount", "credit_amount", "reason", "metadata"},
    # where Stripe reports events
    "/v1/webhook_endpoints": {"url", "enabled_events", "api_version", "description"},
}


def checked(path: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return ``params`` if each of its fields may be sent to ``path``.

    Raises:
        FieldNotAllowed: it names the fields, never their values.
    """
    allowed = _allowed(path)
    strange = sorted(set(params) - allowed)
    for labels in (params, params.get("subscription_data", {})):
        strange += sorted(f"metadata.{key}" for key in set(labels.get("metadata", {})) - METADATA)
    if strange:
        raise errors.FieldNotAllowed(path, strange)
    return params


def _allowed(path: str) -> set[str]:
    for pattern, fields in ALLOWED.items():
        if matches(path, pattern):
            return fields
    raise errors.FieldNotAllowed(path, ["any field"])


def matches(path: str, pattern: str) -> bool:
    """Return whether the path fits the pattern. ``*`` in the pattern stands for one part of the path."""
    return pattern.count("/") == path.count("/") and fnmatch.fnmatchcase(path, pattern)
