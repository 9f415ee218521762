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

    ``kind``: charge, payment (a debit), payment_failure_refund (of one that came back), refund, adjustment (for
    disputes), … Source: https://docs.stripe.com/reports/balance-transaction-types
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
    """Return when the money becomes available. That of a debit waits for the bank's answer."""
    if made["status"] == "available" or _waits(store, made):
        return None
    return made["available_on"], lambda store, row: store.change(row, status="available")


def listing(store: Store, params: Params, ids: Ids) -> Row:
    """List the transactions, newest first."""
    if "payout" in params:
        raise unsupported("payouts")
    return _listed(store, params, ids)


def _waits(store: Store, made: Row) -> bool:
    return made["type"] == "payment" and bool(store.objects["charge"][made["source"]]["status"] == "pending")


def _category(kind: str, amount: int) -> str:
    """Source: https://docs.stripe.com/reports/reporting-categories"""
    if kind == "adjustment":
        return "dispute" if amount < 0 else "dispute_reversal"
    return {"payment": "charge", "payment_failure_refund": "charge_failure"}.get(kind, kind)


_listed = lists("balance_transaction", "/v1/balance_transactions", "source", "type", "currency")

ROUTES: Routes = {
    ("get", "/v1/balance_transactions"): listing,
    ("get", "/v1/balance_transactions/{id}"): reads("balance_transaction", "id"),
}
