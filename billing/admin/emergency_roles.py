"""Emergency roles: the list of them, and the page on which an administrator gives one."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from billing import clock
from billing.access import emergency, roles
from billing.access.roles import VENDOR, Power
from billing.admin.asking import Asked
from billing.admin.forms import ReasonForm
from billing.admin.readonly import ReadOnlyAdmin
from billing.audit import actor
from billing.models import EmergencyRole, User


class EmergencyRoleForm(ReasonForm):
    field_order = ("person", "role", "reason")
    person = forms.ModelChoiceField(User.objects.none(), widget=UnfoldAdminSelectWidget)
    role = forms.ChoiceField(choices=[(role, role) for role in VENDOR], widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = User.objects.filter(is_staff=True, is_active=True).order_by("email")
        self.fields["person"].queryset = staff  # type: ignore[attr-defined]


@admin.register(EmergencyRole)
class EmergencyRoleAdmin(ReadOnlyAdmin):
    list_display = ("given_at", "person", "role", "state", "ends_at", "given_by", "reason")
    list_select_related = ("person", "given_by")
    fields = list_display
    actions_list = ("give",)

    @display(description="Status", label={"in force": "danger", "over": "info"})
    def state(self, row: EmergencyRole) -> str:
        return "in force" if row.ends_at > clock.wall() else "over"

    def has_give_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return roles.has(cast(User, request.user), Power.PEOPLE)

    @action(description="Give a role for an hour", url_path="give/", permissions=["give"])
    def give(self, request: HttpRequest) -> HttpResponse:
        every = reverse("admin:billing_emergencyrole_changelist")
        page = Asked(
            EmergencyRoleForm,
            lambda given: emergency.give(by=actor.person(request.user), **given),
            title="Give a role for an hour",
            says="This is for what cannot wait, if nobody who may do it can be reached. The role ends by itself after "
            "one hour. A critical finding tells everybody of it. For longer, give the role under Access, Users.",
            button="Give the role for an hour",
            done="Given. It ends by itself after one hour.",
            back=every,
            goes_to=lambda _: every,
        )
        return page.answer(self, request)
