"""What a bulk act can do. ``billing.bulk`` says how a kind is declared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from billing import errors
from billing.access.roles import Power
from billing.audit.actor import Actor
from billing.models import Office, Operation


@dataclass(frozen=True, slots=True)
class Cannot:
    """Why an Office is left out, in a sentence."""

    why: str


@dataclass(frozen=True, slots=True)
class Work:
    """One Office of a bulk act. ``given`` is for all of them, ``own`` for this one: what ``judge`` returned."""

    office: Office
    by: Actor
    reason: str
    given: Mapping[str, Any]
    own: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an Office. ``data`` is stored with its row."""

    says: str
    data: dict[str, Any] = field(default_factory=dict)


Judge = Callable[[Sequence[Office], Mapping[str, Any]], Mapping[int, dict[str, Any] | Cannot]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkKind:
    """``title`` is on the button and the pages, ``says`` explains it before it begins. ``is_red`` ends or charges.

    ``then`` is done once the row's operation succeeded, also by whoever goes on after a process was killed. Repeating it
    must be safe.
    """

    name: str
    title: str
    says: str
    power: Power
    judge: Judge
    work: Callable[[Work], str | Result]
    then: Callable[[Work, Operation], str | Result] | None = None
    local: bool = False
    is_red: bool = False


KINDS: dict[str, BulkKind] = {}


def register(kind: BulkKind) -> BulkKind:
    KINDS[kind.name] = kind
    return kind


def titled(name: str) -> str:
    """Return the title of a kind. One of another version is shown as it is stored."""
    return KINDS[name].title if name in KINDS else name.replace("_", " ")


def of(name: str) -> BulkKind:
    """Return the kind with this name. Raises: BulkKindUnknown."""
    if name not in KINDS:
        raise errors.BulkKindUnknown
    return KINDS[name]
