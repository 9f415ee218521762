"""What comes next for Offices: trials that end, and cards that expire. Whoever lists or counts them reads it here.

Each is a condition on the columns of an Office that is not archived, for what comes in ``[at, at + within)``.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db.models import F, Q, Value
from django.db.models.functions import Concat
from django.db.models.lookups import In

from billing.models.statuses import LIVE, SubscriptionStatus

NOT_ARCHIVED = Q(archived_at=None)
TRIAL_SOON, CHARGED_SOON = timedelta(days=7), timedelta(days=31)
"""How long before its end a trial is told, and before its charge a card that will have expired."""


def trial_ends(at: datetime, *, within: timedelta) -> Q:
    """Return the condition for trials that end, after which the subscription goes on."""
    in_time = Q(trial_end__gte=at, trial_end__lt=at + within)
    goes_on = Q(cancel_at=None) | Q(cancel_at__gt=F("trial_end"))
    return NOT_ARCHIVED & in_time & goes_on & status_in([SubscriptionStatus.TRIALING])


def card_expires(at: datetime, *, within: timedelta) -> Q:
    """Return the condition for subscriptions that renew, when the card on file will have expired.

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
    goes_on = Q(cancel_at=None) | Q(cancel_at__gt=F("current_period_end"))
    return NOT_ARCHIVED & known & expired & goes_on & status_in(LIVE)


def status_in(statuses: Iterable[str]) -> Q:
    """Return the condition for a status, written so that SQLite does not take its index: another one fits better."""
    return Q(In(Concat(F("subscription_status"), Value("")), [str(one) for one in statuses]))
