"""A customer's credit balance: what the next invoice takes from it or adds to it.

Source: https://docs.stripe.com/billing/customer/balance
"""

from typing import Any

from stripe_sandbox.currencies import DEFAULT
from stripe_sandbox.store import Row, Store


def adjust(store: Store, customer: Row, amount: int, kind: str, **links: Any) -> Row:
    """The balance is ``amount`` minor units higher (owed to the vendor) or lower (credit), and a transaction tells.

    ``links``: invoice, credit_note, checkout_session, description, metadata, currency.
    """
    made = record(store, customer, amount, kind, **links)
    store.change(customer, "customer.updated", balance=made["ending_balance"])
    return made


def record(store: Store, customer: Row, amount: int, kind: str, **links: Any) -> Row:
    """A transaction tells that the balance is so much higher; the caller changes it, with what else changes."""
    values = {"metadata": {}, "currency": customer["currency"] or DEFAULT, **links}
    return store.add(
        "customer_balance_transaction",
        amount=amount,
        customer=customer["id"],
        ending_balance=customer["balance"] + amount,
        type=kind,
        **values,
    )
