"""Writing the rows of one Office's subscriptions, invoices, payments, adjustments and cards from a snapshot."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Q

from billing import clock, invoice_lines, zones
from billing.findings import report, resolve
from billing.models import (
    Adjustment,
    Invoice,
    InvoicePayment,
    Office,
    Payment,
    PaymentMethod,
    PlanPrice,
    Subscription,
    SubscriptionItem,
)
from billing.models.statuses import FINAL, AdjustmentStatus
from billing.money import Money
from billing.projection import columns, rows, schedules
from billing.stripe_api.inbound.states import (
    AdjustmentState,
    FraudWarningState,
    InvoiceState,
    ItemState,
    PaymentMethodState,
    PaymentState,
    Snapshot,
    SubscriptionState,
)


def write(office: Office, snapshot: Snapshot) -> list[Subscription]:
    """Write everything that the snapshot shows, except what a newer look wrote. Return the Office's subscriptions.

    The reads are a few queries per kind, however many objects the snapshot has.
    """
    ticket = snapshot.ticket
    prices = _prices(snapshot)
    subscriptions = _write_subscriptions(office, snapshot.subscriptions, prices, ticket)
    paid_with = _write_invoices(office, snapshot.invoices, prices, subscriptions, ticket)
    _write_payments(office, snapshot.payments, paid_with, ticket)
    _write_adjustments(office, snapshot.adjustments, ticket)
    _tell_of_fraud(office, snapshot.fraud_warnings)
    _write_payment_methods(office, snapshot.payment_methods, ticket)
    _mark_missing(office, snapshot)
    return subscriptions


def _with_rows(model: type[Any], office: Office, states: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield each state with its row. Where there is no row, yield a new one that is not saved yet."""
    states = list(states)
    found = model.objects.filter(stripe_id__in=[state.id for state in states]).order_by() if states else []
    seen = {row.stripe_id: row for row in found}
    for state in states:
        yield seen.get(state.id) or model(office=office, stripe_id=state.id), state


def _prices(snapshot: Snapshot) -> dict[str, PlanPrice]:
    """Return our prices that the snapshot names, by their ids at Stripe. One query."""
    named = {item.price_id for state in snapshot.subscriptions for item in state.items}
    named |= {line["price"] for state in snapshot.invoices for line in state.lines}
    return invoice_lines.prices_of(named)


def _write_subscriptions(
    office: Office, states: Iterable[SubscriptionState], prices: Mapping[str, PlanPrice], ticket: int
) -> list[Subscription]:
    """Write the subscriptions with their items, and return all subscriptions of the Office as they are now."""
    states = list(states)
    named = Q(office=office) | Q(stripe_id__in=[state.id for state in states])
    known = {row.stripe_id: row for row in Subscription.objects.filter(named).select_related("plan_price").order_by()}
    for row in known.values():
        if row.office_id == office.pk:
            row.office = office
    found = [(known.setdefault(state.id, Subscription(office=office, stripe_id=state.id)), state) for state in states]
    items = _items([row for row, _ in found])
    for row, state in found:
        may_write, was_unknown, schedule = rows.may_write(row, ticket), row.plan_price_id is None, row.schedule
        values = columns.of_subscription(state, prices)
        price = next((one for one in prices.values() if one.pk == values["plan_price_id"]), None)
        if price and row.plan_price_id == price.pk:
            row.plan_price = price  # so that the audit trail can name it without a query
        rows.save(row, values, ticket)
        if may_write:
            of_row = items[row.pk]
            was_unknown = was_unknown or any(one.plan_price_id is None for one in of_row if one.removed_at is None)
            _write_items(row, state, of_row, prices)
            _tell_of_prices(office, state, prices, was_unknown=was_unknown)
            schedules.tell_of_let_go(schedule, row)
    return [row for row in known.values() if row.office_id == office.pk]


def _tell_of_prices(
    office: Office, state: SubscriptionState, prices: Mapping[str, PlanPrice], *, was_unknown: bool
) -> None:
    """Report a finding while a subscription that goes on has a price that is not one of our plans."""
    foreign = [item for item in state.items if item.price_id not in prices]
    if state.status not in FINAL and foreign:
        named = " and ".join(_price_in_words(item) for item in foreign)
        what = "a price that is not one of our plans" if len(foreign) == 1 else "prices that are not our plans"
        detail = f"A subscription at Stripe has {what}: {named}. If this is wrong, change it in Stripe's dashboard."
        facts = " ".join(sorted({item.price_id for item in foreign}))
        report("unknown_price", state.id, office=office, detail=detail, facts=facts)
    elif was_unknown:
        resolve("unknown_price", state.id, resolution="the subscription ended or has only prices of our plans")


def _price_in_words(item: ItemState) -> str:
    every = item.interval if item.interval_count == 1 else f"{item.interval_count} {item.interval}s"
    if item.unit_amount is None:
        return f"a price by use, package or tier, every {every}"
    times = f" × {item.quantity:,}" if item.quantity != 1 else ""
    return f"{Money(item.unit_amount, item.currency)} every {every}{times}"


def _items(subscriptions: list[Subscription]) -> dict[int, list[SubscriptionItem]]:
    """Return the items of these subscriptions, also removed ones, by the subscription's primary key. One query."""
    found: dict[int, list[SubscriptionItem]] = defaultdict(list)
    of = [row.pk for row in subscriptions if row.pk]
    rows_of = SubscriptionItem.objects.filter(subscription__in=of).select_related("plan_price__plan").order_by("pk")
    for item in rows_of if of else ():
        found[item.subscription_id].append(item)
    return found


def _write_items(
    subscription: Subscription,
    state: SubscriptionState,
    known: list[SubscriptionItem],
    prices: Mapping[str, PlanPrice],
) -> None:
    """Write the items of a subscription, and mark those that are gone.

    An item has no ticket: it is as new as its subscription's row.
    """
    seen = {row.stripe_id: row for row in known}
    for item in state.items:
        row = seen.pop(item.id, None) or SubscriptionItem(subscription=subscription, stripe_id=item.id)
        rows.save_changes(row, columns.of_item(item, prices.get(item.price_id)))
    for row in seen.values():
        if row.removed_at is None:
            rows.save_changes(row, {"removed_at": clock.billing()})


def _write_invoices(
    office: Office,
    states: Iterable[InvoiceState],
    prices: Mapping[str, PlanPrice],
    subscriptions: Iterable[Subscription],
    ticket: int,
) -> dict[str, int]:
    """Write the invoices with what pays them. Return their primary keys by the payments' and intents' ids."""
    keys = {row.stripe_id: row.pk for row in subscriptions}
    found = list(_with_rows(Invoice, office, states))
    written = [(row, state) for row, state in found if rows.may_write(row, ticket)]
    rows.save_all(
        (
            (row, columns.of_invoice(state, prices, subscription_id=keys.get(state.subscription_id)))
            for row, state in found
        ),
        ticket,
    )
    for row, state in found:  # a newer look may have written an invoice before its subscription was there
        if row.subscription_id is None and state.subscription_id in keys:
            row.subscription_id = keys[state.subscription_id]
            row.save(update_fields=["subscription"])
    _write_invoice_payments(written)
    return {
        paying: row.pk
        for row, state in found
        for one in state.payments
        for paying in (one.payment_intent_id, one.charge_id)
        if paying
    }


def _write_invoice_payments(invoices: list[tuple[Invoice, InvoiceState]]) -> None:
    """Write what pays these invoices. One query if nothing changed. A row is as new as its invoice's row."""
    named = [one.id for _, state in invoices for one in state.payments]
    known = (
        {row.stripe_id: row for row in InvoicePayment.objects.filter(stripe_id__in=named).order_by()} if named else {}
    )
    for invoice, state in invoices:
        for one in state.payments:
            row = known.get(one.id) or InvoicePayment(invoice=invoice, stripe_id=one.id)
            rows.save_changes(row, columns.of_invoice_payment(one))


def _write_payments(office: Office, states: Iterable[PaymentState], paid_with: Mapping[str, int], ticket: int) -> None:
    """Write the payments. Those of the Office that were written before their invoice are linked to it.

    ``paid_with`` has primary keys of invoices, by the ids of the payments and of the intents that pay them.
    """
    states = list(states)
    named = Q(stripe_id__in={state.id for state in states} | set(paid_with)) | Q(payment_intent_id__in=paid_with)
    known = {row.stripe_id: row for row in Payment.objects.filter(named).order_by()} if states or paid_with else {}
    for row in known.values():
        invoice = paid_with.get(row.stripe_id) or paid_with.get(row.payment_intent_id)
        if invoice and row.invoice_id is None and row.office_id == office.pk:
            _link(row, invoice)
    found = [(known.get(state.id) or Payment(office=office, stripe_id=state.id), state) for state in states]
    without = [state for row, state in found if not row.invoice_id]
    seen = {state.id: paid_with.get(state.id) or paid_with.get(state.payment_intent_id) for state in without}
    invoices = seen | invoices_paid(state for state in without if not seen[state.id])
    rows.save_all(((row, columns.of_payment(state, invoice_id=invoices.get(state.id))) for row, state in found), ticket)


def _link(payment: Payment, invoice_id: int) -> None:
    """Link this payment, and what came of it, to the invoice that it paid."""
    payment.invoice_id = invoice_id
    payment.save(update_fields=["invoice"])
    for adjustment in payment.adjustments.filter(invoice=None):
        adjustment.invoice_id = invoice_id
        adjustment.save(update_fields=["invoice"])


def invoices_paid(states: Iterable[PaymentState]) -> dict[str, int]:
    """Return the primary keys of the invoices that these payments pay, by the payments' ids. Two queries at most."""
    states = list(states)
    intents, charges = {one.payment_intent_id for one in states} - {""}, {one.id for one in states}
    if not states:
        return {}
    named = Q(payment_intent_id__in=intents) | Q(charge_id__in=charges)
    by = {
        paying: invoice
        for *both, invoice in InvoicePayment.objects.filter(named).values_list(
            "payment_intent_id", "charge_id", "invoice"
        )
        for paying in both
    }
    if left := intents - set(by):  # invoices that were last seen before their payments were kept
        old = Invoice.objects.filter(payment_intent_id__in=left)
        by |= dict(old.values_list("payment_intent_id", "pk"))
    found = {one.id: by.get(one.id) or by.get(one.payment_intent_id) for one in states}
    return {payment: invoice for payment, invoice in found.items() if invoice}


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
        report("refund_failed", subject, office=office, detail=f"{row.money}: {row.says}")
    if row.kind != Adjustment.Kind.DISPUTE:
        return
    words = f"A payment of {row.money} is disputed ({row.get_reason_display()}). {row.says}"
    if row.answer_by:
        severity = "warning" if row.is_inquiry else "critical"
        report("dispute", subject, office=office, severity=severity, detail=words, facts=row.status)
    else:
        resolve("dispute", subject, resolution="no answer is needed any more")
    if row.outcome == Adjustment.Outcome.LOST:
        report("dispute_lost", subject, office=office, detail=words)


def _tell_of_fraud(office: Office, warnings: Iterable[FraudWarningState]) -> None:
    """Report each payment that a bank warns of as a finding, and resolve it when nothing can be done any more.

    Source: https://docs.stripe.com/disputes/measuring#early-fraud-warnings
    """
    warnings = list(warnings)
    actionable = {one.payment_id for one in warnings if one.is_actionable}
    named = {one.payment_id for one in warnings}
    for payment in office.payments.filter(stripe_id__in=named) if named else ():
        subject = str(payment.public_id)
        if payment.stripe_id not in actionable or payment.disputed or not payment.refundable.amount:
            resolve("fraud_warning", subject, resolution="the payment was refunded in whole, or is disputed")
            continue
        given_back = f", of which {payment.given_back} went back," if payment.amount_refunded else ""
        report(
            "fraud_warning",
            subject,
            office=office,
            detail=f"The card's bank warns that the payment of {payment.money}{given_back} on "
            f"{zones.day(payment.created_at, office.time_zone)} may be fraud. Often a dispute follows, which takes the "
            "money and costs a fee. If you are not sure that the Office made this payment, refund all of it now: only "
            "that prevents the dispute. A refund of a part does not.",
        )


def _mark_missing(office: Office, snapshot: Snapshot) -> None:
    """Mark the cards that no longer belong to this customer, and the invoices that are no longer at Stripe."""
    detached = office.payment_methods.filter(stripe_id__in=snapshot.detached, detached_at=None)
    for card in detached if snapshot.detached else ():
        rows.save(card, {"detached_at": clock.billing(), "is_default": False}, snapshot.ticket)
    missing = office.invoices.filter(stripe_id__in=snapshot.missing, deleted_at=None)
    for row in missing if snapshot.missing else ():
        rows.save(row, {"deleted_at": clock.billing(), "amount_remaining": 0}, snapshot.ticket)
