"""Forms that decide who gets in: one that was opened before somebody else's change is refused.

The page carries a stamp of what the row was. So an old page cannot bring back what was withdrawn in the meantime.
"""

from typing import Any

from django import forms
from django.db.models import Manager
from django.http import HttpRequest, HttpResponse

from billing import keyed_digests, zones
from billing.access import scopes
from billing.admin.forms import GatedForm
from billing.admin.masking import MaskedAdmin
from billing.audit import trail
from billing.models import Membership, ServiceIdentity, User

Row = User | Membership | ServiceIdentity
SALT = "billing.admin.stamps"
STAMPED: dict[type[Row], tuple[str, ...]] = {
    User: ("email", "name", "password", "is_active", "is_staff", "groups"),
    Membership: ("role", "ended_at"),
    ServiceIdentity: ("name", "scopes", "all_offices", "offices", "networks", "expires_at", "ended_at"),
}


def stamp_of(row: Row) -> str:
    """Return a mark of the row's present values. They cannot be read from it."""
    return keyed_digests.of(_plain(row), salt=SALT)


def is_stamp_of(row: Row, given: str) -> bool:
    """Return whether the row still has the values that it had when this stamp was made."""
    return keyed_digests.is_of(_plain(row), given, salt=SALT)


def _plain(row: Row) -> str:
    values = (getattr(row, name) for name in STAMPED[type(row)])
    return repr([sorted(one.values_list("pk", flat=True)) if isinstance(one, Manager) else one for one in values])


def in_words(row: Row) -> str:
    """Return what the row gives now."""
    if isinstance(row, Membership):
        end = row.ended_at
        return f"{row.role}, {f'ends or ended {zones.end(end, row.office.time_zone)}' if end else 'without an end'}"
    if isinstance(row, ServiceIdentity):
        sees = "all Offices" if row.all_offices else f"{row.offices.count()} Offices"
        place, ends = ", ".join(row.networks) or "anywhere", zones.end(row.expires_at, "UTC")
        return f"may {scopes.words(row.scopes)}, of {sees}, from {place}, until {ends}"
    groups = ", ".join(row.groups.order_by("name").values_list("name", flat=True)) or "none"
    return f"{'active' if row.is_active else 'not active'}, {'' if row.is_staff else 'not '}staff, roles: {groups}"


class StampedForm(GatedForm):
    """A form that reads its row anew under its lock, and is valid only if the row is still as the page showed it."""

    data: Any

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        row = self.instance
        if row.pk is not None:
            row.refresh_from_db(from_queryset=type(row)._default_manager.select_for_update())
            if not is_stamp_of(row, self.data.get("stamp", "")):
                what = "a form that was opened before another change was not saved"
                trail.record_refusal(row, what, code="changed_meanwhile")
                raise forms.ValidationError(
                    "Somebody changed this after you opened the page, so nothing was saved. "
                    f"It is now: {in_words(row)}. Load the page again."
                )
        return given


class StampedAdmin(MaskedAdmin):
    change_form_before_template = "billing/admin_stamp.html"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None:
            context["stamp"] = request.POST.get("stamp", "") if request.method == "POST" else stamp_of(row)
        return super().render_change_form(request, context, *args, **kwargs)
