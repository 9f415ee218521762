"""Operations on an Office's subscription."""

from billing.operations.subscriptions import (
    cancel,
    change,
    collection,
    discounts,
    payment_link,
    start,
    trial,
    under_way,
)

__all__ = ["cancel", "change", "collection", "discounts", "payment_link", "start", "trial", "under_way"]
