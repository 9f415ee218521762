"""A customer's credit balance: the next invoice takes from it or adds to it.

Source: https://docs.stripe.com/billing/customer/balance
"""

from typing import Any

from stripe_sandbox.currencies import DEFAULT
from stripe_sandbox.store import Row, Store


def adjust(store: Store, customer: Row, amount: int, kind: str, **links: Any) -> Row:
    """Add ``amount`` minor units to the balance (positive: the customer owes; negative: a credit), with a transaction.

    ``links``: invoice, credit_note, checkout_session, description, metadata, currency.
    """
    made = record(store, customer, amount, kind, **links)
    store.change(customer, "customer.updated", balance=made["ending_balance"])
    return made


def record(store: Store, customer: Row, amount: int, kind: str, **links: Any) -> Row:
    """Add the transaction only. The caller changes the balance, together with its other changes."""
    values = {"metadata": {}, "currency": customer["currency"] or DEFAULT, **links}
    return store.add(
        "customer_balance_transaction",
        amount=amount,
        customer=customer["id"],
        ending_balance=customer["balance"] + amount,
        type=kind,
        **values,
    )
