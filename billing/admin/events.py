"""Events from Stripe: the inbox, and putting parked events back."""

from typing import cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action, display

from billing.access import roles
from billing.access.roles import Power
from billing.admin.filters.declared import OfType
from billing.admin.readonly import ReadOnlyAdmin, masked
from billing.admin.tones import TONES
from billing.audit import trail
from billing.models import ReceivedEvent, StripeAccount, User
from billing.webhooks import inbox


@admin.register(ReceivedEvent)
class ReceivedEventAdmin(ReadOnlyAdmin):
    list_display = ("received_at", "type", "state", "attempts", "customer", "last_error")
    shows_minutes = True
    list_filter = ("status", OfType)
    sortable_by = ("received_at",)
    actions = ("replay",)
    actions_list = ("replay_all",)
    fields = (
        "type",
        "status",
        "customer",
        "created_at",
        "received_at",
        "attempts",
        "last_error",
        "settled_at",
    )

    @display(description="Status", label=TONES, ordering="status")
    def state(self, row: ReceivedEvent) -> str:
        return row.status

    @display(description="Customer")
    def customer(self, row: ReceivedEvent) -> str:
        return masked(row.customer_id)

    @action(description="Put parked events back", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[ReceivedEvent]) -> None:
        for event in queryset.filter(status=ReceivedEvent.Status.PARKED):
            if inbox.replay(ReceivedEvent.objects.filter(pk=event.pk)):
                trail.record_act(event, f"put back into the inbox: {event.type}")

    @action(description="Put all parked events back", url_path="replay-all/", permissions=["replay"])
    def replay_all(self, request: HttpRequest) -> HttpResponse:
        """Ask for confirmation, then put back every parked event. The audit trail records it."""
        if not self.has_replay_permission(request):
            raise PermissionDenied
        parked = ReceivedEvent.objects.filter(status=ReceivedEvent.Status.PARKED)
        back = reverse("admin:billing_receivedevent_changelist")
        if request.method == "POST":
            again = inbox.replay(parked)
            trail.record_act(StripeAccount.objects.get(), f"put all parked events back into the inbox: {again}")
            messages.success(request, f"Events that will be read again: {again}.")
            return redirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": "Put all parked events back",
            "says": f"{parked.count()} parked events go back into the inbox. For each event, a worker fetches the "
            "present state from Stripe. Nothing is changed at Stripe.",
            "button": "Put them back",
            "back": back,
            "opts": self.opts,
        }
        return TemplateResponse(request, "billing/admin_confirm.html", context)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return roles.has(cast(User, request.user), Power.OPERATE)
