"""Lists for people who see masked texts: what is masked cannot be searched, filtered or sorted by, letter by letter."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from billing.access.masking import is_masked_for
from billing.admin.searching import NAME, OFFICE
from billing.audit import reads
from billing.models import Office

OPEN = (*NAME, *OFFICE, "number", "invoice__number", "code")
"""The fields of searches that hold nothing that is masked."""
MASKED = (
    *("email", "user", "actor_label", "asked_by", "reason", "detail", "last_error"),
    *("prepared_by", "approved_by", "requested_by", "decided_by", "person", "given_by"),
)
"""The columns of lists that may."""
WHOLE = {"exact", "id", "isempty", "isnull"}
"""How a filter compares a whole value."""


def office_of(subject: Model | None) -> Office | None:
    """Return the Office that a row is or belongs to."""
    found = subject if isinstance(subject, Office) else getattr(subject, "office", None)
    return found if isinstance(found, Office) else None


def _filters(shown: Any) -> tuple[str, ...]:
    """Return by what a list was filtered: the names of its filters, and never what was typed."""
    used = [one for one in shown.filter_specs if one.used_parameters]
    known = {name for one in used for name in one.expected_parameters()}
    names = [str(one.title) for one in used]
    names += ["a search"] if shown.query else []
    names += ["another column"] if set(shown.get_filters_params()) - known else []
    return tuple(names)


class MaskedAdmin(ModelAdmin):
    """It also notes for the audit trail what a person looks at: ``billing.audit.reads``."""

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        row = super().get_object(request, *args, **kwargs)
        reads.look_at(request, office_of(row))
        return row

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().changelist_view(request, *args, **kwargs)
        shown = getattr(response, "context_data", None) or {}
        if "cl" in shown and self._is_of_offices:
            reads.look_at_list(request, rows=shown["cl"].result_count, filters=_filters(shown["cl"]))
        return response

    def get_search_results(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Note what another page looks up for a field of a form, too."""
        if self._is_of_offices:
            reads.look_at_list(request, filters=("a search",))
        return super().get_search_results(request, *args, **kwargs)

    @property
    def _is_of_offices(self) -> bool:
        return self.model is Office or any(one.name == "office" for one in self.opts.fields)

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
        """Allow only the filters that the list offers. Django also allows every other column of the row."""
        if is_masked_for(request.user):
            offered = {one if isinstance(one, str) else one[0] for one in self.get_list_filter(request)}
            name, *how = lookup.split("__")
            return name in offered and set(how) <= WHOLE
        return super().lookup_allowed(lookup, value, request)
