"""What the worklist does to many Offices: a note on each, who works on them, and until when they are put aside."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from billing import zones
from billing.bulk.kinds import BulkKind, Cannot, Work, register
from billing.models import Office, OfficeNote, User
from billing.operations import follow_ups


def _all(offices: Sequence[Office], given: Mapping[str, Any]) -> dict[int, dict[str, Any] | Cannot]:
    return {office.pk: {} for office in offices}


def _noted(work: Work) -> str:
    follow_ups.write_note(work.office, by=work.by, text=work.given["text"], kind=work.given["kind"])
    return "The call is noted." if work.given["kind"] == OfficeNote.Kind.CALL else "The note is written."


def _assigned(work: Work) -> str:
    to = User.objects.get(public_id=work.given["to"]) if work.given["to"] else None
    follow_ups.assign(work.office, by=work.by, to=to, reason=work.reason)
    return f"Assigned to {to.name or 'a colleague'}." if to else "Assigned to nobody."


def _can_be_snoozed(offices: Sequence[Office], given: Mapping[str, Any]) -> dict[int, dict[str, Any] | Cannot]:
    if not given["until"]:
        return _all(offices, given)
    until = date.fromisoformat(given["until"])
    why = {office.pk: follow_ups.snooze_refusal(until, office) for office in offices}
    return {key: Cannot(words) if words else {} for key, words in why.items()}


def _snoozed(work: Work) -> str:
    until = date.fromisoformat(work.given["until"]) if work.given["until"] else None
    row = follow_ups.snooze(work.office, by=work.by, until=until, reason=work.reason)
    if row.snoozed_until is None:
        return "Shown again."
    return f"Put aside until {zones.day(row.snoozed_until, work.office.time_zone)}."


NOTE = register(
    BulkKind(
        name="write_note",
        title="Write a note",
        says="Each Office gets this note.",
        power=follow_ups.NEEDS,
        judge=_all,
        work=_noted,
        local=True,
    )
)
ASSIGN = register(
    BulkKind(
        name="assign",
        title="Assign",
        says="This person works on these Offices from now on.",
        power=follow_ups.NEEDS,
        judge=_all,
        work=_assigned,
        local=True,
    )
)
SNOOZE = register(
    BulkKind(
        name="snooze",
        title="Put aside",
        says="The worklist does not show these Offices until this day begins in the time zone of each.",
        power=follow_ups.NEEDS,
        judge=_can_be_snoozed,
        work=_snoozed,
        local=True,
    )
)
