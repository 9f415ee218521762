"""Roles and what each may do: the one table. Staff roles are groups; office roles become grants on an Office."""

from typing import Any

from django.contrib.auth.models import Group, Permission

from billing.models import Membership

SEE = {
    f"view_{name}"
    for name in (
        "office plan planprice subscription subscriptionchange invoice payment operation operationstep "
        "receivedevent membership auditentry finding job notification workerheartbeat stripeaccount user"
    ).split()
} | {"view_billing"}

STAFF: dict[str, set[str]] = {
    "auditor": SEE,
    "operator": SEE | {"add_office", "change_office", "manage_billing"},
    "administrator": SEE
    | {"add_office", "change_office", "manage_billing", "add_user", "change_user", "add_membership"}
    | {"change_membership", "add_plan", "change_plan", "add_planprice"},
}

OFFICE: dict[str, set[str]] = {
    Membership.Role.OWNER: {"view_office", "view_billing", "manage_billing"},
    Membership.Role.MANAGER: {"view_office", "view_billing", "manage_billing"},
    Membership.Role.VIEWER: {"view_office", "view_billing"},
}


def write_groups(**_: Any) -> None:
    """The groups hold what the table says. Called after each migrate."""
    for role, codenames in STAFF.items():
        group, _created = Group.objects.get_or_create(name=role)
        wanted = Permission.objects.filter(content_type__app_label="billing", codename__in=codenames)
        if set(group.permissions.values_list("pk", flat=True)) != set(wanted.values_list("pk", flat=True)):
            group.permissions.set(wanted)
