"""Every write that a person may ask for. On an Office it is one class each, carried out by ``engine.begin.perform``;
on a plan too, carried out by ``plans.performed.perform``. Determinations (``compliance``) are functions.

Importing the package declares them all.
"""

from billing.operations import compliance, money, offices, plans, subscriptions

__all__ = ["compliance", "money", "offices", "plans", "subscriptions"]
