"""What comes next for Offices: the next charge, trials that end, and cards that expire. Whoever shows it reads it here.

Trials and cards are conditions on the columns of an Office that is not archived, for what comes in
``[at, at + within)``.
"""

from datetime import UTC, datetime, timedelta

from django.db.models import F, Q

from billing.models import Office
from billing.models.expressions import one_of
from billing.models.statuses import COLLECTED, SubscriptionStatus

NOT_ARCHIVED = Q(archived_at=None)
TRIAL_SOON, CHARGED_SOON = timedelta(days=7), timedelta(days=31)
"""How long before its end a trial is told, and before its charge a card that will have expired."""


def next_charge(office: Office) -> datetime | None:
    """Return when the present subscription is charged next. None: no charge is planned."""
    return charge_at(office, office.current_period_end, ends=office.cancel_at)


def charge_at(office: Office, renews: datetime | None, *, ends: datetime | None) -> datetime | None:
    """Return ``renews`` if the present subscription, which ends at ``ends``, is charged then. None: it is not.

    Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
    """
    if renews is None or (ends is not None and ends <= renews):
        return None
    is_charged = office.subscription_status in COLLECTED and is_collected(office, at=renews)
    return renews if is_charged else None


def is_collected(office: Office, *, at: datetime | None) -> bool:
    """Return whether an invoice that is made then is collected. None is now: a pause that is recorded is not over.

    Source: https://docs.stripe.com/billing/subscriptions/pause-payment
    """
    until = office.collection_paused_until
    return not office.collection_paused or (until is not None and at is not None and until <= at)


def _is_charged_next() -> Q:
    """Return the condition that ``next_charge`` finds a charge."""
    goes_on = Q(cancel_at=None) | Q(cancel_at__gt=F("current_period_end"))
    collected = Q(collection_paused="") | Q(collection_paused_until__lte=F("current_period_end"))
    return goes_on & collected & one_of("subscription_status", COLLECTED)


def trial_ends(at: datetime, *, within: timedelta = TRIAL_SOON) -> Q:
    """Return the condition for trials that end, after which the subscription goes on."""
    in_time = Q(trial_end__gte=at, trial_end__lt=at + within)
    goes_on = Q(cancel_at=None) | Q(cancel_at__gt=F("trial_end"))
    return NOT_ARCHIVED & in_time & goes_on & one_of("subscription_status", [SubscriptionStatus.TRIALING])


def card_expires(at: datetime, *, within: timedelta = CHARGED_SOON) -> Q:
    """Return the condition for subscriptions whose next charge is when the card on file will have expired.

    A card is valid until the end of its month, which is in UTC.
    """
    until, begin, expired = at + within, at.astimezone(UTC), Q(pk=None)
    while begin < until:
        month = begin.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (month + timedelta(days=31)).replace(day=1)
        expired |= Q(
            current_period_end__gte=begin,
            current_period_end__lt=min(following, until),
            payment_method_expires__lt=f"{month:%Y-%m}",
        )
        begin = following
    # said for all months too, so that an index finds the few that fit
    known = Q(payment_method_expires__gt="", payment_method_expires__lt=f"{until.astimezone(UTC):%Y-%m}")
    return NOT_ARCHIVED & known & expired & _is_charged_next()
