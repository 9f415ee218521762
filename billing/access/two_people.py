"""Two people are two people: nobody stands behind both sides of a decision.

Whoever makes, invites or resets an account, or gives it a role, could sign in with it or let somebody. So for 30 days
that person counts as being behind it, and so does whoever is behind that person's own account. A second person is one
whose account and the first person's have nobody behind them both. The audit trail says who did what to an account.
Accounts that a command on the server made have nobody behind them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, Q

from billing import clock, errors
from billing.access import roles
from billing.access.roles import Power
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import AuditEntry, User, Vouching

COUNTS_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Touch:
    """Somebody made or changed an account."""

    by: User
    account: User
    at: datetime

    def __str__(self) -> str:
        return f"{self.by} made or changed the account of {self.account} on {self.at:%d %B %Y} (UTC)"


def require_two(first: User, second: User) -> None:
    """Check that nobody could act as both. Raises: OnePersonBehindBoth, which names who could, and why."""
    if found := behind_both(first, second):
        raise errors.OnePersonBehindBoth(first, second, [str(touch) for touch in found])


def are_two(first: User, second: User) -> bool:
    """Return whether nobody could act as both."""
    return first != second and not behind_both(first, second)


def behind_both(first: User, second: User) -> list[Touch]:
    """Return how one person came to be behind both accounts, or an empty list. The same account twice is no pair."""
    since = clock.wall() - COUNTS_FOR
    pair = Q(first=first, second=second) | Q(first=second, second=first)
    vouched = Vouching.objects.filter(pair).order_by("-vouched_at").values_list("vouched_at", flat=True).first()
    one, other = (_behind(person, since=max(since, vouched or since)) for person in (first, second))
    both = one.keys() & other.keys()
    return min((one[person] + other[person] for person in both), key=len, default=[])


def vouch(first: User, second: User, *, by: Actor, reason: str) -> Vouching:
    """Record that a third administrator knows two people. What was done to their accounts before counts no more.

    Raises:
        NotPermitted, ReasonRequired, TextNotNeutral.
        VouchedByOneOfThem: one of the two vouches, or it is one account.
        OnePersonBehindBoth: one of the two could act as the person who vouches, or somebody else as both.
    """
    with trail.acting(by, reason=reason):
        person = roles.require(by, Power.PEOPLE, to="vouch for two people")
        reason = trail.checked_reason(reason)
        if len({first, second, person}) < 3:
            raise errors.VouchedByOneOfThem
        for one in (first, second):
            require_two(one, person)
        with transaction.atomic(durable=True):
            return Vouching.objects.create(first=first, second=second, vouched_by=person, reason=reason)


def _behind(account: User, *, since: datetime) -> dict[int, list[Touch]]:
    """Return the people who could act with this account, by key: how each came to it, the shortest way."""
    found: dict[int, list[Touch]] = {account.pk: []}
    sought = [account]
    while sought:
        touches = [touch for touch in _touches(sought, since=since) if touch.by.pk not in found]
        found = {touch.by.pk: [touch, *found[touch.account.pk]] for touch in touches} | found
        sought = [touch.by for touch in touches]
    return found


def _touches(accounts: Iterable[User], *, since: datetime) -> list[Touch]:
    """Return what others did to these accounts since then. A refused attempt did nothing."""
    known = {account.pk: account for account in accounts}
    entries = (
        AuditEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(User),
            object_id__in=known,
            timestamp__gte=since,
            actor__isnull=False,
        )
        .exclude(kind=AuditEntry.Kind.REFUSAL)
        .exclude(actor_id=F("object_id"))
        .select_related("actor")
        .order_by("-timestamp")
    )
    return [Touch(entry.actor, known[entry.object_id], entry.timestamp) for entry in entries]
