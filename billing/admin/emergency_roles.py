"""Emergency roles: the list of them, and the pages on which one is given and ended."""

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
from billing.chosen_rows import ChosenRow
from billing.models import EmergencyRole, User


class EmergencyRoleForm(ReasonForm):
    field_order = ("person", "role", "reason")
    person = ChosenRow(User.objects.none(), widget=UnfoldAdminSelectWidget)
    role = forms.ChoiceField(choices=[(role, role) for role in VENDOR], widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = User.objects.filter(is_staff=True, is_active=True).order_by("email")
        self.fields["person"].queryset = staff  # type: ignore[attr-defined]


@admin.register(EmergencyRole)
class EmergencyRoleAdmin(ReadOnlyAdmin):
    list_display = ("given_at", "person", "role", "state", "ends_at", "given_by", "reason")
    shows_minutes = True
    list_select_related = ("person", "given_by")
    actions_list = ("give",)
    actions_detail = ("end",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        ended = ("ended_at", "ended_by", "end_reason") if obj and obj.ended_at else ()
        return (*self.list_display, *ended)

    @display(description="Status", label={"in force": "danger", "over": "info", "ended early": "info"})
    def state(self, row: EmergencyRole) -> str:
        if row.ended_at:
            return "ended early"
        return "in force" if row.is_in_force(clock.wall()) else "over"

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        row = self.get_object(request, str(object_id))
        is_offered = row is not None and row.is_in_force(clock.wall())
        return super().get_actions_detail(request, object_id) if is_offered else []

    def has_end_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        row = self.get_object(request, str(object_id))
        return row is not None and emergency.may_end(row, by=actor.person(request.user))

    @action(description="End it now", url_path="end/", permissions=["end"])
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = EmergencyRole.objects.select_related("person").get(pk=object_id)
        its_page = reverse("admin:billing_emergencyrole_change", args=[row.pk])
        page = Asked(
            ReasonForm,
            lambda given: emergency.end(row, by=actor.person(request.user), **given),
            title="End the emergency role",
            says=f"{row}. It gives nothing from the next request on. It stays on record, with your reason.",
            button="End it now",
            done="Ended.",
            back=its_page,
            goes_to=lambda _: its_page,
        )
        return page.answer(self, request)

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
            "one hour, or when an administrator or the person ends it. A critical finding and an e-mail to each "
            "administrator tell of it. For longer, give the role under Access, Users.",
            button="Give the role for an hour",
            done="Given. It ends by itself after one hour.",
            back=every,
            goes_to=lambda _: every,
        )
        return page.answer(self, request)
