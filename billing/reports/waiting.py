"""What waits for a person, and how many Offices have each status: conditions that pages filter by, and their sums.

The conditions are the only place that says what they mean, so a number and the list that it opens are of the same rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from billing.models import (
    Agreement,
    ApprovalRequest,
    Finding,
    Invoice,
    Office,
    Operation,
    Reconciliation,
    ServiceIdentity,
    Subscription,
    User,
)
from billing.models.invoice import OWED
from billing.models.statuses import LIVE, REVENUE, SubscriptionStatus
from billing.reports import calendar

TRIAL_SOON = timedelta(days=7)
CHARGED_SOON = timedelta(days=31)
SERVICE_SOON = timedelta(days=30)
"""How long before its last day a service is told of: a program that is refused may shut out every Office."""
UNSETTLED_AFTER = timedelta(minutes=5)
"""Until then, the worker should find out the outcome of an operation by itself."""

NOT_DUE = -1
AGES = (NOT_DUE, 0, 8, 15, 31)
"""From how many days on each bucket is. The first is of invoices that are sent and not due yet."""
ASKED_SINCE = Case(
    When(collection=Invoice.Collection.SENT, then=Coalesce("due_at", "finalised_at", "created_at")),
    default=Coalesce("finalised_at", "created_at"),
)
"""Since when an invoice should be paid: one that is sent when it is due, others when they were made final."""
BILLED = Q(status__in=REVENUE, deleted_at=None)
"""The condition for subscriptions that count as MRR."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are of something. ``key`` and ``number`` tell its parts apart. ``amount`` is of ``currency``."""

    what: str
    key: str
    number: int
    currency: str
    n: int
    amount: int


def owed_for(days: int, *, at: datetime) -> Q:
    """Return the condition for owed invoices of the age that begins with ``days``. Annotate ``asked_since`` first."""
    not_due = Q(collection=Invoice.Collection.SENT, asked_since__gt=at)
    if days == NOT_DUE:
        return not_due
    condition = ~not_due if days == 0 else Q(asked_since__lte=at - timedelta(days=days))
    later = [one for one in AGES if one > days]
    return condition & Q(asked_since__gt=at - timedelta(days=later[0])) if later else condition


def owing() -> Q:
    """Return the condition for Offices that owe something on an open invoice."""
    return Q(Exists(Invoice.objects.filter(OWED, office=OuterRef("pk"))))


def trials_ending(*, at: datetime) -> Q:
    """Return the condition for subscriptions whose trial ends within a week: each the present one of its Office.

    One that ends with its trial is not charged.
    """
    goes_on = Q(cancel_at=None) | Q(cancel_at__gt=F("trial_end"))
    return Q(
        goes_on,
        status=SubscriptionStatus.TRIALING,
        deleted_at=None,
        trial_end__gt=at,
        trial_end__lte=at + TRIAL_SOON,
        stripe_id=F("office__payment_provider_subscription_id"),
    )


def cards_expiring(*, at: datetime) -> Q:
    """Return the condition for subscriptions that renew within a month, when the card on file will have expired.

    A card is valid until the end of its month. A subscription that ends before it renews is not charged.
    """
    before, last = Q(pk=None), calendar.month_of(at + CHARGED_SOON)
    for month in calendar.months(calendar.month_of(at), last):
        within = Q(
            current_period_end__gte=calendar.begins(month),
            current_period_end__lt=calendar.begins(calendar.month_after(month)),
        )
        before |= within & Q(office__payment_method_expires__lt=f"{month:%Y-%m}")
    goes_on = Q(cancel_at=None) | Q(cancel_at__gt=F("current_period_end"))
    return Q(
        before,
        goes_on,
        status__in=LIVE,
        deleted_at=None,
        current_period_end__gt=at,
        current_period_end__lte=at + CHARGED_SOON,
        office__payment_method_expires__gt="",
        office__payment_method_expires__lt=f"{last:%Y-%m}",  # so that an index finds the few Offices
        stripe_id=F("office__payment_provider_subscription_id"),
    )


def counted(user: User, *, at: datetime, now: datetime) -> list[Counted]:
    """Count everything, in one statement. ``at`` is of the billing clock, and ``now`` of the wall clock."""
    first, *others = (_rows(*one) for one in _counts(user, at, now))
    return [
        Counted(what, key, int(number), currency, int(n), int(amount))
        for what, key, number, currency, n, amount in first.union(*others, all=True)
    ]


def _counts(user: User, at: datetime, now: datetime) -> Iterable[tuple[str, QuerySet[Any], dict[str, Any]]]:
    offices, invoices = Office.objects.filter(archived_at=None), Invoice.objects.filter(OWED)
    plan = Coalesce("current_plan_id", 0)
    yield "offices", offices, {"key": F("subscription_status"), "number": plan}
    billed = Subscription.objects.filter(BILLED)
    yield "billed", billed, {"currency": F("currency"), "amount": Sum("monthly_amount")}
    aged = Case(
        *(When(owed_for(days, at=at), then=Value(days)) for days in AGES),
        default=Value(AGES[-1]),
        output_field=IntegerField(),
    )
    yield (
        "owed",
        invoices.annotate(asked_since=ASKED_SINCE),
        {"number": aged, "currency": F("currency"), "amount": Sum("amount_remaining")},
    )
    of_offices = {"key": F("office__subscription_status"), "n": Count("office", distinct=True)}
    yield "owing", invoices, of_offices
    nothing = Case(When(office__payment_method_brand="", office__payment_method_last4="", then=Value("no card")))
    monthly = {"currency": F("currency"), "amount": Sum("monthly_amount")}
    yield "trials", Subscription.objects.filter(trials_ending(at=at)), {"key": Coalesce(nothing, Value("")), **monthly}
    yield "cards", Subscription.objects.filter(cards_expiring(at=at)), monthly
    yield "findings", Finding.objects.filter(resolved_at=None), {"key": F("severity")}
    unsettled = Operation.objects.filter(status__in=Operation.UNSETTLED)  # of which there is an index
    unknown = unsettled.filter(status=Operation.Status.UNKNOWN, created_at__lt=now - UNSETTLED_AFTER)
    yield "operations", unknown, {}
    own = Case(When(requested_by=user, then=Value("own")), default=Value("others"))
    yield "approvals", ApprovalRequest.objects.waiting(), {"key": own}
    yield "comparisons", Reconciliation.objects.filter(ended_at=None).exclude(last_error=""), {}
    yield "determinations", Agreement.objects.filter(approved_at=None, withdrawn_at=None), {}
    yield "services", services_ending(now), {}


def services_ending(now: datetime) -> QuerySet[ServiceIdentity]:
    return ServiceIdentity.objects.filter(ended_at=None, expires_at__lte=now + SERVICE_SOON)


def _rows(what: str, rows: QuerySet[Any], given: dict[str, Any]) -> QuerySet[Any]:
    """Return the rows grouped by what of ``key``, ``number`` and ``currency`` is given, in the form of ``Counted``."""
    text: dict[str, Any] = {"output_field": CharField()}
    by = {
        "w": Value(what, **text),
        "k": given.get("key", Value("", **text)),
        "i": given.get("number", Value(0, output_field=IntegerField())),
        "c": given.get("currency", Value("", **text)),
    }
    sums = {
        "n_": given.get("n", Count("pk")),
        "a_": given.get("amount", Value(0, output_field=BigIntegerField())),
    }
    return rows.order_by().annotate(**by).values("w", "k", "i", "c").annotate(**sums).values_list(*by, *sums)
