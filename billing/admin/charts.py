"""The charts of the overview: what Unfold's chart shows, and the same as a table, whose numbers lead to their lists.

One chart is of one currency.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.core.serializers.json import DjangoJSONEncoder

from billing.admin.filters.money import AGE_WORDS, ANY
from billing.admin.links import list_of
from billing.debts import AGES, NOT_DUE
from billing.models import Movement
from billing.models.statuses import LIVE
from billing.money import Money
from billing.reports.pictures import Month, Pictures, Week
from billing.reports.waiting import Counted

PLAIN = "var(--color-primary-600)"
COLOURS: dict[str, str] = {
    Movement.Kind.ADOPTED: "#94a3b8",
    Movement.Kind.NEW: "#15803d",
    Movement.Kind.EXPANSION: "#4ade80",
    Movement.Kind.REACTIVATION: "#2dd4bf",
    Movement.Kind.CONTRACTION: "#fb923c",
    Movement.Kind.CHURN: "#dc2626",
}
PAID, REFUNDED = "#15803d", "#dc2626"
WRITTEN = "#767f8d"
"""The colour of what is written in a chart. It can be read on a light and on a dark page."""


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    page: str = ""


UNKNOWN = Cell("not known")


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of one colour: ``values`` are written as decimals. ``pages`` are what each bar opens."""

    label: str
    values: Sequence[str | None]
    pages: list[str]
    colour: str = PLAIN


@dataclass(slots=True)
class Chart:
    """``says`` is the sentence below the title."""

    title: str
    says: str
    labels: list[str]
    bars: list[Bars]
    head: list[str]
    rows: list[list[Cell]] = field(default_factory=list)
    lies: bool = False

    @property
    def data(self) -> str:
        sets = [
            {"label": one.label, "data": one.values, "backgroundColor": one.colour, "addresses": one.pages}
            for one in self.bars
        ]
        return json.dumps({"labels": self.labels, "datasets": sets}, cls=DjangoJSONEncoder)

    @property
    def options(self) -> str:
        return json.dumps(
            {
                "animation": False,
                "responsive": True,
                "maintainAspectRatio": False,
                "maxBarThickness": 36,
                "indexAxis": "y" if self.lies else "x",
                "plugins": {
                    "legend": {"display": len(self.bars) > 1, "position": "bottom", "labels": {"color": WRITTEN}}
                },
                "scales": {
                    axis: {"stacked": True, "grid": {}, "ticks": {"color": WRITTEN, "precision": 0}} for axis in "xy"
                },
            }
        )


def charts(pictures: Pictures, counted: Sequence[Counted], plans: dict[int, str]) -> Iterator[Chart]:
    for currency, months in pictures.mrr.items():
        yield _mrr(currency, pictures.months, months)
        yield _movements(currency, pictures.months, months, pictures.adopted_in.get(currency))
    for currency, weeks in pictures.collections.items():
        yield _collections(currency, weeks)
    for currency in sorted({one.currency for one in counted if one.what == "owed"}):
        yield _ageing(currency, [one for one in counted if one.what == "owed" and one.currency == currency])
    if any(one.what == "offices" and one.key in LIVE for one in counted):
        yield _plans(counted, plans)


def month_page(month: date, currency: str, **more: str) -> str:
    return list_of("movement", month=f"{month:%Y-%m}.{currency}", **more)


def _mrr(currency: str, days: Sequence[date], months: Sequence[Month | None]) -> Chart:
    pages = [_through(one, currency) for one in months]
    rows = [
        [Cell(f"{day:%B %Y}"), Cell(str(one.closing), page) if one else UNKNOWN]
        for day, one, page in zip(days, months, pages, strict=True)
    ]
    return Chart(
        f"Monthly recurring revenue (MRR) in {currency.upper()}",
        _since(months),
        _month_labels(days, months),
        [Bars("MRR at the end of the month", [_amount(one.closing) if one else None for one in months], pages)],
        ["Month", "MRR at the end of the month"],
        rows,
    )


def _movements(currency: str, days: Sequence[date], months: Sequence[Month | None], adopted_in: date | None) -> Chart:
    known = [one for one in months if one]
    kinds = [kind for kind in Movement.Kind if any(kind in one.movements for one in known)]
    says = (
        "What changed the MRR of each month. Adopted: what an Office already paid when it was added here, which is no "
        "growth. Expansion and contraction: an Office pays more, or less. Churn: it pays nothing any more. "
        "Reactivation: it pays again."
    )
    if adopted_in and any(one.since < adopted_in for one in known):
        says += f" Offices were adopted until {adopted_in:%B %Y}: what they paid before then is not known here."
    bars = [
        Bars(
            str(kind.label),
            [_amount(one.movements[kind].money) if one and kind in one.movements else None for one in months],
            [month_page(one.since, currency, kind__exact=kind) if one else "" for one in months],
            COLOURS[kind],
        )
        for kind in kinds
    ]
    rows = [
        [
            Cell(f"{day:%B %Y}"),
            Cell(str(one.opening)),
            *(_moved(one, kind, currency) for kind in kinds),
            Cell(str(one.closing), _through(one, currency)),
        ]
        if one
        else [Cell(f"{day:%B %Y}"), *[UNKNOWN] * (len(kinds) + 2)]
        for day, one in zip(days, months, strict=True)
    ]
    head = ["Month", "Opening", *(str(kind.label) for kind in kinds), "Closing"]
    return Chart(f"Movements of MRR in {currency.upper()}", says, _month_labels(days, months), bars, head, rows)


def _moved(month: Month, kind: Movement.Kind, currency: str) -> Cell:
    if kind not in month.movements:
        return Cell("–")
    return Cell(str(month.movements[kind].money), month_page(month.since, currency, kind__exact=kind))


def _through(month: Month | None, currency: str) -> str:
    """Return the list of all movements until the end of this month: their sum is the MRR then."""
    return list_of("movement", through=f"{month.since:%Y-%m}.{currency}") if month else ""


def _since(months: Sequence[Month | None]) -> str:
    says = "What subscriptions bill each month before discounts, while they are active or past due. Months are in UTC."
    known = next((one for one in months if one), None)
    return says if known is None or months[0] else f"{says} Before {known.since:%B %Y}, nothing was known here."


def _month_labels(days: Sequence[date], months: Sequence[Month | None]) -> list[str]:
    """Return the names of the months. One of which nothing is known has a question mark."""
    return [f"{day:%b %Y}" if one else f"{day:%b %Y} ?" for day, one in zip(days, months, strict=True)]


def _collections(currency: str, weeks: Sequence[Week]) -> Chart:
    paid = [list_of("payment", week=f"{one.since}.{currency}") for one in weeks]
    back = [list_of("adjustment", week=f"{one.since}.{currency}") for one in weeks]
    bars = [Bars("Paid", [_amount(one.paid.money) for one in weeks], paid, PAID)]
    if any(one.refunded.n for one in weeks):
        refunded = [_amount(Money(-one.refunded.money.amount, currency)) for one in weeks]
        bars.append(Bars("Refunded", refunded, back, REFUNDED))
    rows = [
        [
            Cell(f"{one.since.day} {one.since:%B %Y}"),
            Cell(str(one.paid.money), paid[number] if one.paid.n else ""),
            Cell(str(one.refunded.money), back[number] if one.refunded.n else ""),
            Cell(str(one.collected)),
        ]
        for number, one in enumerate(weeks)
    ]
    return Chart(
        f"Collected in {currency.upper()} by week",
        "Payments minus refunds, each in the week in which it was made, from Monday in UTC. What banks took back in "
        "disputes and what was paid outside Stripe are not included.",
        [f"{one.since.day} {one.since:%b}" for one in weeks],
        bars,
        ["Week from", "Paid", "Refunded", "Collected"],
        rows,
    )


def _ageing(currency: str, owed: Sequence[Counted]) -> Chart:
    by_age = {one.number: one for one in owed}
    ages = [days for days in AGES if days != NOT_DUE or days in by_age]
    pages = {days: list_of("invoice", owed=f"{days}.{currency}") for days in ages}
    sums = {days: Money(by_age[days].amount if days in by_age else 0, currency) for days in ages}
    rows = [
        [
            Cell(AGE_WORDS[days]),
            Cell(f"{by_age[days].n:,}" if days in by_age else "0"),
            Cell(str(sums[days]), page if days in by_age else ""),
        ]
        for days, page in pages.items()
    ]
    everything = Money(sum(one.amount for one in owed), currency)
    invoices = sum(one.n for one in owed)
    rows.append(
        [Cell("All"), Cell(f"{invoices:,}"), Cell(str(everything), list_of("invoice", owed=f"{ANY}.{currency}"))]
    )
    return Chart(
        f"Owed in {currency.upper()}: {everything}",
        "On open invoices, by how many days ago they were due.",
        [AGE_WORDS[days] for days in ages],
        [Bars("Owed", [_amount(sums[days]) for days in ages], list(pages.values()))],
        ["For", "Invoices", "Owed"],
        rows,
        lies=True,
    )


def _plans(counted: Sequence[Counted], plans: dict[int, str]) -> Chart:
    live: dict[int, int] = {}
    for one in counted:
        if one.what == "offices" and one.key in LIVE:
            live[one.number] = live.get(one.number, 0) + one.n
    order = sorted(live, key=lambda plan: (-live[plan], plan))
    names = [plans.get(plan, "Not one of our plans") for plan in order]
    pages = [list_of("office", on_plan=plan) for plan in order]
    return Chart(
        "Offices by plan",
        "Offices with a live subscription, archived ones left out.",
        names,
        [Bars("Offices", [str(live[plan]) for plan in order], pages)],
        ["Plan", "Offices"],
        [[Cell(name), Cell(f"{live[plan]:,}", page)] for plan, name, page in zip(order, names, pages, strict=True)],
        lies=True,
    )


def _amount(money: Money) -> str:
    """Write the amount as a number that a chart can read."""
    return f"{money.decimal:f}"
