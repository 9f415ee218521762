"""All notes of an Office, newest first, page by page from a place in them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Q

from billing.audit.actor import Actor
from billing.models import Office, OfficeNote

ON_A_PAGE = 25


@dataclass(frozen=True)
class Notes:
    """A page. ``older`` goes into the address of the next one, and is "" on the last."""

    notes: list[OfficeNote]
    older: str
    is_first: bool


def page(office: Office, *, by: Actor, before: str = "") -> Notes:
    """Return the notes before the place that ``older`` of another page named. A place that is none is the newest."""
    at = _place(before)
    rows = office.notes.select_related("author").order_by("-created_at", "-pk")
    if at:
        rows = rows.filter(Q(created_at__lt=at[0]) | Q(created_at=at[0], pk__lt=at[1]))
    found = list(rows[: ON_A_PAGE + 1])
    last = found[ON_A_PAGE - 1] if len(found) > ON_A_PAGE else None
    return Notes(found[:ON_A_PAGE], _named(last) if last else "", at is None)


def _named(note: OfficeNote) -> str:
    return f"{note.created_at.astimezone(UTC):%Y%m%d%H%M%S%f}-{note.pk}"


def _place(text: str) -> tuple[datetime, int] | None:
    time, _, number = text.partition("-")
    try:
        return datetime.strptime(time, "%Y%m%d%H%M%S%f").replace(tzinfo=UTC), int(number)
    except ValueError:
        return None
