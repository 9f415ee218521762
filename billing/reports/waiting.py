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
    F,
    IntegerField,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from billing import coming, debts
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
from billing.models.expressions import Constant, one_of
from billing.models.invoice import OWED
from billing.models.statuses import REVENUE

SERVICE_SOON = timedelta(days=30)
"""How long before its last day a service is told of: a program that is refused may shut out every Office."""
UNSETTLED_AFTER = timedelta(minutes=5)
"""Until then, the worker should find out the outcome of an operation by itself."""

BILLED = Q(status__in=REVENUE, deleted_at=None)
"""The condition for subscriptions that count as MRR."""
BILLED_TO_LIST = Q(one_of("status", REVENUE), deleted_at=None)
"""The same, for a page of them: most subscriptions do, so they are read in the order of the list."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are of something. ``key`` and ``number`` tell its parts apart. ``amount`` is of ``currency``."""

    what: str
    key: str
    number: int
    currency: str
    n: int
    amount: int


def trials_ending(*, at: datetime) -> Q:
    """Return the condition for subscriptions whose trial ends within a week: each the present one of its Office."""
    return present_of(coming.trial_ends(at))


def cards_expiring(*, at: datetime) -> Q:
    """Return the condition for subscriptions that renew within a month, when the card on file will have expired."""
    return present_of(coming.card_expires(at))


def present_of(offices: Q) -> Q:
    """Return the condition for the present subscription of each of these Offices."""
    found = Office.objects.filter(offices).order_by().values("pk")
    return Q(deleted_at=None, office__in=found, stripe_id=F("office__payment_provider_subscription_id"))


def counted(user: User, *, at: datetime, now: datetime) -> list[Counted]:
    """Count everything, in one statement. ``at`` is of the billing clock, and ``now`` of the wall clock."""
    first, *others = (_rows(*one) for one in _counts(user, at, now))
    return [
        Counted(what, key, int(number) if number is not None else 0, currency, int(n), int(amount))
        for what, key, number, currency, n, amount in first.union(*others, all=True)
    ]


def _counts(user: User, at: datetime, now: datetime) -> Iterable[tuple[str, QuerySet[Any], dict[str, Any]]]:
    offices, invoices = Office.objects.filter(archived_at=None), Invoice.objects.filter(OWED)
    yield "offices", offices, {"key": F("subscription_status"), "number": F("current_plan_id")}
    billed = Subscription.objects.filter(BILLED)
    yield "billed", billed, {"currency": F("currency"), "amount": Sum("monthly_amount")}
    aged = Case(
        *(When(debts.owed_for(days, at=at), then=Value(days)) for days in debts.AGES),
        default=Value(debts.AGES[-1]),
        output_field=IntegerField(),
    )
    yield (
        "owed",
        invoices.annotate(asked_since=debts.ASKED_SINCE),
        {"number": aged, "currency": F("currency"), "amount": Sum("amount_remaining")},
    )
    yield "owing", Office.objects.filter(debts.owing()), {"key": F("subscription_status")}
    nothing = Case(When(office__payment_method_brand="", office__payment_method_last4="", then=Value("no card")))
    monthly = {"currency": F("currency"), "amount": Sum("monthly_amount")}
    yield "trials", Subscription.objects.filter(trials_ending(at=at)), {"key": Coalesce(nothing, Value("")), **monthly}
    yield "cards", Subscription.objects.filter(cards_expiring(at=at)), monthly
    yield "findings", Finding.objects.filter(resolved_at=None), {"key": F("severity")}
    unsettled = Operation.objects.filter(status__in=[Constant(one) for one in Operation.UNSETTLED])
    unknown = Q(status=Operation.Status.UNKNOWN, created_at__lt=now - UNSETTLED_AFTER)
    yield "operations", unsettled, {"n": Count("pk", filter=unknown)}
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
