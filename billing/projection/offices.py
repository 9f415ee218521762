"""Writing the Office's own columns: what its customer shows, and what is calculated from its rows."""

from django.db.models import Q
from django.db.models.functions import Coalesce

from billing import clock
from billing.findings import report
from billing.models import Office, PaymentMethod
from billing.models.invoice import OWED
from billing.models.statuses import LIVE, SubscriptionStatus
from billing.projection import columns, rows
from billing.stripe_api import mirror
from billing.stripe_api.inbound.states import Card, CustomerState, PaymentMethodState, Snapshot


def write_customer(office: Office, customer: CustomerState, snapshot: Snapshot) -> None:
    """Write the columns about the customer, unless a newer look wrote them. The Office is not saved here."""
    if office.customer_ticket > snapshot.ticket:
        return
    office.customer_ticket = snapshot.ticket
    if customer.deleted:
        _bury(office, snapshot.ticket)
        return
    row = mirror.customer(customer, office)
    for subscription in snapshot.subscriptions:
        mirror.subscription(subscription, row)
    card, default = _card_charged(customer, snapshot), customer.default_payment_method
    office.payment_method_brand = card.brand
    office.payment_method_last4 = card.last4
    office.payment_method_expires = card.expires
    office.credit_balance = customer.credit
    office.test_clock = customer.test_clock
    _write_default(office, default, snapshot.ticket)


def _card_charged(customer: CustomerState, snapshot: Snapshot) -> Card:
    """Return the card that Stripe charges: a live subscription's own card, otherwise the customer's."""
    own = [one.card for one in snapshot.subscriptions if one.status in LIVE and one.card.last4]
    return own[-1] if own else customer.card


def _write_default(office: Office, default: PaymentMethodState | None, ticket: int) -> None:
    """Write which card is the customer's default, or that none is. No other card stays the default."""
    wanted = default.id if default else ""
    found = office.payment_methods.filter(Q(is_default=True) | Q(stripe_id=wanted)).order_by()
    cards = {row.stripe_id: row for row in found}
    if default:
        row = cards.setdefault(wanted, PaymentMethod(office=office, stripe_id=wanted))
        rows.save_all([(row, columns.of_card(default.card))], ticket)
    for row in cards.values():
        if row.is_default != (row.stripe_id == wanted):
            row.is_default = not row.is_default
            row.save(update_fields=["is_default"])


def _bury(office: Office, ticket: int) -> None:
    """Record that the customer was deleted at Stripe.

    The Office keeps the customer's id. Its cards are detached, its live subscriptions become canceled, and a finding
    is reported.
    """
    office.customer_deleted_at = office.customer_deleted_at or clock.billing()
    office.payment_method_brand = office.payment_method_last4 = office.payment_method_expires = ""
    office.credit_balance = 0
    for card in office.payment_methods.filter(detached_at=None):
        rows.save(card, {"detached_at": clock.billing(), "is_default": False}, ticket)
    for row in office.subscriptions.filter(status__in=LIVE):
        rows.save(row, {"status": SubscriptionStatus.CANCELED, "ended_at": clock.billing()}, ticket)
    report(
        "customer_deleted",
        str(office.public_id),
        office=office,
        severity="critical",
        detail="The customer was deleted at Stripe. The Office has no service and cannot be charged.",
    )


def derive(office: Office) -> None:
    """Calculate what the Office owes and the columns of its current subscription from our rows.

    The current subscription is the oldest live one, or the newest if none is live. The Office is not saved here.
    """
    subscriptions = list(office.subscriptions.filter(deleted_at=None).select_related("plan_price").order_by())
    live = sorted((row for row in subscriptions if row.is_live), key=lambda row: (row.created_at, row.stripe_id))
    if len(live) > 1:
        report(
            "second_live_subscription",
            str(office.public_id),
            office=office,
            severity="critical",
            detail=f"{len(live)} subscriptions are live at Stripe; the oldest counts as the current one.",
        )
    newest = max(subscriptions, key=lambda row: (row.created_at, row.stripe_id), default=None)
    current = live[0] if live else newest
    open_ones = office.invoices.filter(OWED).order_by()
    unpaid = list(open_ones.values_list("amount_remaining", "attempt_count", Coalesce("finalised_at", "created_at")))
    failed = [since for _, attempts, since in unpaid if attempts]
    office.balance_due = sum(remaining for remaining, _, _ in unpaid)
    office.past_due_since = min(failed, default=None)
    if current is None:
        return
    office.subscription_status = current.status
    office.payment_provider_subscription_id = current.stripe_id
    office.current_plan_id = current.plan_price.plan_id if current.plan_price else None
    office.quantity = current.quantity
    office.billing_cycle_anchor_date = current.billing_cycle_anchor
    office.current_period_start = current.current_period_start
    office.current_period_end = current.current_period_end
    office.trial_end = current.trial_end
    office.cancel_at = current.cancel_at if current.is_live else None
    office.collection_paused = current.collection_paused if current.is_live else ""
    office.collection_paused_until = current.collection_paused_until if current.is_live else None
