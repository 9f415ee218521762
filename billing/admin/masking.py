"""Lists for people who see masked texts: what is masked cannot be searched, filtered or sorted by, letter by letter."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest

from billing.access.masking import is_masked_for
from billing.admin.paging import PagedAdmin
from billing.admin.recorded import RecordedAdmin
from billing.admin.searching import NAME, OFFICE

OPEN = (*NAME, *OFFICE, "number", "invoice__number", "code")
"""The fields of searches that hold nothing that is masked."""
MASKED = (
    *("email", "user", "actor", "actor_label", "asked_by", "reason", "detail", "last_error"),
    *("prepared_by", "approved_by", "requested_by", "decided_by", "person", "given_by"),
)
"""The columns of lists that may."""
WHOLE = {"exact", "id", "isempty", "isnull"}
"""How a filter compares a whole value."""


class MaskedAdmin(PagedAdmin, RecordedAdmin):
    """The admin of rows whose texts may be masked. Who looks at them is on record."""

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        fields = super().get_search_fields(request)
        return [name for name in fields if name in OPEN] if is_masked_for(request.user) else fields

    def get_sortable_by(self, request: HttpRequest) -> Any:
        columns = super().get_sortable_by(request)
        return [name for name in columns if name not in MASKED] if is_masked_for(request.user) else columns

    def get_ordering(self, request: HttpRequest) -> Any:
        ordering = super().get_ordering(request)
        if not is_masked_for(request.user):
            return ordering
        return [name for name in ordering if not isinstance(name, str) or name.lstrip("-") not in MASKED] or ["pk"]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow only the filters that the list offers, and the rows of one Office, to which its page has links.

        Django also allows every other column of the row.
        """
        if is_masked_for(request.user):
            offered = {_offered(one) for one in self.get_list_filter(request)}
            name, *how = lookup.split("__")
            return name in offered | {"office"} and set(how) <= WHOLE
        return super().lookup_allowed(lookup, value, request)


def _offered(one: Any) -> str:
    """Return by what a filter of a list is named in an address."""
    if isinstance(one, str):
        return one
    return str(one[0] if isinstance(one, tuple) else one.parameter_name.partition("__")[0])
