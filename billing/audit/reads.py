"""What people look at: one entry for each person and Office in 15 minutes, and one for each list.

A list is one entry, however many rows it shows: it says which filters were used, never what for. Programs with a token
of their own are not recorded here, and neither is the question whether an Office may use the product.

The answer is ready before anything is written, and it goes out even if nothing can be. Then the log says so, and how
many looks were not recorded is kept until it can be written.
"""

import logging
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import Error as AnyDatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from billing import clock, time_limits
from billing.audit import actor, trail, windows
from billing.models import Office, User

log = logging.getLogger(__name__)

OFFICE, LIST = "office_looked_at", "list_looked_at"
READING = ("GET", "HEAD")
WITHOUT_EFFECT = (*READING, "OPTIONS")
"""The methods of HTTP that change nothing. `OPTIONS` shows nothing either."""
NOT_READS = ("api:entitlement", "api:export-audit-trail")
"""One is asked at every login, and tells nothing of an Office's billing. The other has an entry of its own."""
SHOWN, REFUSED_FROM = 200, 400
MOST_REMEMBERED = 10_000


@dataclass(slots=True)
class Process:
    """What this process wrote in the present window, so that it does not ask again; and what it could not write."""

    began: datetime | None = None
    written: set[str] = field(default_factory=set)
    lost: int = 0
    lost_since: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


_process = Process()


def look_at(request: HttpRequest, office: Office | None) -> None:
    """Note that the answer shows billing data of this Office. None: the page is about no Office."""
    if office is not None and office.pk:
        setattr(request, OFFICE, office)


def look_at_list(request: HttpRequest, *, rows: int | None = None, filters: tuple[str, ...] = ()) -> None:
    """Note that the answer lists billing data of Offices. ``filters`` are names of ours, and nothing that was typed."""
    setattr(request, LIST, (rows, filters))


def record(request: HttpRequest, response: HttpResponseBase) -> None:
    """Record what was noted, if a person got to see it."""
    person, page = request.user, request.resolver_match.view_name if request.resolver_match else ""
    is_read = request.method in READING or page.startswith("api:preview-") or _is_page_shown_again(page, response)
    if not isinstance(person, User) or not is_read or response.status_code >= REFUSED_FROM or page in NOT_READS:
        return
    if office := getattr(request, OFFICE, None):
        _write(person, office, f"looked at the Office's billing, first at: {page}", office, office.pk)
    elif found := getattr(request, LIST, None):
        rows, filters = found
        with_ = f", by {', '.join(sorted(filters))}" if filters else ""
        count = "" if rows is None else f": {rows} rows"
        _write(person, person, f"looked at a list at {page}{with_}{count}", None, page, with_)


def _is_page_shown_again(page: str, response: HttpResponseBase) -> bool:
    """Return whether a form of a page was sent and a page came back: with an error, a preview, or without a form."""
    return page.startswith(("admin:", "office_pages:")) and response.status_code == SHOWN


def forget() -> None:
    """Forget what this process knows of."""
    with _process.lock:
        _process.began, _process.lost, _process.lost_since = None, 0, None
        _process.written.clear()


def _write(person: User, subject: Any, what: str, office: Office | None, *about: object) -> None:
    began = windows.began()
    key = windows.key(began, "read", person.pk, *about)
    if _is_written(key, began):
        return
    try:
        with time_limits.optional() as using, trail.acting(actor.person(person)):
            trail.record_read(subject, what, key=key, office=office, using=using)
    except AnyDatabaseError:
        log.exception("not in the audit trail, because the database did not take it: %s %s", person.public_id, what)
        _lose(1)
        return
    with _process.lock:
        _process.written.add(key)
    if _process.lost:
        _record_lost()


def _is_written(key: str, began: datetime) -> bool:
    with _process.lock:
        if _process.began != began or len(_process.written) >= MOST_REMEMBERED:
            _process.began, _process.written = began, set()
        return key in _process.written


def _lose(number: int, since: datetime | None = None) -> None:
    with _process.lock:
        _process.lost += number
        _process.lost_since = _process.lost_since or since or clock.wall()


def _record_lost() -> None:
    """Record how many looks were not. If that cannot be written either, the number is kept."""
    with _process.lock:
        number, since = _process.lost, _process.lost_since
        _process.lost, _process.lost_since = 0, None
    if not number or since is None:
        return
    what = f"{number} looks of people were not recorded from {since:%Y-%m-%d %H:%M:%S} UTC on: the database took none"
    try:
        with time_limits.optional() as using, trail.acting(actor.job("reads")):
            trail.record_act(trail.installation(), what, using=using)
    except AnyDatabaseError:
        log.exception("not in the audit trail, because the database did not take it: %s", what)
        _lose(number, since)
