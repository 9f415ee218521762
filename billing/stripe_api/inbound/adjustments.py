"""Reading Stripe's refunds, credit notes and disputes, with reasons and outcomes in our words."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from billing.models import Adjustment
from billing.models.statuses import AdjustmentStatus
from billing.stripe_api.inbound.states import AdjustmentState, FraudWarningState
from billing.stripe_api.inbound.values import identity, time_or_none

Kind, Reason, Outcome = Adjustment.Kind, Adjustment.Reason, Adjustment.Outcome

REASONS: dict[str, str] = {
    # of refunds, credit notes and disputes. Source: https://docs.stripe.com/disputes/categories
    "duplicate": Reason.DUPLICATE,
    "fraudulent": Reason.FRAUDULENT,
    "requested_by_customer": Reason.REQUESTED,
    "customer_initiated": Reason.REQUESTED,
    "order_change": Reason.NOT_AS_AGREED,
    "product_unsatisfactory": Reason.NOT_AS_AGREED,
    "product_unacceptable": Reason.NOT_AS_AGREED,
    "product_not_received": Reason.NOT_RECEIVED,
    "subscription_canceled": Reason.CANCELED,
    "unrecognized": Reason.UNRECOGNIZED,
    "credit_not_processed": Reason.CREDIT_MISSING,
}
OUTCOMES: dict[str, str] = {
    AdjustmentStatus.WON: Outcome.WON,
    AdjustmentStatus.PREVENTED: Outcome.WITHDRAWN,
    AdjustmentStatus.LOST: Outcome.LOST,
    AdjustmentStatus.WARNING_CLOSED: Outcome.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class PreviewedCreditNote:
    """A preview of a credit note. ``before_payment`` lowers what is due, and ``after_payment`` is given back."""

    currency: str
    total: int
    tax: int
    before_payment: int
    after_payment: int


@dataclass(frozen=True, slots=True)
class Credited:
    """What a credit note gave back without a refund, in minor units: ``as_credit`` for the next invoices, or outside.

    Its refunds are not counted here, because each of them is a refund of a payment too.
    """

    as_credit: int
    outside: int


def credited(data: dict[str, Any]) -> Credited:
    refunds = data.get("refunds") or []
    refunded = sum(one["amount_refunded"] for one in refunds)
    recorded = sum(one["amount_refunded"] for one in refunds if one.get("payment_record_refund"))
    outside = data.get("out_of_band_amount") or 0
    return Credited(as_credit=data["post_payment_amount"] - refunded - outside, outside=outside + recorded)


def previewed_credit_note(data: dict[str, Any]) -> PreviewedCreditNote:
    return PreviewedCreditNote(
        currency=data["currency"],
        total=data["total"],
        tax=sum(one["amount"] for one in data.get("total_taxes") or []),
        before_payment=data["pre_payment_amount"],
        after_payment=data["post_payment_amount"],
    )


def refund(data: dict[str, Any]) -> AdjustmentState:
    return _state(
        Kind.REFUND,
        data,
        payment_id=identity(data.get("charge")),
        failure_code=(data.get("failure_reason") or "")[:100],
    )


def credit_note(data: dict[str, Any]) -> AdjustmentState:
    return _state(Kind.CREDIT_NOTE, data, invoice_id=identity(data.get("invoice")), amount=data["total"])


def dispute(data: dict[str, Any]) -> AdjustmentState:
    return _state(
        Kind.DISPUTE,
        data,
        payment_id=identity(data.get("charge")),
        due_at=time_or_none((data.get("evidence_details") or {}).get("due_by")),
        outcome=OUTCOMES.get(data["status"], ""),
        taken_at=_moved_at(data, is_back=False),
        returned_at=_moved_at(data, is_back=True),
    )


def fraud_warning(data: dict[str, Any]) -> FraudWarningState:
    return FraudWarningState(payment_id=identity(data["charge"]), is_actionable=data["actionable"])


def _moved_at(data: dict[str, Any], *, is_back: bool) -> datetime | None:
    """Return when the bank took the money, or gave it back. None: it did not, or Stripe does not show it.

    Source: https://docs.stripe.com/api/disputes/object#dispute_object-balance_transactions
    """
    moves = [one for one in data.get("balance_transactions") or [] if isinstance(one, dict)]
    times = [one["created"] for one in moves if one["amount"] and (one["amount"] > 0) is is_back]
    return time_or_none(max(times) if is_back else min(times)) if times else None


def _state(kind: str, data: dict[str, Any], **more: Any) -> AdjustmentState:
    values = {
        "payment_id": "",
        "invoice_id": "",
        "operation": _uuid((data.get("metadata") or {}).get("operation", "")),
        "status": data.get("status") or AdjustmentStatus.SUCCEEDED,
        "currency": data["currency"],
        "amount": data["amount"],
        "reason": REASONS.get(data.get("reason") or "", Reason.OTHER),
        "failure_code": "",
        "created_at": datetime.fromtimestamp(data["created"], UTC),
        "due_at": None,
        "outcome": "",
        "taken_at": None,
        "returned_at": None,
    }
    return AdjustmentState(kind=kind, id=data["id"], **(values | more))


def _uuid(text: str) -> str:
    """Return the text if it is a UUID, otherwise "": anybody can type metadata at Stripe."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""
