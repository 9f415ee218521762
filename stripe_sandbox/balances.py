"""A customer's balances, one for each currency: the next invoice in that currency takes from it or adds to it.

Two fields show them. ``balance`` is in the customer's default currency; below zero is credit. In
``invoice_credit_balance``, which has every currency, above zero is credit.

Source: https://docs.stripe.com/billing/customer/balance, https://docs.stripe.com/invoicing/multi-currency-customers
"""

from typing import Any

from stripe_sandbox.currencies import DEFAULT
from stripe_sandbox.store import Row, Store


def of(customer: Row, currency: str) -> int:
    """Return the balance in this currency, in minor units. Positive: the customer owes; negative: a credit."""
    credit: int = customer["invoice_credit_balance"].get(currency, 0)
    return -credit


def adjust(store: Store, customer: Row, amount: int, kind: str, *, currency: str, **links: Any) -> Row:
    """Add ``amount`` minor units to the balance in this currency, with a transaction.

    ``links``: invoice, credit_note, checkout_session, description, metadata.
    """
    made = record(store, customer, amount, kind, currency=currency, **links)
    store.change(customer, "customer.updated", **changed(customer, currency, made["ending_balance"]))
    return made


def record(store: Store, customer: Row, amount: int, kind: str, *, currency: str, **links: Any) -> Row:
    """Add the transaction only. The caller changes the balance, together with its other changes."""
    return store.add(
        "customer_balance_transaction",
        amount=amount,
        currency=currency,
        customer=customer["id"],
        ending_balance=of(customer, currency) + amount,
        type=kind,
        **{"metadata": {}, **links},
    )


def default_currency(customer: Row) -> str:
    """Return the currency of ``balance``: the customer's, or as long as it has none the account's."""
    return customer["currency"] or DEFAULT


def changed(customer: Row, currency: str, balance: int) -> Row:
    """Return the fields of the customer after its balance in this currency changed."""
    balances = {**customer["invoice_credit_balance"], currency: -balance}
    return _fields(default_currency(customer), balances)


def in_currency(customer: Row, currency: str) -> Row:
    """Return the fields of the customer after its default currency became this one. Other balances stay."""
    return {"currency": currency, **_fields(currency, customer["invoice_credit_balance"])}


def _fields(default: str, balances: dict[str, int]) -> Row:
    credit = {currency: amount for currency, amount in balances.items() if amount}
    return {"balance": -credit.get(default, 0), "invoice_credit_balance": credit}
