"""The Stripe account itself, and its balance.

Source: https://docs.stripe.com/api/accounts and https://docs.stripe.com/api/balance
"""

from collections import Counter

from stripe_sandbox.currencies import DEFAULT
from stripe_sandbox.handlers import Ids, Params, Routes
from stripe_sandbox.schema.load import new
from stripe_sandbox.store import Row, Store


def read(store: Store, params: Params, ids: Ids) -> Row:
    return new(
        "account",
        id=store.account,
        charges_enabled=True,
        country="US",
        default_currency=DEFAULT,
        details_submitted=True,
        payouts_enabled=True,
        type="standard",
    )


def balance(store: Store, params: Params, ids: Ids) -> Row:
    """Return the sums of the account's balance transactions: available and still pending."""
    sums = {"available": Counter({DEFAULT: 0}), "pending": Counter({DEFAULT: 0})}
    for one in store.all("balance_transaction"):
        sums[one["status"]][one["currency"]] += one["net"]
    amounts = {
        name: [{"amount": n, "currency": one, "source_types": {"card": n}} for one, n in sorted(counted.items())]
        for name, counted in sums.items()
    }
    return new("balance", **amounts)


ROUTES: Routes = {
    ("get", "/v1/account"): read,
    ("get", "/v1/balance"): balance,
}
