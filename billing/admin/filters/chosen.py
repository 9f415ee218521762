"""Filters with a value that is chosen elsewhere, such as by a number of the overview that opens its list.

Each is shown beside the list only while it is in use.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

Narrowed = QuerySet[Any]


class Chosen(SimpleListFilter):
    """A filter with a value from elsewhere. A value that it does not know is left out, and shows all."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.given, self._words)] if self._words else []

    def queryset(self, request: HttpRequest, queryset: Narrowed) -> Narrowed:
        return self.narrow(queryset, self.given) if self._words else queryset

    @cached_property
    def _words(self) -> str:
        return self.says(self.given) if self.given else ""

    @property
    def given(self) -> str:
        found = self.used_parameters.get(str(self.parameter_name), "")
        return str(found[-1] if isinstance(found, list) and found else found or "")

    def says(self, value: str) -> str:
        """Return in words what it narrows the list to. "" for a value that it does not know."""
        raise NotImplementedError

    def narrow(self, rows: Narrowed, value: str) -> Narrowed:
        raise NotImplementedError


class Named(Chosen):
    """One of some conditions with names."""

    choices_here: dict[str, tuple[str, Callable[[Narrowed], Narrowed]]]

    def says(self, value: str) -> str:
        return self.choices_here[value][0] if value in self.choices_here else ""

    def narrow(self, rows: Narrowed, value: str) -> Narrowed:
        return self.choices_here[value][1](rows)


def is_currency(value: str) -> bool:
    return len(value) == 3 and value.isascii() and value.isalpha() and value.islower()
