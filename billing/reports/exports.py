"""Sending a list as a file. That somebody exports it is on record first: without that entry there is no file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from django.db.models import QuerySet

from billing import errors
from billing.access import roles
from billing.access.masking import is_masked_for
from billing.access.roles import Power
from billing.audit import search, trail
from billing.audit.actor import Actor
from billing.reports import tables
from billing.reports.lists import ExportedList


@dataclass(frozen=True, slots=True)
class ListFile:
    """The file, its name, and what it is. It is sent in parts, and closed if it is one."""

    name: str
    content_type: str
    parts: Iterator[bytes] | IO[bytes]


def export(
    listed: ExportedList,
    which: QuerySet,
    *,
    form: str,
    by: Actor,
    reason: str,
    filters: tuple[str, ...] = (),
) -> ListFile:
    """Return the rows as CSV or XLSX. ``filters`` are the names of the filters that chose them, never what was typed.

    Raises: NotPermitted, ReasonRequired, TextNotNeutral, TooManyRows.
    """
    person = roles.require(by, Power.LISTS)
    rows = which.order_by().count()
    if form == tables.XLSX and rows + 1 > tables.MOST_ROWS_OF_XLSX:
        raise errors.TooManyRows(rows, tables.MOST_ROWS_OF_XLSX - 1)
    with_ = f", by {', '.join(sorted(filters))}" if filters else ""
    what = f"exported the list {listed.title} as {form.upper()}{with_}: {rows} rows"
    with trail.acting(by, reason=trail.checked_reason(reason)):
        trail.record_act(trail.installation(), what, data={"code": search.EXPORTED, "rows": rows})
    cells = listed.rows(which, is_masked=is_masked_for(person))
    name = f"{listed.title.lower().replace(' ', '-')}.{form}"
    if form == tables.XLSX:
        return ListFile(name, tables.CONTENT_TYPES[form], tables.as_xlsx(listed.names, cells, title=listed.title))
    return ListFile(name, tables.CONTENT_TYPES[form], tables.as_csv(_with_names(listed, cells)))


def _with_names(listed: ExportedList, cells: Iterator) -> Iterator:
    yield listed.names
    yield from cells
