"""Vouchings: a third administrator knows that two accounts belong to two people."""

from typing import Any, cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from billing.access import roles, two_people
from billing.access.roles import Power
from billing.admin.asking import Asked
from billing.admin.forms import ReasonForm
from billing.admin.readonly import ReadOnlyAdmin
from billing.audit import actor
from billing.chosen_rows import ChosenRow
from billing.models import User, Vouching


class VouchingForm(ReasonForm):
    field_order = ("first", "second", "reason")
    first = ChosenRow(User.objects.none(), label="One person", widget=UnfoldAdminSelectWidget)
    second = ChosenRow(User.objects.none(), label="The other", widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first", "second"):
            self.fields[name].queryset = roles.people_with(Power.LOOK).order_by("email")  # type: ignore[attr-defined]


@admin.register(Vouching)
class VouchingAdmin(ReadOnlyAdmin):
    list_display = ("first", "second", "vouched_by", "vouched_at", "reason")
    list_select_related = ("first", "second", "vouched_by")
    fields = list_display
    actions_list = ("vouch",)

    def has_vouch_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return roles.has(cast(User, request.user), Power.PEOPLE)

    @action(description="Vouch for two people", url_path="vouch/", permissions=["vouch"])
    def vouch(self, request: HttpRequest) -> HttpResponse:
        every = reverse("admin:billing_vouching_changelist")
        page = Asked(
            VouchingForm,
            lambda given: two_people.vouch(by=actor.person(request.user), **given),
            title="Vouch for two people",
            says="Some decisions need two people. Whoever made or changed an account in the last 30 days could act "
            "with it, so the two do not count as two people. You say here that you know both people, and that nobody "
            "else uses their accounts. What was done to the accounts before now does not count any more.",
            button="Vouch",
            done="Recorded. The two now count as two people.",
            back=every,
            goes_to=lambda _: every,
        )
        return page.answer(self, request)
