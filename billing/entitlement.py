"""Whether an Office may use the product. Pure: the same row, policy and moment give the same answer.

What a look showed holds until the next moment at which Stripe would show something else. This is the end of the paid
period or trial or, if a payment failed, the end of the grace that follows. If no look came after that moment, we do
not know what Stripe would show. An outage of ours must not lock an Office out at once. So access stays as it was for
``blind_grace``, with the reason ``unconfirmed``.

The end of the past-due grace counts like the end of a period, because we would not see a payment that ends the grace.
So our outage treats an Office that is past due neither worse nor better than one that is active. An agreed end
(``cancel_at``) needs no confirmation. A status without access gives none, and an unknown status gives none.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from billing.models import Office
from billing.models.statuses import ENTITLED, SubscriptionStatus
from billing.present_subscription import Terms

LOOK_AGAIN_AFTER = timedelta(hours=1)


class Access(StrEnum):
    FULL = "full"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Policy:
    past_due_grace: timedelta = timedelta(days=14)
    blind_grace: timedelta = timedelta(hours=72)

    @classmethod
    def of(cls, settings: Any) -> "Policy":
        """Return the policy of Django's settings."""
        return cls(settings.PAST_DUE_GRACE, settings.BLIND_ACCESS_GRACE)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Whether an Office has access, and why. ``until`` is when time alone can change the answer next, or None."""

    access: Access
    reason: str
    until: datetime | None = None


def entitlement(office: Office, policy: Policy, *, at: datetime) -> Entitlement:
    """Return whether the Office has access at the moment ``at`` (aware, of the billing clock).

    If several subscriptions are live, it is the best answer of all, and of equal ones that of the present one.
    """
    if office.archived_at:
        return Entitlement(Access.NONE, "archived")
    if office.customer_deleted_at:
        return Entitlement(Access.NONE, "customer_deleted")
    if not office.subscription_status:
        return Entitlement(Access.NONE, "no_subscription")
    return max((_by(terms, office, policy, at) for terms in _terms(office)), key=_worth)


def look_is_due(office: Office, policy: Policy, *, at: datetime) -> bool:
    """Return whether a look is due at ``at``, because Stripe may show something else by then.

    If a look came after the last such moment and found nothing new, the next look is due an hour later.
    """
    if not office.has_live_subscription or office.archived_at or office.customer_deleted_at:
        return False
    ends = [end for one in _terms(office) for end in (_period_end(one), _grace_end(one, policy), one.cancel_at)]
    passed = [end for end in ends if end and end <= at]
    if not passed:
        return False
    seen = office.confirmed_at
    return seen is None or seen < max(passed) or seen + LOOK_AGAIN_AFTER <= at


def _terms(office: Office) -> list[Terms]:
    """Return the terms of the live subscriptions, those of the present one first."""
    present = Terms.of(office, status=office.subscription_status, since=office.past_due_since)
    return [present, *(Terms.read(stored) for stored in office.also_live or ())]


def _worth(found: Entitlement) -> tuple[bool, bool, datetime]:
    """Return the key by which answers are compared: access, and for how long."""
    return found.access == Access.FULL, found.until is None, found.until or datetime.max.replace(tzinfo=UTC)


def _by(terms: Terms, office: Office, policy: Policy, at: datetime) -> Entitlement:
    """Return the answer by one subscription alone."""
    if terms.status not in ENTITLED:
        return Entitlement(Access.NONE, terms.status)
    if terms.cancel_at and terms.cancel_at <= at:
        return Entitlement(Access.NONE, SubscriptionStatus.CANCELED)
    if terms.status == SubscriptionStatus.PAST_DUE:
        found = _past_due(terms, office, policy, at)
    else:
        found = _as_seen(terms, office, policy, at, _period_end(terms))
    if terms.cancel_at and (found.until is None or terms.cancel_at < found.until):
        return replace(found, until=terms.cancel_at)
    return found


def _past_due(terms: Terms, office: Office, policy: Policy, at: datetime) -> Entitlement:
    ends, grace_ends = _period_end(terms), _grace_end(terms, policy)
    if grace_ends is None:
        return _as_seen(terms, office, policy, at, ends)
    if grace_ends <= at and _seen_since(office, grace_ends):
        return Entitlement(Access.NONE, SubscriptionStatus.PAST_DUE)
    if ends is None or _seen_since(office, ends):
        return _as_seen(terms, office, policy, at, grace_ends)
    return _as_seen(terms, office, policy, at, min(ends, grace_ends))


def _as_seen(terms: Terms, office: Office, policy: Policy, at: datetime, ends: datetime | None) -> Entitlement:
    """Give full access until ``ends``, and after it for as long as the last look may be trusted."""
    if ends is None or at < ends:
        return Entitlement(Access.FULL, terms.status, ends)
    reason, trusted_until = "unconfirmed", ends + policy.blind_grace
    if office.confirmed_at and ends <= office.confirmed_at:
        reason, trusted_until = terms.status, office.confirmed_at + policy.blind_grace
    if at < trusted_until:
        return Entitlement(Access.FULL, reason, trusted_until)
    return Entitlement(Access.NONE, "unconfirmed")


def _period_end(terms: Terms) -> datetime | None:
    """Return the end of the paid period, or of the trial if that comes first."""
    ends = terms.current_period_end
    if terms.status == SubscriptionStatus.TRIALING and terms.trial_end:
        return min(ends, terms.trial_end) if ends else terms.trial_end
    return ends


def _grace_end(terms: Terms, policy: Policy) -> datetime | None:
    """Return when an Office that is past due loses access if it does not pay. None for other Offices."""
    since = terms.past_due_since or terms.current_period_start
    if terms.status != SubscriptionStatus.PAST_DUE or since is None:
        return None
    return since + policy.past_due_grace


def _seen_since(office: Office, then: datetime) -> bool:
    return office.confirmed_at is not None and then <= office.confirmed_at
