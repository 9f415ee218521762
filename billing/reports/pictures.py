"""What was rolled up, as pages show it: twelve months of MRR and thirteen weeks of collections, by currency."""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Max, Q

from billing.models import Movement, RolledUp, RollUp
from billing.money import Money
from billing.reports import calendar
from billing.reports.rolling import OPENING, PAID, REFUNDED, WEEKS, Report

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Figure:
    """A sum of ``n`` rows."""

    money: Money
    n: int = 0


@dataclass(frozen=True, slots=True)
class Month:
    """The MRR of one month: ``opening`` and all ``movements`` are together its ``closing``."""

    since: date
    opening: Money
    movements: dict[str, Figure]
    closing: Money


@dataclass(frozen=True, slots=True)
class Week:
    since: date
    paid: Figure
    refunded: Figure

    @property
    def collected(self) -> Money:
        return Money(self.paid.money.amount - self.refunded.money.amount, self.paid.money.currency)


@dataclass(slots=True)
class Pictures:
    """The pictures of ``months``. ``None`` in place of one: nothing was known here yet, or it is not rolled up yet.

    ``rolled_up_at`` is None before the first roll-up. ``adopted_in`` has the last month in which an Office was adopted
    that paid before: months before it lack what it paid then.
    """

    months: list[date]
    rolled_up_at: datetime | None = None
    mrr: dict[str, list[Month | None]] = field(default_factory=dict)
    adopted_in: dict[str, date] = field(default_factory=dict)
    collections: dict[str, list[Week]] = field(default_factory=dict)


def pictures(*, at: datetime) -> Pictures:
    """Return what is rolled up, for the months and weeks before ``at``. Two short queries."""
    months, weeks = calendar.last_months(MONTHS, at=at), calendar.last_weeks(WEEKS, at=at)
    shown = Q(report=Report.MRR, since__gte=months[0]) | Q(report=Report.COLLECTIONS, since__gte=weeks[0])
    found: dict[tuple[str, date, str, str], Figure] = {}
    for one in RolledUp.objects.filter(shown):
        found[one.report, one.since, one.part, one.currency] = Figure(Money(one.amount, one.currency), one.n)
    of_mrr = sorted({currency for report, _, _, currency in found if report == Report.MRR})
    of_collections = sorted({currency for report, _, _, currency in found if report == Report.COLLECTIONS})
    known = [since for report, since, _, _ in found if report == Report.MRR]
    adopted = [key for key in found if key[0] == Report.MRR and key[2] == Movement.Kind.ADOPTED]
    return Pictures(
        months,
        rolled_up_at=RollUp.objects.aggregate(at=Max("made_at"))["at"],
        mrr={
            currency: [_month(found, one, currency) if min(known) <= one <= max(known) else None for one in months]
            for currency in of_mrr
        },
        adopted_in={currency: max(since for _, since, _, of in adopted if of == currency) for *_, currency in adopted},
        collections={currency: [_week(found, one, currency) for one in weeks] for currency in of_collections},
    )


def _month(found: dict[tuple[str, date, str, str], Figure], since: date, currency: str) -> Month:
    nothing = Figure(Money(0, currency))
    opening = found.get((Report.MRR, since, OPENING, currency), nothing).money
    movements = {
        kind.value: found[Report.MRR, since, kind, currency]
        for kind in Movement.Kind
        if (Report.MRR, since, kind, currency) in found
    }
    closing = opening
    for one in movements.values():
        closing += one.money
    return Month(since, opening, movements, closing)


def _week(found: dict[tuple[str, date, str, str], Figure], since: date, currency: str) -> Week:
    paid, refunded = (
        found.get((Report.COLLECTIONS, since, part, currency), Figure(Money(0, currency))) for part in (PAID, REFUNDED)
    )
    return Week(since, paid, refunded)
