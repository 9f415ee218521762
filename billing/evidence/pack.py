"""The pack of evidence for a reviewer: a zip with each part as JSON and as CSV, the controls, and what is what.

It names people and what they may do, so it is for the reviewer alone. It has no key, no secret and nothing typed by
people but names, reasons and what a finding says.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import IO, Any

import django

from billing import clock, spreadsheets
from billing.audit import search, trail
from billing.audit.actor import Actor
from billing.evidence import access_review, controls, packages, state

EMPTY = "Nothing."


@dataclass(frozen=True, slots=True)
class Part:
    """``what`` is its line in the table of contents."""

    name: str
    what: str
    rows: Callable[[datetime, datetime], Iterable[dict[str, Any]]]


PARTS = (
    Part("controls", "each control of the Security Rule", lambda *_: (one.row for one in controls.CONTROLS)),
    Part("roles", "what each role allows", lambda *_: access_review.roles()),
    Part("people", "each account, its roles, its last sign-in", lambda *_: access_review.people()),
    Part("access", "who can do what on what, and why", lambda *_: access_review.access()),
    Part("services", "programs: what they may read, and their last use", lambda *_: access_review.services()),
    Part("access_changes", "what changed who may do what, in the period", access_review.changes),
    Part("trail_verification", "verifying the audit trail", lambda *_: state.verification()),
    Part("seal_keys", "the public keys of the trail's seals", lambda *_: state.seal_keys()),
    Part("trail_head", "the newest signed head of the trail: keep it", lambda *_: state.last_head()),
    Part("determinations", "determinations about suppliers, with their status", lambda *_: state.determinations()),
    Part("open_findings", "what a person has to look at still", lambda *_: state.open_findings()),
    Part("retention", "how long things are kept", lambda *_: state.retention()),
    Part("restore_drills", "backups and restores", lambda *_: state.restore_drills()),
    Part("packages", "the libraries, with version and licence", lambda *_: packages.installed()),
)


def write(file: Callable[[], IO[bytes]], *, since: datetime, until: datetime, by: Actor, reason: str) -> None:
    """Write the pack as a zip into what ``file`` opens. The period is of the changes of access.

    That somebody exports it is on record first: without that entry no file is opened.
    Raises: ReasonRequired, TextNotNeutral.
    """
    period = f"{since:%Y-%m-%d} to {until:%Y-%m-%d} UTC"
    with trail.acting(by, reason=trail.checked_reason(reason)):
        what = f"exported a pack of evidence, changes of access from {period}"
        entry = trail.record_act(trail.installation(), what, data={"code": search.EXPORTED})
    digests = {}
    with file() as target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in PARTS:
            rows = list(part.rows(since, until))
            for name, text in ((f"{part.name}.json", _as_json(rows)), (f"{part.name}.csv", _as_csv(rows))):
                archive.writestr(name, text)
                digests[name] = hashlib.sha256(text.encode()).hexdigest()
        archive.writestr("SHA256SUMS", "".join(f"{digest}  {name}\n" for name, digest in digests.items()))
        archive.writestr("README.txt", _contents(period, entry=entry.pk, reason=reason))


def _contents(period: str, *, entry: int, reason: str) -> str:
    lines = [
        "Evidence of Office Billing",
        "",
        f"Made on {clock.wall():%Y-%m-%d %H:%M} UTC. Reason: {reason}",
        f"Office Billing {_own_version()}, Django {django.get_version()}.",
        f"Entry {entry} of the audit trail says that it was made. Changes of access are from {period}.",
        "It names people: give it to the reviewer alone.",
        "",
        "Each part is there twice: .json for programs, .csv for people. Times are in UTC. In the tables, a text that",
        "could be a formula begins with '. `sha256sum -c SHA256SUMS` shows whether a part was changed since.",
        "",
        *(f"  {part.name:<20} {part.what}" for part in PARTS),
        "",
        "To verify the trail yourself, ask for `manage.py export_audit`: its verifier needs no access to this system.",
    ]
    return "\n".join(lines) + "\n"


def _own_version() -> str:
    try:
        return version("office-billing")
    except ModuleNotFoundError:
        return "from its sources"


def _as_json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows, indent=1, default=_in_words, ensure_ascii=False) + "\n"


def _as_csv(rows: list[dict[str, Any]]) -> str:
    return spreadsheets.as_csv(list(rows[0]), rows) if rows else f"{EMPTY}\n"


def _in_words(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
