"""May this Office use the product? Pure: the same row, policy and moment give the same answer.

``unconfirmed``: past the end of what we last saw, access stays as it was for a while, so that an outage
of ours never locks a practice out at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from billing.models import Office


class Access(StrEnum):
    FULL = "full"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Policy:
    past_due_grace: timedelta = timedelta(days=14)
    blind_grace: timedelta = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """``until`` is the next moment at which the answer can change by time alone, or None."""

    access: Access
    reason: str
    until: datetime | None = None


def entitlement(office: Office, policy: Policy, *, at: datetime) -> Entitlement:
    """What the Office may do at the moment ``at`` (aware, of the billing clock)."""
    if office.archived_at:
        return Entitlement(Access.NONE, "archived")
    if office.customer_deleted_at:
        return Entitlement(Access.NONE, "customer_deleted")
    status = office.subscription_status
    if not status:
        return Entitlement(Access.NONE, "no_subscription")
    if status == "past_due":
        return _past_due(office, policy, at)
    if status not in ("active", "trialing"):
        return Entitlement(Access.NONE, status)
    return _paid(office, policy, at)


def _paid(office: Office, policy: Policy, at: datetime) -> Entitlement:
    ends = office.current_period_end
    if ends is None or at < ends:
        return Entitlement(Access.FULL, office.subscription_status, ends)
    if office.cancel_at and office.cancel_at <= at:
        return Entitlement(Access.NONE, "canceled")
    if office.confirmed_at and ends <= office.confirmed_at and at < office.confirmed_at + policy.blind_grace:
        return Entitlement(Access.FULL, office.subscription_status, office.confirmed_at + policy.blind_grace)
    if at < ends + policy.blind_grace:
        return Entitlement(Access.FULL, "unconfirmed", ends + policy.blind_grace)
    return Entitlement(Access.NONE, "unconfirmed")


def _past_due(office: Office, policy: Policy, at: datetime) -> Entitlement:
    since = office.past_due_since or office.current_period_start
    if since is None or at < since + policy.past_due_grace:
        return Entitlement(Access.FULL, "past_due", since + policy.past_due_grace if since else None)
    return Entitlement(Access.NONE, "past_due")
