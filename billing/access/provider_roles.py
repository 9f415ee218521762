"""Roles of staff who sign in through the provider: their groups there decide, at each sign-in."""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from billing.access.roles import VENDOR
from billing.models import User


def refuse_unknown() -> None:
    """Refuse to start if OIDC_ROLES names a role that does not exist. Raises: ImproperlyConfigured."""
    if unknown := settings.OIDC.roles.keys() - VENDOR.keys():
        raise ImproperlyConfigured(
            f"OIDC_ROLES: there is no role {', '.join(sorted(unknown))}. The roles are: {', '.join(VENDOR)}."
        )


def given_by(groups: Iterable[str]) -> set[str]:
    """Return the roles that these groups of the provider give, by OIDC_ROLES."""
    held = set(groups)
    return {role for role, needed in settings.OIDC.roles.items() if needed & held}


def write(user: User, roles: set[str]) -> None:
    """Give the person exactly these of the roles that OIDC_ROLES names. Roles that it does not name stay.

    A person without a role is no staff. Repeating is a no-op. The trail has each change.
    """
    with transaction.atomic():
        held = set(user.groups.values_list("name", flat=True))
        lost = (held & settings.OIDC.roles.keys()) - roles
        user.groups.remove(*Group.objects.filter(name__in=lost))
        user.groups.add(*Group.objects.filter(name__in=roles - held))
        is_staff = bool((held - lost) | roles)
        if user.is_staff != is_staff:
            user.is_staff = is_staff
            user.save(update_fields=["is_staff"])
