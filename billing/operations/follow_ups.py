"""The worklist's own acts: a note on an Office, who works on it, and until when it is put aside.

Stripe is not asked, and no billing is changed. So these are no declared operations. Each leaves an entry in the trail.
"""

import contextlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db import transaction

from billing import clock, errors, zones
from billing.access import roles
from billing.access.roles import Power
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import FollowUp, Office, OfficeNote, User
from billing.text import gate
from billing.text.gate import Typed

NEEDS = Power.OPERATE
LONGEST_SNOOZE = timedelta(days=366)


def write_note(office: Office, *, by: Actor, text: str, kind: str = OfficeNote.Kind.NOTE) -> OfficeNote:
    """Write a note, or what was said in a call. Repeating writes another one. Raises: NotPermitted, TextNotNeutral."""
    with _acting(office, "write a note", by=by, reason="a note on the Office") as person:
        words = gate.checked(text, Typed.NOTE, called="note")
        return OfficeNote.objects.create(office=office, author=person, kind=kind, text=words)


def assign(office: Office, *, by: Actor, to: User | None, reason: str) -> FollowUp:
    """Say who works on the Office; None: nobody. Repeating is a no-op.

    Raises: NotPermitted, ReasonRequired, TextNotNeutral, NotAColleague.
    """
    with _acting(office, "assign the Office", by=by, reason=reason):
        if to is not None and not roles.has(to, NEEDS):
            raise errors.NotAColleague
        return _changed(office, assigned_to=to)


def snooze(office: Office, *, by: Actor, until: date | None, reason: str) -> FollowUp:
    """Put the Office aside until this day begins in its time zone; None: show it again. Repeating is a no-op.

    Raises: NotPermitted, ReasonRequired, TextNotNeutral, DateInvalid.
    """
    with _acting(office, "put the Office aside", by=by, reason=reason):
        return _changed(office, snoozed_until=None if until is None else _start_of(until, office))


def snooze_refusal(until: date, office: Office) -> str:
    """Return why the Office cannot be put aside until this day. "" if it can."""
    today = zones.day_of(clock.wall(), office.time_zone)
    if not today < until <= today + LONGEST_SNOOZE:
        return f"Choose a day after today and at most {LONGEST_SNOOZE.days} days from now."
    return ""


def colleagues() -> list[User]:
    """Return everyone to whom an Office can be assigned, by address."""
    return list(roles.people_with(NEEDS).order_by("email"))


def _start_of(day: date, office: Office) -> datetime:
    if why := snooze_refusal(day, office):
        raise errors.DateInvalid(why)
    return zones.start_of(day, office.time_zone)


@contextlib.contextmanager
def _acting(office: Office, what: str, *, by: Actor, reason: str) -> Iterator[User]:
    """Let the person act on the Office in one transaction. A refusal is put on record."""
    with trail.acting(by, office=office):
        try:
            person = roles.require(by, NEEDS, to=what)
            with trail.acting(by, office=office, reason=trail.checked_reason(reason)), transaction.atomic():
                yield person
        except errors.BillingError as refusal:
            trail.record_refusal(office, f"{what}: {refusal.on_record}", code=refusal.code)
            raise


def _changed(office: Office, **values: object) -> FollowUp:
    Office.objects.select_for_update().get(pk=office.pk)  # of two who change it one waits
    row = FollowUp.objects.filter(office=office).first() or FollowUp(office=office)
    if row.pk and all(getattr(row, name) == value for name, value in values.items()):
        return row
    for name, value in values.items():
        setattr(row, name, value)
    row.updated_at = clock.wall()
    row.save()
    return row
