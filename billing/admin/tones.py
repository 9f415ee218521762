"""The colour of each status, category and kind in lists and on pages."""

from billing.models.statuses import InvoiceStatus, PaymentStatus, SubscriptionStatus


def in_words(status: str) -> str:
    """Return a status as people read it: ``past_due`` is "past due"."""
    return status.replace("_", " ")


_BY_STATUS: dict[str, str] = {
    SubscriptionStatus.ACTIVE: "success",
    SubscriptionStatus.TRIALING: "info",
    SubscriptionStatus.PAST_DUE: "warning",
    SubscriptionStatus.UNPAID: "danger",
    SubscriptionStatus.CANCELED: "danger",
    SubscriptionStatus.INCOMPLETE: "warning",
    SubscriptionStatus.INCOMPLETE_EXPIRED: "danger",
    SubscriptionStatus.PAUSED: "warning",
    InvoiceStatus.PAID: "success",
    InvoiceStatus.OPEN: "warning",
    InvoiceStatus.VOID: "danger",
    InvoiceStatus.UNCOLLECTIBLE: "danger",
    PaymentStatus.SUCCEEDED: "success",
    PaymentStatus.FAILED: "danger",
    "declined": "danger",
    "rejected": "danger",
    "unknown": "warning",
    "abandoned": "danger",
    "applied": "success",
    "waiting": "info",
    "parked": "danger",
    "critical": "danger",
    "warning": "warning",
    "refusal": "danger",
    "act": "info",
}

TONES = {in_words(status): tone for status, tone in _BY_STATUS.items()}
"""By the words that are shown."""
