"""Finding entries of the trail. Every way to search has an index, so that it takes milliseconds among millions."""

from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from billing import errors, zones
from billing.models import AuditEntry, Office, User

MOST_COUNTED = 1_000
"""Counting is the only slow part of a page: so many are counted."""
NIGHT_BEGINS, NIGHT_ENDS = time(20), time(7)
SATURDAY = 5
LONGEST = timedelta(days=93)
"""The longest period whose nights and weekends are asked for at once: each of them is a condition of its own."""
EXPORTED, SIGN_IN_FAILED = "exported", "sign_in_failed"
FAILED_SIGN_INS = {
    *(SIGN_IN_FAILED, errors.SecondFactorToEnrol.code, errors.SecondFactorMissing.code, errors.SecondFactorWrong.code),
}
DENIALS = {
    *(errors.NotPermitted.code, errors.StaffOnly.code, errors.ScopeMissing.code, errors.TokenOnlyReads.code),
    *(errors.OwnSecondFactor.code, errors.NotYourRequest.code, errors.PersonMustAsk.code),
}
"""The codes of refusals because of who asked."""
UNUSUAL = {
    "refusals": "Refusals",
    "denials": "Denials: somebody was not allowed to",
    "emergency_roles": "Emergency roles",
    "out_of_hours": "Acts of staff at night or on weekends",
    "failed_sign_ins": "Failed sign-ins",
    "exports": "Exports",
}


def bounded_count(entries: Any) -> int:
    """Return how many there are, at most ``MOST_COUNTED``."""
    found: int = entries.order_by()[:MOST_COUNTED].count()
    return found


def by_person(text: str) -> Q:
    """Return the condition for who acted: a person's address in any case, or the name of a service or job."""
    text = text.strip()
    person = User.objects.filter(email__iexact=text).first() if "@" in text else None
    return Q(actor_label=person.email if person else text)


def own_people(office: Office) -> QuerySet[User]:
    """Return the Office's own people, also those who left. The vendor's people are not named to an Office."""
    return User.objects.filter(memberships__office=office, is_staff=False)


def in_period(since: datetime | None, until: datetime | None) -> Q:
    """Return the condition for entries from ``since`` on and before ``until``."""
    given = {"timestamp__gte": since, "timestamp__lt": until}
    return Q(**{name: moment for name, moment in given.items() if moment})


def unusual(name: str, since: datetime, until: datetime, *, zone: str) -> QuerySet[AuditEntry]:
    """Return the entries of a period that are unusual in this way, of ``UNUSUAL``. ``zone`` is the vendor's.

    Raises: ValueError: there is no such way, or the period is longer than ``LONGEST``.
    """
    if until - since > LONGEST:
        raise ValueError(f"The period is longer than {LONGEST.days} days.")
    entries = AuditEntry.objects.filter(in_period(since, until))
    refused = entries.filter(kind=AuditEntry.Kind.REFUSAL)
    match name:
        case "refusals":
            return refused
        case "denials":
            return refused.filter(_coded(DENIALS) | (_WITHOUT_CODE & _DENIED_IN_WORDS))
        case "failed_sign_ins":
            return refused.filter(_coded(FAILED_SIGN_INS) | (_WITHOUT_CODE & _FAILED_IN_WORDS))
        case "exports":
            acts = entries.filter(kind=AuditEntry.Kind.ACT)
            return acts.filter(_coded({EXPORTED}) | (_WITHOUT_CODE & Q(what__startswith="exported")))
        case "emergency_roles":
            named = {"content_type__app_label": "billing", "content_type__model": "emergencyrole"}
            return entries.filter(**named, action=AuditEntry.Action.CREATE)
        case "out_of_hours":
            of_staff = entries.filter(actor_kind="person", actor__is_staff=True).exclude(kind=AuditEntry.Kind.REFUSAL)
            return of_staff.filter(_out_of_hours(since, until, zone))
    raise ValueError(name)


_WITHOUT_CODE = Q(additional_data__code__isnull=True)
"""Entries that the version before wrote. They are known by their words alone."""
_DENIED_IN_WORDS = (
    Q(what__contains="not permitted")
    | Q(what__contains="not allowed to")
    | Q(what__contains="Only the vendor's staff may")
)
_FAILED_IN_WORDS = Q(what__startswith="sign-in") | Q(what__startswith="second factor") | Q(what__startswith="API token")


def _coded(codes: set[str]) -> Q:
    return Q(additional_data__code__in=sorted(codes))


def _out_of_hours(since: datetime, until: datetime, zone: str) -> Q:
    """Return the condition for nights, from 20:00 to 7:00, and for Saturdays and Sundays in the zone."""
    found = Q(pk=None)
    day = zones.day_of(since, zone) - timedelta(days=3)  # the weekend before may reach into the period
    begin = None
    while day <= zones.day_of(until, zone):
        if day.weekday() < SATURDAY:
            if begin:
                found |= Q(timestamp__gte=begin, timestamp__lt=zones.at(day, NIGHT_ENDS, zone))
            begin = zones.at(day, NIGHT_BEGINS, zone)
        day += timedelta(days=1)
    if begin:
        found |= Q(timestamp__gte=begin)
    return found
