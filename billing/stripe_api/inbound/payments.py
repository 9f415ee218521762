"""Reading Stripe's charges. A charge is one attempt to collect."""

from datetime import UTC, datetime
from typing import Any

from billing.models.statuses import PaymentStatus
from billing.stripe_api.inbound.customers import card_of
from billing.stripe_api.inbound.states import PaymentState
from billing.stripe_api.inbound.values import identity, time_or_none

EXPANDED = "failure_balance_transaction"
"""What a charge must come with: when the money of a debit went back. A charge itself does not say when it failed.

Source: https://docs.stripe.com/reports/balance-transaction-types (payment_failure_refund)
"""


def payment(data: dict[str, Any]) -> PaymentState:
    details = data.get("payment_method_details") or {}
    outcome = data.get("outcome") or {}
    back = data.get(EXPANDED)
    return PaymentState(
        id=data["id"],
        payment_intent_id=identity(data.get("payment_intent")),
        status=data["status"],
        currency=data["currency"],
        amount=data["amount"],
        amount_refunded=data["amount_refunded"],
        disputed=bool(data.get("disputed")),
        failure_code=data.get("failure_code") or "",
        decline_code=(outcome.get("reason") or "") if data["status"] == PaymentStatus.FAILED else "",
        card=card_of(details),
        created_at=datetime.fromtimestamp(data["created"], UTC),
        returned_at=time_or_none(back["created"]) if isinstance(back, dict) else None,
    )
