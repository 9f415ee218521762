"""The rows of one Office's subscriptions, invoices, payments, adjustments and cards, each from what Stripe shows."""

from typing import Any

from billing import clock, invoice_lines
from billing.findings import report, resolve
from billing.models import Adjustment, Invoice, Office, Payment, PaymentMethod, PlanPrice, Subscription
from billing.projection import columns, rows
from billing.stripe_api.inbound import (
    AdjustmentState,
    InvoiceState,
    PaymentMethodState,
    PaymentState,
    Snapshot,
    SubscriptionState,
)


def write(office: Office, snapshot: Snapshot) -> None:
    """Everything that the snapshot shows and no newer look wrote."""
    ticket = snapshot.ticket
    for subscription in snapshot.subscriptions:
        _write_subscription(office, subscription, ticket)
    prices = invoice_lines.prices_of(line for invoice in snapshot.invoices for line in invoice.lines)
    for invoice in snapshot.invoices:
        _write_invoice(office, invoice, prices, ticket)
    for payment in snapshot.payments:
        _write_payment(office, payment, ticket)
    for adjustment in snapshot.adjustments:
        _write_adjustment(office, adjustment, ticket)
    for payment_method in snapshot.payment_methods:
        write_payment_method(office, payment_method, ticket)
    _mark_missing(office, snapshot)


def write_payment_method(office: Office, state: PaymentMethodState, ticket: int) -> None:
    """Which one is the default is the customer's to say: see ``billing.projection.offices``."""
    row = PaymentMethod.objects.filter(stripe_id=state.id).first()
    row = row or PaymentMethod(office=office, stripe_id=state.id)
    rows.save(row, columns.of_card(state.card), ticket)


def _write_subscription(office: Office, state: SubscriptionState, ticket: int) -> None:
    price = PlanPrice.objects.filter(stripe_price_id=state.price_id).select_related("plan").first()
    if price is None:
        report(
            "unknown_price",
            state.id,
            office=office,
            detail="A subscription at Stripe has a price that is not one of our plans.",
        )
    row = Subscription.objects.filter(stripe_id=state.id).first()
    row = row or Subscription(office=office, stripe_id=state.id)
    rows.save(row, columns.of_subscription(state, price), ticket)
    if not office.currency:
        office.currency = state.currency


def _write_invoice(office: Office, state: InvoiceState, prices: dict[str, PlanPrice], ticket: int) -> None:
    subscription = (
        office.subscriptions.filter(stripe_id=state.subscription_id).first() if state.subscription_id else None
    )
    values = columns.of_invoice(state, prices, subscription_id=subscription.pk if subscription else None)
    row = Invoice.objects.filter(stripe_id=state.id).first() or Invoice(office=office, stripe_id=state.id)
    rows.save(row, values, ticket)
    if state.payment_intent_id:
        for payment in office.payments.filter(payment_intent_id=state.payment_intent_id, invoice=None):
            payment.invoice = row
            payment.save(update_fields=["invoice"])
            for adjustment in payment.adjustments.filter(invoice=None):
                adjustment.invoice = row
                adjustment.save(update_fields=["invoice"])


def _write_payment(office: Office, state: PaymentState, ticket: int) -> None:
    intent = state.payment_intent_id
    invoice = office.invoices.filter(payment_intent_id=intent).first() if intent else None
    row = Payment.objects.filter(stripe_id=state.id).first() or Payment(office=office, stripe_id=state.id)
    rows.save(row, columns.of_payment(state, invoice_id=invoice.pk if invoice else None), ticket)


def _write_adjustment(office: Office, state: AdjustmentState, ticket: int) -> None:
    payment = office.payments.filter(stripe_id=state.payment_id).first() if state.payment_id else None
    invoice = office.invoices.filter(stripe_id=state.invoice_id).first() if state.invoice_id else None
    operation = office.operations.filter(public_id=state.operation).first() if state.operation else None
    belongs: dict[str, Any] = {
        "payment_id": payment.pk if payment else None,
        "invoice_id": invoice.pk if invoice else (payment.invoice_id if payment else None),
        "operation_id": operation.pk if operation else None,
    }
    row = Adjustment.objects.filter(stripe_id=state.id).first() or Adjustment(office=office, stripe_id=state.id)
    before = row.status
    rows.save(row, columns.of_adjustment(state) | belongs, ticket)
    if row.status != before:
        _tell(office, row)


def _tell(office: Office, row: Adjustment) -> None:
    """Somebody is told what the bank did, and no longer told to answer once that is over."""
    subject = str(row.public_id)
    if row.kind == Adjustment.Kind.REFUND and row.status == "failed":
        report("refund_failed", subject, office=office, severity="critical", detail=f"{row.money}: {row.says}")
    if row.kind != Adjustment.Kind.DISPUTE:
        return
    told = f"A payment of {row.money} is disputed ({row.get_reason_display()}). {row.says}"
    if row.answer_by:
        severity = "warning" if row.is_inquiry else "critical"
        report("dispute", subject, office=office, severity=severity, detail=told)
    else:
        resolve("dispute", subject)
    if row.outcome == Adjustment.Outcome.LOST:
        report("dispute_lost", subject, office=office, detail=told)


def _mark_missing(office: Office, snapshot: Snapshot) -> None:
    """What Stripe says is not there, or no longer this customer's."""
    for card in office.payment_methods.filter(stripe_id__in=snapshot.detached, detached_at=None):
        rows.save(card, {"detached_at": clock.billing(), "is_default": False}, snapshot.ticket)
    for row in office.invoices.filter(stripe_id__in=snapshot.missing, deleted_at=None):
        rows.save(row, {"deleted_at": clock.billing(), "amount_remaining": 0}, snapshot.ticket)
