"""The currency that a customer is billed in: when it can change, and what holds it.

Source: https://support.stripe.com/questions/currency-selection-for-an-invoice-or-customer-in-stripe-billing and
https://docs.stripe.com/invoicing/multi-currency-customers
"""

from stripe_sandbox import balances
from stripe_sandbox.errors import invalid
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import subscription_rows as rows


def choose(store: Store, customer: Row, currency: str) -> None:
    """Bill the customer in this currency from now on. Credit in the old currency stays, and waits for its invoices.

    Raises: a 400 while something holds the old currency.
    """
    old = customer["currency"]
    if old not in (None, currency) and _is_held(store, customer, old):
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has an active subscription, "
            f"subscription schedule, discount, quote, or invoice item with currency {old}."
        )
    if old != currency:
        store.change(customer, "customer.updated", **balances.in_currency(customer, currency))


def _is_held(store: Store, customer: Row, currency: str) -> bool:
    """Whether a subscription that has not ended or not begun, or a waiting invoice item is in this currency."""
    key = customer["id"]
    subscriptions = store.all("subscription", customer=key)
    waiting = store.all("invoiceitem", customer=key, invoice=None)
    schedules = [one for one in store.all("subscription_schedule", customer=key) if one["status"] == "not_started"]
    if any(one["phases"][0]["currency"] == currency for one in schedules):
        return True
    return any(one["currency"] == currency and one["status"] not in rows.ENDED for one in subscriptions) or any(
        one["currency"] == currency for one in waiting
    )
