"""Every write that a person may ask for: one class each, carried out by ``engine.begin.perform``.

Importing the package declares them all.
"""

from billing.operations import compliance, money, offices, subscriptions

__all__ = ["compliance", "money", "offices", "subscriptions"]
