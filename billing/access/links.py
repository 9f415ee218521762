"""One-time links in e-mails: making one, and finding what it is about. Of its secret only the SHA-256 is kept."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from billing import clock, errors, keyed_digests
from billing.models import Invitation, OneTimeLink, User

Purpose = OneTimeLink.Purpose
SECRET_BYTES = 32
SALT = "billing.access.links"
LASTS = {Purpose.INVITATION: timedelta(days=7), Purpose.PASSWORD_RESET: timedelta(hours=1)}
PAGES = {Purpose.INVITATION: "invitation", Purpose.PASSWORD_RESET: "new-password"}
"""The name of the page that each link leads to."""


def to_accept(invitation: Invitation) -> str:
    """Make a link to accept this invitation, and return its address. It is not kept."""
    return _make(Purpose.INVITATION, OneTimeLink(invitation=invitation))


def to_set_password(user: User) -> str:
    """Make a link to set a new password, and return its address. Another password or address of the user ends it."""
    return _make(Purpose.PASSWORD_RESET, OneTimeLink(user=user, holds_for=_holds_for(user)))


def find(secret: str, purpose: str, *, lock: bool) -> OneTimeLink:
    """Return the link with this secret. With ``lock``, in a transaction, nobody else can use it meanwhile.

    Raises: LinkNotValid: it was used or has expired.
    """
    digest, now = hashlib.sha256(secret.encode()).hexdigest(), clock.wall()
    rows = OneTimeLink.objects.filter(digest=digest, purpose=purpose, used_at=None, expires_at__gt=now)
    rows = rows.select_related("user", "invitation__office", "invitation__made_by")
    link = (rows.select_for_update(of=("self",)) if lock else rows).first()
    if link is None:
        raise errors.LinkNotValid
    if link.user and not (link.user.is_active and _still_holds(link, link.user)):
        raise errors.LinkNotValid
    return link


def end(*, invitation: Invitation | None = None, user: User | None = None) -> None:
    """End all links of this invitation, or all links to set this user's password. Repeating is a no-op."""
    mine = OneTimeLink.objects.filter(invitation=invitation) if invitation else OneTimeLink.objects.filter(user=user)
    mine.filter(used_at=None).update(used_at=clock.wall())


def _make(purpose: Purpose, link: OneTimeLink) -> str:
    secret = secrets.token_urlsafe(SECRET_BYTES)
    link.purpose, link.digest = purpose, hashlib.sha256(secret.encode()).hexdigest()
    link.expires_at = link.made_at + LASTS[purpose]
    link.save()
    # not in the path, because the audit trail names the paths that visitors ask for
    return settings.SITE_URL + reverse(PAGES[purpose], query={"link": secret})


def _holds_for(user: User) -> str:
    return keyed_digests.of(_what_it_holds_for(user), salt=SALT)


def _still_holds(link: OneTimeLink, user: User) -> bool:
    return keyed_digests.is_of(_what_it_holds_for(user), link.holds_for, salt=SALT)


def _what_it_holds_for(user: User) -> str:
    return f"{user.password}\n{user.email}"
