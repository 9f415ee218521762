"""Writing the Office's own columns: what its customer shows, and what is calculated from its rows."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from billing import clock, present_subscription, zones
from billing.findings import DRAFTS_WAIT, SCHEDULE, end, report, resolve
from billing.models import Finding, Invoice, Office, PaymentMethod, Subscription
from billing.models.invoice import OWED, STAYS_A_DRAFT
from billing.models.statuses import FINAL, LIVE, InvoiceStatus, PaymentStatus, SubscriptionStatus
from billing.projection import columns, rows, schedules
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
    office.credit_currency = customer.currency
    office.other_credits = customer.other_credits
    office.test_clock = customer.test_clock
    _write_default(office, default, snapshot.ticket)


def _card_charged(customer: CustomerState, snapshot: Snapshot) -> Card:
    """Return the card that Stripe charges: the present subscription's own card, otherwise the customer's."""
    present = next(iter(present_subscription.in_order(snapshot.subscriptions)), None)
    return present.card if present and present.status in LIVE and present.card.is_known else customer.card


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

    The Office keeps the customer's id. Its cards are detached, its subscriptions become canceled if they are not over,
    and a finding is reported.
    """
    office.customer_deleted_at = office.customer_deleted_at or clock.billing()
    office.payment_method_brand = office.payment_method_last4 = office.payment_method_expires = ""
    office.credit_balance, office.other_credits = 0, {}
    for card in office.payment_methods.filter(detached_at=None):
        rows.save(card, {"detached_at": clock.billing(), "is_default": False}, ticket)
    for row in office.subscriptions.exclude(status__in=FINAL):
        gone = {"status": SubscriptionStatus.CANCELED, "ended_at": clock.billing(), "schedule": None}
        rows.save(row, gone, ticket)
        resolve("unknown_price", row.stripe_id, resolution="the customer was deleted at Stripe")
    office.coming_schedules = None
    end(Finding.objects.filter(kind=SCHEDULE, office=office), resolution="the customer was deleted at Stripe")
    if office.archived_at is None:
        report(
            "customer_deleted",
            str(office.public_id),
            office=office,
            facts=office.payment_provider_customer_id or "",
            detail="The customer was deleted at Stripe. The Office has no service and cannot be charged.",
        )


def derive(office: Office, subscriptions: Iterable[Subscription]) -> None:
    """Calculate what the Office owes and the columns of its present subscription from our rows.

    ``subscriptions`` are all of the Office. ``billing.present_subscription`` says which one is present. The Office is
    not saved here.
    """
    subscriptions = every = present_subscription.in_order(row for row in subscriptions if row.deleted_at is None)
    if every and not every[0].is_live:
        subscriptions = _begun(office, every)
    present = subscriptions[0] if subscriptions else None
    live = [row for row in subscriptions if row.is_live]
    _tell_of_second(office, live)
    _tell_of_archived(office, live)
    schedules.tell(office, live)
    since = _past_due_since(office, live)
    office.past_due_since = since.get(present.pk) if present else None
    office.also_live = [
        present_subscription.Terms.of(row, status=row.status, since=since.get(row.pk)).stored() for row in live[1:]
    ]
    if last := present or next(iter(every), None):  # also one that never began: it does not matter when it was seen
        office.currency = last.currency
    asked_for = _asked_for(office)
    _write_debts(office, asked_for)
    _tell_of_drafts(office, live, asked_for)
    _write_present(office, present)


def _begun(office: Office, subscriptions: list[Subscription]) -> list[Subscription]:
    """Leave out the subscriptions that never began. None of them is live."""
    canceled = [row.pk for row in subscriptions if row.status == SubscriptionStatus.CANCELED]
    starts = office.invoices.filter(subscription__in=canceled, kind=Invoice.Kind.START, deleted_at=None)
    first = {
        subscription: present_subscription.FirstInvoice(status, collection == Invoice.Collection.CHARGED, total)
        for subscription, status, collection, total in starts.values_list(
            "subscription_id", "status", "collection", "total"
        )
    }
    return [row for row in subscriptions if present_subscription.began(row.status, first.get(row.pk))]


def _past_due_since(office: Office, live: list[Subscription]) -> dict[int, datetime | None]:
    """Return since when the collection of each subscription fails, by its primary key. No query if none fails."""
    dunned = [row.pk for row in live if row.status in present_subscription.DUNNED]
    found: dict[int, list[present_subscription.Demand]] = {key: [] for key in dunned}
    invoices = office.invoices.filter(subscription__in=dunned, deleted_at=None).exclude(status=InvoiceStatus.DRAFT)
    attempts = _first_attempts(office, dunned) if dunned else {}
    for row in invoices.order_by() if dunned else ():
        finalised_at = row.finalised_at or row.created_at
        if row.collection == Invoice.Collection.SENT:
            failed_at = row.due_at
        elif row.attempt_count:
            failed_at = present_subscription.first_failure(finalised_at, attempts.get(row.pk))
        else:
            failed_at = None
        is_owed = row.is_open and row.amount_remaining > 0
        found[row.subscription_id or 0].append(present_subscription.Demand(finalised_at, is_owed, failed_at))
    return {key: present_subscription.past_due_since(demands) for key, demands in found.items()}


def _first_attempts(office: Office, subscriptions: list[int]) -> dict[int, present_subscription.Attempt]:
    """Return the first attempt to collect each invoice of these subscriptions in vain, by the invoice's primary key."""
    tried = office.payments.filter(invoice__subscription__in=subscriptions).exclude(status=PaymentStatus.SUCCEEDED)
    found: dict[int, present_subscription.Attempt] = {}
    for row in tried.order_by("created_at", "pk"):
        is_pending = row.status == PaymentStatus.PENDING
        found.setdefault(row.invoice_id or 0, present_subscription.Attempt(row.created_at, row.returned_at, is_pending))
    return found


def _asked_for(office: Office) -> list[Invoice]:
    """Return the invoices that wait to be paid, and the drafts that wait for a person, oldest first. One query."""
    found = office.invoices.filter(OWED | STAYS_A_DRAFT).order_by("created_at", "pk")
    return list(found.only("status", "stripe_id", "subscription", "currency", "amount_remaining", "created_at"))


def _write_debts(office: Office, invoices: list[Invoice]) -> None:
    """Add up what is due, each currency by itself."""
    debts: Counter[str] = Counter()
    for row in invoices:
        if row.status == InvoiceStatus.OPEN:
            debts[row.currency] += row.amount_remaining
    office.balance_due = debts.pop(office.currency, 0)
    office.other_debts = dict(debts)


def _write_present(office: Office, present: Subscription | None) -> None:
    is_live = present is not None and present.is_live
    office.subscription_status = present.status if present else ""
    office.payment_provider_subscription_id = present.stripe_id if present else ""
    office.current_plan_id = present.plan_price.plan_id if present and present.plan_price else None
    office.quantity = present.quantity if present else 0
    office.billing_cycle_anchor_date = present.billing_cycle_anchor if present else None
    office.current_period_start = present.current_period_start if present else None
    office.current_period_end = present.current_period_end if present else None
    office.trial_end = present.trial_end if present else None
    office.cancel_at = present.cancel_at if present and is_live else None
    office.collection_paused = present.collection_paused if present and is_live else ""
    office.collection_paused_until = present.collection_paused_until if present and is_live else None


def _tell_of_second(office: Office, live: list[Subscription]) -> None:
    """Report a finding while more than one subscription is live."""
    subject = str(office.public_id)
    if len(live) < 2:
        if office.also_live:
            resolve("second_live_subscription", subject, resolution="at most one subscription is live")
        return
    report(
        "second_live_subscription",
        subject,
        office=office,
        facts=" ".join(sorted(row.stripe_id for row in live)),
        detail=f"{len(live)} subscriptions are live at Stripe, and each can be charged. The present one is shown, "
        f"changed and cancelled here: {live[0].billed_in_words}. Beside it: "
        f"{'; '.join(one.billed_in_words for one in live[1:])}. Cancel in Stripe's dashboard what should not be there.",
    )


def _tell_of_drafts(office: Office, live: list[Subscription], asked_for: list[Invoice]) -> None:
    """Report a finding while drafts of a live subscription wait for a person. A pause of collection keeps them so.

    Source: https://docs.stripe.com/billing/subscriptions/overview#unpaid-subscriptions
    """
    for subscription in live if asked_for else ():
        own = [row for row in asked_for if row.subscription_id == subscription.pk]
        waiting = [row for row in own if row.status == InvoiceStatus.DRAFT]
        if not waiting or subscription.collection_paused:
            continue
        named = {row.pk: f"{row.remaining} of {zones.day(row.created_at, office.time_zone)}" for row in own}
        report(
            DRAFTS_WAIT,
            str(subscription.public_id),
            office=office,
            facts=" ".join([subscription.status, *sorted(row.stripe_id for row in waiting)]),
            detail=f"{_why_drafts(subscription, named[own[-1].pk])} Drafts that wait: "
            f"{', '.join(named[row.pk] for row in waiting)}.",
        )


def _why_drafts(subscription: Subscription, newest: str) -> str:
    if subscription.status == SubscriptionStatus.UNPAID:
        return (
            "The subscription is unpaid. Stripe has stopped collecting, and its new invoices stay drafts. Paying an "
            f"older invoice does not make it active again. Only paying the newest one does: {newest}. Open it under "
            "the Office's invoices and choose “Pay now”. Older drafts are charged only if you pay them too."
        )
    return (
        "Stripe neither finalises nor charges these drafts by itself, because collection was paused or the "
        "subscription was unpaid when they were made. To charge one, open it under the Office's invoices and choose "
        "“Pay now”. If you do not want to charge them, close this finding."
    )


def _tell_of_archived(office: Office, live: list[Subscription]) -> None:
    """Report a finding if an Office is billed although it is archived: somebody or a schedule began it at Stripe."""
    if office.archived_at and live:
        report(
            "archived_and_billed",
            str(office.public_id),
            office=office,
            facts=" ".join(sorted(row.stripe_id for row in live)),
            detail=f"This Office is archived, so it has no access. But a subscription is live at Stripe: {live[0]}. "
            "Cancel the subscription in Stripe's dashboard, or bring the Office back.",
        )
