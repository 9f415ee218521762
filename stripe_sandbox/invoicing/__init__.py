"""Invoices: their lines, their amounts, and their life."""
