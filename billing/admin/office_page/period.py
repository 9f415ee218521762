"""The present period as a bar: when it began and ends, the trial, tries that failed, the next try, the end of access.

Pure. A place on the bar is a whole number from 0 to ``WIDTH``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing import zones
from billing.entitlement import Access, Entitlement
from billing.models.statuses import PaymentStatus
from billing.office_state.rows import Rows

WIDTH = 1000
STROKE = 6
MOST_TRIES = 6
START, NOW, TRIAL, FAILED, NEXT, END, ACCESS, CANCEL = "start now trial failed next end access cancel".split()


@dataclass(frozen=True, slots=True)
class Mark:
    """One moment on the bar. ``kind`` gives it its look, ``says`` names it, and ``day`` is written in the zone."""

    kind: str
    says: str
    at: datetime
    day: str
    place: int

    @property
    def left(self) -> int:
        """Return where its stroke begins, so that all of it is on the bar."""
        return min(max(self.place - STROKE // 2, 0), WIDTH - STROKE)


@dataclass(frozen=True, slots=True)
class Bar:
    marks: tuple[Mark, ...]
    now: int
    access: int
    """Until where access is certain, if it ends on the bar. 0: there is none."""


def bar(rows: Rows, found: Entitlement, *, at: datetime) -> Bar | None:
    """Return the bar, or None if no subscription is live, so that there is no period."""
    office = rows.office
    start, end = office.current_period_start, office.current_period_end
    if office.archived_at or not office.has_live_subscription or start is None or end is None or end <= start:
        return None
    moments = [(START, "period began", start), *_moments(rows, found, start), (NOW, "now", at)]
    moments += [(END, "period ends", end)]
    first, last = min(one for _, _, one in moments), max(one for _, _, one in moments)

    def place(moment: datetime) -> int:
        return round(WIDTH * ((moment - first) / (last - first)))

    ends = (END, TRIAL, ACCESS, CANCEL)
    marks = [
        Mark(kind, says, moment, _written(moment, office.time_zone, is_end=kind in ends), place(moment))
        for kind, says, moment in sorted(moments, key=lambda one: one[2])
    ]
    until = found.until if found.until and found.until < last else last
    return Bar(tuple(marks), place(at), 0 if found.access == Access.NONE else place(until))


def _moments(rows: Rows, found: Entitlement, start: datetime) -> list[tuple[str, str, datetime]]:
    office = rows.office
    asked_for = {one.pk for one in rows.asked_for}
    failed = [one for one in rows.payments if one.status == PaymentStatus.FAILED and one.invoice_id in asked_for]
    tries = [one.created_at for one in failed if one.created_at >= start - timedelta(days=1)][:MOST_TRIES]
    moments = [(FAILED, "payment failed", one) for one in tries]
    moments += [(NEXT, "next try", one.next_payment_attempt) for one in rows.asked_for if one.next_payment_attempt]
    if office.is_trialing and office.trial_end:
        moments.append((TRIAL, "trial ends", office.trial_end))
    if office.cancel_at:
        moments.append((CANCEL, "subscription ends", office.cancel_at))
    if found.access == Access.FULL and found.until and _ends_before_it_renews(rows, found):
        moments.append((ACCESS, "access ends if nobody pays", found.until))
    return moments


def _ends_before_it_renews(rows: Rows, found: Entitlement) -> bool:
    return rows.office.past_due_since is not None and found.until not in (rows.office.cancel_at, None)


def _written(at: datetime, zone: str, *, is_end: bool) -> str:
    day = zones.last_day_of(at, zone) if is_end else zones.day_of(at, zone)
    return f"{day.day} {day:%b %Y}"
