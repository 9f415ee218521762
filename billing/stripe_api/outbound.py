"""What may leave for Stripe. A field that is not on the list never does, whatever the caller passed.

The list is by path; ``*`` stands for an id. Each entry says why Stripe needs what it names. No patient
data has a field here, and none of an Office's data but its name, its billing address and neutral words.
"""

import fnmatch
from typing import Any

from billing import errors

METADATA = {"office", "operation", "plan", "price"}  # our own opaque ids, to find an object again

ALLOWED: dict[str, set[str]] = {
    # an invoice is addressed to a name and an e-mail address
    "/v1/customers": {"name", "email", "preferred_locales", "metadata"},
    "/v1/customers/*": {"name", "email", "preferred_locales", "metadata", "invoice_settings"},
    # credit: an amount, and our own id to find it again
    "/v1/customers/*/balance_transactions": {"amount", "currency", "metadata"},
    "/v1/payment_methods/*/attach": {"customer"},
    # a card is entered at Stripe, never here: a form of its own or of the vendor's front end, and where to go after it
    "/v1/setup_intents": {"customer", "usage", "payment_method_types", "metadata"},
    "/v1/checkout/sessions": {
        "mode",
        "customer",
        "payment_method_types",
        "success_url",
        "cancel_url",
        "setup_intent_data",
        "metadata",
    },
    "/v1/billing_portal/sessions": {"customer", "return_url"},
    # the catalogue: neutral names, they are printed on statements
    "/v1/products": {"name", "metadata"},
    "/v1/prices": {"product", "currency", "unit_amount", "recurring", "lookup_key", "metadata"},
    "/v1/subscriptions": {
        "customer",
        "items",
        "payment_behavior",
        "trial_period_days",
        "metadata",
        "expand",
    },
    "/v1/subscriptions/*": {
        "cancel_at_period_end",
        "items",
        "payment_behavior",
        "proration_behavior",
        "proration_date",
        "metadata",
    },
    "/v1/invoices/create_preview": {"customer", "subscription", "subscription_details"},
    "/v1/payment_methods/*/detach": set(),
    "/v1/invoices/*/pay": {"off_session", "payment_method"},
    # money back: of which payment or invoice, how much, and why in a word of Stripe's; our own words stay here
    "/v1/refunds": {"charge", "amount", "reason", "metadata"},
    "/v1/credit_notes": {"invoice", "amount", "refund_amount", "credit_amount", "reason", "metadata"},
    # where Stripe reports events
    "/v1/webhook_endpoints": {"url", "enabled_events", "api_version", "description"},
}


def checked(path: str, params: dict[str, Any]) -> dict[str, Any]:
    """``params``, if each of its fields may be sent to ``path``.

    Raises:
        FieldNotAllowed: naming the fields, never their values.
    """
    allowed = _allowed(path)
    strange = sorted(set(params) - allowed)
    strange += sorted(f"metadata.{key}" for key in set(params.get("metadata", {})) - METADATA)
    if strange:
        raise errors.FieldNotAllowed(path, strange)
    return params


def _allowed(path: str) -> set[str]:
    for pattern, fields in ALLOWED.items():
        if matches(path, pattern):
            return fields
    raise errors.FieldNotAllowed(path, ["any field"])


def matches(path: str, pattern: str) -> bool:
    """``*`` in the pattern stands for one part of the path."""
    return pattern.count("/") == path.count("/") and fnmatch.fnmatchcase(path, pattern)
