"""Reading Stripe's invoices with their lines, and previews of invoices."""

from datetime import UTC, datetime
from typing import Any

from billing import invoice_lines
from billing.models.statuses import InvoiceStatus
from billing.money import is_too_little
from billing.stripe_api.inbound.states import InvoicePaymentState, InvoiceState, PreviewedInvoice
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
    payments = tuple(_payment(one) for one in (data.get("payments") or {}).get("data") or [])
    default = next((one for one in payments if one.is_default), payments[0] if payments else None)
    lines = tuple(line(one) for one in (data.get("lines") or {}).get("data") or [])
    period_start, period_end = _period(lines)
    return InvoiceState(
        id=data["id"],
        subscription_id=identity(parent.get("subscription")),
        payments=payments,
        payment_intent_id=default.payment_intent_id if default else "",
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
        starting_balance=data.get("starting_balance", 0),
        ending_balance=data.get("ending_balance"),
        overpaid=data.get("amount_overpaid") or 0,
        auto_advance=bool(data.get("auto_advance")),
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


def _payment(data: dict[str, Any]) -> InvoicePaymentState:
    payment = data.get("payment") or {}
    return InvoicePaymentState(
        id=data["id"],
        payment_intent_id=identity(payment.get("payment_intent")),
        charge_id=identity(payment.get("charge")),
        status=data["status"],
        amount_paid=data.get("amount_paid") or 0,
        is_default=bool(data.get("is_default")),
    )


def _period(lines: tuple[dict[str, Any], ...]) -> tuple[datetime | None, datetime | None]:
    """Return the billing cycle that the invoice is for: the period of the subscription's own lines.

    Prorations have periods of their own, and so has what a person added. Stripe's period of an invoice is the one
    before. Items of different intervals have different periods; the cycle is from the first start to the first end.
    """
    own = [one for one in lines if one["of_subscription"] and not one["proration"]]
    starts = [one["period_start"] for one in own if one["period_start"]]
    ends = [one["period_end"] for one in own if one["period_end"]]
    return min(starts, default=None), min(ends, default=None)


def previewed_invoice(data: dict[str, Any]) -> PreviewedInvoice:
    """Read a preview. Of what is too little to be charged, Stripe may show that nothing is due.

    Source: https://docs.stripe.com/api/invoices/object#invoice_object-amount_due
    """
    asked = max(data["total"] + data.get("starting_balance", 0), data["amount_due"], 0)
    put_off = asked if is_too_little(asked, data["currency"]) or (asked and not data["amount_due"]) else 0
    taxes = data.get("total_taxes") or []
    return PreviewedInvoice(
        currency=data["currency"],
        subtotal=data["subtotal"],
        discount=sum(one["amount"] for one in data.get("total_discount_amounts") or []),
        tax=sum(one["amount"] for one in taxes),
        tax_within=sum(one["amount"] for one in taxes if one["tax_behavior"] == "inclusive"),
        total=data["total"],
        amount_due=0 if put_off else data["amount_due"],
        put_off=put_off,
        is_sent=data.get("collection_method") == "send_invoice",
        period_start=time_or_none(data.get("period_start")),
        period_end=time_or_none(data.get("period_end")),
        lines=tuple(line(one) for one in (data.get("lines") or {}).get("data") or []),
        is_whole=not (data.get("lines") or {}).get("has_more"),
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
        "of_subscription": "subscription_item_details" in parent and parent["subscription_item_details"] is not None,
        "proration": bool(source.get("proration")),
        "period_start": time_or_none(period.get("start")),
        "period_end": time_or_none(period.get("end")),
    }
