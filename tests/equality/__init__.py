"""Whether our rows are what Stripe shows, field by field.

Stripe is read over HTTP past our own code, and each column is derived here a second time from Stripe's words: a
mistake in ``billing.stripe_api.inbound`` or ``billing.projection`` would otherwise be made on both sides and look
right. What is compared is what the tables in ``columns`` name.
"""

from tests.equality.comparing import broken_invariants, differences, differences_of_subscriptions
from tests.equality.theirs import LIVE, Theirs, everything, one_or_none, read

__all__ = [
    "LIVE",
    "Theirs",
    "broken_invariants",
    "differences",
    "differences_of_subscriptions",
    "everything",
    "one_or_none",
    "read",
]
