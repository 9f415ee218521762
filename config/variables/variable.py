"""One row of the table of variables, and what the environment says for the rows."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from config.environment import Problems
from config.variables.kinds import Kind, Wrong

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Derived:
    """A default that depends on other variables. ``says`` what it is."""

    says: str
    of: Callable[["Values"], str]


@dataclass(frozen=True, eq=False)
class Variable(Generic[T_co]):
    """A row. The default is a text like those in .env. ``is_needed``: nobody starts production without a value.

    ``example`` is what .env.example shows where there is no default. ``has_none``: an empty value could mean nothing at
    all as well as the default, so it is refused, and the word none says the first.
    """

    name: str
    kind: Kind[T_co]
    help: str
    default: str | Derived = ""
    example: str = ""
    is_needed: bool = False
    has_none: bool = False


class Values:
    """The values of the variables in an environment. What is wrong goes to the problems, and the default is taken."""

    def __init__(self, environment: Mapping[str, str], problems: Problems) -> None:
        self._environment, self._problems = environment, problems
        self._known: dict[str, Any] = {}

    def __getitem__(self, variable: Variable[T]) -> T:
        if variable.name not in self._known:
            self._known[variable.name] = self._read(variable)
        found: T = self._known[variable.name]
        return found

    def secrets(self, variables: Iterable[Variable[Any]]) -> tuple[str, ...]:
        """Return every value that is a secret, each one of a list by itself. The log leaves them out."""
        found = [self[variable] for variable in variables if variable.kind.is_secret]
        return tuple(one for value in found for one in (value if isinstance(value, list) else [value]) if one)

    def _read(self, variable: Variable[T]) -> T:
        given = self._environment.get(variable.name)
        try:
            if text := _given(variable, given):
                return variable.kind.read(text)
        except Wrong as wrong:
            self._problems.refuse(variable.name, str(wrong))
        default = variable.default
        return variable.kind.read(default.of(self) if isinstance(default, Derived) else default)


def _given(variable: Variable[Any], value: str | None) -> str:
    """Return what was written, without blanks around it. Raises: Wrong: no kind of variable takes this."""
    text = (value or "").strip()
    if not text and value is not None and variable.has_none:
        raise Wrong(f"is empty. Write none, or remove it. It must be {variable.kind.says}")
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise Wrong("has a control character in it, such as the end of a line. Remove it")
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        raise Wrong("has quotes around it, and they would be part of the value. Remove them")
    if re.search(r"(^|\s)#(\s|$)" if variable.kind.is_free else r"(^|\s)#", text):
        raise Wrong("has a comment behind its value. Put comments on lines of their own")
    return text
