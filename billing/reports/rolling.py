"""The roll-up: figures of months and weeks, calculated by a job, so that a page reads a few rows.

What can still change is calculated again each time: the present month, and the last weeks, in which a bank may still
decide about a debit. Once a day it is all the weeks that are shown.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, QuerySet, Sum

from billing import clock
from billing.jobs import job
from billing.models import Adjustment, Movement, Payment, RolledUp, RollUp
from billing.models.statuses import NOT_GIVEN_BACK, PaymentStatus
from billing.reports import calendar, movements

OPENING, PAID, REFUNDED = "opening", "paid", "refunded"
SETTLES_WITHIN = timedelta(days=14)
"""How long a bank may take to decide about a debit, and somewhat more."""
WEEKS = 13
LATE = timedelta(days=1)
"""For how long after its end a month is calculated again."""
Report = RolledUp.Report
Made = Callable[[RollUp | None], list[RolledUp]]


@job("roll-up-reports", every=timedelta(minutes=2))
def roll_up() -> bool:
    """Roll up the reports. Repeating is safe. Return True if there is more to read."""
    if movements.record():
        return True
    now = clock.billing()
    _roll(Report.MRR, now, lambda mark: list(_mrr(mark, now)))
    _roll(Report.COLLECTIONS, now, lambda mark: list(_collections(mark, now)))
    return False


def refunds() -> QuerySet[Adjustment]:
    """Return the refunds whose money is on its way back, or there."""
    return Adjustment.objects.filter(kind=Adjustment.Kind.REFUND).exclude(status__in=NOT_GIVEN_BACK)


def payments() -> QuerySet[Payment]:
    """Return the payments that brought money."""
    return Payment.objects.filter(status=PaymentStatus.SUCCEEDED)


def _roll(report: str, now: datetime, made: Made) -> None:
    """Write the figures that ``made`` returns in place of those of the same and later days."""
    with transaction.atomic():
        mark = RollUp.objects.filter(pk=report).first()
        figures = made(mark)
        if figures:
            RolledUp.objects.filter(report=report, since__gte=min(one.since for one in figures)).delete()
            RolledUp.objects.bulk_create(figures)
        RollUp.objects.update_or_create(pk=report, defaults={"through": now, "made_at": clock.wall()})


def _mrr(mark: RollUp | None, now: datetime) -> Iterator[RolledUp]:
    """Yield the figures of the months that may have changed: what each began with, and its movements by kind."""
    first = Movement.objects.order_by("at").values_list("at", flat=True).first()
    if first is None:
        return
    begin = calendar.month_of(mark.through - LATE if mark else first)
    begin = max(begin, calendar.month_of(first))
    opening = _closing_before(begin)
    for month in calendar.months(begin, calendar.month_of(now)):
        for currency, amount in opening.items():
            yield RolledUp(report=Report.MRR, since=month, part=OPENING, currency=currency, amount=amount)
        within = Movement.objects.filter(
            at__gte=calendar.begins(month), at__lt=calendar.begins(calendar.month_after(month))
        )
        for kind, currency, n, total in _grouped(within, "kind", Sum("amount")):
            amount = int(total)
            yield RolledUp(report=Report.MRR, since=month, part=kind, currency=currency, n=n, amount=amount)
            opening[currency] = opening.get(currency, 0) + amount


def _closing_before(month: date) -> dict[str, int]:
    """Return with how much MRR of each currency the month begins."""
    rows = RolledUp.objects.filter(report=Report.MRR, since=calendar.month_before(month)).order_by("currency")
    return {one["currency"]: int(one["total"]) for one in rows.values("currency").annotate(total=Sum("amount"))}


def _collections(mark: RollUp | None, now: datetime) -> Iterator[RolledUp]:
    """Yield what was paid and refunded in each week that may have changed."""
    weeks = calendar.last_weeks(WEEKS, at=now)
    if mark and mark.made_at.date() == clock.wall().date():
        weeks = [week for week in weeks if week >= calendar.week_of(mark.through - SETTLES_WITHIN)]
    for week in weeks:
        within = {"created_at__gte": calendar.begins(week), "created_at__lt": calendar.begins(week + calendar.WEEK)}
        for part, rows in ((PAID, payments()), (REFUNDED, refunds())):
            for _, currency, n, total in _grouped(rows.filter(**within), "currency", Sum("amount")):
                yield RolledUp(
                    report=Report.COLLECTIONS, since=week, part=part, currency=currency, n=n, amount=int(total)
                )


def _grouped(rows: QuerySet, by: str, amount: Sum) -> QuerySet:  # type: ignore[type-arg]
    """Return for each value of this column and each currency: both, how many rows, and the sum."""
    grouped = rows.order_by(by, "currency").values(by, "currency").annotate(n=Count("pk"), total=amount)
    return grouped.values_list(by, "currency", "n", "total")
