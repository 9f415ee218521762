"""Comparing our rows with Stripe's, and with each other."""

from collections.abc import Iterable
from typing import Any

from billing.models import Finding, Invoice, InvoicePayment, Office, Payment, Subscription, SubscriptionItem
from tests.equality import columns, meaning
from tests.equality.columns import Columns
from tests.equality.theirs import LIVE, Object, Theirs


def differences(office: Office, theirs: Theirs) -> list[str]:
    """List where the Office and its rows differ from Stripe. The list is empty if they are equal."""
    adjustments, kept = office.adjustments, office.invoices.filter(deleted_at=None)
    paying = InvoicePayment.objects.filter(invoice__in=kept)
    payments = [one for invoice in theirs.invoices for one in invoice["payments"]["data"]]
    disputes, refunds = adjustments.filter(kind="dispute"), adjustments.filter(kind="refund")
    return [
        *(
            _after_a_deletion(office, theirs)
            if theirs.customer.get("deleted")
            else [
                *differences_of_subscriptions(office, theirs),
                *_of_row("office", office, columns.of_debts(theirs) | columns.of_schedules(theirs)),
            ]
        ),
        *_of_rows("invoice", kept, theirs.invoices, columns.INVOICE),
        *_of_rows("payment of an invoice", paying, payments, columns.INVOICE_PAYMENT),
        *_of_rows("payment", office.payments.all(), theirs.charges, columns.payment(theirs)),
        *_of_rows("refund", refunds, theirs.refunds, columns.refund(theirs)),
        *_of_rows("credit note", adjustments.filter(kind="credit_note"), theirs.credit_notes, columns.CREDIT_NOTE),
        *_of_rows("dispute", disputes, theirs.disputes, columns.dispute(theirs)),
        *_of_cards(office, theirs),
        *_of_findings(office, theirs),
    ]


def differences_of_subscriptions(office: Office, theirs: Theirs) -> list[str]:
    """List the differences in what every look must show: the card, the credit, the subscriptions and their items."""
    subscriptions = office.subscriptions.filter(deleted_at=None)
    present_items = SubscriptionItem.objects.filter(subscription__in=subscriptions, removed_at=None)
    items = [item for one in theirs.subscriptions for item in meaning.items(one)]
    return [
        *_of_row("office", office, columns.of_office(theirs)),
        *_of_rows("subscription", subscriptions, theirs.subscriptions, columns.SUBSCRIPTION),
        *_of_rows("item", present_items, items, columns.ITEM),
    ]


def _after_a_deletion(office: Office, theirs: Theirs) -> list[str]:
    """List what a customer that was deleted should have lost and has. What it was asked to pay, it owes on."""
    found = [f"subscription {row.pk} is live" for row in office.subscriptions.filter(status__in=LIVE)]
    if office.customer_deleted_at is None:
        found.append("office: the customer is deleted at Stripe and not here")
    if _debts(office) != meaning.debts(theirs):
        found.append(f"office: {_debts(office)} is owed here, and {meaning.debts(theirs)} at Stripe")
    lost: dict[str, Any] = dict.fromkeys(("payment_method_brand", "payment_method_last4", "payment_method_expires"), "")
    lost |= {"credit_balance": 0, "past_due_since": None, "also_live": [], "coming_schedules": None}
    return [*found, *_of_row("office", office, lost)]


def _of_cards(office: Office, theirs: Theirs) -> list[str]:
    default = meaning.id_of((theirs.customer.get("invoice_settings") or {}).get("default_payment_method"))
    table = columns.PAYMENT_METHOD | {"is_default": lambda its: its["id"] == default}
    return _of_rows("card", office.payment_methods.filter(detached_at=None), theirs.payment_methods, table)


def _of_findings(office: Office, theirs: Theirs) -> list[str]:
    """List the findings about subscriptions that should be open and are not, or are open and should not be."""
    unknown = {
        ("unknown_price", one["id"])
        for one in theirs.subscriptions
        if one["status"] not in meaning.OVER
        and any(meaning.our_price(item["price"]["id"]) is None for item in meaning.items(one))
    }
    second = {("second_live_subscription", str(office.public_id))} if len(meaning.live(theirs)) > 1 else set()
    kinds = ("unknown_price", "second_live_subscription", "schedule")
    ours = set(Finding.objects.filter(office=office, kind__in=kinds, resolved_at=None).values_list("kind", "subject"))
    scheduled = {("schedule", one["id"]) for one in theirs.schedules if one["status"] in ("not_started", "active")}
    right = unknown | second | scheduled
    return [
        *(f"finding {kind} about {subject} should be open" for kind, subject in sorted(right - ours)),
        *(f"finding {kind} about {subject} should be over" for kind, subject in sorted(ours - right)),
    ]


def _of_rows(kind: str, rows: Iterable[Any], theirs: list[Object], table: Columns) -> list[str]:
    ours = {row.stripe_id: row for row in rows}
    found = [f"{kind} {key}: Stripe has it, we do not" for key in sorted({one["id"] for one in theirs} - set(ours))]
    found += [f"{kind} {key}: we have it, Stripe does not" for key in sorted(set(ours) - {one["id"] for one in theirs})]
    for its in theirs:
        if row := ours.get(its["id"]):
            found += _of_row(f"{kind} {its['id']}", row, {name: derive(its) for name, derive in table.items()})
    return found


def _of_row(subject: str, row: Any, expected: dict[str, Any]) -> list[str]:
    return [
        f"{subject}: {name} is {getattr(row, name)!r} here and {value!r} at Stripe"
        for name, value in expected.items()
        if getattr(row, name) != value
    ]


def _debts(office: Office) -> dict[str, int]:
    """Return what the Office's columns say that it owes, by currency."""
    found = {office.currency: office.balance_due, **(office.other_debts or {})}
    return {currency: amount for currency, amount in found.items() if amount}


def broken_invariants(office: Office) -> list[str]:
    """List what is wrong in our own rows, whatever Stripe shows."""
    found = []
    remaining: dict[str, int] = {}
    unpaid = Invoice.objects.filter(office=office, status="open", deleted_at=None, amount_remaining__gt=0)
    for currency, amount in unpaid.values_list("currency", "amount_remaining"):
        remaining[currency] = remaining.get(currency, 0) + amount
    if _debts(office) != remaining:
        found.append(f"the debts are {_debts(office)}, not the sums of the open invoices: {remaining}")
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
