"""What can be done about an Office's money: its invoices, charges beside them, and what goes back."""

from billing.operations.money import charges, credit, credit_note, documents, invoices, refund

__all__ = ["charges", "credit", "credit_note", "documents", "invoices", "refund"]
