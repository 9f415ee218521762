"""Movements of MRR: what each change of a subscription did to its Office's monthly recurring revenue.

MRR is what subscriptions bill each month before discounts, while they are active or past due (``statuses.REVENUE``).
Each change is read once, in the order of time, and is a movement if it changed the MRR:

- adopted: it was there when we first saw it, of an Office that is known here since later than it subscribed. It is no
  growth, so it belongs to what a month began with;
- new: the Office pays for the first time;
- expansion, contraction: it paid before and after, and pays more or less;
- churn: it pays nothing any more. This includes a subscription that Stripe calls unpaid or paused;
- reactivation: it paid before, then nothing, and pays again.

Every movement is counted by itself: who goes up and down within a month is in both. Several subscriptions of one Office
are taken together, in each currency apart.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing import clock
from billing.models import Movement, RollUp, SubscriptionChange

MARK = "movements"
BATCH = 500
WORKS_FOR_SECONDS = 20
OVERLAP = timedelta(hours=1)
"""How far it looks back: a change may be committed later than one that was made after it."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""Stripe's times are in whole seconds of another clock. An Office can subscribe in the second in which it is added."""
Kind = Movement.Kind


def kind_of(amount: int, *, before: int, adopted: bool, paid_before: bool) -> Movement.Kind:
    """Return what a movement by ``amount``, which is not zero, is of an Office whose MRR was ``before``. Minor units.

    ``paid_before`` is whether the Office ever had MRR. ``adopted`` is whether this was there before it was known here.
    """
    if adopted and amount > 0:
        return Kind.ADOPTED
    if amount < 0:
        return Kind.CHURN if before + amount <= 0 else Kind.CONTRACTION
    if before > 0:
        return Kind.EXPANSION
    return Kind.REACTIVATION if paid_before else Kind.NEW


def record() -> bool:
    """Make the movements of the changes that have none yet. Repeating is safe. Return True if there are more."""
    until = time.monotonic() + WORKS_FOR_SECONDS
    mark = RollUp.objects.filter(pk=MARK).first()
    changes = SubscriptionChange.objects.filter(at__gte=mark.through - OVERLAP) if mark else _all()
    last: SubscriptionChange | None = None
    while batch := _next(changes, last):
        last, made = batch[-1], list(_movements(batch))
        with transaction.atomic():
            Movement.objects.bulk_create(made, ignore_conflicts=True)
            RollUp.objects.update_or_create(pk=MARK, defaults={"through": last.at, "made_at": clock.wall()})
        if time.monotonic() > until:
            return True
    return False


def _all() -> QuerySet[SubscriptionChange]:
    return SubscriptionChange.objects.all()


def _next(changes: QuerySet[SubscriptionChange], last: SubscriptionChange | None) -> list[SubscriptionChange]:
    """Return the next changes that moved MRR and have no movement, the oldest first."""
    if last:
        changes = changes.filter(Q(at__gt=last.at) | Q(pk__gt=last.pk), at__gte=last.at)
    changes = changes.filter(movement=None).exclude(mrr_before=F("mrr_after")).order_by("at", "pk")
    began = Coalesce("subscription__started_at", "subscription__created_at")
    return list(changes.annotate(began=began, known_since=F("office__created_at"))[:BATCH])


def _movements(changes: Iterable[SubscriptionChange]) -> Iterable[Movement]:
    """Yield the movements of some changes, the oldest first. Two queries."""
    changes = list(changes)
    monthly: dict[tuple[int, str], int] = defaultdict(int)
    found = Movement.objects.filter(office__in={one.office_id for one in changes}).order_by()
    for office, currency, total in found.values_list("office", "currency").annotate(Sum("amount")):
        monthly[office, currency] = int(total)
    paid = {office for office, _ in monthly}
    for one in changes:
        amount, of = one.mrr_after - one.mrr_before, (one.office_id, one.currency)
        kind = kind_of(amount, before=monthly[of], adopted=_was_adopted(one), paid_before=one.office_id in paid)
        yield Movement(change=one, office_id=one.office_id, at=one.at, kind=kind, currency=one.currency, amount=amount)
        monthly[of] += amount
        paid.add(one.office_id)


def _was_adopted(change: SubscriptionChange) -> bool:
    """Return whether it shows a subscription for the first time, which began before its Office was known here."""
    began, known_since = _annotated(change)
    return change.status_before == "" and began < known_since - CLOCKS_DIFFER


def _annotated(change: SubscriptionChange) -> tuple[datetime, datetime]:
    return change.began, change.known_since  # type: ignore[attr-defined]  # annotated by _next
