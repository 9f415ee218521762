"""Which steps fit the state of an Office, the best first. Pure: the worklist, an Office's page and bulk acts ask it.

A step is an act of the Office, or of the invoice that it should pay first. It is named as the tables of acts in the
admin name it. Whether it can work now, and for whom, those tables say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing import coming, debts
from billing.debts import Debt
from billing.models import Invoice, Office
from billing.models.statuses import FINAL, SubscriptionStatus

OWING = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID)


class Step(StrEnum):
    PAY = "pay"
    SEND = "send"
    CARD_LINK = "link_card"
    COMPLETE_PAYMENT = "complete_payment"
    END_WAITING = "end_waiting"
    UNARCHIVE = "unarchive"
    WITHDRAW_LINK = "withdraw_link"
    PAYMENT_LINK = "payment_link"
    SUBSCRIBE = "subscribe"
    RESUME_RENEWAL = "resume_renewal"
    RESUME_COLLECTION = "resume_collection"
    MOVE_TRIAL_END = "move_trial_end"
    CHANGE_PLAN = "change_plan"


OF_INVOICE = (Step.PAY, Step.SEND)
"""Steps that are acts of the invoice. The others are acts of the Office."""


@dataclass(frozen=True, slots=True)
class State:
    """An Office as the rule sees it. ``unsettled``: the outcome of an operation is not known yet."""

    office: Office
    debt: Debt | None = None
    unsettled: bool = False


def fitting(state: State, *, at: datetime) -> Iterator[Step]:
    """Yield the steps that fit, the best first. There may be more than a page shows."""
    office, status = state.office, state.office.subscription_status
    if office.archived_at:
        yield Step.UNARCHIVE
    elif office.customer_deleted_at or state.unsettled:
        return
    elif status == SubscriptionStatus.INCOMPLETE:
        yield from (Step.COMPLETE_PAYMENT, Step.END_WAITING)
    elif status in OWING or (state.debt and debts.is_due(state.debt.invoice, at=at)):
        yield from _to_get_paid(state, at)
    elif not status or status in FINAL:
        yield from _to_start(office)
    elif status == SubscriptionStatus.PAUSED or _will_lack_method(office):
        yield Step.CARD_LINK
        yield from _to_change(office)
    else:
        yield from _to_change(office)


def why_not_charged(state: State, *, at: datetime) -> str:
    """Return in a sentence why charging what is on file is not the best step. "" if it is."""
    office, debt = state.office, state.debt
    if office.archived_at:
        return "It is archived."
    if debt is None:
        return "It owes nothing."
    if office.customer_deleted_at:
        return "Its customer was deleted at Stripe."
    if state.unsettled:
        return "An operation of it is not settled yet."
    if office.subscription_status == SubscriptionStatus.INCOMPLETE:
        return "Its first payment waits to be completed. Its page has the link."
    if debt.under_way:
        return "A payment is under way."
    if not debts.is_due(debt.invoice, at=at):
        return "It is not due yet."
    return _why_not_with_what_is_on_file(office, debt)


def _why_not_with_what_is_on_file(office: Office, debt: Debt) -> str:
    if not office.has_payment_method:
        return "No payment method is on file. Send it a link to add a card."
    decline = debt.decline
    if decline and decline.payer_must_act and _is_of_what_is_on_file(debt, office):
        return f"{decline.says} Send it a link to add a card."
    return ""


def _is_of_what_is_on_file(debt: Debt, office: Office) -> bool:
    """Return whether what was declined would be charged again. If it is not known what it was, it may be."""
    return debt.declined is not None and debt.declined.paid_with in ("", office.pays_with)


def _to_get_paid(state: State, at: datetime) -> Iterator[Step]:
    """If nothing on file can be charged, a link to add a card comes first."""
    debt = state.debt
    if debt is None:
        yield Step.CARD_LINK
    elif debt.under_way:
        return
    elif not debts.is_due(debt.invoice, at=at):
        yield from (Step.SEND, Step.CARD_LINK)
    elif not _why_not_with_what_is_on_file(state.office, debt):
        yield from (Step.PAY, Step.CARD_LINK)
    else:
        yield Step.CARD_LINK
        if debt.invoice.collection == Invoice.Collection.SENT:
            yield Step.SEND
        yield Step.PAY


def _to_start(office: Office) -> Iterator[Step]:
    """If nothing is on file, the Office itself pays with a link."""
    yield Step.WITHDRAW_LINK
    if office.has_payment_method:
        yield from (Step.SUBSCRIBE, Step.PAYMENT_LINK)
    else:
        yield from (Step.PAYMENT_LINK, Step.SUBSCRIBE)


def _to_change(office: Office) -> Iterator[Step]:
    if office.has_an_end:
        yield Step.RESUME_RENEWAL
    if office.collection_paused:
        yield Step.RESUME_COLLECTION
    if office.is_trialing:
        yield Step.MOVE_TRIAL_END
    yield Step.CHANGE_PLAN


def _will_lack_method(office: Office) -> bool:
    """Return whether nothing valid is on file at the next charge. A card is valid until the end of its month."""
    charged, expires = coming.next_charge(office), office.payment_method_expires
    if charged is None:
        return False
    return not office.has_payment_method or bool(expires and expires < f"{charged:%Y-%m}")
