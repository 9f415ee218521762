"""How an Office stands with its subscriptions: which one is the present one, and since when it is past due. Pure.

An Office should have one subscription that is live. A person in Stripe's dashboard can make more, or old ones stay.
What is shown, changed, cancelled and dunned is the present one. Access is the best answer of all live ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, Self, TypeVar

from billing.models.statuses import FINAL, InvoiceStatus, SubscriptionStatus

ORDER: dict[str, int] = {
    SubscriptionStatus.ACTIVE: 0,
    SubscriptionStatus.TRIALING: 0,
    SubscriptionStatus.PAST_DUE: 1,
    SubscriptionStatus.UNPAID: 2,
    SubscriptionStatus.PAUSED: 3,
    SubscriptionStatus.INCOMPLETE: 4,
}
UNKNOWN, ENDED = 5, 6
DUNNED = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID)
"""Its latest invoice was not paid in time."""
TRIED_WITHIN = timedelta(days=1)
"""After an invoice was finalised. Stripe tries for the first time by then, and again on a later day."""


class Begun(Protocol):
    """What orders subscriptions: rows of ``Subscription``, and what a look saw of them."""

    @property
    def status(self) -> str: ...
    @property
    def stripe_id(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def started_at(self) -> datetime | None: ...


B = TypeVar("B", bound=Begun)


def in_order(subscriptions: Iterable[B]) -> list[B]:
    """Return the subscriptions, the present one first: by status, and of several the one that started last."""
    latest = sorted(
        subscriptions, key=lambda one: (one.started_at or one.created_at, one.created_at, one.stripe_id), reverse=True
    )
    return sorted(latest, key=lambda one: rank(one.status))


def rank(status: str) -> int:
    """Return 0 for the statuses that are the best for an Office, and more for worse ones."""
    if status in FINAL:
        return ENDED
    return ORDER.get(status, UNKNOWN)


@dataclass(frozen=True, slots=True)
class FirstInvoice:
    """What is known of a subscription's first invoice: its status, and whether Stripe charges it by itself."""

    status: str
    is_charged: bool
    total: int


def began(status: str, first: FirstInvoice | None) -> bool:
    """Return whether a subscription ever began. A start whose card was declined, or that was given up, did not.

    Stripe keeps it as incomplete, and later as incomplete_expired or canceled, with a first invoice that was not paid.
    Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
    """
    if status == SubscriptionStatus.INCOMPLETE_EXPIRED:
        return False
    if status != SubscriptionStatus.CANCELED or first is None:
        return True
    return not (first.is_charged and first.total > 0 and first.status != InvoiceStatus.PAID)


@dataclass(frozen=True, slots=True)
class Demand:
    """A finalised invoice of one subscription. ``failed_at`` is when it was first tried in vain, or became due."""

    finalised_at: datetime
    is_owed: bool
    failed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to collect an invoice that did not bring the money, or has not yet.

    ``returned_at`` is when the bank sent back a debit. None: it answered at once, or ``is_pending``.
    """

    began_at: datetime
    returned_at: datetime | None
    is_pending: bool


def first_failure(finalised_at: datetime, first: Attempt | None) -> datetime | None:
    """Return when an invoice was first tried in vain, or None if the bank has not answered yet.

    It is tried as soon as it is finalised, and a card says no at once. A debit fails days later, when the bank returns
    it. ``first`` is the first attempt that is known. One that began later was not the first, because an attempt
    without anything to charge leaves no payment.

    Source: https://docs.stripe.com/payments/ach-direct-debit
    """
    if first is None or first.began_at > finalised_at + TRIED_WITHIN:
        return finalised_at
    return None if first.is_pending else first.returned_at or finalised_at


def past_due_since(demands: Sequence[Demand]) -> datetime | None:
    """Return since when collection fails: the first failure since an invoice was last settled. None: it does not fail.

    Stripe's status is that of the latest finalised invoice. So one that was settled ends what came before it.
    Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
    """
    settled = max((one.finalised_at for one in demands if not one.is_owed), default=None)
    failed = [
        one.failed_at
        for one in demands
        if one.is_owed and one.failed_at and (settled is None or one.finalised_at > settled)
    ]
    return min(failed, default=None)


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides about access: of one live subscription."""

    status: str
    current_period_start: datetime | None = None
    current_period_end: datetime | None = None
    trial_end: datetime | None = None
    cancel_at: datetime | None = None
    past_due_since: datetime | None = None

    @classmethod
    def of(cls, row: Any, *, status: str, since: datetime | None) -> Self:
        """Return the terms of a row that has columns of these names: a subscription or an Office."""
        return cls(status, row.current_period_start, row.current_period_end, row.trial_end, row.cancel_at, since)

    def stored(self) -> dict[str, str | None]:
        """Return the terms as JSON holds them, times in ISO 8601."""
        times = {name: getattr(self, name) for name in self.__slots__ if name != "status"}
        return {"status": self.status} | {name: at.isoformat() if at else None for name, at in times.items()}

    @classmethod
    def read(cls, stored: dict[str, str | None]) -> Self:
        """Return what ``stored`` made."""
        times = {name: datetime.fromisoformat(at) if at else None for name, at in stored.items() if name != "status"}
        return cls(status=stored["status"] or "", **times)
