"""Every write that a person may ask for. On an Office it is one class each, carried out by ``engine.begin.perform``;
determinations (``compliance``) and the plans at Stripe (``catalogue``) are functions.

Importing the package declares them all.
"""

from billing.operations import compliance, money, offices, subscriptions

__all__ = ["compliance", "money", "offices", "subscriptions"]
