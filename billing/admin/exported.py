"""Lists that can be exported: what the list shows with its filters and its search, as CSV or XLSX."""

from typing import Any, cast

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import DataError
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from billing import errors
from billing.access import roles
from billing.access.roles import Power
from billing.admin.forms import ReasonForm
from billing.admin.recorded import filters_of
from billing.audit import actor, reads
from billing.durations import many
from billing.models import User
from billing.reports import tables
from billing.reports.exports import ListFile, export
from billing.reports.lists import LISTS

FORMS = ((tables.CSV, "CSV: any number of rows"), (tables.XLSX, "XLSX: for Excel and other spreadsheet programs"))
SAYS = (
    "The file has the rows that the list shows with these filters, in columns that docs/exports.md names. Times are in "
    "UTC. Each amount is a decimal number, with its currency beside it. The audit trail records who exported what, and "
    "why. Keep the file only as long as you need it: it leaves this software and its protection."
)


class ExportListForm(ReasonForm):
    form = forms.ChoiceField(choices=FORMS, label="File", widget=UnfoldAdminSelectWidget)

    field_order = ("form", "reason")


class Exported:
    """The admin of a list with a button that exports it. It stands before the other bases."""

    actions_list: Any = ("export",)

    @action(description="Export", url_path="export/", permissions=["export"])
    def export(self: Any, request: HttpRequest) -> HttpResponseBase:
        """Ask for what file and why, and send it. The trail has it before anything is sent."""
        if not self.has_export_permission(request) or not self.has_view_permission(request):
            raise PermissionDenied
        shown = self._list_for_export(request)
        which, filters = shown.get_queryset(request), filters_of(shown)
        form = ExportListForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            asked = {"form": form.cleaned_data["form"], "reason": form.cleaned_data["reason"], "filters": filters}
            try:
                return _sent(export(LISTS[self.model](), which, by=actor.person(request.user), **asked))
            except errors.BillingError as error:
                form.add_error(None, str(error))
        rows = which.order_by().count()
        reads.look_at_list(request, rows=rows, filters=filters)
        return TemplateResponse(
            request,
            "billing/admin_operation.html",
            {
                **self.admin_site.each_context(request),
                "title": f"Export: {LISTS[self.model].title}",
                "form": form,
                "facts": f"{many(rows, 'row')}: {_chosen(filters)}.",
                "says": SAYS,
                "button": "Export",
                "back": self._list_address(request),
                "opts": self.opts,
            },
        )

    def has_export_permission(self, request: HttpRequest) -> bool:
        return roles.has(cast(User, request.user), Power.LISTS)

    def changelist_view(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Let the button lead to the same rows: with the filters and the search of the list."""
        response = super().changelist_view(request, *args, **kwargs)  # type: ignore[misc]
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export")
        for one in (getattr(response, "context_data", None) or {}).get("actions_list", ()):
            if one.get("path") == page and request.GET:
                one["path"] = f"{page}?{request.GET.urlencode()}"
        return cast(HttpResponse, response)

    def _list_for_export(self: Any, request: HttpRequest) -> Any:
        """Return the list as it is shown. Raises: BadRequest: no list can be asked for this."""
        try:
            return self.get_changelist_instance(request)
        except (IncorrectLookupParameters, OverflowError, ValueError, DataError) as error:
            raise BadRequest("No row can have this value.") from error

    def _list_address(self: Any, request: HttpRequest) -> str:
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return f"{page}?{request.GET.urlencode()}" if request.GET else page


def _chosen(filters: tuple[str, ...]) -> str:
    return f"what the list shows with these filters: {', '.join(filters)}" if filters else "the whole list"


def _sent(file: ListFile) -> StreamingHttpResponse:
    if hasattr(file.parts, "read"):
        return FileResponse(file.parts, as_attachment=True, filename=file.name, content_type=file.content_type)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return StreamingHttpResponse(file.parts, content_type=file.content_type, headers=headers)
