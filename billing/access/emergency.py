"""A role for one hour: for when something cannot wait and nobody who may do it can be reached.

An administrator gives it, also to themselves. It ends by itself, as each question asks the clock. A critical finding
tells of it, and the audit trail has it. It does not make one person two: nobody approves what they asked for, and
whoever gave somebody a role counts as behind that account (``billing.access.two_people``).
"""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.db import transaction

from billing import errors, findings
from billing.access import roles
from billing.access.roles import VENDOR, Power
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import EmergencyRole, User

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
    return row


class EmergencyRoles(BaseBackend):
    """What roles for an hour allow, beside the groups. Django asks it as it asks its own backend."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if obj is not None or not (isinstance(user_obj, User) and user_obj.is_active and user_obj.is_staff):
            return set()
        kept: set[str] | None = getattr(user_obj, KEPT, None)
        if kept is None:
            held = EmergencyRole.objects.in_force().filter(person=user_obj).values_list("role", flat=True)
            powers: set[Power] = set().union(*(VENDOR[role] for role in held if role in VENDOR))
            kept = {f"billing.{one}" for one in roles.permissions_of(powers)}
            setattr(user_obj, KEPT, kept)
        return kept

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return app_label == "billing" and bool(self.get_user_permissions(user_obj))
