"""The filters by which the numbers and bars of the overview open their lists. ``billing.reports`` says what they mean.

Each is shown beside the list only while it is in use: it is chosen on the overview.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from billing import clock, debts, zones
from billing.models import Plan
from billing.models.invoice import OWED
from billing.models.statuses import LIVE
from billing.reports import calendar, rolling, waiting

Narrowed = QuerySet[Any]


class Chosen(SimpleListFilter):
    """A filter with a value from elsewhere. A value that it does not know is left out, and shows all."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.given, words)] if self.given and (words := self.says(self.given)) else []

    def queryset(self, request: HttpRequest, queryset: Narrowed) -> Narrowed:
        return self.narrow(queryset, self.given) if self.says(self.given) else queryset

    @property
    def given(self) -> str:
        found = self.used_parameters.get(str(self.parameter_name), "")
        return str(found[-1] if isinstance(found, list) and found else found or "")

    def says(self, value: str) -> str:
        """Return in words what it narrows the list to. "" for a value that it does not know."""
        raise NotImplementedError

    def narrow(self, rows: Narrowed, value: str) -> Narrowed:
        raise NotImplementedError


class Named(Chosen):
    """One of some conditions with names."""

    choices_here: dict[str, tuple[str, Callable[[Narrowed], Narrowed]]]

    def says(self, value: str) -> str:
        return self.choices_here[value][0] if value in self.choices_here else ""

    def narrow(self, rows: Narrowed, value: str) -> Narrowed:
        return self.choices_here[value][1](rows)


class Owes(Named):
    title, parameter_name = "owing", "owes"
    choices_here = {"yes": ("Owes something now", lambda rows: rows.filter(debts.owing()))}


class OnPlan(Chosen):
    """Offices that are not archived and whose live subscription is to this plan. 0: to a price that is none of ours."""

    title, parameter_name = "plan of a live subscription", "on_plan"

    def says(self, value: str) -> str:
        if not value.isdecimal():
            return ""
        return "Not one of our plans" if int(value) == 0 else str(Plan.objects.filter(pk=value).first() or "")

    def narrow(self, rows: Narrowed, value: str) -> Narrowed:
        return rows.filter(archived_at=None, subscription_status__in=LIVE, current_plan=int(value) or None)


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


def _cards_expiring(rows: Narrowed) -> Narrowed:
    return rows.filter(waiting.cards_expiring(at=clock.billing()))


class NextFor(Named):
    title, parameter_name = "what comes next", "next"
    choices_here = {
        "trial": ("Trial ends within 7 days", lambda rows: rows.filter(waiting.trials_ending(at=clock.billing()))),
        "card": ("Card expires before a charge within 31 days", _cards_expiring),
    }


class Billed(Chosen):
    title, parameter_name = "billed in", "billed"

    def says(self, value: str) -> str:
        return f"{value.upper()}, each month" if _is_currency(value) else ""

    def narrow(self, rows: Narrowed, value: str) -> Narrowed:
        return rows.filter(waiting.BILLED, currency=value)


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


def _is_currency(value: str) -> bool:
    return len(value) == 3 and value.isascii() and value.isalpha() and value.islower()


def _parts(value: str) -> tuple[int, str]:
    """Read what is written as 8.usd."""
    days, _, currency = value.partition(".")
    known = days.removeprefix("-").isdecimal() and len(days) < 4 and _is_currency(currency)
    return (int(days), currency) if known else (0, "")


def _day(value: str) -> tuple[date | None, str]:
    """Read what is written as 2026-11-30.usd."""
    day, _, currency = value.partition(".")
    try:
        found = datetime.strptime(day, "%Y-%m-%d").date()  # noqa: DTZ007  a day
    except ValueError:
        return None, ""
    return (found, currency) if _is_currency(currency) and 1970 <= found.year <= 9000 else (None, "")


def _written(day: date) -> str:
    return zones.bare_day(calendar.begins(day), "UTC")
