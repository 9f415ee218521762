"""Comparing our rows with Stripe's, and with each other."""

from collections.abc import Iterable
from typing import Any

from billing.models import Invoice, Office, Payment, Subscription
from tests.equality.columns import (
    CARD,
    CREDIT_NOTE,
    DISPUTE,
    INVOICE,
    PAYMENT,
    REFUND,
    SUBSCRIPTION,
    Columns,
    card_of,
    current_of,
    debt_of,
    id_of,
)
from tests.equality.theirs import LIVE, Object, Theirs


def differences(office: Office, theirs: Theirs) -> list[str]:
    """List where the Office and its rows differ from Stripe. The list is empty if they are equal."""
    return [
        *(
            _after_a_deletion(office)
            if theirs.customer.get("deleted")
            else differences_of_subscriptions(office, theirs)
        ),
        *_of_rows("invoice", office.invoices.filter(deleted_at=None), theirs.invoices, INVOICE),
        *_of_rows("payment", office.payments.all(), theirs.charges, PAYMENT),
        *_of_rows("refund", office.adjustments.filter(kind="refund"), theirs.refunds, REFUND),
        *_of_rows("credit note", office.adjustments.filter(kind="credit_note"), theirs.credit_notes, CREDIT_NOTE),
        *_of_rows("dispute", office.adjustments.filter(kind="dispute"), theirs.disputes, DISPUTE),
        *_of_cards(office, theirs),
        *_of_row("office", office, debt_of(theirs)),
    ]


def differences_of_subscriptions(office: Office, theirs: Theirs) -> list[str]:
    """List the differences in what every look must show: the card, the credit and the subscriptions."""
    seen = card_of(theirs.customer) | current_of(theirs.current) | {"credit_balance": -theirs.customer["balance"]}
    return [
        *_of_row("office", office, seen),
        *_of_rows("subscription", office.subscriptions.filter(deleted_at=None), theirs.subscriptions, SUBSCRIPTION),
    ]


def _after_a_deletion(office: Office) -> list[str]:
    found = [f"subscription {row.pk} is live" for row in office.subscriptions.filter(status__in=LIVE)]
    if office.customer_deleted_at is None:
        found.append("office: the customer is deleted at Stripe and not here")
    return [*found, *_of_row("office", office, card_of({}) | {"credit_balance": 0})]


def _of_cards(office: Office, theirs: Theirs) -> list[str]:
    default = id_of((theirs.customer.get("invoice_settings") or {}).get("default_payment_method"))
    columns = CARD | {"is_default": lambda its: its["id"] == default}
    return _of_rows("card", office.payment_methods.filter(detached_at=None), theirs.cards, columns)


def _of_rows(kind: str, rows: Iterable[Any], theirs: list[Object], columns: Columns) -> list[str]:
    ours = {row.stripe_id: row for row in rows}
    found = [f"{kind} {key}: Stripe has it, we do not" for key in sorted({one["id"] for one in theirs} - set(ours))]
    found += [f"{kind} {key}: we have it, Stripe does not" for key in sorted(set(ours) - {one["id"] for one in theirs})]
    for its in theirs:
        if row := ours.get(its["id"]):
            found += _of_row(f"{kind} {its['id']}", row, {name: derive(its) for name, derive in columns.items()})
    return found


def _of_row(subject: str, row: Any, expected: dict[str, Any]) -> list[str]:
    return [
        f"{subject}: {name} is {getattr(row, name)!r} here and {value!r} at Stripe"
        for name, value in expected.items()
        if getattr(row, name) != value
    ]


def broken_invariants(office: Office) -> list[str]:
    """List what is wrong in our own rows, whatever Stripe shows."""
    found = []
    remaining = Invoice.objects.filter(office=office, status="open", deleted_at=None)
    if office.balance_due != sum(remaining.values_list("amount_remaining", flat=True)):
        found.append(f"balance_due is {office.balance_due}, not the sum of the open invoices")
    for row in Subscription.objects.filter(office=office):
        found += _broken_history(row)
    if Payment.objects.filter(office=office).exclude(invoice=None).exclude(invoice__office=office).exists():
        found.append("a payment belongs to another Office's invoice")
    return found


def _broken_history(row: Subscription) -> list[str]:
    """List where a change does not begin where the previous one ended, or the last one does not end at the row."""
    steps = [("", None, 0)]
    found = []
    for change in row.changes.order_by("pk"):
        if (change.status_before, change.price_before_id, change.quantity_before) != steps[-1]:
            found.append(f"subscription {row.pk}: change {change.pk} does not begin where the one before ended")
        steps.append((change.status_after, change.price_after_id, change.quantity_after))
    if steps[-1] != (row.status, row.plan_price_id, row.quantity):
        found.append(f"subscription {row.pk}: its history ends elsewhere than the row")
    return found
