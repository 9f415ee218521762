"""The form of a situation. What is right is said in full, and a value that is not said is as in a plain month."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.situations.dashboard import Dashboard

Act = Callable[[Dashboard], object]
Amounts = dict[str, int]
"""Minor units by currency. A currency of which nothing is owed is left out."""


@dataclass(frozen=True, kw_only=True)
class Right:
    """What is right. Times are texts such as "1 Apr 13:00": UTC, in 2030 unless they name a year."""

    access: str
    status: str
    """Of the present subscription, in Stripe's word. "" for an Office that has none."""
    plan: str | None
    quantity: int
    monthly: Amounts
    """What its subscriptions bring each month before discounts, of those that are active or past due."""
    owed: Amounts
    past_due_since: str | None
    next_charge: tuple[str, int, str] | None
    """When the next invoice of the present subscription is made, and how much of which currency is then charged.

    None: nothing will be charged."""
    cycles: list[tuple[str, str]]
    """The periods that the subscription was invoiced for, the oldest first."""
    findings: list[str]
    """The kinds of the findings that are open."""
    credit: Amounts | None = None
    """What its balance holds. Below zero, it is added to the next invoice. None: nothing."""
    discount: str = ""
    """A part of what we say of its discount. "" if it has none."""
    schedule: str = ""
    """A part of what we say of its schedules. "" if it has none."""
    invoice: tuple[int, int, int, int] | None = None
    """Of the newest invoice: subtotal, discount, tax and total."""
    payments: list[tuple[str, int, bool]] | None = None
    """Its payments in any order: status, amount, and whether it belongs to an invoice."""
    on_the_page: tuple[str, ...] = ()
    """What the Office's page in the admin must say besides."""
    in_the_statement: str = ""
    """Words that an entry of its statement must have."""
    not_in_the_statement: str = ""
    """Words that no entry of its statement may have."""


@dataclass(frozen=True)
class Situation:
    name: str
    because: str
    page: str
    happens: Act
    right: Right


TABLE: list[Situation] = []


def situation(page: str, *, right: Right) -> Callable[[Act], Act]:
    """Add this function to the table. ``page`` is the page of docs.stripe.com, its docstring the reasoning."""

    def add(happens: Act) -> Act:
        name, because = happens.__name__, happens.__doc__ or ""
        assert because, f"{name} does not say why"
        TABLE.append(Situation(name, because, f"https://docs.stripe.com/{page}", happens, right))
        return happens

    return add


def moment(text: str) -> datetime:
    """Return the moment that "1 Apr 13:00", "1 Apr" (noon) or "1 Apr 2031 13:00" names."""
    day, month, *rest = text.split()
    year = rest.pop(0) if rest and ":" not in rest[0] else "2030"
    hour = rest[0] if rest else "12:00"
    return datetime.strptime(f"{day} {month} {year} {hour}", "%d %b %Y %H:%M").replace(tzinfo=UTC)
