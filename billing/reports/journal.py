"""The journal of a month for the accountant: double entries for what was invoiced, paid, given back and written off.

It is made of our own rows, and nothing is stored. Stripe's fees and payouts are not in it. A month is one of UTC:
``[first day, first day of the next month)``. Each entry is in one currency, and its debits equal its credits. What the
rows say today decides: something that became known later, such as that a debit from a bank account was paid after all,
belongs to the month in which it began. docs/exports.md says how each entry arises.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, Sum

from billing import history
from billing.batches import batches
from billing.models import Adjustment, Office, Payment
from billing.models.statuses import INQUIRY, NOT_GIVEN_BACK, PaymentStatus
from billing.reports.journal_entries import NOT_REPORTED, Account, Entry, Kind, credit_operations, posted

NOT_IN_IT = "Stripe's fees and payouts are not in it"
OFFICES_AT_ONCE = 400
Sums = dict[tuple[str, Account], int]
"""Minor units by currency and account."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month of UTC."""

    year: int
    month: int

    @classmethod
    def read(cls, text: str) -> "Month":
        """Read it as in 2026-10. Raises: ValueError."""
        return cls.of(datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC))

    @classmethod
    def of(cls, at: datetime) -> "Month":
        at = at.astimezone(UTC)
        return cls(at.year, at.month)

    @property
    def start(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        return self.next.start

    @property
    def next(self) -> "Month":
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def previous(self) -> "Month":
        return Month(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    @property
    def in_words(self) -> str:
        return f"{self.start:%B %Y}"

    def __str__(self) -> str:
        return f"{self.start:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Tie:
    """What the journal comes to, held against what other rows say. Both in minor units of one currency."""

    currency: str
    what: str
    journal: int
    held_against: int

    @property
    def difference(self) -> int:
        return self.journal - self.held_against


@dataclass(slots=True)
class Journal:
    """The journal of one month. Read ``entries`` to the end first: the sums are complete only then.

    ``debits`` and ``credits`` are of the month, both above zero. The other sums are debits less credits.
    """

    month: Month
    opening: Sums = field(default_factory=lambda: defaultdict(int))
    debits: Sums = field(default_factory=lambda: defaultdict(int))
    credits: Sums = field(default_factory=lambda: defaultdict(int))
    by_kind: dict[tuple[str, Kind, Account], int] = field(default_factory=lambda: defaultdict(int))
    owed: Counter[str] = field(default_factory=Counter)
    unreported: Counter[str] = field(default_factory=Counter)
    count: int = 0

    def entries(self) -> Iterator[Entry]:
        """Yield the entries of the month, Office by Office, and of each in the order of time.

        Four queries for 400 Offices. All their rows are read, also those of before: they make the opening.
        """
        for batch in batches(Office.objects.all(), size=OFFICES_AT_ONCE):
            operations = credit_operations(batch)
            for office, rows in history.rows_of(batch):
                self.owed.update(history.owed_at(rows, until=self.month.end))
                for entry in sorted(posted(office, rows, operations[office.pk]), key=lambda one: one.at):
                    if entry.at < self.month.end and self._count(entry):
                        yield entry

    def _count(self, entry: Entry) -> bool:
        """Add the entry to the sums. Return whether it is of this month."""
        is_before = entry.at < self.month.start
        for account, amount in entry.lines.items():
            if is_before:
                self.opening[entry.currency, account] += amount
                continue
            (self.debits if amount > 0 else self.credits)[entry.currency, account] += abs(amount)
            self.by_kind[entry.currency, entry.kind, account] += amount
        if not is_before and entry.kind == Kind.PAYMENT and entry.reference == NOT_REPORTED:
            self.unreported[entry.currency] += entry.lines[Account.CLEARING]
        self.count += not is_before
        return not is_before

    @property
    def currencies(self) -> list[str]:
        return sorted({currency for currency, _ in (*self.opening, *self.debits, *self.credits)} | {*self.owed})

    def moved(self, currency: str, account: Account) -> int:
        """Return the debits of the month less its credits."""
        return self.debits.get((currency, account), 0) - self.credits.get((currency, account), 0)

    def closing(self, currency: str, account: Account) -> int:
        return self.opening.get((currency, account), 0) + self.moved(currency, account)

    def ties(self) -> list[Tie]:
        """Return what must be equal, for each currency. Five queries."""
        through_stripe = _through_stripe(self.month)
        found: list[Tie] = []
        for currency in self.currencies:
            owed = self.closing(currency, Account.RECEIVABLES)
            found += [
                Tie(
                    currency, "Receivables, and what the statements of all Offices end with", owed, self.owed[currency]
                ),
                Tie(
                    currency,
                    "Clearing in this month, and payments less refunds and disputes",
                    self.moved(currency, Account.CLEARING),
                    through_stripe[currency] + self.unreported[currency],
                ),
            ]
        return found


def _through_stripe(month: Month) -> Counter[str]:
    """Return what came in and went out through Stripe in the month, by currency, summed by the database."""
    found: Counter[str] = Counter()

    def add(rows: Any, sign: int) -> None:
        for currency, amount in rows.order_by().values_list("currency").annotate(Sum("amount")):
            found[currency] += sign * int(amount)  # PostgreSQL sums up to a Decimal

    def within(name: str) -> Q:
        return Q(**{f"{name}__gte": month.start, f"{name}__lt": month.end})

    refunds = Adjustment.objects.filter(kind=Adjustment.Kind.REFUND).exclude(status__in=NOT_GIVEN_BACK)
    disputes = Adjustment.objects.filter(kind=Adjustment.Kind.DISPUTE)
    kept = (Adjustment.Outcome.WON, Adjustment.Outcome.WITHDRAWN)
    undated = disputes.filter(taken_at=None).exclude(status__in=(*INQUIRY, *NOT_GIVEN_BACK)).exclude(outcome__in=kept)
    add(Payment.objects.filter(within("created_at"), status=PaymentStatus.SUCCEEDED), 1)
    add(refunds.filter(within("created_at")), -1)
    add(disputes.filter(within("taken_at")), -1)
    add(undated.filter(within("created_at")), -1)
    add(disputes.filter(within("returned_at")), 1)
    return found
