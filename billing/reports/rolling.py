"""The roll-up: figures of months and weeks, calculated by a job, so that a page reads a few rows.

What can still change is calculated again each time: the present month, and the last weeks, in which a bank may still
decide about a debit. Once a day it is all the weeks that are shown.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q, Sum

from billing import clock
from billing.jobs import job
from billing.models import Adjustment, Movement, Payment, RolledUp, RollUp
from billing.models.statuses import NOT_GIVEN_BACK, PaymentStatus
from billing.reports import calendar, movements
from billing.reports.calendar import WEEK

OPENING, PAID, REFUNDED = "opening", "paid", "refunded"
SETTLES_WITHIN = timedelta(days=14)
"""How long a bank may take to decide about a debit, and somewhat more."""
WEEKS = 13
LATE = timedelta(days=1)
"""For how long after its end a month is calculated again."""
COUNTS_AS_PAID = Q(status=PaymentStatus.SUCCEEDED)
COUNTS_AS_REFUNDED = Q(kind=Adjustment.Kind.REFUND) & ~Q(status__in=NOT_GIVEN_BACK)
"""The conditions for payments that brought money, and for adjustments whose money is on its way back or there."""
Report = RolledUp.Report
Made = Callable[[RollUp | None, datetime], tuple[date, list[RolledUp]]]


@job("roll-up-reports", every=timedelta(minutes=2))
def roll_up() -> bool:
    """Roll up the reports. Repeating is safe. Return True if there is more to read."""
    if movements.record():
        return True
    now = clock.billing()
    _roll(Report.MRR, now, _mrr)
    _roll(Report.COLLECTIONS, now, _collections)
    return False


def _roll(report: str, now: datetime, made: Made) -> None:
    """Write the figures that ``made`` returns in place of those since its day."""
    made_at = clock.wall()
    # not in the transaction: in a database file, everybody else who writes would wait for it
    since, figures = made(RollUp.objects.filter(pk=report).first(), now)
    with transaction.atomic():
        RolledUp.objects.filter(report=report, since__gte=since).delete()
        RolledUp.objects.bulk_create(figures)
        RollUp.objects.update_or_create(pk=report, defaults={"through": now, "made_at": made_at})


def _mrr(mark: RollUp | None, now: datetime) -> tuple[date, list[RolledUp]]:
    """Return the figures of the months that may have changed: what each began with, and its movements by kind."""
    first = Movement.objects.order_by("at").values_list("at", flat=True).first() or now
    since = calendar.month_of(max(first, mark.through - LATE) if mark else first)
    monthly, figures = _closing_before(since), []
    for month in calendar.months(since, calendar.month_of(now)):
        figures += [_figure(Report.MRR, month, OPENING, currency, 0, amount) for currency, amount in monthly.items()]
        within = Movement.objects.filter(
            at__gte=calendar.begins(month), at__lt=calendar.begins(calendar.month_after(month))
        ).order_by("kind", "currency")
        for kind, currency, n, amount in within.values_list("kind", "currency").annotate(Count("pk"), Sum("amount")):
            figures.append(_figure(Report.MRR, month, kind, currency, n, amount))
            monthly[currency] = monthly.get(currency, 0) + int(amount)
    return since, figures


def _closing_before(month: date) -> dict[str, int]:
    """Return with how much MRR of each currency the month begins."""
    rows = RolledUp.objects.filter(report=Report.MRR, since=calendar.month_before(month)).order_by("currency")
    return {currency: int(amount) for currency, amount in rows.values_list("currency").annotate(Sum("amount"))}


def _collections(mark: RollUp | None, now: datetime) -> tuple[date, list[RolledUp]]:
    """Return what was paid and refunded in each week that may have changed."""
    weeks, figures = calendar.last_weeks(WEEKS, at=now), []
    if mark and mark.made_at.date() == clock.wall().date():
        weeks = [week for week in weeks if week >= calendar.week_of(mark.through - SETTLES_WITHIN)]
    for week in weeks:
        for part, rows in (
            (PAID, Payment.objects.filter(COUNTS_AS_PAID)),
            (REFUNDED, Adjustment.objects.filter(COUNTS_AS_REFUNDED)),
        ):
            within = rows.filter(created_at__gte=calendar.begins(week), created_at__lt=calendar.begins(week + WEEK))
            summed = within.order_by("currency").values_list("currency").annotate(Count("pk"), Sum("amount"))
            figures += [_figure(Report.COLLECTIONS, week, part, *one) for one in summed]
    return weeks[0], figures


def _figure(report: str, since: date, part: str, currency: str, n: int, amount: int) -> RolledUp:
    return RolledUp(report=report, since=since, part=part, currency=currency, n=n, amount=int(amount))
