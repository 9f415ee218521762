"""The lines of a statement as its page has them: what was charged, paid and given back in columns of their own. Pure.

In each currency, what was charged less what was paid is what is owed. What was given back changes nothing of that: the
invoice stays paid.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from billing.history import Account, Cycle, Entry, Standing, Statement
from billing.models import Invoice
from billing.money import Money


@dataclass(frozen=True, slots=True)
class Line:
    """One line. An amount that does not apply is None. ``only_told``: it changes no amount, such as a failed try."""

    at: datetime
    text: str
    charged: Money | None
    paid: Money | None
    given_back: Money | None
    owed: Money
    only_told: bool
    invoice: Invoice | None


@dataclass(frozen=True, slots=True)
class Sum:
    """The sums of one currency."""

    charged: Money
    paid: Money
    given_back: Money
    owed: Money


@dataclass(frozen=True, slots=True)
class Shown:
    lines: list[Line]
    sums: list[Sum]
    cycles: list[Cycle]
    standing: Standing

    @property
    def has_given_back(self) -> bool:
        return any(one.given_back.amount for one in self.sums)


def shown(account: Account) -> Shown:
    lines = [_line(entry) for entry in account.statement.entries]
    return Shown(lines, list(_sums(lines, account.statement)), account.cycles, account.standing)


def _line(entry: Entry) -> Line:
    currency, owed = entry.amount.currency, entry.owed
    charged = Money(owed, currency) if owed > 0 or (entry.what == "invoice" and not owed) else None
    paid = Money(-owed, currency) if owed < 0 else None
    back = Money(-entry.amount.amount, currency) if entry.amount.amount < 0 and not owed else None
    only_told = charged is None and paid is None and back is None
    text = f"{entry.text}: {entry.amount}" if only_told and entry.amount.amount else entry.text
    return Line(entry.at, text, charged, paid, back, entry.balance, only_told, entry.invoice)


def _sums(lines: list[Line], statement: Statement) -> Iterator[Sum]:
    for owed in statement.closing:
        charged, paid, back = (
            sum(one.amount for one in column if one and one.currency == owed.currency)
            for column in zip(*((line.charged, line.paid, line.given_back) for line in lines), strict=True)
        )
        yield Sum(Money(charged, owed.currency), Money(paid, owed.currency), Money(back, owed.currency), owed)
