"""Subscriptions: what they cost, what changes them, what time does to them."""
