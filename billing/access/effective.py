"""Who can do what on one Office, and why: the vendor's people by their roles, the Office's own by their memberships."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from billing import zones
from billing.access import second_factor
from billing.access.roles import OFFICE, VENDOR, Power
from billing.models import EmergencyRole, Office, User


@dataclass(frozen=True, slots=True)
class Access:
    """What one role gives one person on the Office. ``until`` is None if it has no end."""

    person: User
    why: str
    powers: tuple[Power, ...]
    until: datetime | None = None

    @property
    def in_words(self) -> str:
        return ", ".join(power.label for power in self.powers) or "nothing"


def on(office: Office) -> Iterator[Access]:
    """Yield what holds now, one for each person and role, the Office's own people first.

    Services and jobs act for the vendor and are not people. A member who lacks the second factor that the Office
    requires is listed too, with nothing that they may do.
    """
    yield from of_members(office)
    yield from of_staff()


def of_members(office: Office) -> Iterator[Access]:
    """Yield what the memberships of this Office give. An archived Office gives nothing."""
    if office.archived_at is None:
        members = office.memberships.in_force().filter(user__is_active=True).select_related("user")
        enrolled = second_factor.enrolled_of(members.values("user")) if office.requires_second_factor else None
        for member in members.order_by("user__email"):
            why = f"is {member.role} of this Office since {zones.bare_day(member.created_at, office.time_zone)}"
            may = OFFICE[member.role]
            if enrolled is not None and member.user_id not in enrolled:
                why, may = f"{why}, and lacks the second factor that it requires", set()
            yield Access(member.user, why, _in_order(may), member.ended_at)


def of_staff() -> Iterator[Access]:
    """Yield what the vendor's roles give, on every Office."""
    staff = User.objects.filter(is_active=True, is_staff=True, groups__name__in=VENDOR).distinct()
    for person in staff.order_by("email").prefetch_related("groups"):
        for role in VENDOR:
            if role in {group.name for group in person.groups.all()}:
                yield Access(person, f"has the vendor's role {role}", _in_order(VENDOR[role]))
    held = EmergencyRole.objects.in_force().filter(person__is_active=True, person__is_staff=True, role__in=VENDOR)
    for one in held.select_related("person", "given_by"):
        why = f"has the role {one.role} for an hour, given by {one.given_by}: {one.reason}"
        yield Access(one.person, why, _in_order(VENDOR[one.role]), one.ends_at)


def _in_order(powers: set[Power]) -> tuple[Power, ...]:
    return tuple(power for power in Power if power in powers)
