"""Who can get in and what they may do, for somebody who reviews it; and how that changed in a period."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from billing.access import effective, scopes, second_factor
from billing.access.effective import Access
from billing.access.roles import OFFICE, VENDOR, Power
from billing.audit import search
from billing.models import (
    AuditEntry,
    EmergencyRole,
    Invitation,
    Membership,
    Office,
    ServiceIdentity,
    ServiceSecret,
    User,
    Vouching,
)

EVERY_OFFICE = "every Office"
ABOUT_ACCESS = (Membership, EmergencyRole, Invitation, ServiceIdentity, ServiceSecret, Vouching)
OF_A_PERSON = {"groups", "is_staff", "is_active", "email"}
"""The columns of a person whose change is a change of what they may do, or of who they are."""
Rows = Iterator[dict[str, Any]]


def roles() -> Rows:
    """Yield what each role allows."""
    for where, table in ((EVERY_OFFICE, VENDOR), ("one Office", OFFICE)):
        for role, powers in table.items():
            yield {"role": str(role), "on": where, "may": [power.value for power in Power if power in powers]}


def people() -> Rows:
    """Yield each person who has an account, also those who may do nothing any more."""
    enrolled = second_factor.enrolled_of(User.objects.values("pk"))
    for person in User.objects.order_by("email").prefetch_related("groups"):
        yield {
            "person": person.email,
            "name": person.name,
            "is_active": person.is_active,
            "is_staff": person.is_staff,
            "roles": sorted(group.name for group in person.groups.all()),
            "has_second_factor": person.pk in enrolled,
            "account_since": person.created_at,
            "last_signed_in": person.last_login,
        }


def access() -> Rows:
    """Yield who can do what on what, and why, as it is now: ``billing.access.effective`` for all Offices."""
    for one in effective.of_staff():
        yield _row(EVERY_OFFICE, "", one)
    for office in Office.objects.order_by("name_folded", "pk"):
        for one in effective.of_members(office):
            yield _row(office.name, str(office.public_id), one)


def services() -> Rows:
    """Yield each program that has or had a token, with what it may read and when it was last used."""
    for service in ServiceIdentity.objects.order_by("name").prefetch_related("offices", "secrets"):
        offices = [EVERY_OFFICE] if service.all_offices else [str(one.public_id) for one in service.offices.all()]
        yield {
            "service": service.name,
            "may": scopes.words(service.scopes),
            "offices": offices,
            "networks": service.networks or ["anywhere"],
            "expires_at": service.expires_at,
            "ended_at": service.ended_at,
            "last_used_at": service.last_used_at,
            "secrets": [one.prefix for one in service.secrets.all()],
        }


def changes(since: datetime, until: datetime) -> Rows:
    """Yield the entries of the trail from ``since`` on and before ``until`` that changed who may do what."""
    kinds = ContentType.objects.get_for_models(User, *ABOUT_ACCESS)
    of_person = kinds.pop(User)
    entries = AuditEntry.objects.filter(search.in_period(since, until)).exclude(kind=AuditEntry.Kind.READ)
    about = Q(content_type__in=kinds.values()) | Q(content_type=of_person)
    for entry in entries.filter(about).select_related("content_type", "office").order_by("pk").iterator(1_000):
        if entry.content_type_id == of_person.pk and not _is_about_access(entry):
            continue
        yield {
            "entry": entry.pk,
            "at": entry.timestamp,
            "by": entry.actor_label,
            "about": f"{entry.content_type.model} {entry.object_repr}",
            "office": str(entry.office.public_id) if entry.office else "",
            "what": entry.what or entry.get_action_display(),
            "changes": entry.changes,
            "reason": entry.reason,
        }


def _is_about_access(entry: AuditEntry) -> bool:
    is_new = entry.action in (AuditEntry.Action.CREATE, AuditEntry.Action.DELETE)
    return is_new or bool(OF_A_PERSON & set(entry.changes or ()))


def _row(office: str, public_id: str, one: Access) -> dict[str, Any]:
    return {
        "office": office,
        "office_id": public_id,
        "person": one.person.email,
        "why": one.why,
        "may": [power.value for power in one.powers],
        "until": one.until,
    }
