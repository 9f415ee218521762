"""Reviews of the audit trail: an auditor reads what is unusual in a period, and signs the period off."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, QuerySet

from billing import clock, errors, zones
from billing.access import roles
from billing.access.roles import Power
from billing.audit import seals, search, trail
from billing.audit.actor import Actor
from billing.models import AuditEntry, AuditSeal, TrailReview, User

OPERATING = (Power.MANAGE, Power.OPERATE, Power.GIVE_BACK, Power.PEOPLE)


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days in the vendor's time zone, the last one included."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        return zones.start_of(self.first, settings.VENDOR_TIME_ZONE)

    @property
    def until(self) -> datetime:
        return zones.end_of(self.last, settings.VENDOR_TIME_ZONE)


def check(days: Days) -> None:
    """Raises: PeriodInvalid: it ends before it begins, or it is too long to be read at once."""
    if days.last < days.first or days.until - days.since > search.LONGEST:
        raise errors.PeriodInvalid(search.LONGEST.days)


def open_days() -> list[Days]:
    """Return the days that are over and that nobody has signed off, newest first, apart by months."""
    first = AuditEntry.objects.order_by("timestamp").values_list("timestamp", flat=True).first()
    if first is None:
        return []
    zone = settings.VENDOR_TIME_ZONE
    day, today = zones.day_of(first, zone), zones.day_of(clock.wall(), zone)
    found: list[Days] = []
    for since, until in TrailReview.objects.order_by("since", "until").values_list("since", "until"):
        found += _by_months(day, zones.day_of(since, zone))
        day = max(day, zones.day_of(until, zone))
    return [*found, *_by_months(day, today)][::-1]


def _by_months(day: date, end: date) -> Iterator[Days]:
    while day < end:
        next_month = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        yield Days(day, min(end, next_month) - timedelta(days=1))
        day = next_month


def operating_powers(person: User) -> list[str]:
    """Return the powers with which the auditor does what is reviewed. Their own acts another person should read."""
    return [power.label for power in OPERATING if roles.has(person, power)]


def own_acts(days: Days, person: User) -> QuerySet[AuditEntry]:
    """Return what the person did in these days."""
    return _acts(days).filter(actor=person)


def sign_off(days: Days, *, by: Actor, note: str) -> TrailReview:
    """Sign off what was written in these days. The review names the newest seal, which covers all of it.

    Raises:
        NotPermitted, ReasonRequired, TextNotNeutral, PeriodInvalid.
        PeriodNotOver: the period lies in the future, or entries of it may still be committed.
        NotSealedYet: an entry of the period is in no seal.
        OwnActsAlone: of all people only this one did something in the period.
    """
    person = roles.require(by, Power.AUDIT, to="sign off the audit trail")
    with trail.acting(by):
        try:
            return _signed_off(days, person, by=by, note=note)
        except errors.BillingError as refusal:
            trail.record_refusal(person, f"sign off the audit trail: {refusal.on_record}", code=refusal.code)
            raise


def _signed_off(days: Days, person: User, *, by: Actor, note: str) -> TrailReview:
    words = trail.checked_reason(note)
    check(days)
    if days.until > clock.wall() - seals.LATE:
        raise errors.PeriodNotOver(int(seals.LATE.total_seconds() // 60))
    with trail.acting(by, reason=words), transaction.atomic(durable=True):
        seal = AuditSeal.objects.first()
        if seal is None or _entries(days).filter(~seals.is_sealed()).exists():
            raise errors.NotSealedYet
        others = _acts(days).exclude(actor=person)
        if own_acts(days, person).exists() and not others.exists():
            raise errors.OwnActsAlone
        return TrailReview.objects.create(
            person=person, since=days.since, until=days.until, seal=seal, root=seal.root, note=words
        )


def _acts(days: Days) -> QuerySet[AuditEntry]:
    """Return what people did. Looking is no act, and neither is what concerns one's own account, such as signing in."""
    own_account = {"content_type": ContentType.objects.get_for_model(User), "object_id": F("actor_id")}
    did = _entries(days).filter(actor_kind="person").exclude(kind=AuditEntry.Kind.READ)
    return did.exclude(**own_account)


def _entries(days: Days) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(search.in_period(days.since, days.until))
