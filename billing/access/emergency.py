"""A role for one hour: for when something cannot wait and nobody who may do it can be reached.

An administrator gives it, also to themselves. It ends by itself, as each question asks the clock, or earlier if an
administrator or the person who has it ends it. A critical finding tells of it, each administrator gets an e-mail, and
the audit trail has it. It does not make one person two: nobody approves what they asked for, and whoever gave somebody
a role counts as behind that account (``billing.access.two_people``).
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.db import transaction

from billing import clock, errors, findings
from billing.access import roles
from billing.access.roles import VENDOR, Power
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import EmergencyRole, Notification, User
from billing.models.emergency_role import ENDING

FINDING = "emergency_role"
KEPT = "_emergency_permissions"
"""The attribute in which a person's row keeps the answer, as Django keeps that of the groups: for one request."""


def give(person: User, role: str, *, by: Actor, reason: str) -> EmergencyRole:
    """Give the person this role for one hour.

    Raises: NotPermitted, ReasonRequired, TextNotNeutral. NotOfTheStaff: the person cannot sign in to the admin.
    """
    with trail.acting(by, reason=reason):
        giver = roles.require(by, Power.PEOPLE, to="give an emergency role")
        reason = trail.checked_reason(reason)
        if role not in VENDOR or not (person.is_staff and person.is_active):
            raise errors.NotOfTheStaff(person)
        with transaction.atomic(durable=True):
            row = EmergencyRole.objects.create(person=person, role=role, given_by=giver, reason=reason)
            trail.record_act(person, f"has the role {role} for one hour, given by {giver}")
            says = f"{giver} gave {person} the role {role} until {row.ends_at:%d %B %Y %H:%M} UTC."
            findings.report(FINDING, str(row.pk), office=None, detail=f"{says} Look at what was done with it.")
            _tell(row)
    return row


def end(row: EmergencyRole, *, by: Actor, reason: str) -> EmergencyRole:
    """End it now, for an administrator and for the person who has it. The next request does not have the role any more.

    Raises: NotPermitted, ReasonRequired, TextNotNeutral. EmergencyRoleOver: it has ended already.
    """
    if not may_end(row, by=by):
        raise errors.NotPermitted("end another person's emergency role")
    reason = trail.checked_reason(reason)
    with trail.acting(by, reason=reason), transaction.atomic(durable=True):
        fresh = EmergencyRole.objects.select_for_update().get(pk=row.pk)
        if not fresh.is_in_force(clock.wall()):
            raise errors.EmergencyRoleOver(fresh)
        fresh.ended_at, fresh.ended_by, fresh.end_reason = clock.wall(), by.user, reason
        fresh.save(update_fields=ENDING)
    return fresh


def may_end(row: EmergencyRole, *, by: Actor) -> bool:
    return by.user is not None and (by.user == row.person or roles.has(by.user, Power.PEOPLE))


def permissions_of(held: Iterable[str]) -> set[str]:
    """Return what these roles for an hour allow, as Django names it."""
    powers: set[Power] = set().union(*(VENDOR[role] for role in held if role in VENDOR))
    return {f"billing.{one}" for one in roles.permissions_of(powers)}


def _tell(row: EmergencyRole) -> None:
    """Put an e-mail to each administrator into the outbox, also to the one who gave it."""
    for person in roles.people_with(Power.PEOPLE):
        Notification.objects.put(
            Notification.Kind.EMERGENCY_ROLE,
            f"emergency_role:{row.pk}:{person.public_id}",
            user=person,
            emergency_role=row.pk,
        )


class EmergencyRoles(BaseBackend):
    """What roles for an hour allow, beside the groups. Django asks it as it asks its own backend."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if obj is not None or not (isinstance(user_obj, User) and user_obj.is_active and user_obj.is_staff):
            return set()
        kept: set[str] | None = getattr(user_obj, KEPT, None)
        if kept is None:
            held = EmergencyRole.objects.in_force().filter(person=user_obj).values_list("role", flat=True)
            kept = permissions_of(held)
            setattr(user_obj, KEPT, kept)
        return kept

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return app_label == "billing" and bool(self.get_user_permissions(user_obj))
