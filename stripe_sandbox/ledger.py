"""The account's own balance: what each charge, refund and dispute added or took.

Source: https://docs.stripe.com/api/balance_transactions
"""

from stripe_sandbox import timeline
from stripe_sandbox.dates import DAY
from stripe_sandbox.errors import unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, lists, reads
from stripe_sandbox.store import Row, Store

DAYS_UNTIL_AVAILABLE = 2


def record(store: Store, source: Row, amount: int, kind: str) -> str:
    """Add a balance transaction of ``amount`` minor units for ``source``, without a fee. Returns its id.

    ``kind``: charge, refund, adjustment (for disputes), …
    """
    customer = source.get("customer") or source.get("_customer")
    made = store.add(
        "balance_transaction",
        amount=amount,
        net=amount,
        fee=0,
        fee_details=[],
        currency=source["currency"],
        type=kind,
        reporting_category=_category(kind, amount),
        source=source["id"],
        status="pending",
        available_on=store.now(customer) + DAYS_UNTIL_AVAILABLE * DAY,
        balance_type="payments",
        _customer=customer,
    )
    return made["id"]


@timeline.timed("balance_transaction")
def due(store: Store, made: Row) -> timeline.Due | None:
    """Return when the money becomes available."""
    if made["status"] == "available":
        return None
    return made["available_on"], lambda store, row: store.change(row, status="available")


def listing(store: Store, params: Params, ids: Ids) -> Row:
    """List the transactions, newest first."""
    if "payout" in params:
        raise unsupported("payouts")
    return _listed(store, params, ids)


def _category(kind: str, amount: int) -> str:
    if kind == "adjustment":
        return "dispute" if amount < 0 else "dispute_reversal"
    return kind


_listed = lists("balance_transaction", "/v1/balance_transactions", "source", "type", "currency")

ROUTES: Routes = {
    ("get", "/v1/balance_transactions"): listing,
    ("get", "/v1/balance_transactions/{id}"): reads("balance_transaction", "id"),
}
