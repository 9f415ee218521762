"""The table of roles and what each role may do. Staff roles are groups. Office roles become grants on an Office."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet

from billing import errors
from billing.audit.actor import Actor
from billing.models import Membership, User

SEE = {
    f"view_{name}"
    for name in (
        "office plan planprice subscription subscriptionitem subscriptionchange invoice invoicepayment payment "
        "paymentmethod adjustment operation operationstep receivedevent membership agreement auditentry finding job "
        "notification workerheartbeat stripeaccount reconciliation user"
    ).split()
} | {"view_billing"}

STAFF: dict[str, set[str]] = {
    "auditor": SEE,
    "operator": SEE | {"add_office", "change_office", "manage_billing", "prepare_agreement"},
    "administrator": SEE
    | {"add_office", "change_office", "manage_billing", "add_user", "change_user", "add_membership"}
    | {"change_membership", "add_plan", "change_plan", "add_planprice"}
    | {"prepare_agreement", "approve_agreement"},
}

OFFICE: dict[str, set[str]] = {
    Membership.Role.OWNER: {"view_office", "view_billing", "manage_billing"},
    Membership.Role.MANAGER: {"view_office", "view_billing", "manage_billing"},
    Membership.Role.VIEWER: {"view_office", "view_billing"},
}


def is_given(user: User, permission: str) -> bool:
    """Return whether a staff role gives this person the permission, on every Office.

    A role gives nothing to a person who is not staff or not active.
    """
    return user.is_staff and user.is_active and user.has_perm(f"billing.{permission}")


def require(by: Actor, permission: str, *, to: str) -> User:
    """Return the person who acts, if a staff role gives this permission. Raises: NotPermitted."""
    if by.user is None or not is_given(by.user, permission):
        raise errors.NotPermitted(to)
    return by.user


def people_who_may(permission: str) -> QuerySet[User]:
    """Return everyone who may sign in to the admin and whose role has this permission."""
    return User.objects.filter(
        is_active=True,
        is_staff=True,
        groups__permissions__codename=permission,
        groups__permissions__content_type__app_label="billing",
    ).distinct()


def write_groups(**_: Any) -> None:
    """Write the permissions of the staff groups as the table says. It is called after each migrate."""
    for role, codenames in STAFF.items():
        group, _created = Group.objects.get_or_create(name=role)
        wanted = Permission.objects.filter(content_type__app_label="billing", codename__in=codenames)
        if set(group.permissions.values_list("pk", flat=True)) != set(wanted.values_list("pk", flat=True)):
            group.permissions.set(wanted)
