"""A request as it is stored with its operation: JSON that outlives upgrades.

It is written with a version and read tolerantly: a field that this version added has its default, one that it dropped
is passed over, and a moment may be an empty text, as it was stored before there was a version. A request of a later
version is not read, as a field that is not known here may change what is done: it waits for a newer process.

Raise ``VERSION`` when a field is added or its meaning changes.
"""

import re
from dataclasses import Field, fields
from datetime import datetime
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from billing import errors
from billing.operations.engine.declaration import Declaration, Terms

VERSION = 1
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

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


def parameters(request: Declaration[Any, Any]) -> dict[str, Any]:
    """What of the request the audit trail keeps: numbers, moments, choices and ids. No text that somebody wrote.

    A field of a kind that is not known here is text.
    """
    values, hints = written(request), get_type_hints(type(request))
    kept = [one for one in fields(request) if one.name in values]
    return {one.name: values[one.name] for one in kept if _is_no_text(one, hints[one.name], values[one.name])}


def _is_no_text(field: Field[Any], hint: Any, value: Any) -> bool:
    terms: Terms | None = field.metadata.get("terms")
    choices = [one if isinstance(one, str) else one[0] for one in terms.choices] if terms else []
    if value is None or isinstance(value, int) or value in choices or _is_moment(hint):
        return True
    if get_origin(hint) is Literal or any(get_origin(one) is Literal for one in get_args(hint)):
        return True
    is_own = field.metadata.get("filled_in", False)
    return isinstance(value, str) and bool(UUID.fullmatch(value) or (is_own and errors.STRIPE_ID.fullmatch(value)))


def without_text(declared: type[Declaration[Any, Any]] | None, stored: dict[str, Any]) -> dict[str, Any]:
    """The stored request without text that somebody typed, with the same keys, so that ``read`` still reads it.

    A text that the program filled in stays, such as an id or a currency. What the class does not have is typed text,
    and so is all without a class.
    """
    known = {one.name: one for one in fields(declared)} if declared else {}
    hints = get_type_hints(declared) if declared else {}

    def stays(name: str, value: Any) -> bool:
        one = known.get(name)
        is_own = one and one.metadata.get("filled_in") and isinstance(value, str)
        return bool(one and (is_own or _is_no_text(one, hints[name], value)))

    return {name: value if stays(name, value) else blanked(value) for name, value in stored.items()}


def blanked(value: Any) -> Any:
    """JSON with each text in it emptied, but for UUIDs."""
    if isinstance(value, dict):
        return {name: blanked(one) for name, one in value.items()}
    if isinstance(value, list):
        return [blanked(one) for one in value]
    return "" if isinstance(value, str) and not UUID.fullmatch(value) else value


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
