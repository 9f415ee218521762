"""Guardian's grants on an Office, derived from memberships by one function; and the one question they answer."""

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
    """The member's grants are those of the role, or none where the membership has ended or the Office is archived."""
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
    """All its members' grants are what their roles and the Office's state say."""
    for membership in office.memberships.select_related("user"):
        membership.office = office
        write_grants(membership)


def may(by: Actor, permission: str, office: Office) -> bool:
    """Services and jobs act for the vendor; a person needs a staff role or a grant on this Office."""
    if acts_for_vendor(by, permission):
        return True
    if by.user is None:
        return False
    return permission in get_user_perms(by.user, office)  # of an active one; has_perm lets every superuser pass


TO = {"view_billing": "see this Office's billing", "manage_billing": "change this Office's billing"}
"""What a permission on an Office permits, in words."""


def require(by: Actor, permission: str, office: Office) -> None:
    """Raises: NotPermitted."""
    if not may(by, permission, office):
        raise errors.NotPermitted(TO.get(permission, "do this"))


def acts_for_vendor(by: Actor, permission: str) -> bool:
    """Whether the actor has the permission by a staff role, or is a service or job: a grant on an Office is not
    enough."""
    if by.user is None:
        return by.kind != "person"
    return roles.is_given(by.user, permission)


def require_vendor(by: Actor, permission: str, *, to: str) -> None:
    """An Office's own people are refused, also where they may change its billing. Raises: StaffOnly."""
    if not acts_for_vendor(by, permission):
        raise errors.StaffOnly(to)


def offices_where(user: User, permission: str) -> QuerySet[Office]:
    """The Offices on which this person has the permission, by a staff role or a grant: one query in all."""
    named = {"content_type__app_label": "billing", "content_type__model": "office", "codename": permission}
    on_it = {f"permission__{name}": value for name, value in named.items()}
    allowed = Q(Exists(OfficeUserPermission.objects.filter(user=user, content_object=OuterRef("pk"), **on_it)))
    if user.is_staff:
        allowed |= Q(Exists(Permission.objects.filter(group__user=user, **named)))
    return Office.objects.filter(allowed)


def visible_offices(user: User) -> QuerySet[Office]:
    """Staff see all by role; anyone else the Offices with a grant."""
    by_role = {"accept_global_perms": user.is_staff, "with_superuser": user.is_staff}
    return get_objects_for_user(user, "billing.view_office", klass=Office, **by_role)
