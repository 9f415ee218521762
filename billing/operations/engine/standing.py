"""How an Office stands with its subscription, before and after an act, side by side. From our own rows."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from billing import coming, zones
from billing.models import Office, PlanPrice
from billing.money import Money, credit_in_words

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison."""

    label: str
    before: str
    after: str

    @property
    def changes(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Standing:
    """What an Office has and pays. Empty or None is what it does not have, or what nobody knows yet."""

    plan: str = ""
    seats: int = 0
    monthly: Money | None = None
    next_charge: datetime | None = None
    trial_end: datetime | None = None
    ends: datetime | None = None
    discount: str = ""
    credit: Money | None = None

    @classmethod
    def of(cls, office: Office) -> Self:
        credit = office.credit if office.credit.currency else None
        current = office.current_subscription if office.has_live_subscription else None
        if current is None:
            return cls(credit=credit)
        items = current.present_items
        price = current.plan_price
        return cls(
            plan=_plan(price) if price and len(items) == 1 else current.items_in_words,
            seats=office.quantity if len(items) == 1 else 0,
            monthly=current.monthly,
            next_charge=coming.next_charge(office),
            trial_end=office.trial_end if office.is_trialing else None,
            ends=office.cancel_at,
            discount=current.discounts_in_words,
            credit=credit,
        )

    def with_plan(self, price: PlanPrice, seats: int) -> Self:
        monthly = Money(price.monthly_amount(seats), price.currency)
        return replace(self, plan=_plan(price), seats=seats, monthly=monthly)


def compared(before: Standing, after: Standing, office: Office, seen: Any = None) -> tuple[Row, ...]:
    """Return the rows that say something. ``seen`` is the preview, whose amount is the one that is charged now."""
    zone = office.time_zone
    credits = [credit_in_words(one.credit) if one.credit else "" for one in (before, after)]
    rows = (
        Row("Plan", before.plan, after.plan),
        Row("Seats", *(f"{one.seats:,}" if one.seats else "" for one in (before, after))),
        Row("A month", *(str(one.monthly) if one.monthly else "" for one in (before, after))),
        Row("Charged now", "", _now(seen)),
        Row("Next charge", _day(before.next_charge, zone), _day(after.next_charge, zone)),
        Row("Trial ends", _end(before.trial_end, zone), _end(after.trial_end, zone)),
        Row("Service ends", _end(before.ends, zone), _end(after.ends, zone)),
        Row("Discount", before.discount, after.discount),
        Row("Credit", *credits),
    )
    return tuple(
        replace(row, before=row.before or NOTHING, after=row.after or NOTHING)
        for row in rows
        if row.before or row.after
    )


def with_credit_after(after: Standing, seen: Any) -> Standing:
    """Return the standing with the credit as the invoice that comes now leaves it."""
    if not seen.now or after.credit is None or after.credit.currency != seen.total.currency:
        return after
    left = after.credit.amount - (seen.total.amount - seen.charged.amount)
    return replace(after, credit=Money(left, after.credit.currency))


def end_of_lines(seen: Any) -> datetime | None:
    """Return when the period ends that the lines of an invoice begin."""
    return max((line.period_end for line in seen.lines if line.period_end), default=None)


def _plan(price: PlanPrice) -> str:
    return f"{price.plan.name}, {price.money}{' per seat' if price.per_seat else ''} {price.in_words}"


def _now(seen: Any) -> str:
    is_now = getattr(seen, "now", False)
    return str(seen.charged) if is_now else ""


def _day(at: datetime | None, zone: str) -> str:
    return zones.bare_day(at, zone) if at else ""


def _end(at: datetime | None, zone: str) -> str:
    return zones.bare_end(at, zone) if at else ""
