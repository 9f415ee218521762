"""A customer's credit balance: what the next invoice takes from it or adds to it.

Source: https://docs.stripe.com/billing/customer/balance
"""

from typing import Any

from stripe_sandbox.store import Row, Store


def adjust(store: Store, customer: Row, amount: int, kind: str, **links: Any) -> Row:
    """The balance is ``amount`` minor units higher (owed to the vendor) or lower (credit), and a transaction tells.

    ``links``: invoice, credit_note, checkout_session, description, metadata, currency.
    """
    after = customer["balance"] + amount
    store.change(customer, "customer.updated", balance=after)
    values = {"metadata": {}, "currency": customer["currency"], **links}
    return store.add(
        "customer_balance_transaction",
        amount=amount,
        customer=customer["id"],
        ending_balance=after,
        type=kind,
        **values,
    )
