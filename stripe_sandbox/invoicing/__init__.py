"""Invoices: what they consist of, what they come to, how they live."""
