"""The e-mails of the outbox, and sending one again."""

from django.contrib import admin
from unfold.decorators import display

from billing.admin.acts.pages import ActsAdmin
from billing.admin.acts.people import MAIL_ACTS
from billing.admin.filters.declared import among
from billing.admin.readonly import ReadOnly
from billing.models import Notification


@admin.register(Notification)
class NotificationAdmin(ReadOnly, ActsAdmin):
    list_display = ("created_at", "what", "to", "status", "attempts", "sent_at", "last_error")
    shows_minutes = True
    list_filter = ("state", ("kind", among(Notification.Kind)))
    list_select_related = ("user",)
    sortable_by = ("created_at",)
    fields = ("what", "to", "office", "status", "created_at", "due_at", "attempts", "sent_at", "last_error")
    acts = MAIL_ACTS

    @display(description="E-mail", ordering="kind")
    def what(self, row: Notification) -> str:
        return str(row)

    @display(description="To")
    def to(self, row: Notification) -> str:
        return row.address

    @display(
        description="Status",
        ordering="state",
        label={"sent": "success", "unknown": "warning", "parked": "danger", "waiting": "info", "sending": "info"},
    )
    def status(self, row: Notification) -> tuple[str, str]:
        return row.state, row.get_state_display().lower()
