"""Which requests can make Stripe charge somebody. In live mode they need a determination in force.

The table is by path, as the POSTs of ``outbound_list.ALLOWED`` are. A path or a field that is not in the table counts
as one that can charge. Ending, refunding and correcting contact details never wait for a determination. Renewals are
Stripe's own and continue.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from billing import clock, errors, zones
from billing.models.agreement import Standing, State, payment_processor
from billing.stripe_api import outbound

CAN_CHARGE: frozenset[str] = frozenset()  # can charge, whatever the fields are
ANY_FIELD = frozenset({"*"})  # cannot charge, whatever the fields are
NEUTRAL = {"metadata", "expand"}

# The fields that a request to a path can have without making Stripe charge.
CLASSIFIED: dict[str, frozenset[str]] = {
    # contact details and the default card; not ``source``: with a new one Stripe tries an open invoice again.
    # Source: https://docs.stripe.com/api/customers/update
    "/v1/customers": frozenset({"name", "email", "address", "preferred_locales"}),
    "/v1/customers/*": frozenset({"name", "email", "address", "preferred_locales", "invoice_settings"}),
    # credit to a customer; taking credit away raises the next invoice
    "/v1/customers/*/balance_transactions": frozenset({"amount", "currency"}),
    # a card is attached or detached; what charges it has a path of its own
    "/v1/payment_methods/*/attach": frozenset({"customer"}),
    "/v1/payment_methods/*/detach": ANY_FIELD,
    "/v1/setup_intents": ANY_FIELD,
    # the catalogue and the webhook address move no money
    "/v1/products": ANY_FIELD,
    "/v1/products/*": ANY_FIELD,
    "/v1/prices": ANY_FIELD,
    "/v1/prices/*": ANY_FIELD,
    "/v1/coupons": ANY_FIELD,
    "/v1/webhook_endpoints": ANY_FIELD,
    "/v1/webhook_endpoints/*": ANY_FIELD,
    # a new subscription makes an invoice at once. Changing its items, price or quantity can, and so can resuming it.
    # An end or a pause of collection cannot, unless the request takes it back: see ``can_charge``
    "/v1/subscriptions": CAN_CHARGE,
    "/v1/subscriptions/*": frozenset(
        {"cancel_at_period_end", "cancel_at", "cancellation_details", "pause_collection", "proration_behavior"}
    ),
    "/v1/subscriptions/*/resume": CAN_CHARGE,
    "/v1/subscription_items": CAN_CHARGE,
    "/v1/subscription_items/*": CAN_CHARGE,
    "/v1/subscription_schedules": CAN_CHARGE,
    "/v1/subscription_schedules/*": CAN_CHARGE,
    # invoices: one-off invoices, and each way to collect; voiding and writing off give up the claim
    "/v1/invoiceitems": CAN_CHARGE,
    "/v1/invoices": CAN_CHARGE,
    "/v1/invoices/create_preview": ANY_FIELD,  # changes nothing; must come before /v1/invoices/*, which fits too
    "/v1/invoices/*": CAN_CHARGE,
    "/v1/invoices/*/finalize": CAN_CHARGE,
    "/v1/invoices/*/pay": CAN_CHARGE,
    "/v1/invoices/*/send": CAN_CHARGE,
    "/v1/invoices/*/void": ANY_FIELD,
    "/v1/invoices/*/mark_uncollectible": ANY_FIELD,
    # payments, and Stripe's pages on which a customer pays
    "/v1/payment_intents": CAN_CHARGE,
    "/v1/payment_intents/*": CAN_CHARGE,
    "/v1/payment_intents/*/confirm": CAN_CHARGE,
    "/v1/payment_intents/*/capture": CAN_CHARGE,
    "/v1/payment_intents/*/cancel": ANY_FIELD,
    "/v1/charges": CAN_CHARGE,
    "/v1/checkout/sessions": frozenset(
        {"mode", "customer", "payment_method_types", "success_url", "cancel_url", "setup_intent_data"}
    ),
    "/v1/checkout/sessions/*/expire": ANY_FIELD,
    "/v1/billing_portal/sessions": CAN_CHARGE,
    "/v1/payment_links": CAN_CHARGE,
    # money back
    "/v1/refunds": ANY_FIELD,
    "/v1/credit_notes": ANY_FIELD,
    "/v1/credit_notes/*/void": CAN_CHARGE,  # takes a credit back, and the invoice is due again
}

# Fields that are harmless only with such a value.
HARMLESS_VALUES: dict[str, Callable[[Any], bool]] = {
    "cancel_at_period_end": lambda value: value is True,  # otherwise a cancellation is taken back, and it renews
    "amount": lambda value: isinstance(value, int) and value < 0,  # of a balance: below zero is credit
    "mode": lambda value: value == "setup",  # of a checkout: a card is only added
}


def checked(path: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return ``params`` if a POST of them to ``path`` may be sent now.

    Raises:
        DeterminationMissing: the request can charge, and in live mode no determination is in force.
    """
    if can_charge(path, params):
        require_determination()
    return params


def can_charge(path: str, params: dict[str, Any]) -> bool:
    """Return whether a POST of these fields can make Stripe charge somebody, now or later. Pure."""
    harmless = next((fields for pattern, fields in CLASSIFIED.items() if outbound.matches(path, pattern)), CAN_CHARGE)
    if harmless == CAN_CHARGE:
        return True
    if harmless == ANY_FIELD:
        return False
    if any(name in params and not is_harmless(params[name]) for name, is_harmless in HARMLESS_VALUES.items()):
        return True
    if not (params.get("cancel_at", True) and params.get("pause_collection", True)):  # an end or a pause is taken back
        return True
    return bool(set(params) - harmless - NEUTRAL)


def require_determination() -> None:
    """Refuse to charge in live mode while no determination is in force. Outside live mode, do nothing.

    Raises:
        DeterminationMissing: says why nothing may be charged.
    """
    if not settings.STRIPE_LIVE_MODE:
        return
    found = payment_processor(at=clock.wall())
    if not found.permits_charging:
        raise errors.DeterminationMissing(why_not(found))


def why_not(found: Standing) -> str:
    """Return a sentence that says why nothing may be charged now."""
    if found.state is State.EXPIRED and found.row and found.row.ends_at:
        return f"the determination on the payment processor was valid until {zones.last_day(found.row.ends_at, 'UTC')}."
    return "no determination is in force on whether the payment processor is a HIPAA business associate (BAA)."
