"""Users and memberships: who may sign in, and who belongs to which Office."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.decorators import action, display

from billing.access import grants
from billing.admin.acts.access import ACCESS_ACTS, signed_in_now
from billing.admin.acts.pages import ActsAdmin
from billing.admin.acts.people import USER_ACTS
from billing.admin.searching import NAME, OFFICE
from billing.admin.stamps import StampedAdmin, StampedForm
from billing.audit import actor, trail
from billing.models import Membership, User


@admin.register(User)
class UserAdmin(StampedAdmin, ActsAdmin):
    """A user is made by accepting an invitation. Nobody types another person's password."""

    form = StampedForm
    ordering = ("email",)
    list_display = ("email", "name", "is_staff", "is_active")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("email", *NAME)
    filter_horizontal = ("groups",)
    readonly_fields = ("last_login", "created_at", "signed_in_now")
    fieldsets = (
        (None, {"fields": ("email", "name")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "groups")}),
        ("Dates", {"fields": ("last_login", "created_at")}),
    )
    actions_list = ("invite",)
    acts = (*USER_ACTS, *ACCESS_ACTS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    @action(description="Invite staff", url_path="invite/", permissions=["invite"])
    def invite(self, request: HttpRequest) -> HttpResponse:
        return redirect("admin:billing_invitation_invite")

    def has_invite_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.add_user")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show where the person is signed in only to whoever may end it."""
        given = super().get_fieldsets(request, obj)
        if obj is None or not self.has_change_permission(request, obj):
            return given
        return (*given, ("Signed in now", {"fields": ("signed_in_now",)}))

    @display(description="Where")
    def signed_in_now(self, user: User) -> str:
        return signed_in_now(user)


@admin.register(Membership)
class MembershipAdmin(StampedAdmin):
    form = StampedForm
    list_display = ("user", "office", "role", "created_at", "ended_at")
    list_filter = ("role",)
    list_select_related = ("user", "office")
    autocomplete_fields = ("user", "office")
    search_fields = ("user__email", *OFFICE)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("user", "office") if obj else ()  # another pair needs another membership, and this one is ended

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        with trail.acting(actor.person(request.user), office=obj.office):
            super().save_model(request, obj, form, change)
            grants.write_grants(obj)
