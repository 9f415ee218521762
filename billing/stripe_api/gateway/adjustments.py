"""Refunds and credit notes, with which money goes back, and disputes and fraud warnings, which the bank makes."""

from collections.abc import Iterable
from typing import Any

from billing.models.statuses import AdjustmentStatus
from billing.stripe_api import client, inbound
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import answers
from billing.stripe_api.inbound.adjustments import Credited, PreviewedCreditNote
from billing.stripe_api.inbound.states import AdjustmentState, FraudWarningState

__all__ = ["Credited", "PreviewedCreditNote"]

CHARGES = ("ch_", "py_")


def refund_payment(charge: str, *, amount: int, reason: str, operation: str, step: Step) -> None:
    """Send an amount of the payment back to where it came from. **Money moves**, to the customer.

    ``reason`` is one of Stripe's words, or empty. ``fraudulent`` also puts the card on Stripe's block lists.
    Source: https://docs.stripe.com/api/refunds/create
    """
    params: dict[str, Any] = {"charge": charge, "amount": amount, "metadata": {"operation": operation}}
    if reason:
        params["reason"] = reason
    client.post("/v1/refunds", params, step=step)


def find_refund(charge: str, *, operation: str) -> bool:
    """Return whether this operation made a refund of the payment."""
    return _made_by(operation, answers.page("/v1/refunds", {"charge": charge}))


def issue_credit_note(
    invoice: str, *, amount: int, refund: int, credit: int, reason: str, operation: str, step: Step
) -> None:
    """Issue a credit note, so that less is due of the invoice.

    If the invoice is paid, ``refund`` goes back and ``credit`` is taken off the next invoices.
    **Money may move**, to the customer. Source: https://docs.stripe.com/api/credit_notes/create
    """
    params = _credit_note(invoice, amount, refund, credit) | {"metadata": {"operation": operation}}
    if reason:
        params["reason"] = reason
    client.post("/v1/credit_notes", params, step=step)


def preview_credit_note(invoice: str, *, amount: int, refund: int, credit: int) -> PreviewedCreditNote:
    """Return a preview of the credit note. Nothing changes. Source: https://docs.stripe.com/api/credit_notes/preview"""
    found = client.get("/v1/credit_notes/preview", _credit_note(invoice, amount, refund, credit))
    return inbound.adjustments.previewed_credit_note(found)


def find_credit_note(invoice: str, *, operation: str) -> bool:
    """Return whether this operation made a credit note of the invoice."""
    return _made_by(operation, answers.page("/v1/credit_notes", {"invoice": invoice}))


def credited_by_notes(invoice: str) -> list[Credited]:
    """Return what each credit note of the invoice that counts gave back, besides its refunds.

    Source: https://docs.stripe.com/api/credit_notes/object#credit_note_object-post_payment_amount
    """
    notes = answers.page("/v1/credit_notes", {"invoice": invoice})
    return [inbound.adjustments.credited(one) for one in notes if one["status"] == AdjustmentStatus.ISSUED]


def charges(customer: str, named: Iterable[str]) -> list[dict[str, Any]]:
    """Return the customer's newest charges with their refunds, and the older ones that are named."""
    expand = ["data.refunds", f"data.{inbound.payments.EXPANDED}"]
    found = answers.page("/v1/charges", {"customer": customer, "expand": expand})
    seen = {one["id"] for one in found}
    for absent in sorted(one for one in set(named) - seen if one.startswith(CHARGES)):
        charge = answers.one(f"/v1/charges/{absent}", {"expand": ["refunds", inbound.payments.EXPANDED]})
        if charge and inbound.values.identity(charge.get("customer")) == customer:
            found.append(charge)
    return found


def refunds(of: list[dict[str, Any]]) -> list[AdjustmentState]:
    """Return the refunds of these charges. One more request for each charge that has more than come with it."""
    found: list[AdjustmentState] = []
    for charge in of:
        within = charge.get("refunds") or {}
        rows = answers.page("/v1/refunds", {"charge": charge["id"]}) if within.get("has_more") else within.get("data")
        found += [inbound.adjustments.refund(one) for one in rows or []]
    return found


def disputes(charge: str) -> list[AdjustmentState]:
    """Return the disputes of this charge."""
    return [inbound.adjustments.dispute(one) for one in answers.page("/v1/disputes", {"charge": charge})]


def fraud_warnings(charge: str) -> list[FraudWarningState]:
    """Return the early fraud warnings of this charge.

    Source: https://docs.stripe.com/api/radar/early_fraud_warnings/list
    """
    rows = answers.page("/v1/radar/early_fraud_warnings", {"charge": charge})
    return [inbound.adjustments.fraud_warning(one) for one in rows]


def credit_notes(customer: str) -> list[AdjustmentState]:
    """Return the customer's newest credit notes."""
    return [inbound.adjustments.credit_note(one) for one in answers.page("/v1/credit_notes", {"customer": customer})]


def _credit_note(invoice: str, amount: int, refund: int, credit: int) -> dict[str, Any]:
    params: dict[str, Any] = {"invoice": invoice, "amount": amount}
    if refund:
        params["refund_amount"] = refund
    if credit:
        params["credit_amount"] = credit
    return params


def _made_by(operation: str, rows: list[dict[str, Any]]) -> bool:
    return any((one.get("metadata") or {}).get("operation") == operation for one in rows)
