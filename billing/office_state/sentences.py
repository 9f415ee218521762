"""What state an Office is in, and what is next, in sentences, for staff and for its own people.

Pure: the same rows and moment give the same words. Days are in the Office's zone, which the page names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from billing import coming, declines, schedules, zones
from billing.entitlement import Access, Entitlement, Policy, entitlement
from billing.method_names import card_month
from billing.models import Invoice, Office, Payment, Subscription
from billing.models.statuses import FINAL, InvoicesBecome, SubscriptionStatus
from billing.money import credit_in_words, summed
from billing.office_state.rows import Rows

REASONS: dict[str, str] = {
    "insufficient_funds": "not enough money on {}",
    "expired_card": "{} has expired",
    "incorrect_cvc": "the security code of {} is wrong",
    "incorrect_number": "the number of {} is wrong",
    "processing_error": "the bank could not be reached for {}",
    "authentication_required": "the bank wants the payment with {} to be confirmed",
    "card_not_supported": "{} does not allow this kind of payment",
    "card_velocity_exceeded": "a limit of {} is reached",
    "account_closed": "{} is closed",
    "no_account": "the bank does not find {}",
    "debit_not_authorized": "nobody agreed to a debit from {}",
    "bank_account_restricted": "{} cannot be debited",
}
"""Why a payment failed, by the codes of ``declines.TABLE``."""
DECLINED = "the bank declined {}"
BECOME: dict[str, str] = {
    InvoicesBecome.KEEP_AS_DRAFT: "stay drafts and can be charged later",
    InvoicesBecome.VOID: "become void and are never charged",
    InvoicesBecome.MARK_UNCOLLECTIBLE: "are written off",
}
NO_ACCESS = "It has no access to the product."


@dataclass(frozen=True, slots=True)
class Said:
    """The state in a word or two with its tone, the sentence that people read first, and what else must be known."""

    state: str
    tone: str
    first: str
    more: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        return " ".join([self.first, *self.more])


def said(rows: Rows, policy: Policy, *, at: datetime, for_staff: bool = True) -> Said:
    """Say how the Office stands at the moment ``at`` of the billing clock. Staff also read who did it and why."""
    office = rows.office
    found = entitlement(office, policy, at=at)
    state, tone, sentences = _state(rows, found, at, for_staff)
    first, *others = sentences
    return Said(state, tone, first, (*others, *_beside(rows)))


def billed(subscription: Subscription) -> str:
    """Return what is subscribed to and what it costs: Team, 16 seats, 784.00 USD a month."""
    what = subscribed_to(subscription)
    price = subscription.plan_price
    if price and not getattr(subscription, "has_more_items", True):
        return f"{what}, {price.money.times(subscription.quantity)} {price.in_words}"
    return f"{what}, {subscription.monthly} a month"


def subscribed_to(subscription: Subscription) -> str:
    """Return what is subscribed to: Team, 16 seats."""
    price = subscription.plan_price
    if price is None or getattr(subscription, "has_more_items", True):
        return subscription.items_in_words or "an unknown plan"
    if not price.per_seat:
        return price.plan.name if subscription.quantity == 1 else f"{price.plan.name} × {subscription.quantity:,}"
    return f"{price.plan.name}, {subscription.quantity:,} seat{'' if subscription.quantity == 1 else 's'}"


def access_in_words(office: Office, found: Entitlement) -> str:
    """Return whether it may use the product, and until when if time alone ends it."""
    if found.access == Access.NONE:
        return NO_ACCESS
    if found.reason == "unconfirmed":
        until = zones.bare_end(found.until, office.time_zone) if found.until else ""
        return f"Stripe has not confirmed this period yet. It keeps its access until {until}."
    if found.until and found.reason == SubscriptionStatus.PAST_DUE:
        return f"It has access until {_last_day(found.until, office)}."
    return ""


def _state(rows: Rows, found: Entitlement, at: datetime, for_staff: bool) -> tuple[str, str, list[str]]:
    office = rows.office
    if office.archived_at:
        since = _day(office.archived_at, office)
        return "archived", "", [f"Archived since {since}: its members do not see it, and it cannot be billed."]
    if office.customer_deleted_at:
        since = _day(office.customer_deleted_at, office)
        return "deleted at Stripe", "danger", [f"Its customer was deleted at Stripe on {since}.", NO_ACCESS]
    present = rows.present
    status = office.subscription_status
    if not status or (present is None and status not in SubscriptionStatus.values):
        return "no subscription", "", ["It has no subscription."]
    if status in FINAL:
        return _ended(rows, for_staff)
    words = office.status_in_words
    if status == SubscriptionStatus.INCOMPLETE:
        return words, "warning", list(_incomplete(rows))
    if status == SubscriptionStatus.PAUSED:
        return words, "warning", ["Paused: its trial ended, and nothing was on file to charge.", NO_ACCESS]
    if status == SubscriptionStatus.UNPAID:
        return words, "danger", list(_owing(rows, found, at))
    if status == SubscriptionStatus.PAST_DUE:
        return words, "danger", list(_owing(rows, found, at))
    if status == SubscriptionStatus.TRIALING:
        return words, "info", list(_trialing(rows, found, at))
    if status == SubscriptionStatus.ACTIVE:
        tone = "warning" if office.has_an_end else "success"
        return words, tone, list(_active(rows, found, at))
    return words, "warning", [f"Its status at Stripe is “{status}”, which this version does not know.", NO_ACCESS]


def _active(rows: Rows, found: Entitlement, at: datetime) -> Iterator[str]:
    office = rows.office
    parts = [f"Active on {_billed(rows)}"]
    if office.cancel_at and office.ends_with_this_period:
        parts.append(f"its last day is {_last_day(office.cancel_at, office)}, and nothing more is charged")
    else:
        if office.cancel_at:
            parts.append(f"its last day is {_last_day(office.cancel_at, office)}")
        parts += _next_charge(rows)
    if not office.ends_with_this_period:
        parts.append(_pays_with(rows, at))
    yield "; ".join(parts) + "."
    yield from filter(None, [access_in_words(office, found)])


def _trialing(rows: Rows, found: Entitlement, at: datetime) -> Iterator[str]:
    office, end = rows.office, rows.office.trial_end or rows.office.current_period_end
    trial = f"In its trial of {_billed(rows)}"
    if end is None:
        yield f"{trial}."
    elif office.cancel_at and office.cancel_at <= end:
        yield f"{trial}; it ends with the trial: its last day is {_last_day(office.cancel_at, office)}."
    elif not office.has_payment_method:
        yield f"{trial}; the last day of the trial is {_last_day(end, office)}, and nothing is on file to charge."
    elif coming.charge_at(office, end, ends=office.cancel_at):
        yield f"{trial}; the last day of the trial is {_last_day(end, office)}. Charged then: {_pays_with(rows, at)}."
    else:
        yield f"{trial}; the last day of the trial is {_last_day(end, office)}."
    yield from filter(None, [access_in_words(office, found)])


def _owing(rows: Rows, found: Entitlement, at: datetime) -> Iterator[str]:
    office, failure = rows.office, rows.last_failure
    since = f" since {_day(office.past_due_since, office)}" if office.past_due_since else ""
    why = f": {_why(failure)}" if failure else ""
    owes = f"Owes {office.debts_in_words}" if office.owes_something else "Its latest invoice was not paid"
    yield f"{owes}{since}{why}."
    if rows.under_way:
        yield f"{_money_of(rows.under_way)} is on its way: the bank has not decided yet."
    yield from _asked_again(rows)
    access = access_in_words(office, found)
    yield access or NO_ACCESS if found.access == Access.NONE else access or "It has access."
    if not office.has_payment_method:
        yield "Nothing is on file to charge."
    if rows.present:
        yield f"It is subscribed to {billed(rows.present)}."


def _asked_again(rows: Rows) -> Iterator[str]:
    office = rows.office
    tries = [one.next_payment_attempt for one in rows.asked_for if one.next_payment_attempt]
    sent = [one for one in rows.asked_for if one.collection == Invoice.Collection.SENT]
    if tries:
        yield f"Stripe tries again on {_day(min(tries), office)}."
    elif office.subscription_status == SubscriptionStatus.UNPAID:
        yield "Stripe has stopped trying, and new invoices stay drafts."
    elif sent:
        due = min((one.due_at for one in sent if one.due_at), default=None)
        yield f"It pays by invoice{f', due on {_day(due, office)}' if due else ''}: Stripe charges nothing by itself."
    elif rows.asked_for:
        yield "Stripe does not try again by itself."


def _ended(rows: Rows, for_staff: bool) -> tuple[str, str, list[str]]:
    office, present = rows.office, rows.present
    if office.subscription_status == SubscriptionStatus.INCOMPLETE_EXPIRED:
        what = "It has no subscription: the first payment was not made in time, so the last one never began."
        return "no subscription", "", [what]
    ended = present.ended_at if present else None
    when = f" on {_last_day(ended, office)}" if ended else ""
    was = f"{subscribed_to(present)} ended{when}" if present else "the last one has ended"
    sentences = [f"It has no subscription: {was}.", NO_ACCESS, _why_ended(rows, for_staff)]
    if office.owes_something:
        sentences.append(f"It still owes {office.debts_in_words}.")
    return "canceled", "danger", sentences


def _why_ended(rows: Rows, for_staff: bool) -> str:
    by = rows.ended_by
    if by and not for_staff:
        return f"It was canceled here on {_day(by.created_at, rows.office)}."
    if by:
        return f"{by.actor_label} canceled it on {_day(by.created_at, rows.office)}: {by.reason}"
    if rows.asked_for:
        return "Nobody canceled it here: it ended at Stripe, and an invoice was not paid."
    return "Nobody canceled it here: it ended at Stripe."


def _incomplete(rows: Rows) -> Iterator[str]:
    office, present = rows.office, rows.present
    began = f" since {zones.bare_day(present.created_at, office.time_zone)}" if present else ""
    what = subscribed_to(present) if present else "its subscription"
    asked = f" of {_money_of(rows.asked_for)}" if rows.asked_for else ""
    yield f"Waiting{began} for its first payment{asked}: {what}."
    yield "If nobody pays within 23 hours after the start, it never begins."
    if rows.last_failure:
        yield f"The last try failed: {_why(rows.last_failure)}."
    yield NO_ACCESS


def _beside(rows: Rows) -> Iterator[str]:
    """Yield what must be known whatever the status is."""
    office, present = rows.office, rows.present
    if office.collection_paused and office.has_live_subscription:
        become = BECOME.get(office.collection_paused, "are not collected")
        until = office.collection_paused_until
        ends = f"until {_last_day(until, office)}" if until else "until somebody resumes it"
        yield f"Collection is paused {ends}: new invoices {become}."
    if present and present.discount_count and present.is_live:
        yield f"Discount: {present.discount}."
    if scheduled := schedules.told(office, present):
        yield scheduled
    dunned = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID, *FINAL)
    if office.owes_something and office.subscription_status not in dunned:
        yield f"It owes {office.debts_in_words}{_sent_until(rows)}."
    for credit in (office.credit, *office.credits_in_other_currencies):
        if credit.amount > 0:
            yield f"{credit_in_words(credit)} is taken off the next invoices."
        elif credit.amount < 0:
            yield f"{credit_in_words(credit)}."
    if others := rows.other_live:
        yield f"{len(others) + 1} subscriptions are live, and there should be one. Also live: {_listed(others)}."
    if rows.unsettled:
        yield f"“{rows.unsettled.in_words}” is not settled yet. Nothing else can begin before it is."


def _sent_until(rows: Rows) -> str:
    due = [one.due_at for one in rows.asked_for if one.due_at and one.collection == Invoice.Collection.SENT]
    return f", due on {_day(min(due), rows.office)}" if due else ""


def _next_charge(rows: Rows) -> Iterator[str]:
    office, charged = rows.office, coming.next_charge(rows.office)
    if charged is None:
        return
    newest = next((one for one in rows.invoices if one.kind in (Invoice.Kind.START, Invoice.Kind.CYCLE)), None)
    is_sent = newest is not None and newest.collection == Invoice.Collection.SENT
    yield f"next {'invoice' if is_sent else 'charge'} on {_day(charged, office)}"


def _billed(rows: Rows) -> str:
    if rows.present:
        return billed(rows.present)
    return rows.office.current_plan.name if rows.office.current_plan else "an unknown plan"


def _pays_with(rows: Rows, at: datetime) -> str:
    """Return what is charged and until when it is valid: visa …4242 until 12/2029."""
    office, default = rows.office, rows.default_method
    if not office.has_payment_method:
        return "nothing is on file to charge"
    month = card_month(office.payment_method_expires)
    until = f" until {month}" if month else ""
    if default and default.has_expired(at):
        return f"{office.pays_with}, which has expired"
    expiry = default.expiry(at) if default else "valid"
    return f"{office.pays_with}{until}{'' if expiry == 'valid' else f', which {expiry}'}"


def _why(failure: Payment) -> str:
    decline = failure.failure or declines.GENERIC
    return REASONS.get(decline.code, DECLINED).format(failure.paid_with or "the payment method")


def _money_of(rows: "list[Payment] | tuple[Invoice, ...]") -> str:
    """Return the amounts, one for each currency."""
    amounts = (row.remaining if isinstance(row, Invoice) else row.money for row in rows)
    return " and ".join(map(str, summed(amounts)))


def _listed(subscriptions: list[Subscription]) -> str:
    return "; ".join(f"{billed(one)}, {one.status.replace('_', ' ')}" for one in subscriptions)


def _day(at: datetime, office: Office) -> str:
    return zones.bare_day(at, office.time_zone)


def _last_day(end: datetime, office: Office) -> str:
    return zones.bare_last_day(end, office.time_zone)
