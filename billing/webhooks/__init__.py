"""Stripe's events: they are received, kept as hints, looked at and settled."""
