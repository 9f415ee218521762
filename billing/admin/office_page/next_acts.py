"""Which acts fit the state of an Office best: the one or two that its page offers beside the sentence. Pure.

They are named as the tables of acts name them. Whether they can work now, and for whom, the tables say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from billing.models import Invoice
from billing.models.statuses import FINAL, SubscriptionStatus
from billing.office_state.rows import Rows

OWING = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID)


@dataclass(frozen=True, slots=True)
class Next:
    """An act of the Office, or of this invoice of it."""

    name: str
    invoice: Invoice | None = None


def fitting(rows: Rows, *, at: datetime) -> Iterator[Next]:
    """Yield the acts that fit, the best first. There may be more than are shown."""
    office, status = rows.office, rows.office.subscription_status
    if office.archived_at:
        yield Next("unarchive")
    elif office.customer_deleted_at or rows.unsettled:
        return
    elif status == SubscriptionStatus.INCOMPLETE:
        yield from (Next("complete_payment"), Next("end_waiting"))
    elif status in OWING or rows.asked_for:
        yield from _to_get_paid(rows)
    elif not status or status in FINAL:
        yield from _to_start(rows)
    elif status == SubscriptionStatus.PAUSED or _will_lack_method(rows, at):
        yield Next("link_card")
        yield from _to_change(rows)
    else:
        yield from _to_change(rows)


def _to_get_paid(rows: Rows) -> Iterator[Next]:
    """If nothing is on file, what is owed cannot be charged: a link to add a card comes first."""
    pay = [Next("pay", one) for one in rows.asked_for[:1]]
    if rows.under_way:
        return
    if rows.office.has_payment_method:
        yield from (*pay, Next("link_card"))
        return
    yield Next("link_card")
    yield from [Next("send", one) for one in rows.asked_for[:1] if one.collection == Invoice.Collection.SENT]
    yield from pay


def _to_start(rows: Rows) -> Iterator[Next]:
    """If nothing is on file, the Office itself pays with a link."""
    yield Next("withdraw_link")
    if rows.office.has_payment_method:
        yield from (Next("subscribe"), Next("payment_link"))
    else:
        yield from (Next("payment_link"), Next("subscribe"))


def _to_change(rows: Rows) -> Iterator[Next]:
    if rows.office.has_an_end:
        yield Next("resume_renewal")
    if rows.office.collection_paused:
        yield Next("resume_collection")
    if rows.office.is_trialing:
        yield Next("move_trial_end")
    yield Next("change_plan")


def _will_lack_method(rows: Rows, at: datetime) -> bool:
    """Return whether nothing valid is on file at the next charge."""
    office, method = rows.office, rows.default_method
    if not office.has_live_subscription or office.ends_with_this_period:
        return False
    end = office.current_period_end
    return not office.has_payment_method or (method is not None and method.has_expired(end or at))
