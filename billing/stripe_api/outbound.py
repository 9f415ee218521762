"""Hold each request against the list of what may be sent to Stripe: ``outbound_list``.

A field that is not in the list is never sent, whatever the caller passed, and neither is a value of another type.

``text`` has one line for each method, path, field and type, and its SHA-256 is the fingerprint that a determination
names (``reviewed``).
"""

import fnmatch
import functools
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from billing import errors
from billing.stripe_api.outbound_list import ALLOWED, PATH_IDS, Types
from billing.stripe_api.value_types import Type

NAME = re.compile(r"[a-z][a-z_]{0,39}")
ODD_NAME = "(another name)"
"""Stands for the name of a field that may be a text which somebody typed, so that no error repeats it."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One line of the list. ``field`` and ``type`` are empty for the path itself."""

    method: str
    path: str
    field: str = ""
    type: str = ""
    tells: bool = False

    @property
    def line(self) -> str:
        return f"{self.method.upper()}\t{self.path}\t{self.field}\t{self.type}"

    @property
    def in_words(self) -> str:
        return f"{self.method.upper()} {self.path} {self.field}".strip() + (f" ({self.type})" if self.type else "")

    @property
    def needs_review(self) -> bool:
        """A request that only reads, and has only ids, words and numbers, tells Stripe nothing about anybody."""
        return self.method != "get" or self.tells


def checked(method: str, path: str, params: dict[str, Any]) -> set[Entry]:
    """Return the entries of the list that this request needs. ``method`` is in lower case.

    Raises:
        FieldNotAllowed: the path or a field is not on the list.
        ValueNotAllowed: a value is not of the type that its field has. Neither error says any value.
    """
    pattern = _pattern(method, path)
    fields = ALLOWED[method][pattern]
    used, strange, wrong = _used_by_path(method, pattern, path), [], []
    for name, value in _leaves(params):
        types = fields.get(name)
        if types is None:
            strange.append(name)
            continue
        fitting = next((one for one in types if one.fits(value)), None)
        if fitting:
            used.add(_entry(method, pattern, name, fitting))
        else:
            wrong.append(f"{name} must be {' or '.join(one.name for one in types)}")
    if strange:
        raise errors.FieldNotAllowed(pattern, sorted(set(strange)))
    if wrong:
        raise errors.ValueNotAllowed(pattern, sorted(set(wrong)))
    return used


@functools.cache
def entries() -> frozenset[Entry]:
    """Return the whole list."""
    found: set[Entry] = set()
    for method, paths in ALLOWED.items():
        for pattern, fields in paths.items():
            found |= {_of_path(method, pattern, one) for one in _id_types(pattern) or [None]}
            found |= {_entry(method, pattern, name, one) for name, types in fields.items() for one in types}
    return frozenset(found)


@functools.cache
def text() -> str:
    """Return the list as counsel reads it: one line for each entry, sorted."""
    return "".join(f"{line}\n" for line in sorted(entry.line for entry in entries()))


def fingerprint_of(listed: str) -> str:
    """Return the SHA-256 of a list, as sha256sum prints it for a file with this text."""
    return hashlib.sha256(listed.encode()).hexdigest()


def matches(path: str, pattern: str) -> bool:
    """Return whether the path fits the pattern. ``*`` in the pattern stands for one part of the path."""
    return pattern.count("/") == path.count("/") and fnmatch.fnmatchcase(path, pattern)


def endpoint_of(method: str, path: str) -> str:
    """Return the named operation that this request is, such as "get /v1/customers/*". Raises: FieldNotAllowed."""
    return f"{method} {_pattern(method, path)}"


def _pattern(method: str, path: str) -> str:
    """Return the path of the list that this one is. Raises: FieldNotAllowed: there is none."""
    paths = ALLOWED.get(method, {})
    if path in paths and "*" not in path:
        return path
    found = next((one for one in paths if "*" in one and matches(path, one)), None)
    if found is None:
        raise errors.FieldNotAllowed(_without_values(path), ["this address"])
    return found


def _used_by_path(method: str, pattern: str, path: str) -> set[Entry]:
    types, parts = _id_types(pattern), path.split("/")
    if not types:
        return {_of_path(method, pattern, None)}
    value = parts[pattern.split("/").index("*")]
    fitting = next((one for one in types if one.fits(value)), None)
    if fitting is None:
        must = " or ".join(one.name for one in types)
        raise errors.ValueNotAllowed(pattern, [f"* must be {must}"])
    return {_of_path(method, pattern, fitting)}


def _id_types(pattern: str) -> Types:
    parts = pattern.split("/")
    return PATH_IDS[parts[parts.index("*") - 1]] if "*" in parts else ()


def _of_path(method: str, pattern: str, kind: Type | None) -> Entry:
    return _entry(method, pattern, "*", kind) if kind else Entry(method, pattern)


def _entry(method: str, pattern: str, name: str, kind: Type) -> Entry:
    return Entry(method, pattern, name, kind.name, kind.tells)


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the name and value of each field, also of those inside others. What is empty is a value itself."""
    if isinstance(value, dict) and (value or not name):
        for key, inner in value.items():
            plain = key if NAME.fullmatch(str(key)) else ODD_NAME  # ``metadata[x]`` as one key is another field
            yield from _leaves(inner, f"{name}.{plain}" if name else plain)
    elif isinstance(value, list | tuple) and value:
        for inner in value:
            yield from _leaves(inner, f"{name}[]")
    else:
        yield name, value


def _without_values(path: str) -> str:
    known = {part for paths in ALLOWED.values() for one in paths for part in one.split("/")}
    return "/".join(part if part in known else "*" for part in path.split("/"))
