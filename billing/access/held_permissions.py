"""What a person may do, read at once: their own permissions, those of their groups, and their roles for an hour.

Django's backend asks for the first two one by one, and ``billing.access.emergency`` for the third. Each keeps what it
found in the person's object, for one request. This backend is asked first, and puts it there with one statement. It
allows nothing itself: if it were left out, the others would ask.
"""

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Value

from billing.access import emergency
from billing.models import EmergencyRole, User

OWN, OF_GROUPS = "_user_perm_cache", "_group_perm_cache"
"""Where Django's backend keeps them.

Source: https://github.com/django/django/blob/5.2/django/contrib/auth/backends.py
"""
ROLE = "role"


class ReadAtOnce:
    """It is none of Django's classes of backends: those find the person of a session too."""

    def authenticate(self, request: Any, **credentials: Any) -> None:
        """Let the other backends decide who it is."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if obj is None and isinstance(user_obj, User) and user_obj.is_active and not user_obj.is_superuser:
            _read(user_obj)
        return False

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return self.has_perm(user_obj, app_label)


def _read(person: User) -> None:
    """Read all three, unless one of them was read already. One statement."""
    if any(hasattr(person, kept) for kept in (OWN, OF_GROUPS, emergency.KEPT)):
        return
    app_and_name = ("content_type__app_label", "codename")
    own = Permission.objects.filter(user=person).order_by().values_list(Value(OWN), *app_and_name)
    of_groups = Permission.objects.filter(group__user=person).order_by().values_list(Value(OF_GROUPS), *app_and_name)
    held = EmergencyRole.objects.in_force().filter(person=person).order_by().values_list(Value(ROLE), ROLE, Value(""))
    found: dict[str, set[str]] = {OWN: set(), OF_GROUPS: set()}
    given = []
    for kept, app_or_role, name in own.union(of_groups, held, all=True):
        if kept == ROLE:
            given.append(app_or_role)
        else:
            found[kept].add(f"{app_or_role}.{name}")
    for kept, permissions in found.items():
        setattr(person, kept, permissions)
    if person.is_staff:
        setattr(person, emergency.KEPT, emergency.permissions_of(given))
