"""Reviews of the trail: their list, and the page on which an auditor reads a period and signs it off."""

from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from billing import errors, zones
from billing.access import roles
from billing.access.roles import Power
from billing.admin.readonly import ReadOnlyAdmin
from billing.audit import actor, search
from billing.models import TrailReview, User
from billing.operations import trail_reviews
from billing.operations.trail_reviews import Days

SHOWN_PERIODS = 24


class DaysForm(forms.Form):
    since = forms.DateField(label="First day", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    until = forms.DateField(label="Last day", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                trail_reviews.check(self.days)
            except (errors.PeriodInvalid, OverflowError) as error:
                raise forms.ValidationError(str(error)) from None
        return given

    @property
    def days(self) -> Days:
        return Days(self.cleaned_data["since"], self.cleaned_data["until"])


class SignOffForm(DaysForm):
    note = forms.CharField(
        min_length=3,
        max_length=200,
        help_text="What you looked at, and what you found. Kept in the audit trail. Never anything about a patient.",
        widget=UnfoldAdminTextInputWidget,
    )


@admin.register(TrailReview)
class TrailReviewAdmin(ReadOnlyAdmin):
    list_display = ("period", "person", "note", "seal", "created_at")
    list_select_related = ("person", "seal")
    fields = ("period", "person", "note", "seal", "root", "created_at")
    actions_list = ("review",)

    @display(description="Period", ordering="until")
    def period(self, row: TrailReview) -> str:
        zone = settings.VENDOR_TIME_ZONE
        return f"{zones.bare_period(row.since, row.until, zone)} ({zone})"

    def has_review_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return roles.has(cast(User, request.user), Power.AUDIT)

    @action(description="Review a period", url_path="review/", permissions=["review"])
    def review(self, request: HttpRequest) -> HttpResponse:
        """Show which periods are open, what is unusual in the one that is asked for, and the form to sign it off."""
        asked = DaysForm(request.POST if request.method == "POST" else request.GET if "since" in request.GET else None)
        days = asked.days if asked.is_valid() else None
        form = SignOffForm(request.POST or None, initial=asked.cleaned_data if days else None)
        if request.method == "POST" and form.is_valid():
            try:
                trail_reviews.sign_off(form.days, by=actor.person(request.user), note=form.cleaned_data["note"])
            except errors.BillingError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, "Signed off.")
                return redirect(reverse("admin:billing_trailreview_changelist"))
        person = cast(User, request.user)
        context = {
            **self.admin_site.each_context(request),
            "title": "Review a period of the audit trail",
            "opts": self.opts,
            "back": reverse("admin:billing_trailreview_changelist"),
            "asked": asked,
            "form": form,
            "days": days,
            "unusual": list(_counts(days)) if days else [],
            "entries": _listed(days) if days else "",
            "own": search.bounded_count(trail_reviews.own_acts(days, person)) if days else 0,
            "also_may": trail_reviews.operating_powers(person),
            "open": trail_reviews.open_days()[:SHOWN_PERIODS],
            "signed": TrailReview.objects.filter(since__lt=days.until, until__gt=days.since) if days else (),
        }
        with timezone.override(zones.of(settings.VENDOR_TIME_ZONE)):
            return TemplateResponse(request, "billing/admin_trail_review.html", context).render()


def _counts(days: Days) -> Any:
    for name, title in search.UNUSUAL.items():
        rows = search.unusual(name, days.since, days.until, zone=settings.VENDOR_TIME_ZONE)
        found = search.bounded_count(rows)
        yield {
            "title": title,
            "found": f"{found:,}{'+' if found == search.MOST_COUNTED else ''}",
            "page": _listed(days, unusual=name),
        }


def _listed(days: Days, **more: str) -> str:
    """Return the address of the list with the entries of these days."""
    period = {"since": days.since.isoformat(), "until": days.until.isoformat()}
    return f"{reverse('admin:billing_auditentry_changelist')}?{urlencode({**period, **more})}"
