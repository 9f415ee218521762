"""Passwords: asking for a link to set a new one, and setting it. Nobody sets another person's password."""

from datetime import timedelta

from django.db import transaction

from billing import clock
from billing.access import ending, links, roles
from billing.access.roles import Power
from billing.audit import actor, trail
from billing.audit.actor import Actor
from billing.models import Notification, User

ONE_IN = timedelta(minutes=5)


def ask_for_reset(user: User, *, by: Actor) -> None:
    """Send this person a link to set a new password. Who may ask is decided by the face.

    Within five minutes there is one e-mail and one entry, however often somebody asks. A person who is not active, or
    who has no password because they sign in elsewhere, gets none.
    """
    if not user.is_active or not user.has_usable_password():
        return
    when = int(clock.wall().timestamp() // ONE_IN.total_seconds())
    key = f"password_reset:{user.public_id}:{when}"
    with trail.acting(by, reason="a forgotten password"), transaction.atomic():
        if Notification.objects.filter(dedupe_key=key).exists():
            return
        Notification.objects.put(Notification.Kind.PASSWORD_RESET, key, user=user)
        trail.record_act(user, "asked for a link to set a new password")


def send_reset_link(user: User, *, by: Actor) -> None:
    """Send this person a link to set a new password, for an administrator. Raises: NotPermitted."""
    roles.require(by, Power.PEOPLE, to="send a person a link to set a new password")
    ask_for_reset(user, by=by)


def person_of(secret: str) -> User:
    """Return whose password a link with this secret can set. Raises: LinkNotValid."""
    return _user(secret, lock=False)


def set_by_link(secret: str, password: str) -> User:
    """Set the password of the person that this link was sent to, and end their access elsewhere. Raises: LinkNotValid.

    The face has checked the password.
    """
    with transaction.atomic():
        user = _user(secret, lock=True)
        with trail.acting(actor.person(user), reason="a link that was sent by e-mail"):
            user.set_password(password)
            user.save(update_fields=["password"])
            ending.end_access(user, by=actor.person(user), reason="the password is another one now")
            links.end(user=user)
            trail.record_act(user, "set a new password")
    return user


def _user(secret: str, *, lock: bool) -> User:
    link = links.find(secret, links.Purpose.PASSWORD_RESET, lock=lock)
    assert link.user  # a constraint
    return link.user
