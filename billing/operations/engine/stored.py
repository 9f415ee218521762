"""A request as it is stored with its operation: JSON that outlives upgrades.

It is written with a version and read tolerantly: a field that this version added has its default, one that it dropped
is passed over, and a moment may be an empty text, as it was stored before there was a version. A request of a later
version is not read, as a field that is not known here may change what is done: it waits for a newer process.

Raise ``VERSION`` when a field is added or its meaning changes.
"""

from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar, get_args, get_type_hints

from billing.operations.engine.declaration import Declaration

VERSION = 1

Declared = TypeVar("Declared", bound=Declaration[Any, Any])


class OfALaterVersion(RuntimeError):
    """The request was stored by a newer version of the program."""


def written(request: Declaration[Any, Any]) -> dict[str, Any]:
    """The request as JSON. Moments are ISO 8601 with their zone."""
    kept = [one for one in fields(request) if not one.metadata.get("not_stored")]
    values = {one.name: getattr(request, one.name) for one in kept}
    return {"version": VERSION} | {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }


def read(declared: type[Declared], stored: dict[str, Any]) -> Declared:
    """The request that was stored, by this version or an earlier one.

    Raises: OfALaterVersion.
    """
    if stored.get("version", 0) > VERSION:
        raise OfALaterVersion(f"{declared.kind}: stored as version {stored['version']}, and this one knows {VERSION}")
    hints = get_type_hints(declared)
    given = {one.name: stored[one.name] for one in fields(declared) if one.name in stored}
    return declared(**{name: _moment(value) if _is_moment(hints[name]) else value for name, value in given.items()})


def _is_moment(hint: Any) -> bool:
    return hint is datetime or datetime in get_args(hint)


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
