"""Powers on Offices: writing django-guardian's grants from memberships, and asking who may do what.

A grant counts only while its membership is in force. So an end that was set in advance takes effect at that moment,
whether or not anything runs then.
"""

from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from billing import clock, errors
from billing.access import roles, second_factor
from billing.access.roles import OFFICE, PERMISSIONS, Power
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import EmergencyRole, Membership, Office, OfficeUserPermission, ServiceIdentity, User

OF_OFFICE = {"content_type__app_label": "billing", "content_type__model": "office"}


def write_grants(membership: Membership) -> None:
    """Write the member's grants: those of the role, or none if the membership ended or the Office is archived."""
    over = not membership.is_in_force(clock.wall()) or membership.office.archived_at
    wanted = set() if over else roles.permissions_of(OFFICE[membership.role])
    with transaction.atomic():
        held = OfficeUserPermission.objects.filter(user=membership.user, content_object=membership.office)
        for grant in held.exclude(permission__codename__in=wanted):
            grant.delete()
        missing = Permission.objects.filter(**OF_OFFICE, codename__in=wanted).exclude(pk__in=held.values("permission"))
        for permission in missing:
            OfficeUserPermission.objects.create(
                user=membership.user, content_object=membership.office, permission=permission
            )


def write_grants_of(office: Office) -> None:
    """Write the grants of all members of the Office. Repeating is a no-op."""
    for membership in office.memberships.select_related("user"):
        membership.office = office
        write_grants(membership)


def mend() -> int:
    """Write the grants that are not as the table of roles says. Return of how many memberships.

    They differ after a change of the table, after the end of a membership, and where the version before wrote them.
    """
    held = OfficeUserPermission.objects.filter(user=OuterRef("user"), content_object=OuterRef("office"))
    is_over = Q(ended_at__lte=clock.wall()) | Q(office__archived_at__isnull=False)
    wrong = list(Membership.objects.filter(is_over).filter(Exists(held)))
    for role, powers in OFFICE.items():
        wanted = Permission.objects.filter(**OF_OFFICE, codename__in=roles.permissions_of(powers))
        right = held.filter(permission__in=wanted).order_by().values("user").annotate(n=Count("pk")).values("n")
        of_role = Membership.objects.filter(role=role).exclude(is_over)
        is_whole = Q(right=wanted.count()) & ~Exists(held.exclude(permission__in=wanted))
        wrong += of_role.annotate(right=right).exclude(is_whole)
    for membership in wrong:
        write_grants(membership)
    return len(wrong)


def _of_member(user: User, power: Power) -> Q:
    """Return which Offices give this person the power by a membership in force, and with the factor they require."""
    granted = OfficeUserPermission.objects.filter(
        user=user,
        content_object=OuterRef("pk"),
        **{f"permission__{name}": value for name, value in OF_OFFICE.items()},
        permission__codename=PERMISSIONS[power][0],
    )
    in_force = Membership.objects.in_force().filter(user=user, office=OuterRef("pk"))
    return Q(Exists(granted)) & Q(Exists(in_force)) & ~second_factor.lacked_at(user)


def offices_where(user: User | ServiceIdentity, power: Power) -> QuerySet[Office]:
    """Return the Offices on which the caller has the power: by a role, a membership, or as a service. One query."""
    if isinstance(user, ServiceIdentity):
        return _offices_of(user) if power in roles.SERVICE else Office.objects.none()
    allowed = _of_member(user, power)
    if user.is_staff:
        named = {"content_type__app_label": "billing", "codename": PERMISSIONS[power][0]}
        allowed |= Q(Exists(Permission.objects.filter(group__user=user, **named)))
        for_an_hour = EmergencyRole.objects.in_force().filter(person=user, role__in=roles.roles_with(power))
        allowed |= Q(Exists(for_an_hour))
    return Office.objects.filter(allowed)


def list_of_offices(user: User | ServiceIdentity, power: Power) -> QuerySet[Office]:
    """Return the same Offices, to be listed: for a member, all that are granted are read first, and no other Office."""
    if isinstance(user, ServiceIdentity) or user.is_staff:
        return offices_where(user, power)
    permission = Permission.objects.filter(**OF_OFFICE, codename=PERMISSIONS[power][0])
    granted = OfficeUserPermission.objects.filter(user=user, permission__in=permission).values("content_object")
    in_force = Membership.objects.in_force().filter(user=user).values("office")
    return Office.objects.filter(~second_factor.lacked_at(user), pk__in=granted).filter(pk__in=in_force)


def _offices_of(service: ServiceIdentity) -> QuerySet[Office]:
    return Office.objects.all() if service.all_offices else Office.objects.filter(services=service)


def may(by: Actor, power: Power, office: Office) -> bool:
    """Return whether the actor has the power on this Office.

    Our own services and jobs act for the vendor and have it, unless it needs a person. A person needs a role of the
    vendor or a membership. A program that asks the API may look, at the Offices that it sees.
    """
    if by.identity is not None:
        return offices_where(by.identity, power).filter(pk=office.pk).exists()
    if acts_for_vendor(by, power):
        return True
    return by.user is not None and Office.objects.filter(_of_member(by.user, power), pk=office.pk).exists()


def require(by: Actor, power: Power, office: Office, *, to: str = "") -> None:
    """Refuse an actor without the power on this Office. ``to`` says in words what was asked for.

    Raises: NotPermitted. StaffOnly: no role at an Office has the power, and the actor is not of the vendor's staff.
    """
    if may(by, power, office):
        return
    if roles.only_vendor(power):
        require_vendor(by, power, to=to or power.value)
    raise errors.NotPermitted(to or power.value)


def require_on_record(by: Actor, power: Power, office: Office, *, what: str, to: str = "") -> None:
    """Do the same, and record a refusal in the audit trail: ``what`` was asked for, in our own words."""
    try:
        require(by, power, office, to=to)
    except errors.NotPermitted as refusal:
        with trail.acting(by, office=office):
            trail.record_refusal(office, f"{what}: {refusal.on_record}", code=refusal.code)
        raise


def acts_for_vendor(by: Actor, power: Power) -> bool:
    """Return whether the actor has the power by one of the vendor's roles, or is a service or job of our own.

    A membership is not enough, and a program that asks the API never acts for the vendor.
    """
    if by.identity is not None:
        return False
    if by.user is None:
        return by.kind != "person" and power not in roles.ONLY_PEOPLE
    return roles.has(by.user, power)


def require_vendor(by: Actor, power: Power, *, to: str) -> None:
    """Refuse an Office's own people, and staff without the power. Raises: StaffOnly, NotPermitted."""
    if acts_for_vendor(by, power):
        return
    raise errors.NotPermitted(to) if by.user is not None and by.user.is_staff else errors.StaffOnly(to)
