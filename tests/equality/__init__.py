"""Compares our rows with what Stripe shows, field by field.

Stripe is read over HTTP without our own code, and each column is derived here a second time from Stripe's answers.
Otherwise a mistake in ``billing.stripe_api.inbound`` or ``billing.projection`` would be on both sides and look right.
``meaning`` has the definitions, from Stripe's documentation, and the tables in ``columns`` name what is compared.
``tests.situations`` has values that were worked out by hand, and compares these definitions with them too.
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
