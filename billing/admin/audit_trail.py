"""The audit trail: who did what, when and why."""

from typing import Any, cast

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from billing import errors
from billing.access import roles
from billing.access.roles import Power
from billing.admin.readonly import ReadOnlyAdmin, masked
from billing.admin.tones import TONES
from billing.models import AuditEntry, User


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("timestamp", "sort", "office", "actor_label", "reason", "summary")
    list_filter = ("kind", "actor_kind", "content_type")
    list_select_related = ("office", "content_type")
    search_fields = ("actor_label", "request_id")
    fields = (
        "timestamp billing_at kind actor_label actor_kind reason office object_repr what changes_shown request_id"
    ).split()

    @display(description="Kind", label=TONES, ordering="kind")
    def sort(self, row: AuditEntry) -> str:
        return row.kind

    @display(description="What")
    def summary(self, row: AuditEntry) -> str:
        return row.in_words

    @display(description="Changes")
    def changes_shown(self, row: AuditEntry) -> str:
        shown = []
        for name, change in sorted((row.changes or {}).items()):
            values = change if isinstance(change, list) else [change]
            if name.endswith("_id"):
                values = [masked(value) if value not in ("None", None) else "None" for value in values]
            shown.append(f"{name}: {' → '.join(str(value) for value in values)}")
        return errors.without_stripe_ids("\n".join(shown)) or "–"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.has(cast(User, request.user), Power.AUDIT)
