"""Ending what lets a person in: sessions and API tokens. One function does it, and every cause leads to it.

The causes are watched where rows are saved, so no way of making such a change can forget it. A membership is no cause:
each request asks what it gives now, and otherwise an owner of one Office could sign people of another out.
"""

from collections.abc import Collection, Iterable
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from django.db.models.signals import m2m_changed, post_save, pre_save

from billing.access import roles
from billing.access.roles import Power
from billing.audit import actor, trail
from billing.audit.actor import Actor
from billing.models import AccessToken, User

ENDS = {
    "password": "the password is another one now",
    "email": "the address is another one now",
    "is_active": "the account was switched on or off",
    "is_staff": "the role is another one now",
}
"""Which column of a person ends access when it changes, and what the trail says then."""
MAY = Power.PEOPLE
ROLES = "the role is another one now"


def end_access(user: User, *, by: Actor, reason: str, but_not_session: str = "") -> bool:
    """End all API tokens and all sessions of this person, but not the session with this key. Repeating is a no-op.

    Return whether there was something to end.

    ``reason`` is in the trail, if there was something to end. The session that stays must keep the person's new
    ``get_session_auth_hash``.
    """
    with trail.acting(by, reason=reason), transaction.atomic():
        User.objects.filter(pk=user.pk).update(access_number=F("access_number") + 1)
        user.refresh_from_db(fields=["access_number"])
        tokens, _ = AccessToken.objects.filter(user=user).delete()
        known = UserSession.objects.filter(user=user).exclude(session_key=but_not_session)
        keys = list(known.values_list("session_key", flat=True))
        Session.objects.filter(session_key__in=keys).delete()
        known.delete()
        if tokens or keys:
            trail.record_act(user, f"ended: {tokens} API tokens, {len(keys)} sessions")
    return bool(tokens or keys)


def end_for(user: User, *, by: Actor, reason: str) -> None:
    """End all access of this person, for an administrator. They can sign in again. Raises: NotPermitted."""
    roles.require(by, MAY, to="end a person's sessions and tokens")
    reason = trail.checked_reason(reason)
    if not end_access(user, by=by, reason=reason):
        with trail.acting(by, reason=reason):
            trail.record_act(user, "ended all access: there was no API token and no session")


def watch() -> None:
    """Connect the causes. It is called once, when the apps are ready."""
    pre_save.connect(_compare, sender=User, dispatch_uid="ending-compare")
    post_save.connect(_end_if_due, sender=User, dispatch_uid="ending")
    for through in (User.groups.through, User.user_permissions.through):
        m2m_changed.connect(_roles_changed, sender=through, dispatch_uid=f"ending-{through.__name__}")


def _compare(instance: Any, update_fields: Collection[str] | None, using: str, **_: Any) -> None:
    """Note on the row why access must end when it is saved, if it must."""
    columns = [column for column in ENDS if update_fields is None or column in update_fields]
    instance.ends_access = ""
    if not columns or not instance.pk:
        return
    before = User._base_manager.using(using).filter(pk=instance.pk).values(*columns).first() or {}
    changed = (ENDS[column] for column in columns if before and before[column] != getattr(instance, column))
    instance.ends_access = next(changed, "")


def _end_if_due(instance: Any, **_: Any) -> None:
    if instance.ends_access:
        _end([instance], instance.ends_access)


def _roles_changed(instance: Any, action: str, reverse: bool, pk_set: set[int] | None, **_: Any) -> None:
    if action not in ("post_add", "post_remove", "pre_clear") or (action != "pre_clear" and not pk_set):
        return
    if not reverse:
        _end([instance], ROLES)
    elif action == "pre_clear":
        _end(instance.user_set.all(), ROLES)
    else:
        _end(User.objects.filter(pk__in=pk_set or ()), ROLES)


def _end(users: Iterable[User], reason: str) -> None:
    by = trail.current().actor or actor.job("unattended")
    for user in users:
        end_access(user, by=by, reason=reason)
