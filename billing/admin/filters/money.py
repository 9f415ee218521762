"""What money came, is owed and moved: by this the numbers and bars of the overview open their lists.

``billing.debts`` and ``billing.reports`` say what they mean.
"""

from datetime import date, datetime

from django.db.models import Q

from billing import clock, debts, zones
from billing.admin.filters.chosen import Chosen, Narrowed, is_currency
from billing.models.invoice import OWED
from billing.reports import calendar, rolling


class OwedFor(Chosen):
    """Owed invoices of one currency, by how long they should have been paid."""

    title, parameter_name = "owed for", "owed"

    def says(self, value: str) -> str:
        days, currency = _parts(value)
        return f"{AGE_WORDS[days]}, {currency.upper()}" if days in AGE_WORDS and currency else ""

    def narrow(self, rows: Narrowed, value: str) -> Narrowed:
        days, currency = _parts(value)
        rows = rows.filter(OWED, currency=currency).alias(asked_since=debts.ASKED_SINCE)
        return rows if days == ANY else rows.filter(debts.owed_for(days, at=clock.billing()))


class InWeek(Chosen):
    """Rows of one week and currency that count in the report of collections."""

    title, parameter_name = "week", "week"
    counts: Q

    def says(self, value: str) -> str:
        monday, currency = _day(value)
        return f"From {_written(monday)} on (UTC), {currency.upper()}" if monday else ""

    def narrow(self, rows: Narrowed, value: str) -> Narrowed:
        monday, currency = _day(value)
        assert monday
        begin, end = calendar.begins(monday), calendar.begins(monday + calendar.WEEK)
        return rows.filter(self.counts, created_at__gte=begin, created_at__lt=end, currency=currency)


class PaidInWeek(InWeek):
    title = "paid in the week"
    counts = rolling.COUNTS_AS_PAID


class RefundedInWeek(InWeek):
    title = "refunded in the week"
    counts = rolling.COUNTS_AS_REFUNDED


class InMonth(Chosen):
    """Movements of one month and currency; with ``through``, those of all months before it too."""

    title, parameter_name = "month", "month"
    through = False

    def says(self, value: str) -> str:
        month, currency = _day(f"{value[:7]}-01{value[7:]}")
        until = "Until the end of " if self.through else ""
        return f"{until}{month:%B %Y} (UTC), {currency.upper()}" if month else ""

    def narrow(self, rows: Narrowed, value: str) -> Narrowed:
        month, currency = _day(f"{value[:7]}-01{value[7:]}")
        assert month
        within = Q(currency=currency, at__lt=calendar.begins(calendar.month_after(month)))
        return rows.filter(within if self.through else within & Q(at__gte=calendar.begins(month)))


class ThroughMonth(InMonth):
    title, parameter_name = "until the end of", "through"
    through = True


ANY = -2
AGE_WORDS = {
    ANY: "Any time",
    debts.NOT_DUE: "Not due yet",
    0: "0–7 days",
    8: "8–14 days",
    15: "15–30 days",
    31: "More than 30 days",
}


def _parts(value: str) -> tuple[int, str]:
    """Read what is written as 8.usd."""
    days, _, currency = value.partition(".")
    known = days.removeprefix("-").isdecimal() and len(days) < 4 and is_currency(currency)
    return (int(days), currency) if known else (0, "")


def _day(value: str) -> tuple[date | None, str]:
    """Read what is written as 2026-11-30.usd."""
    day, _, currency = value.partition(".")
    try:
        found = datetime.strptime(day, "%Y-%m-%d").date()  # noqa: DTZ007  a day
    except ValueError:
        return None, ""
    return (found, currency) if is_currency(currency) and 1970 <= found.year <= 9000 else (None, "")


def _written(day: date) -> str:
    return zones.bare_day(calendar.begins(day), zones.OF_MANY)
