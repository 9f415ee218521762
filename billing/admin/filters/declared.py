"""Filters of lists that ask the database for nothing: their choices are declared, not read from all rows."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from django.contrib import admin
from unfold.contrib.filters.admin import TextFilter

from billing.admin.tones import in_words


class Among(admin.ChoicesFieldListFilter):
    """A column without ``choices`` of its own. A value that is not declared is shown, and can be in an address."""

    declared: Mapping[str, str] = {}

    def choices(self, changelist: Any) -> Iterator[Any]:
        chosen: Any = self.lookup_val or []
        every = changelist.get_query_string(remove=[self.lookup_kwarg])
        yield {"selected": not chosen, "query_string": every, "display": "All"}
        for value, title in self.declared.items():
            query = changelist.get_query_string({self.lookup_kwarg: value})
            yield {"selected": value in chosen, "query_string": query, "display": title}


def among(values: Mapping[str, str] | type[Enum]) -> type[Among]:
    """Return a filter for these values, with what they are called. Those of an enumeration are called as they are."""
    named = values if isinstance(values, Mapping) else {one.value: in_words(one.value) for one in values}
    return type("Among", (Among,), {"declared": dict(named)})


class OfType(TextFilter):
    title, parameter_name = "type, such as invoice.paid", "type__exact"

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(type=self.value().strip()) if self.value() else queryset
