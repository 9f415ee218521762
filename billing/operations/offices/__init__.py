"""What can be done about an Office itself: as Stripe's customer, its cards, its file."""

from billing.operations.offices import archive, cards, contact, customer

__all__ = ["archive", "cards", "contact", "customer"]
