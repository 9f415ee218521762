"""Which queries a list of the admin takes."""

from django.http import HttpRequest
from unfold.admin import ModelAdmin

MOST_DIGITS = 18
"""A number of more digits may not fit into the 64 bits of a column, and a database would fail at it."""


def fits(value: str) -> bool:
    """Return whether each number in the value of a lookup fits into a column."""
    return not any(part.isdigit() and len(part) > MOST_DIGITS for part in str(value).replace(",", " ").split())


class BoundedLookups(ModelAdmin):
    """An admin whose lists refuse (400) to look for numbers that no row can have."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return fits(value) and super().lookup_allowed(lookup, value, request)
