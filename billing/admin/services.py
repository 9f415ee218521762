"""Services: the programs that ask the API. They are added, given another secret, changed and ended here."""

import ipaddress
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from billing import clock
from billing.access import scopes, services
from billing.admin.acts import OtherAct, Token
from billing.admin.acts.pages import ActsAdmin
from billing.admin.agreement_forms import DateInput
from billing.admin.forms import ReasonForm
from billing.admin.stamps import StampedAdmin, StampedForm
from billing.audit import actor
from billing.audit.actor import Actor
from billing.models import AuditEntry, ServiceIdentity, ServiceSecret
from billing.reports.waiting import SERVICE_SOON

LONGEST = timedelta(days=2 * 366)
USUAL = timedelta(days=365)
TONES = {"valid": "success", "expires soon": "warning", "expired": "danger", "ended": "info"}
COPY = "Put it into the program's secrets now. We keep only a fingerprint of it, so nobody can show it again."


def _on_lines(text: str) -> str:
    """Return the text so that it goes on in the next line on a phone. The widget would cut it off."""
    return format_html('<span style="white-space: normal">{}</span>', text)


class ServiceForm(StampedForm):
    """A form for what a service is and may do. ``last_day`` is the last day, in UTC, on which it is valid."""

    scopes = forms.MultipleChoiceField(
        choices=[(name, _on_lines(f"{name}: {scope.says}")) for name, scope in scopes.SCOPES.items()],
        label="It may",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    networks = forms.CharField(
        required=False,
        label="Allowed networks",
        help_text="One in each line, such as 203.0.113.0/24 or 2001:db8::/48. Empty: from anywhere.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    last_day = forms.DateField(
        label="Valid until",
        help_text="The last day, in UTC. After it, the program gets 401. You can set a later day before then.",
        widget=DateInput,
    )

    class Meta:
        model = ServiceIdentity
        fields = ("name", "scopes", "all_offices", "offices", "networks")
        labels = {"all_offices": "All Offices"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        self.initial["networks"] = "\n".join(row.networks)
        self.initial["last_day"] = _last_day(row.expires_at) if row.pk else (clock.wall() + USUAL).date()

    def clean_networks(self) -> list[str]:
        try:
            return [str(ipaddress.ip_network(one)) for one in self.cleaned_data["networks"].split()]
        except ValueError as error:
            raise ValidationError(f"This is not a network: {error}. Write it as 203.0.113.0/24.") from None

    def clean_last_day(self) -> Any:
        day, today = self.cleaned_data["last_day"], clock.wall().date()
        if not today <= day <= today + LONGEST:
            raise ValidationError("It must be today or later, and at most two years from now.")
        return day

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if "last_day" in given:  # after the row was read anew
            self.instance.expires_at = datetime.combine(given["last_day"], time(), UTC) + timedelta(days=1)
        if bool(given.get("all_offices")) == bool(given.get("offices")):
            self.add_error("offices", "Name the Offices that it may see, or choose all Offices. One of the two.")
        return given


class RotateForm(ReasonForm):
    overlap_hours = forms.TypedChoiceField(
        coerce=int,
        choices=((24, "for 24 hours"), (1, "for one hour"), (168, "for seven days"), (0, "not at all: it was lost")),
        label="The old secret stays valid",
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("overlap_hours", "reason")


def _rotate(service: ServiceIdentity, *, by: Actor, reason: str, overlap_hours: int) -> Token:
    return Token(services.rotate(service, by=by, reason=reason, overlap_hours=overlap_hours), COPY)


def _is_valid(service: ServiceIdentity) -> bool:
    return service.is_valid(clock.wall())


def in_words(row: ServiceIdentity) -> str:
    """Describe the service in a sentence."""
    return f"It may {scopes.words(row.scopes)}. Valid until {_last_day(row.expires_at):%d %B %Y} (UTC)."


def _last_day(expires_at: datetime) -> Any:
    return (expires_at - timedelta(microseconds=1)).date()


ACTS = (
    OtherAct(
        does=_rotate,
        name="rotate",
        title="Make another secret",
        says="You get a new token, which is shown once. Both work until the old one ends, so that the program can "
        "change over without a gap.",
        button="Make it",
        form=RotateForm,
        facts=in_words,
        offered=lambda service: _is_valid(service) and not services.has_two_secrets(service),
        needs=services.MAY,
    ),
    OtherAct(
        does=services.end_old_secret,
        name="end_old_secret",
        title="End the old secret",
        says="The older of the two secrets stops working now. First make sure that the program uses the new one.",
        button="End it",
        form=ReasonForm,
        facts=in_words,
        offered=lambda service: _is_valid(service) and services.has_two_secrets(service),
        needs=services.MAY,
    ),
    OtherAct(
        does=services.end,
        name="end",
        title="End the service",
        says="All its tokens stop working now, for good. The program gets 401 from then on.",
        button="End it",
        form=ReasonForm,
        facts=in_words,
        offered=lambda service: service.ended_at is None,
        needs=services.MAY,
    ),
)


@admin.register(ServiceIdentity)
class ServiceAdmin(ActsAdmin, StampedAdmin):
    form = ServiceForm
    acts = ACTS
    list_display = ("name", "state", "may", "sees", "valid_until", "used")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "all_offices")
    search_fields = ("name",)
    autocomplete_fields = ("offices",)
    asked = ("name", "scopes", "all_offices", "offices", "networks", "last_day")
    shown = ("state", "may", "sees", "from_where", "valid_until", "used", "secrets_shown", "created_at", "history")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ((None, {"fields": self.asked}),)
        seen = (None, {"fields": ("name", *self.shown)})
        if not self.has_change_permission(request, obj):
            return (seen,)
        return (seen, ("Change what it may do", {"fields": self.asked[1:]}))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", *self.shown) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.ended_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}  # the token is shown next
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: ServiceIdentity, *_: Any, **__: Any) -> HttpResponse:
        """Make the first secret, and show the token once."""
        token = services.give_secret(obj, by=actor.person(request.user))
        return self.shown_once(request, f"The token of {obj}", obj, Token(token, COPY))

    @display(description="State", label=TONES)
    def state(self, row: ServiceIdentity) -> str:
        return state(row)

    @display(description="May")
    def may(self, row: ServiceIdentity) -> str:
        return scopes.words(row.scopes)

    @display(description="Sees")
    def sees(self, row: ServiceIdentity) -> str:
        if row.all_offices:
            return "all Offices"
        names = list(row.offices.order_by("name").values_list("name", flat=True)[:6])
        return ", ".join(names[:5]) + (" and more" if len(names) > 5 else "") or "no Office"

    @display(description="Asks from")
    def from_where(self, row: ServiceIdentity) -> str:
        return ", ".join(row.networks) or "anywhere"

    @display(description="Valid until", ordering="expires_at")
    def valid_until(self, row: ServiceIdentity) -> str:
        return date_format(_last_day(row.expires_at))

    @display(description="Last used", ordering="last_used_at")
    def used(self, row: ServiceIdentity) -> str:
        return f"{timesince(row.last_used_at, clock.wall())} ago" if row.last_used_at else "never"

    @display(description="Secrets")
    def secrets_shown(self, row: ServiceIdentity) -> str:
        now = clock.wall()
        lines = [(f"obs_{one.prefix}_…", _lasts(one, now)) for one in row.secrets.order_by("-created_at")[:5]]
        return format_html_join("", '<p class="mb-2"><code>{}</code> · {}</p>', lines) if lines else "none"

    @display(description="What happened")
    def history(self, row: ServiceIdentity) -> str:
        entries = AuditEntry.objects.get_for_object(row).order_by("-timestamp")[:20]
        lines = [(_moment(one.timestamp), one.actor_label, _said(one)) for one in entries]
        return format_html_join("", '<p class="mb-2">{} · <strong>{}</strong> · {}</p>', lines)


def state(row: ServiceIdentity) -> str:
    now = clock.wall()
    if row.ended_at:
        return "ended"
    if now >= row.expires_at:
        return "expired"
    return "expires soon" if row.expires_at - now <= SERVICE_SOON else "valid"


def _moment(at: datetime) -> str:
    return date_format(at, "DATETIME_FORMAT")


def _lasts(secret: ServiceSecret, now: datetime) -> str:
    if secret.ends_at is None:
        return f"made {_moment(secret.created_at)}"
    return f"{'ended' if secret.ends_at <= now else 'works until'} {_moment(secret.ends_at)}"


def _said(entry: AuditEntry) -> str:
    reason = f" “{entry.reason}”" if entry.reason else ""
    if entry.what:
        return f"refused: {entry.what}" if entry.kind == AuditEntry.Kind.REFUSAL else entry.what + reason
    if entry.action == AuditEntry.Action.CREATE:
        return "added" + reason
    return "changed: " + ", ".join(sorted(cast(dict[str, Any], entry.changes) or {})) + reason
