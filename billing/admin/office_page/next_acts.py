"""The acts that an Office's page offers beside the sentence: those of ``billing.next_steps``, of its rows. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from billing import debts, next_steps
from billing.models import Invoice
from billing.next_steps import OF_INVOICE, State, Step
from billing.office_state.rows import Rows


@dataclass(frozen=True, slots=True)
class Next:
    """An act of the Office, or of this invoice of it."""

    name: Step
    invoice: Invoice | None = None


def fitting(rows: Rows, *, at: datetime) -> Iterator[Next]:
    """Yield the acts that fit, the best first. There may be more than are shown."""
    first = _to_pay_first(rows)
    debt = debts.of(first, rows.payments) if first else None
    for step in next_steps.fitting(State(rows.office, debt, rows.unsettled is not None), at=at):
        yield Next(step, first if step in OF_INVOICE else None)


def _to_pay_first(rows: Rows) -> Invoice | None:
    """Return what is owed longest, or a draft that nothing but a person finalises."""
    return min(rows.asked_for, key=lambda one: (not one.is_owed, debts.asked_since(one), one.pk), default=None)
