"""Powers and roles: the one table of who may do what. Both faces, the API's document and docs/access.md read it.

The vendor's roles are groups. They hold on every Office. An Office's roles are memberships, and hold on that Office.
A person may have several roles: what they allow adds up.
"""

from enum import Enum
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Exists, OuterRef, Q, QuerySet

from billing import errors
from billing.audit.actor import Actor
from billing.models import EmergencyRole, Membership, User


class Power(Enum):
    """What a role can allow. The value ends the sentence: you are not allowed to …"""

    LOOK = "see this Office's billing"
    DETAILS = "see e-mail addresses, the last digits of cards and ids at Stripe"
    DOCUMENTS = "open invoices at Stripe"
    PREVIEW = "ask Stripe what something would cost"
    MANAGE = "change this Office's billing"
    PORTAL = "open Stripe's portal for this Office"
    OPERATE = "do what only the vendor may do to an Office"
    GIVE_BACK = "give money or credit back"
    APPROVE = "approve what another person asked for"
    PREPARE = "prepare a determination"
    DETERMINATIONS = "approve a determination"
    PLANS = "make plans and prices"
    PEOPLE = "invite people and give them roles"
    SERVICES = "add services and make their secrets"
    MEMBERS = "change who belongs to this Office"
    AUDIT = "read the audit trail"
    EXPORTS = "export records"
    LISTS = "export lists and the journal"

    @property
    def label(self) -> str:
        return self.name.lower().replace("_", " ")


SEEN = (
    "office plan planprice subscription subscriptionitem subscriptionchange movement invoice invoicepayment payment "
    "paymentmethod adjustment operation operationstep receivedevent membership agreement finding job notification "
    "planoperation workerheartbeat stripeaccount reconciliation user invitation vouching approvalrequest emergencyrole "
    "serviceidentity officenote followup bulkact bulkrow"
).split()
PERMISSIONS: dict[Power, tuple[str, ...]] = {
    Power.LOOK: ("view_billing", *(f"view_{model}" for model in SEEN)),
    Power.DETAILS: ("see_details",),
    Power.DOCUMENTS: ("open_documents",),
    Power.PREVIEW: ("preview_billing",),
    Power.MANAGE: ("manage_billing",),
    Power.PORTAL: ("open_portal",),
    Power.OPERATE: ("operate_billing", "add_office", "change_office"),
    Power.GIVE_BACK: ("give_back",),
    Power.APPROVE: ("approve_requests",),
    Power.PREPARE: ("prepare_agreement",),
    Power.DETERMINATIONS: ("approve_agreement",),
    Power.PLANS: ("change_plan", "add_plan", "add_planprice"),
    Power.PEOPLE: ("change_user", "add_user", "add_vouching", "add_emergencyrole"),
    Power.SERVICES: ("change_serviceidentity", "add_serviceidentity"),
    Power.MEMBERS: ("manage_members", "add_membership", "change_membership"),
    Power.AUDIT: ("read_trail", "view_auditentry", "view_trailreview"),
    Power.EXPORTS: ("export_billing",),
    Power.LISTS: ("export_lists",),
}
"""The permissions by which Django and django-guardian know each power. The first is the one that is asked for."""

SERVICE = {Power.LOOK}
"""What a program that asks the API may do on the Offices that it sees, as far as its scopes name it."""
ONLY_PEOPLE = {Power.APPROVE}
"""What no service and no job can do, although they act for the vendor."""
OPERATOR = {Power.LOOK, Power.DETAILS, Power.DOCUMENTS, Power.PREVIEW, Power.MANAGE, Power.PORTAL, Power.OPERATE}
VENDOR: dict[str, set[Power]] = {
    "support": {Power.LOOK},
    "operator": OPERATOR,
    "finance": OPERATOR | {Power.GIVE_BACK, Power.APPROVE, Power.PREPARE, Power.LISTS},
    "auditor": {Power.LOOK, Power.DETAILS, Power.DOCUMENTS, Power.AUDIT, Power.EXPORTS, Power.LISTS},
    "administrator": {Power.LOOK, Power.DETAILS, Power.PEOPLE, Power.SERVICES, Power.MEMBERS, Power.PLANS}
    | {Power.PREPARE, Power.DETERMINATIONS},
}
VIEWER = {Power.LOOK, Power.DETAILS, Power.DOCUMENTS, Power.PREVIEW}
MANAGER = VIEWER | {Power.MANAGE, Power.PORTAL}
OFFICE: dict[str, set[Power]] = {
    Membership.Role.VIEWER: VIEWER,
    Membership.Role.MANAGER: MANAGER,
    Membership.Role.OWNER: MANAGER | {Power.MEMBERS, Power.AUDIT},
}


def permissions_of(powers: set[Power]) -> set[str]:
    return {codename for power in powers for codename in PERMISSIONS[power]}


def only_vendor(power: Power) -> bool:
    """Return whether no role at an Office has this power."""
    return not any(power in powers for powers in OFFICE.values())


def in_words(power: Power) -> str:
    """Return who has this power, for the API's document."""
    office, vendor = ([role for role in roles if power in roles[role]] for roles in (OFFICE, VENDOR))
    named = ("at the Office", office), ("of the vendor", vendor)
    return f"For these roles {'; '.join(f'{where}: ' + ', '.join(roles) for where, roles in named if roles)}."


def has(user: User, power: Power) -> bool:
    """Return whether one of the vendor's roles gives this person the power, on every Office.

    A role gives nothing to a person who is not staff or not active.
    """
    return bool(user.is_staff and user.is_active and user.has_perm(f"billing.{PERMISSIONS[power][0]}"))


def require(by: Actor, power: Power, *, to: str = "") -> User:
    """Return the person who acts, if one of the vendor's roles gives this power. Raises: NotPermitted."""
    if by.user is None or not has(by.user, power):
        raise errors.NotPermitted(to or power.value)
    return by.user


def people_with(power: Power) -> QuerySet[User]:
    """Return everyone who may sign in to the admin and has a role with this power."""
    have_it = roles_with(power)
    for_an_hour = EmergencyRole.objects.in_force().filter(person=OuterRef("pk"), role__in=have_it)
    having = Q(Exists(Group.objects.filter(user=OuterRef("pk"), name__in=have_it))) | Q(Exists(for_an_hour))
    return User.objects.filter(having, is_active=True, is_staff=True)


def roles_with(power: Power) -> list[str]:
    return [role for role in VENDOR if power in VENDOR[role]]


def write_groups(**_: Any) -> None:
    """Write the permissions of the vendor's groups as the table says. It is called after each migrate."""
    for role, powers in VENDOR.items():
        group, _created = Group.objects.get_or_create(name=role)
        wanted = Permission.objects.filter(content_type__app_label="billing", codename__in=permissions_of(powers))
        if set(group.permissions.values_list("pk", flat=True)) != set(wanted.values_list("pk", flat=True)):
            group.permissions.set(wanted)
