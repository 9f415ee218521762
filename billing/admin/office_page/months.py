"""What an Office paid in each of the last 12 months, as bars: one picture for each currency. Pure.

A month is one of the Office's zone. Money that was given back is told beside the bar, and does not lower it: it may be
of a payment of an earlier month.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from billing import zones
from billing.models import Payment
from billing.models.statuses import PaymentStatus
from billing.money import Money
from billing.office_state.rows import PAYMENTS_READ

MONTHS = 12
HEIGHT = 100


@dataclass(frozen=True, slots=True)
class Month:
    """One bar. ``height`` is a part of ``HEIGHT``; a payment of whatever amount has at least 2 of it."""

    first_day: date
    paid: Money
    given_back: Money
    failed: int
    height: int
    is_known: bool = True

    @property
    def name(self) -> str:
        return f"{self.first_day:%b}"

    @property
    def says(self) -> str:
        if not self.is_known:
            return f"{self.first_day:%B %Y}: not shown, there are too many payments"
        parts = [f"{self.paid} paid"]
        parts += [f"{self.given_back} of it given back"] if self.given_back.amount else []
        parts += [f"{self.failed} failed {'try' if self.failed == 1 else 'tries'}"] if self.failed else []
        return f"{self.first_day:%B %Y}: {', '.join(parts)}"

    @property
    def top(self) -> int:
        return HEIGHT - self.height


@dataclass(frozen=True, slots=True)
class Picture:
    """The months of one currency, the oldest first."""

    total: Money
    months: tuple[Month, ...]

    @property
    def currency(self) -> str:
        return self.total.currency


def pictures(payments: Sequence[Payment], zone: str, *, at: datetime) -> list[Picture]:
    """Return a picture for each currency in which something was paid or tried in these months."""
    firsts = _firsts(zones.day_of(at, zone))
    days = [(zones.day_of(one.created_at, zone), one) for one in payments]
    unknown_until = days[-1][0] if len(days) >= PAYMENTS_READ else None
    shown = [(day.replace(day=1), one) for day, one in days if day >= firsts[0]]
    return [
        _picture(currency, [(first, one) for first, one in shown if one.currency == currency], firsts, unknown_until)
        for currency in sorted({one.currency for _, one in shown})
    ]


def _picture(
    currency: str, payments: list[tuple[date, Payment]], firsts: list[date], unknown_until: date | None
) -> Picture:
    paid, back, failed = dict.fromkeys(firsts, 0), dict.fromkeys(firsts, 0), dict.fromkeys(firsts, 0)
    for first, one in payments:
        if one.status == PaymentStatus.SUCCEEDED:
            paid[first] += one.amount
            back[first] += one.amount_refunded
        elif one.status == PaymentStatus.FAILED:
            failed[first] += 1
    most = max(*paid.values(), 1)
    months = tuple(
        Month(
            first,
            Money(paid[first], currency),
            Money(back[first], currency),
            failed[first],
            max(HEIGHT * paid[first] // most, 2) if paid[first] else 0,
            is_known=unknown_until is None or first > unknown_until,
        )
        for first in firsts
    )
    return Picture(Money(sum(paid.values()), currency), months)


def _firsts(today: date) -> list[date]:
    """Return the first days of the last 12 months, the oldest first. The present month is the last."""
    month = today.year * 12 + today.month - 1
    return [date(one // 12, one % 12 + 1, 1) for one in range(month - MONTHS + 1, month + 1)]
