"""Permissions on Offices: writing django-guardian's grants from memberships, and asking who may do what."""

from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from guardian.shortcuts import get_objects_for_user, get_user_perms

from billing import errors
from billing.access import roles
from billing.access.roles import OFFICE
from billing.audit.actor import Actor
from billing.models import Membership, Office, OfficeUserPermission, User


def write_grants(membership: Membership) -> None:
    """Write the member's grants: those of the role, or none if the membership ended or the Office is archived."""
    over = membership.ended_at or membership.office.archived_at
    wanted = set() if over else OFFICE[membership.role]
    with transaction.atomic():
        held = OfficeUserPermission.objects.filter(user=membership.user, content_object=membership.office)
        for grant in held.exclude(permission__codename__in=wanted):
            grant.delete()
        for permission in Permission.objects.filter(
            content_type__app_label="billing", content_type__model="office", codename__in=wanted
        ).exclude(pk__in=held.values("permission")):
            OfficeUserPermission.objects.create(
                user=membership.user, content_object=membership.office, permission=permission
            )


def write_grants_of(office: Office) -> None:
    """Write the grants of all members of the Office. Repeating is a no-op."""
    for membership in office.memberships.select_related("user"):
        membership.office = office
        write_grants(membership)


def may(by: Actor, permission: str, office: Office) -> bool:
    """Return whether the actor has the permission on this Office.

    Services and jobs act for the vendor and have it. A person needs a staff role or a grant on this Office.
    """
    if acts_for_vendor(by, permission):
        return True
    if by.user is None:
        return False
    return permission in get_user_perms(by.user, office)  # not has_perm, which lets every superuser pass


TO = {"view_billing": "see this Office's billing", "manage_billing": "change this Office's billing"}
"""What each permission on an Office allows, in words."""


def require(by: Actor, permission: str, office: Office) -> None:
    """Refuse an actor without the permission on this Office. Raises: NotPermitted."""
    if not may(by, permission, office):
        raise errors.NotPermitted(TO.get(permission, "do this"))


def acts_for_vendor(by: Actor, permission: str) -> bool:
    """Return whether the actor has the permission by a staff role, or is a service or job.

    A grant on an Office is not enough.
    """
    if by.user is None:
        return by.kind != "person"
    return roles.is_given(by.user, permission)


def require_vendor(by: Actor, permission: str, *, to: str) -> None:
    """Refuse an Office's own people, even those who may change its billing. Raises: StaffOnly."""
    if not acts_for_vendor(by, permission):
        raise errors.StaffOnly(to)


def offices_where(user: User, permission: str) -> QuerySet[Office]:
    """Return the Offices on which this person has the permission, by a staff role or a grant. One query."""
    named = {"content_type__app_label": "billing", "content_type__model": "office", "codename": permission}
    on_it = {f"permission__{name}": value for name, value in named.items()}
    allowed = Q(Exists(OfficeUserPermission.objects.filter(user=user, content_object=OuterRef("pk"), **on_it)))
    if user.is_staff:
        allowed |= Q(Exists(Permission.objects.filter(group__user=user, **named)))
    return Office.objects.filter(allowed)


def visible_offices(user: User) -> QuerySet[Office]:
    """Return the Offices that this person may see: by grants, and for staff also by their roles."""
    by_role = {"accept_global_perms": user.is_staff, "with_superuser": user.is_staff}
    return get_objects_for_user(user, "billing.view_office", klass=Office, **by_role)
