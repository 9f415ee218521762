"""Event type → what to look at. The longest prefix that fits decides; what fits none is ignored."""

from enum import StrEnum


class LookAt(StrEnum):
    CUSTOMER = "customer"
    INVOICE = "invoice"
    PAYMENT = "payment"
    IGNORE = "ignore"


ROUTES: dict[str, LookAt] = {
    "customer.": LookAt.CUSTOMER,
    "payment_method.": LookAt.CUSTOMER,
    "setup_intent.": LookAt.CUSTOMER,
    "invoice.": LookAt.INVOICE,
    "invoice.upcoming": LookAt.IGNORE,  # has no id: it announces an invoice that does not exist yet
    "invoice_payment.": LookAt.IGNORE,  # names no customer, and comes beside invoice.* and charge.*, which do
    "payment_intent.": LookAt.PAYMENT,
    "charge.": LookAt.PAYMENT,
    "refund.": LookAt.PAYMENT,
}


def route(event_type: str) -> LookAt:
    fitting = [prefix for prefix in ROUTES if event_type.startswith(prefix)]
    return ROUTES[max(fitting, key=len)] if fitting else LookAt.IGNORE
