"""Operations on an Office itself: its customer at Stripe, its cards, its contact and its archive."""

from billing.operations.offices import archive, cards, contact, customer

__all__ = ["archive", "cards", "contact", "customer"]
