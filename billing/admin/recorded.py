"""What a person looks at in the admin is noted for the audit trail: a row of an Office, or a list of such rows."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from billing.admin.searching import SearchedAdmin
from billing.audit import reads
from billing.models import Office


def office_of(subject: Model | None) -> Office | None:
    """Return the Office that a row is or belongs to."""
    found = subject if isinstance(subject, Office) else getattr(subject, "office", None)
    return found if isinstance(found, Office) else None


def filters_of(shown: Any) -> tuple[str, ...]:
    """Return by what a list was filtered: the names of its filters, and never what was typed."""
    used = [one for one in shown.filter_specs if one.used_parameters]
    known = {name for one in used for name in one.expected_parameters()}
    names = [str(one.title) for one in used]
    names += ["a search"] if shown.query else []
    names += ["another column"] if set(shown.get_filters_params()) - known else []
    return tuple(names)


class RecordedAdmin(SearchedAdmin):
    """It notes each look. ``billing.audit.reads`` says what becomes an entry."""

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        row = super().get_object(request, *args, **kwargs)
        reads.look_at(request, office_of(row))
        return row

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().changelist_view(request, *args, **kwargs)
        shown = getattr(response, "context_data", None) or {}
        if "cl" in shown and self._is_of_offices:
            reads.look_at_list(request, rows=shown["cl"].result_count, filters=filters_of(shown["cl"]))
        return response

    def get_search_results(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Note what another page looks up for a field of a form, too."""
        if self._is_of_offices:
            reads.look_at_list(request, filters=("a search",))
        return super().get_search_results(request, *args, **kwargs)

    @property
    def _is_of_offices(self) -> bool:
        return self.model is Office or any(one.name == "office" for one in self.opts.fields)
