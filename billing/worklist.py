"""The worklist: which Offices wait for a person, since when, and what is known about each. It only reads.

Three things wait: Offices that owe, trials that end without anything to charge, and cards that expire before the next
charge. A list is read page by page from a place in it (a keyset), and the number of statements does not grow with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from billing import clock, coming, debts, next_steps
from billing.debts import Debt
from billing.entitlement import Access, Entitlement, Policy, entitlement
from billing.models import FollowUp, Office, User
from billing.next_steps import State, Step

PAGE = 50


class What(StrEnum):
    OWES = "owes"
    TRIAL = "trial"
    CARD = "card"


class Whose(StrEnum):
    TO_DO = "to_do"
    MINE = "mine"
    UNASSIGNED = "unassigned"
    SNOOZED = "snoozed"
    ALL = "all"


class Sort(StrEnum):
    DAYS = "days"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Row:
    """One Office that waits. ``at`` is when its trial ends or its card is charged.

    ``step`` is what fits best, None if nothing does. In the lists of what comes, it leaves debts out of account.
    """

    office: Office
    follow_up: FollowUp | None
    access: Entitlement
    step: Step | None
    at: datetime | None = None
    debt: Debt | None = None

    @property
    def keeps_access(self) -> bool:
        return self.access.access is Access.FULL

    @property
    def since(self) -> datetime | None:
        """Return since when its debt should be paid. A moment to come: it is not due yet."""
        return self.debt.since if self.debt else None

    @property
    def next_try(self) -> datetime | None:
        return self.debt.invoice.next_payment_attempt if self.debt else None

    def days(self, now: datetime) -> int:
        """Return since how many whole days it is due. Below zero: it is not due yet."""
        return (now - self.since).days if self.since else 0

    def is_snoozed(self, now: datetime) -> bool:
        return self.follow_up is not None and self.follow_up.is_snoozed(now)


@dataclass(frozen=True, slots=True)
class Page:
    """``after`` is the place where the next page begins. Empty: this is the last one."""

    rows: list[Row]
    after: str


def page(what: What, whose: Whose, sort: Sort, *, person: User, after: str = "") -> Page:
    """Return one page of the list. ``after`` is from the page before; one that cannot be read begins anew."""
    return READ[what](whose, sort, person, after)


def _owing(whose: Whose, sort: Sort, person: User, after: str) -> Page:
    office = Office.objects.filter(pk=OuterRef("office_id")).order_by()
    found = debts.by_office().filter(_of(whose, person, "office_id"))
    if sort is Sort.AMOUNT:
        found = found.annotate(money_in=Subquery(office.values("currency")), due=Subquery(office.values("balance_due")))
        if place := _read(after, str, int, int):
            currency, due, key = place
            later = Q(money_in=currency, due__lt=due) | Q(money_in=currency, due=due, key__gt=key)
            found = found.filter(Q(money_in__gt=currency) | later)
        found = found.order_by("money_in", "-due", "key")
    else:
        if place := _read(after, datetime.fromisoformat, int):
            since, key = place
            found = found.filter(Q(since__gt=since) | Q(since=since, key__gt=key))
        found = found.order_by("since", "key")
    keys = list(found[: PAGE + 1])
    shown = keys[:PAGE]
    rows = _owing_rows([one["key"] for one in shown])
    last = shown[-1] if len(keys) > PAGE else None
    if last is None:
        return Page(rows, "")
    if sort is Sort.AMOUNT:
        return Page(rows, _place(last["money_in"], last["due"], last["key"]))
    return Page(rows, _place(last["since"].isoformat(), last["key"]))


def _owing_rows(keys: Sequence[int]) -> list[Row]:
    """Return the rows of these Offices in this order, each with what it should pay first."""
    if not keys:
        return []
    first, unsettled = debts.first_of(keys), debts.with_unsettled(keys)
    return [_row(debt.invoice.office, key in unsettled, debt=debt) for key in keys if (debt := first.get(key))]


def _row(office: Office, unsettled: bool, *, debt: Debt | None = None, at: datetime | None = None) -> Row:
    fitting = next_steps.fitting(State(office, debt, unsettled), at=clock.billing())
    return Row(office, getattr(office, "follow_up", None), _access(office), next(fitting, None), at=at, debt=debt)


def _trials(whose: Whose, sort: Sort, person: User, after: str) -> Page:
    nothing = Q(payment_method_brand="", payment_method_last4="")
    found = Office.objects.filter(coming.trial_ends(clock.billing()), nothing)
    return _by_time(found.filter(_of(whose, person, "pk")), "trial_end", after)


def _cards(whose: Whose, sort: Sort, person: User, after: str) -> Page:
    """List what is charged within a month with a card that will have expired."""
    found = Office.objects.filter(coming.card_expires(clock.billing()))
    return _by_time(found.filter(_of(whose, person, "pk")), "current_period_end", after)


def _by_time(found: QuerySet[Office], column: str, after: str) -> Page:
    if place := _read(after, datetime.fromisoformat, int):
        at, key = place
        found = found.filter(Q(**{f"{column}__gt": at}) | Q(**{column: at, "pk__gt": key}))
    found = found.select_related("current_plan", "follow_up__assigned_to").order_by(column, "pk")
    offices = list(found[: PAGE + 1])
    unsettled = debts.with_unsettled(one.pk for one in offices) if offices else ()
    rows = [_row(office, office.pk in unsettled, at=getattr(office, column)) for office in offices[:PAGE]]
    if len(offices) <= PAGE:
        return Page(rows, "")
    last = rows[-1]
    return Page(rows, _place(last.at.isoformat() if last.at else "", last.office.pk))


READ: dict[What, Callable[[Whose, Sort, User, str], Page]] = {
    What.OWES: _owing,
    What.TRIAL: _trials,
    What.CARD: _cards,
}


def _of(whose: Whose, person: User, office: str) -> Q:
    """Return the condition on the follow-up of the Office in this column. An Office without one belongs to nobody.

    They are conditions and no joins, so that what waits is read first, and then its follow-up, by the Office.
    """
    row = FollowUp.objects.filter(office=OuterRef(office)).annotate(who=F("assigned_to_id") + 0)
    aside = Exists(row.filter(snoozed_until__gt=clock.wall()))
    found: dict[Whose, Q] = {
        Whose.TO_DO: Q(~aside),
        Whose.MINE: Q(Exists(row.filter(who=person.pk))) & Q(~aside),
        Whose.UNASSIGNED: Q(~Exists(row.filter(who__isnull=False))) & Q(~aside),
        Whose.SNOOZED: Q(aside),
        Whose.ALL: Q(),
    }
    return found[whose]


def _access(office: Office) -> Entitlement:
    return entitlement(office, Policy.of(settings), at=clock.billing())


def _place(*parts: object) -> str:
    return "~".join(str(one) for one in parts)


def _read(after: str, *kinds: Callable[[str], Any]) -> list[Any] | None:
    """Read a place. None: there is none, or it is none of this list."""
    parts = after.split("~")
    if not after or len(parts) != len(kinds):
        return None
    try:
        found = [kind(part) for kind, part in zip(kinds, parts, strict=True)]
    except (ValueError, OverflowError):
        return None
    aware = all(one.tzinfo for one in found if isinstance(one, datetime))
    return found if aware and all(abs(one) < 2**63 for one in found if isinstance(one, int)) else None
