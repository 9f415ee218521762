"""Invitations: their list, inviting staff, and what can be done about one that is open."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action, display

from billing import errors
from billing.access import invitations
from billing.admin.acts.pages import ActsAdmin
from billing.admin.acts.people import INVITATION_ACTS, INVITED, InviteStaffForm
from billing.admin.readonly import ReadOnly
from billing.audit import actor
from billing.models import Invitation
from billing.sent_twice import done_once


@admin.register(Invitation)
class InvitationAdmin(ReadOnly, ActsAdmin):
    list_display = ("email", "role", "office", "status", "made_by", "made_at", "accepted_at")
    list_filter = ("role", ("accepted_at", admin.EmptyFieldListFilter), ("withdrawn_at", admin.EmptyFieldListFilter))
    list_select_related = ("office", "made_by")
    search_fields = ("email",)
    fields = ("email", "role", "office", "status", "made_by", "made_at", "accepted_at", "accepted_by", "withdrawn_at")
    actions_list = ("invite",)
    acts = INVITATION_ACTS

    @display(description="Status", label={"accepted": "success", "withdrawn": "danger", "open": "info"})
    def status(self, row: Invitation) -> str:
        if row.accepted_at:
            return "accepted"
        return "withdrawn" if row.withdrawn_at else "open"

    @action(description="Invite staff", url_path="invite/", permissions=["invite"])
    def invite(self, request: HttpRequest) -> HttpResponse:
        """Ask for an address and a role, and invite. The people of an Office are invited on the Office's page."""
        if not self.has_invite_permission(request):
            raise PermissionDenied
        back = reverse("admin:billing_invitation_changelist")
        return done_once(request, back, lambda: self._invited(request, back))

    def _invited(self, request: HttpRequest, back: str) -> HttpResponse:
        form = InviteStaffForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                invited = invitations.invite(**form.cleaned_data, by=actor.person(request.user))
                messages.success(
                    request,
                    "A worker sends the invitation within a minute."
                    if invited
                    else "This person has an account, so they have the role now.",
                )
                return redirect(back)
            except errors.BillingError as error:
                form.add_error(None, str(error))
        context = {
            **self.admin_site.each_context(request),
            "title": "Invite staff",
            "form": form,
            "facts": "For a person of an Office, use the menu Customer on the Office's page.",
            "says": INVITED,
            "button": "Invite",
            "back": back,
            "opts": self.opts,
        }
        return TemplateResponse(request, "billing/admin_operation.html", context)

    def has_invite_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.add_user")
