"""The audit trail: who did what, when and why, and exporting it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from billing import errors
from billing.access import roles
from billing.access.roles import Power
from billing.admin.agreement_forms import DateInput
from billing.admin.filters.trail import ByOffice, ByPerson, ByRequest, Since, Until, Unusual
from billing.admin.forms import ReasonForm
from billing.admin.readonly import ReadOnlyAdmin, masked
from billing.admin.tones import TONES
from billing.audit import actor, trail
from billing.audit.export import HEADERS, Export, Which
from billing.chosen_rows import ChosenRow
from billing.models import AuditEntry, Office, User


class ExportForm(ReasonForm):
    office = ChosenRow(
        Office.objects.order_by("name", "pk"), required=False, empty_label="All", widget=UnfoldAdminSelectWidget
    )
    first_day = forms.DateField(required=False, help_text="In UTC.", widget=DateInput)
    last_day = forms.DateField(required=False, help_text="In UTC. This day is included.", widget=DateInput)

    def clean_reason(self) -> str:
        try:
            return trail.checked_reason(self.cleaned_data["reason"])
        except errors.BillingError as error:
            raise forms.ValidationError(str(error)) from None

    def which(self) -> Which:
        given = self.cleaned_data
        until = given["last_day"] + timedelta(days=1) if given["last_day"] else None
        return Which(given["office"], _midnight(given["first_day"]), _midnight(until))


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("timestamp", "sort", "office", "who", "summary", "reason")
    shows_minutes = True
    list_filter = (Since, Until, ByPerson, ByOffice, ByRequest, ("kind", ChoicesDropdownFilter), Unusual)
    list_filter_submit = True
    show_facets = admin.ShowFacets.NEVER  # they count all entries
    list_select_related = ()  # see get_queryset
    sortable_by = ("timestamp",)
    fields = (
        "timestamp billing_at kind actor_label actor_kind reason office object_repr what changes_shown request_id "
        "remote_addr"
    ).split()
    actions_list = ("export",)

    @action(description="Export", url_path="export/", permissions=["export"])
    def export(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """Ask which entries and why, and send them with their proof. The trail has it before anything is sent."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        form = ExportForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            made = Export(form.which(), by=actor.person(request.user), reason=form.cleaned_data["reason"])
            return StreamingHttpResponse(made.lines(), headers=HEADERS)
        context = {
            **self.admin_site.each_context(request),
            "title": "Export the audit trail",
            "form": form,
            "facts": "All of the trail, or that of one Office.",
            "says": "Lines of JSON: each entry with the proof that it was not changed since it was sealed. The audit "
            "trail records the export.",
            "button": "Export",
            "back": reverse("admin:billing_auditentry_changelist"),
            "opts": self.opts,
        }
        return TemplateResponse(request, "billing/admin_operation.html", context)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return roles.has(cast(User, request.user), Power.EXPORTS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Return the entries, with what is shown beside them in queries of their own: a join loses the index."""
        entries: QuerySet[AuditEntry] = super().get_queryset(request)
        return entries.prefetch_related("office")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Name the kinds of rows without a query: each process knows them."""
        shown = super().get_changelist_instance(request)
        for entry in shown.result_list:
            entry.content_type = ContentType.objects.get_for_id(entry.content_type_id)
        return shown

    @display(description="Kind", label=TONES, ordering="kind")
    def sort(self, row: AuditEntry) -> str:
        return row.kind

    @display(description="Who")
    def who(self, row: AuditEntry) -> str:
        return row.actor_label

    @display(description="What")
    def summary(self, row: AuditEntry) -> str:
        return row.in_words

    @display(description="Changes")
    def changes_shown(self, row: AuditEntry) -> str:
        return changes_in_words(row) or "–"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.has(cast(User, request.user), Power.AUDIT)


def changes_in_words(entry: AuditEntry) -> str:
    """Return a line for each column that changed, with its value before and after, and for what was asked for."""
    shown = []
    asked_for = (entry.additional_data or {}).get("asked_for", {})
    for name, change in [*sorted((entry.changes or {}).items()), *sorted(asked_for.items())]:
        values = change if isinstance(change, list) else [change]
        if name.endswith("_id"):
            values = [masked(value) if value not in ("None", None) else "None" for value in values]
        shown.append(f"{name}: {' → '.join(str(value) for value in values)}")
    return errors.without_stripe_ids("\n".join(shown))


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None
