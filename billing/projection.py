"""``apply(snapshot)``: the one writer of what mirrors Stripe.

Every projected object remembers the ticket of the look it was written with, and an older look leaves it
alone. Totals are derived from our own rows. One short transaction, serialised on the Office's row.
"""

from typing import Any

from django.db import models as orm
from django.db import transaction
from django.db.models import F, Sum

from billing import clock, invoice_lines
from billing.discounts import Discount
from billing.models import (
    Adjustment,
    Finding,
    Invoice,
    Office,
    Payment,
    PaymentMethod,
    PlanPrice,
    Subscription,
    SubscriptionChange,
)
from billing.models.office import LIVE_STATUSES
from billing.money import Money
from billing.stripe_api import mirror
from billing.stripe_api.inbound import (
    AdjustmentState,
    Card,
    InvoiceState,
    PaymentMethodState,
    PaymentState,
    Snapshot,
    SubscriptionState,
)


def take_ticket(office_id: int) -> int:
    """A number larger than that of every look at this Office that began before."""
    with transaction.atomic(durable=True):
        Office.objects.filter(pk=office_id).update(look_ticket=F("look_ticket") + 1)
        return Office.objects.values_list("look_ticket", flat=True).get(pk=office_id)


def link_customer(office_id: int, customer_id: str) -> Office:
    """The Office has this customer at Stripe. Repeating is a no-op."""
    with transaction.atomic(durable=True):
        office = _locked(office_id)
        if not office.payment_provider_customer_id:
            office.payment_provider_customer_id = customer_id
            office.save(update_fields=["payment_provider_customer_id"])
        return office


def apply(snapshot: Snapshot) -> Office:
    """Our rows are at least as new as the snapshot. Repeating is a no-op."""
    with transaction.atomic(durable=True):
        office = _locked(snapshot.office_id)
        before = _values(office)
        if snapshot.customer.deleted:
            _tombstone(office, snapshot)
        else:
            _apply_customer(office, snapshot)
        for subscription in snapshot.subscriptions:
            _apply_subscription(office, subscription, snapshot.ticket)
        prices = invoice_lines.prices_of(line for invoice in snapshot.invoices for line in invoice.lines)
        for invoice in snapshot.invoices:
            _apply_invoice(office, invoice, prices, snapshot.ticket)
        for payment in snapshot.payments:
            _apply_payment(office, payment, snapshot.ticket)
        for adjustment in snapshot.adjustments:
            _apply_adjustment(office, adjustment, snapshot.ticket)
        for payment_method in snapshot.payment_methods:
            _apply_payment_method(office, payment_method, snapshot.ticket)
        _mark_missing(office, snapshot)
        _derive(office)
        if office.customer_ticket == snapshot.ticket:  # the newest look
            office.confirmed_at = max(filter(None, [office.confirmed_at, snapshot.seen_at]))
        changed = [name for name, value in _values(office).items() if before[name] != value]
        if changed:
            office.save(update_fields=changed)
        return office


def report(kind: str, subject: str, *, office: Office | None, detail: str, severity: str = "warning") -> None:
    """One open Finding of this kind about this subject exists."""
    Finding.objects.get_or_create(
        kind=kind,
        subject=subject,
        resolved_at=None,
        defaults={"office": office, "detail": detail, "severity": severity},
    )


def _locked(office_id: int) -> Office:
    Office.objects.filter(pk=office_id).update(look_ticket=F("look_ticket"))  # the row is ours until commit
    return Office.objects.get(pk=office_id)


def _apply_customer(office: Office, snapshot: Snapshot) -> None:
    if office.customer_ticket > snapshot.ticket:
        return
    office.customer_ticket = snapshot.ticket
    row = mirror.customer(snapshot.customer, office)
    for subscription in snapshot.subscriptions:
        mirror.subscription(subscription, row)
    card, default = _card_charged(snapshot), snapshot.customer.default_payment_method
    office.payment_method_brand = card.brand
    office.payment_method_last4 = card.last4
    office.payment_method_expires = card.expires
    office.credit_balance = snapshot.customer.credit
    office.test_clock = snapshot.customer.test_clock
    if default:
        _apply_payment_method(office, default, snapshot.ticket)
    _mark_default(office, default.id if default else "")


def _card_charged(snapshot: Snapshot) -> Card:
    """A card that a live subscription has of its own goes before the customer's: Stripe charges that one."""
    own = [one.card for one in snapshot.subscriptions if one.status in LIVE_STATUSES and one.card.last4]
    return own[-1] if own else snapshot.customer.card


def _tombstone(office: Office, snapshot: Snapshot) -> None:
    """The customer is gone at Stripe: its id stays, nothing is live any more, and somebody is told."""
    if office.customer_ticket > snapshot.ticket:
        return
    office.customer_ticket = snapshot.ticket
    office.customer_deleted_at = office.customer_deleted_at or clock.billing()
    office.payment_method_brand = office.payment_method_last4 = office.payment_method_expires = ""
    office.credit_balance = 0
    for card in office.payment_methods.filter(detached_at=None):
        _save(card, {"detached_at": clock.billing(), "is_default": False}, snapshot.ticket)
    for row in office.subscriptions.filter(status__in=LIVE_STATUSES):
        _save(row, {"status": "canceled", "ended_at": clock.billing()}, snapshot.ticket, _record_change)
    report(
        "customer_deleted",
        str(office.public_id),
        office=office,
        severity="critical",
        detail="The customer was deleted at Stripe. The Office has no service and cannot be charged.",
    )


def _apply_subscription(office: Office, state: SubscriptionState, ticket: int) -> None:
    price = PlanPrice.objects.filter(stripe_price_id=state.price_id).select_related("plan").first()
    if price is None:
        report(
            "unknown_price",
            state.id,
            office=office,
            detail="A subscription at Stripe has a price that is not one of our plans.",
        )
    values = {
        "status": state.status,
        "plan_price": price,
        "quantity": state.quantity,
        "currency": state.currency,
        "monthly_amount": price.monthly_amount(state.quantity) if price else 0,
        "created_at": state.created_at,
        "started_at": state.started_at,
        "ended_at": state.ended_at,
        "current_period_start": state.current_period_start,
        "current_period_end": state.current_period_end,
        "billing_cycle_anchor": state.billing_cycle_anchor,
        "trial_end": state.trial_end,
        "cancel_at": state.cancel_at,
        "collection_paused": state.collection_paused,
        "collection_paused_until": state.collection_paused_until,
        **_discount_columns(state.discounts),
        "deleted_at": None,
    }
    row = Subscription.objects.filter(stripe_id=state.id).first()
    row = row or Subscription(office=office, stripe_id=state.id)
    _save(row, values, ticket, _record_change)
    if not office.currency:
        office.currency = state.currency


def _discount_columns(discounts: tuple[Discount, ...]) -> dict[str, Any]:
    first = discounts[0] if discounts else Discount(None, Money(0, ""), "")
    return {
        "discount_count": len(discounts),
        "discount_percent": first.percent,
        "discount_amount": first.amount.amount,
        "discount_currency": first.amount.currency,
        "discount_duration": first.duration,
        "discount_until": first.until,
    }


def _record_change(row: Subscription, before: dict[str, Any]) -> None:
    watched = ("status", "plan_price", "quantity", "monthly_amount")
    if before and all(before[name] == getattr(row, name) for name in watched):
        return
    was_revenue = before.get("status") in ("active", "past_due")
    SubscriptionChange.objects.create(
        subscription=row,
        office_id=row.office_id,
        at=clock.billing(),
        status_before=before.get("status", ""),
        status_after=row.status,
        price_before=before.get("plan_price"),
        price_after=row.plan_price,
        quantity_before=before.get("quantity", 0),
        quantity_after=row.quantity,
        mrr_before=before.get("monthly_amount", 0) if was_revenue else 0,
        mrr_after=row.monthly_amount if row.counts_as_revenue else 0,
        currency=row.currency,
    )


def _apply_invoice(office: Office, state: InvoiceState, prices: dict[str, PlanPrice], ticket: int) -> None:
    copied = (
        "payment_intent_id number status kind collection currency subtotal discount tax total amount_paid "
        "amount_remaining paid_elsewhere credited_before_payment credited_after_payment attempt_count "
        "next_payment_attempt period_start period_end created_at due_at finalised_at paid_at voided_at uncollectible_at"
    )
    values = {name: getattr(state, name) for name in copied.split()}
    values["lines"] = [invoice_lines.kept(line, prices.get(line["price"])) for line in state.lines]
    values["deleted_at"] = None
    if state.subscription_id:
        values["subscription"] = office.subscriptions.filter(stripe_id=state.subscription_id).first()
    row = Invoice.objects.filter(stripe_id=state.id).first() or Invoice(office=office, stripe_id=state.id)
    _save(row, values, ticket)
    if state.payment_intent_id:
        for payment in office.payments.filter(payment_intent_id=state.payment_intent_id, invoice=None):
            payment.invoice = row
            payment.save(update_fields=["invoice"])


def _apply_payment(office: Office, state: PaymentState, ticket: int) -> None:
    values = {
        "payment_intent_id": state.payment_intent_id,
        "status": state.status,
        "currency": state.currency,
        "amount": state.amount,
        "amount_refunded": state.amount_refunded,
        "disputed": state.disputed,
        "failure_code": state.failure_code,
        "decline_code": state.decline_code,
        "card_brand": state.card.brand,
        "card_last4": state.card.last4,
        "created_at": state.created_at,
    }
    if state.payment_intent_id:
        invoice = office.invoices.filter(payment_intent_id=state.payment_intent_id).first()
        if invoice:
            values["invoice"] = invoice
    row = Payment.objects.filter(stripe_id=state.id).first() or Payment(office=office, stripe_id=state.id)
    _save(row, values, ticket)


def _apply_adjustment(office: Office, state: AdjustmentState, ticket: int) -> None:
    copied = "kind status currency amount reason failure_code created_at due_at outcome"
    values: dict[str, Any] = {name: getattr(state, name) for name in copied.split()}
    payment = office.payments.filter(stripe_id=state.payment_id).first() if state.payment_id else None
    invoice = office.invoices.filter(stripe_id=state.invoice_id).first() if state.invoice_id else None
    values["payment"] = payment
    values["invoice"] = invoice or (payment.invoice if payment else None)
    values["operation"] = office.operations.filter(public_id=state.operation).first() if state.operation else None
    row = Adjustment.objects.filter(stripe_id=state.id).first() or Adjustment(office=office, stripe_id=state.id)
    before = row.status
    _save(row, values, ticket)
    if row.status != before:
        _report_adjustment(office, row)


def _report_adjustment(office: Office, row: Adjustment) -> None:
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
        Finding.objects.filter(kind="dispute", subject=subject, resolved_at=None).update(resolved_at=clock.wall())
    if row.outcome == Adjustment.Outcome.LOST:
        report("dispute_lost", subject, office=office, detail=told)


def _apply_payment_method(office: Office, state: PaymentMethodState, ticket: int) -> None:
    """Which one is the default is the customer's to say: see ``_mark_default``."""
    row = PaymentMethod.objects.filter(stripe_id=state.id).first()
    row = row or PaymentMethod(office=office, stripe_id=state.id)
    card = state.card
    _save(row, {"brand": card.brand, "last4": card.last4, "expires": card.expires, "detached_at": None}, ticket)


def _mark_default(office: Office, stripe_id: str) -> None:
    """The customer was seen to have this default card, or none; its row is there already."""
    for row in office.payment_methods.filter(is_default=True).exclude(stripe_id=stripe_id):
        row.is_default = False
        row.save(update_fields=["is_default"])
    for row in office.payment_methods.filter(is_default=False, stripe_id=stripe_id):
        row.is_default = True
        row.save(update_fields=["is_default"])


def _mark_missing(office: Office, snapshot: Snapshot) -> None:
    for card in office.payment_methods.filter(stripe_id__in=snapshot.detached, detached_at=None):
        _save(card, {"detached_at": clock.billing(), "is_default": False}, snapshot.ticket)
    for row in office.invoices.filter(stripe_id__in=snapshot.missing, deleted_at=None):
        _save(row, {"deleted_at": clock.billing(), "amount_remaining": 0}, snapshot.ticket)


def _derive(office: Office) -> None:
    """The Office's own columns, from our rows."""
    rows = list(office.subscriptions.filter(deleted_at=None).select_related("plan_price__plan"))
    live = sorted((row for row in rows if row.is_live), key=lambda row: (row.created_at, row.stripe_id))
    if len(live) > 1:
        report(
            "second_live_subscription",
            str(office.public_id),
            office=office,
            severity="critical",
            detail=f"{len(live)} subscriptions are live at Stripe; the oldest counts as the current one.",
        )
    current = live[0] if live else max(rows, key=lambda row: (row.created_at, row.stripe_id), default=None)
    open_invoices = office.invoices.filter(status="open", deleted_at=None, amount_remaining__gt=0)
    failed = open_invoices.filter(attempt_count__gt=0).order_by("finalised_at").first()
    office.balance_due = open_invoices.aggregate(total=Sum("amount_remaining"))["total"] or 0
    office.past_due_since = (failed.finalised_at or failed.created_at) if failed else None
    if current is None:
        return
    office.subscription_status = current.status
    office.payment_provider_subscription_id = current.stripe_id
    office.current_plan = current.plan_price.plan if current.plan_price else None
    office.quantity = current.quantity
    office.billing_cycle_anchor_date = current.billing_cycle_anchor
    office.current_period_start = current.current_period_start
    office.current_period_end = current.current_period_end
    office.trial_end = current.trial_end
    office.cancel_at = current.cancel_at if current.is_live else None
    office.collection_paused = current.collection_paused if current.is_live else ""
    office.collection_paused_until = current.collection_paused_until if current.is_live else None


def _save(row: Any, values: dict[str, Any], ticket: int, then: Any = None) -> None:
    """The row has these values, unless a newer look wrote it; only what changed is saved."""
    if row.pk and row.ticket > ticket:
        return
    before = {name: getattr(row, name) for name in values} if row.pk else {}
    changed = [name for name, value in values.items() if not before or before[name] != value]
    for name, value in values.items():
        setattr(row, name, value)
    if row.pk and row.ticket != ticket:
        changed.append("ticket")
    row.ticket = ticket
    if changed:
        row.save(update_fields=changed if before else None)
    if then is not None:
        then(row, _completed(before, row))


def _completed(before: dict[str, Any], row: Any) -> dict[str, Any]:
    """What the row was, also where only a part of its values was given."""
    if not before:
        return {}
    watched = ("status", "plan_price", "quantity", "monthly_amount")
    return {name: getattr(row, name) for name in watched} | before


def _values(row: orm.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
