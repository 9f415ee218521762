"""Second factors: who must have one, who has one, and whether it was used. One rule for pages and for API tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from billing import clock, errors
from billing.access import ending, roles
from billing.access.roles import Power
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import Membership, Notification, Office, User

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""Recovery codes are no factor of their own: they stand in for one of these."""
IN_SESSION = "second_factor"
"""The session's key for a factor that was used without allauth's question: just enrolled, or at the provider."""


def is_required_of(user: User) -> bool:
    """Return whether this person reaches nothing without a second factor: staff, unless the demo turned it off."""
    return settings.REQUIRE_SECOND_FACTOR and user.is_staff


def is_enrolled(user: User) -> bool:
    """Return whether the person has an authenticator app or a passkey. One query."""
    return _factors_of(user).exists()


def enrolled_of(users: QuerySet[Any, Any]) -> set[int]:
    """Return the keys of those among these users' keys who are enrolled. One query."""
    return set(Authenticator.objects.filter(user_id__in=users, type__in=FACTORS).values_list("user_id", flat=True))


def is_last(authenticator: Authenticator) -> bool:
    """Return whether the person would have no second factor without this one."""
    return authenticator.type in FACTORS and not _factors_of(authenticator.user).exclude(pk=authenticator.pk).exists()


def was_used(request: HttpRequest) -> bool:
    """Return whether the signed-in person used a second factor in this session. No query besides the session."""
    if request.session.get(IN_SESSION):
        return True
    return any(one["method"] == "mfa" for one in get_authentication_records(request, request.user))


@contextmanager
def one_at_a_time(user: User) -> Iterator[None]:
    """Hold the lock of this person: what is asked of their factors inside still holds when it ends."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        yield


def page() -> str:
    """Return the address of the page where a person sets up a second factor."""
    return settings.SITE_URL + reverse("mfa_index")


def lacked_at(user: User) -> Q:
    """Return the Offices that require a second factor which this person does not have, as a condition on Offices."""
    return Q(requires_second_factor=True) & ~Q(Exists(_factors_of(user)))


def offices_that_await_it(user: User) -> QuerySet[Office]:
    """Return the Offices that the person is a member of, and sees only after they enrolled."""
    members = Membership.objects.in_force().filter(user=user)
    return Office.objects.filter(lacked_at(user), memberships__in=members)


def remove_all(user: User, *, by: Actor, reason: str) -> None:
    """Remove all second factors and recovery codes of this person, end their access, and tell them by e-mail.

    They set up a new one at the next sign-in. Who may do this is decided by the caller. Raises: NoSecondFactor.
    """
    with trail.acting(by, reason=reason), transaction.atomic():
        removed, _ = Authenticator.objects.filter(user=user).delete()
        if not removed:
            raise errors.NoSecondFactor(user)
        trail.record_act(user, "removed all second factors and recovery codes")
        ending.end_access(user, by=by, reason=reason)
        kind = Notification.Kind.SECOND_FACTOR_REMOVED
        Notification.objects.put(kind, f"{kind}:{user.public_id}:{clock.wall().isoformat()}", user=user)


def remove_all_for(user: User, *, by: Actor, reason: str) -> None:
    """Remove them for an administrator, who counts as behind this account from then on (``access.two_people``).

    Raises: NotPermitted, ReasonRequired, TextNotNeutral, NoSecondFactor. OwnSecondFactor: it is their own account.
    """
    roles.require(by, Power.PEOPLE, to="remove a person's second factor")
    if by.user == user:
        with trail.acting(by):
            trail.record_refusal(user, "remove all second factors of their own", code=errors.OwnSecondFactor.code)
        raise errors.OwnSecondFactor(user)
    remove_all(user, by=by, reason=trail.checked_reason(reason))


def has_any(user: User) -> bool:
    """Return whether there is something to remove: a second factor, or recovery codes that were left."""
    return Authenticator.objects.filter(user=user).exists()


def _factors_of(user: User) -> QuerySet[Authenticator]:
    return Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS)
