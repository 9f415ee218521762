"""Writing the rows of one Office's subscriptions, invoices, payments, adjustments and cards from a snapshot."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from billing import clock, invoice_lines
from billing.findings import report, resolve
from billing.models import Adjustment, Invoice, Office, Payment, PaymentMethod, PlanPrice, Subscription
from billing.models.statuses import AdjustmentStatus
from billing.projection import columns, rows
from billing.stripe_api.inbound.states import (
    AdjustmentState,
    InvoiceState,
    PaymentMethodState,
    PaymentState,
    Snapshot,
    SubscriptionState,
)


def write(office: Office, snapshot: Snapshot) -> None:
    """Write everything that the snapshot shows, except what a newer look wrote.

    The reads are a few queries per kind, however many objects the snapshot has.
    """
    ticket = snapshot.ticket
    prices = _prices(snapshot)
    subscriptions = _write_subscriptions(office, snapshot.subscriptions, prices, ticket)
    invoices = _write_invoices(office, snapshot.invoices, prices, subscriptions, ticket)
    _write_payments(office, snapshot.payments, invoices, ticket)
    _write_adjustments(office, snapshot.adjustments, ticket)
    _write_payment_methods(office, snapshot.payment_methods, ticket)
    _mark_missing(office, snapshot)


def _with_rows(model: type[Any], office: Office, states: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield each state with its row. Where there is no row, yield a new one that is not saved yet."""
    states = list(states)
    found = model.objects.filter(stripe_id__in=[state.id for state in states]).order_by() if states else []
    seen = {row.stripe_id: row for row in found}
    for state in states:
        yield seen.get(state.id) or model(office=office, stripe_id=state.id), state


def _prices(snapshot: Snapshot) -> dict[str, PlanPrice]:
    """Return our prices that the snapshot names, by their ids at Stripe. One query."""
    named = {state.price_id for state in snapshot.subscriptions}
    named |= {line["price"] for state in snapshot.invoices for line in state.lines}
    return invoice_lines.prices_of(named)


def _write_subscriptions(
    office: Office, states: Iterable[SubscriptionState], prices: Mapping[str, PlanPrice], ticket: int
) -> dict[str, int]:
    """Write the subscriptions, and return their primary keys by their ids at Stripe."""
    keys = {}
    for row, state in _with_rows(Subscription, office, states):
        price = prices.get(state.price_id)
        if price is None:
            report(
                "unknown_price",
                state.id,
                office=office,
                detail="A subscription at Stripe has a price that is not one of our plans.",
            )
        elif row.plan_price_id == price.pk:
            row.plan_price = price  # so that the audit trail can name it without a query
        rows.save(row, columns.of_subscription(state, price), ticket)
        keys[state.id] = row.pk
        if not office.currency:
            office.currency = state.currency
    return keys


def _write_invoices(
    office: Office,
    states: Iterable[InvoiceState],
    prices: Mapping[str, PlanPrice],
    subscriptions: dict[str, int],
    ticket: int,
) -> dict[str, int]:
    """Write the invoices, and return their primary keys by the payment intents that pay them.

    Payments and adjustments that were written before their invoice are linked to it.
    """
    states = list(states)
    others = {state.subscription_id for state in states} - set(subscriptions)
    subscriptions = _keys(office.subscriptions, "stripe_id", others) | subscriptions
    found = list(_with_rows(Invoice, office, states))
    rows.save_all(
        (
            (row, columns.of_invoice(state, prices, subscription_id=subscriptions.get(state.subscription_id)))
            for row, state in found
        ),
        ticket,
    )
    for row, state in found:  # a newer look may have written an invoice before its subscription was there
        if row.subscription_id is None and state.subscription_id in subscriptions:
            row.subscription_id = subscriptions[state.subscription_id]
            row.save(update_fields=["subscription"])
    written = {state.payment_intent_id: row for row, state in found if state.payment_intent_id}
    unlinked = office.payments.filter(payment_intent_id__in=written, invoice=None) if written else []
    for payment in unlinked:
        payment.invoice = written[payment.payment_intent_id]
        payment.save(update_fields=["invoice"])
        for adjustment in payment.adjustments.filter(invoice=None):
            adjustment.invoice = payment.invoice
            adjustment.save(update_fields=["invoice"])
    return {intent: row.pk for intent, row in written.items()}


def _write_payments(office: Office, states: Iterable[PaymentState], invoices: dict[str, int], ticket: int) -> None:
    found = list(_with_rows(Payment, office, states))
    others = {state.payment_intent_id for row, state in found if not row.invoice_id} - set(invoices)
    invoices = _keys(office.invoices, "payment_intent_id", others) | invoices
    rows.save_all(
        ((row, columns.of_payment(state, invoice_id=invoices.get(state.payment_intent_id))) for row, state in found),
        ticket,
    )


def _write_adjustments(office: Office, states: Iterable[AdjustmentState], ticket: int) -> None:
    states = list(states)
    named = {state.payment_id for state in states} - {""}
    payments = {row.stripe_id: row for row in office.payments.filter(stripe_id__in=named)} if named else {}
    invoices = _keys(office.invoices, "stripe_id", (state.invoice_id for state in states))
    operations = _keys(office.operations, "public_id", (state.operation for state in states))
    wanted, before = [], []
    for row, state in _with_rows(Adjustment, office, states):
        payment = payments.get(state.payment_id)
        belongs: dict[str, Any] = {
            "payment_id": payment.pk if payment else None,
            "invoice_id": invoices.get(state.invoice_id) or (payment.invoice_id if payment else None),
            "operation_id": operations.get(state.operation),
        }
        wanted.append((row, columns.of_adjustment(state) | belongs))
        before.append(row.status)
    rows.save_all(wanted, ticket)
    for (row, _), status in zip(wanted, before, strict=True):
        if row.status != status:
            _tell(office, row)


def _write_payment_methods(office: Office, states: Iterable[PaymentMethodState], ticket: int) -> None:
    """Write the cards. The customer says which card is the default: see ``billing.projection.offices``."""
    found = _with_rows(PaymentMethod, office, states)
    rows.save_all(((row, columns.of_card(state.card)) for row, state in found), ticket)


def _keys(of: Any, name: str, values: Iterable[str]) -> dict[str, int]:
    """Return the primary keys of the Office's rows that have one of these values in this column, by the values."""
    wanted = set(values) - {""}
    found = of.filter(**{f"{name}__in": wanted}).order_by().values_list(name, "pk") if wanted else []
    return {str(value): key for value, key in found}


def _tell(office: Office, row: Adjustment) -> None:
    """Report what the bank did as a finding. Resolve the finding of a dispute when no answer is needed any more."""
    subject = str(row.public_id)
    if row.kind == Adjustment.Kind.REFUND and row.status == AdjustmentStatus.FAILED:
        report("refund_failed", subject, office=office, severity="critical", detail=f"{row.money}: {row.says}")
    if row.kind != Adjustment.Kind.DISPUTE:
        return
    words = f"A payment of {row.money} is disputed ({row.get_reason_display()}). {row.says}"
    if row.answer_by:
        severity = "warning" if row.is_inquiry else "critical"
        report("dispute", subject, office=office, severity=severity, detail=words)
    else:
        resolve("dispute", subject)
    if row.outcome == Adjustment.Outcome.LOST:
        report("dispute_lost", subject, office=office, detail=words)


def _mark_missing(office: Office, snapshot: Snapshot) -> None:
    """Mark the cards that no longer belong to this customer, and the invoices that are no longer at Stripe."""
    detached = office.payment_methods.filter(stripe_id__in=snapshot.detached, detached_at=None)
    for card in detached if snapshot.detached else ():
        rows.save(card, {"detached_at": clock.billing(), "is_default": False}, snapshot.ticket)
    missing = office.invoices.filter(stripe_id__in=snapshot.missing, deleted_at=None)
    for row in missing if snapshot.missing else ():
        rows.save(row, {"deleted_at": clock.billing(), "amount_remaining": 0}, snapshot.ticket)
