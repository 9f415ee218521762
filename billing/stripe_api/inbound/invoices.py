"""Reading Stripe's invoices with their lines, and previews of invoices."""

from datetime import UTC, datetime
from typing import Any

from billing import invoice_lines
from billing.models.statuses import InvoiceStatus
from billing.stripe_api.inbound.states import InvoiceState, PreviewedInvoice
from billing.stripe_api.inbound.values import identity, time_or_none

KINDS = {
    "subscription_create": "start",
    "subscription_cycle": "cycle",
    "subscription_update": "change",
    "manual": "one_off",
}


def invoice(data: dict[str, Any]) -> InvoiceState:
    parent = (data.get("parent") or {}).get("subscription_details") or {}
    transitions = data.get("status_transitions") or {}
    payments = (data.get("payments") or {}).get("data") or []
    default = next((one for one in payments if one.get("is_default")), payments[0] if payments else {})
    lines = tuple(line(one) for one in (data.get("lines") or {}).get("data") or [])
    period_start, period_end = _period(lines)
    return InvoiceState(
        id=data["id"],
        subscription_id=identity(parent.get("subscription")),
        payment_intent_id=identity((default.get("payment") or {}).get("payment_intent")),
        number=data.get("number") or "",
        status=data.get("status") or InvoiceStatus.DRAFT,
        kind=KINDS.get(data.get("billing_reason") or "", "other"),
        collection=data.get("collection_method") or "charge_automatically",
        currency=data["currency"],
        subtotal=data["subtotal"],
        discount=sum(one["amount"] for one in data.get("total_discount_amounts") or []),
        tax=sum(one["amount"] for one in data.get("total_taxes") or []),
        total=data["total"],
        amount_paid=data["amount_paid"],
        amount_remaining=data["amount_remaining"],
        paid_elsewhere=data.get("amount_paid_off_stripe") or 0,
        credited_before_payment=data.get("pre_payment_credit_notes_amount") or 0,
        credited_after_payment=data.get("post_payment_credit_notes_amount") or 0,
        attempt_count=data.get("attempt_count") or 0,
        next_payment_attempt=time_or_none(data.get("next_payment_attempt")),
        period_start=period_start or time_or_none(data.get("period_start")),
        period_end=period_end or time_or_none(data.get("period_end")),
        created_at=datetime.fromtimestamp(data["created"], UTC),
        due_at=time_or_none(data.get("due_date")),
        finalised_at=time_or_none(transitions.get("finalized_at")),
        paid_at=time_or_none(transitions.get("paid_at")),
        voided_at=time_or_none(transitions.get("voided_at")),
        uncollectible_at=time_or_none(transitions.get("marked_uncollectible_at")),
        operation=(data.get("metadata") or {}).get("operation", ""),
        lines=lines,
    )


def _period(lines: tuple[dict[str, Any], ...]) -> tuple[datetime | None, datetime | None]:
    """Return the period that the lines are for. Stripe's own period of an invoice is the one before it."""
    starts = [one["period_start"] for one in lines if one["period_start"]]
    ends = [one["period_end"] for one in lines if one["period_end"]]
    return min(starts, default=None), max(ends, default=None)


def previewed_invoice(data: dict[str, Any]) -> PreviewedInvoice:
    return PreviewedInvoice(
        currency=data["currency"],
        subtotal=data["subtotal"],
        discount=sum(one["amount"] for one in data.get("total_discount_amounts") or []),
        tax=sum(one["amount"] for one in data.get("total_taxes") or []),
        total=data["total"],
        amount_due=data["amount_due"],
        period_start=time_or_none(data.get("period_start")),
        period_end=time_or_none(data.get("period_end")),
        lines=tuple(line(one) for one in (data.get("lines") or {}).get("data") or []),
    )


def line(data: dict[str, Any]) -> dict[str, Any]:
    """Return one invoice line: its price or neutral charge, and its period. ``billing.invoice_lines`` has the text."""
    details = ((data.get("pricing") or {}).get("price_details")) or {}
    period = data.get("period") or {}
    parent = data.get("parent") or {}
    source = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    charge = (data.get("metadata") or {}).get("charge", "")
    taxes = data.get("taxes") or []
    return {
        "charge": charge if charge in invoice_lines.CATALOGUE else "",
        "tax": sum(one["amount"] for one in taxes),
        "tax_on_top": sum(one["amount"] for one in taxes if one.get("tax_behavior") != "inclusive"),
        "price": identity(details.get("price")),
        "quantity": data.get("quantity"),
        "amount": data["amount"],
        "proration": bool(source.get("proration")),
        "period_start": time_or_none(period.get("start")),
        "period_end": time_or_none(period.get("end")),
    }
