"""Operations, each with its requests to Stripe."""

from django.contrib import admin
from unfold.decorators import display

from billing.admin.filters.declared import among
from billing.admin.readonly import ReadOnlyAdmin, ReadOnlyInline, masked
from billing.admin.searching import OFFICE
from billing.admin.tones import TONES
from billing.models import ApprovalRequest, Operation, OperationStep
from billing.models.operation import Kind


class StepInline(ReadOnlyInline):
    model = OperationStep
    fields = ("name", "http_status", "asked", "first_asked_at", "answered_at", "error_code", "what")
    readonly_fields = fields
    tab = False

    @display(description="Object")
    def what(self, row: OperationStep) -> str:
        return masked(row.object_id)


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "what", "office", "state", "who", "reason")
    shows_minutes = True
    list_filter = ("status", ("kind", among(dict(Kind.choices))))
    sortable_by = ("created_at",)
    list_select_related = ("office",)
    search_fields = (*OFFICE, "actor_label", "reason")
    fields = (
        "public_id office what status actor_label actor_kind asked_for_by reason attempts created_at settled_at "
        "error_code error_message"
    ).split()
    inlines = (StepInline,)

    @display(description="What")
    def what(self, row: Operation) -> str:
        return row.in_words

    @display(description="Who")
    def who(self, row: Operation) -> str:
        return row.actor_label

    @display(description="Asked for by")
    def asked_for_by(self, row: Operation) -> str:
        """The person whose request the actor approved, or the actor."""
        request = ApprovalRequest.objects.filter(operation=row).select_related("requested_by").first()
        return str(request.requested_by) if request else row.actor_label

    @display(description="Status", label=TONES, ordering="status")
    def state(self, row: Operation) -> str:
        return row.status
