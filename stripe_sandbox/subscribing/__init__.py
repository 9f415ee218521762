"""Subscriptions: what they cost, what changes them, and what happens to them with time."""
