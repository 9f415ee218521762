"""Bulk acts: the page before one, which asks for the reason, and the page that shows how far it is."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from billing import clock, errors
from billing.access import roles
from billing.admin import bulk_rows
from billing.admin.acts import OtherAct, follow_up
from billing.admin.acts.pages import NOT_WHAT_WAS_SEEN, ActsAdmin
from billing.admin.forms import ReasonForm, WhyForm
from billing.admin.readonly import ReadOnlyAdmin
from billing.audit import actor, reads
from billing.bulk import follow_ups, judging, kinds, offices, results, starting
from billing.bulk.kinds import BulkKind
from billing.durations import many
from billing.models import BulkAct, BulkRow, Office, User
from billing.money import Money, summed
from billing.sent_twice import done_once

FORMS: dict[str, type[forms.Form]] = {
    follow_ups.NOTE.name: follow_up.NoteForm,
    follow_ups.ASSIGN.name: follow_up.AssignForm,
    follow_ups.SNOOZE.name: follow_up.SnoozeForm,
}
"""The forms of the kinds that ask for more than a reason. A kind that is not here asks for a reason."""
WITHOUT_VALUES: dict[str, dict[str, Any]] = {
    follow_ups.NOTE.name: {"kind": "note", "text": ""},
    follow_ups.ASSIGN.name: {"to": ""},
    follow_ups.SNOOZE.name: {"until": ""},
}
OF_OFFICES = (offices.CARD_LINK, offices.PAY, follow_ups.ASSIGN, offices.ARCHIVE, offices.UNARCHIVE)
"""What the list of Offices offers, in this order."""
OF_WORKLIST = (offices.CARD_LINK, offices.PAY, follow_ups.NOTE, follow_ups.ASSIGN, follow_ups.SNOOZE)
SHOWN_ROWS, SHOWN_OFFICES = 100, 200
NO_WORKER_AFTER = timedelta(minutes=1)
TONES = {"is done": "success", "is being done": "info", "waits for a worker": "warning", "was stopped": "warning"}
State = BulkRow.State


def in_lists(*offered: BulkKind) -> tuple[Callable[..., HttpResponse], ...]:
    """Return the actions of a list of Offices, for the menu above it."""
    return tuple(_action(kind) for kind in offered)


def _action(kind: BulkKind) -> Callable[..., HttpResponse]:
    def chosen(model_admin: Any, request: HttpRequest, rows: QuerySet[Office]) -> HttpResponse:
        keys = list(rows.values_list("pk", flat=True)[: starting.MOST + 1])
        return asked(request, kind, keys, back=request.get_full_path())

    chosen.__name__ = f"bulk_{kind.name}"
    # its own power is asked for in ``asked``
    named: Callable[..., HttpResponse] = admin.action(permissions=["change"], description=kind.title)(chosen)
    return named


def asked(request: HttpRequest, kind: BulkKind, keys: Sequence[int], *, back: str) -> HttpResponse:
    """Show what would be done to which Offices and ask for the reason, or begin it and go to its page."""
    if not roles.has(cast(User, request.user), kind.power):
        raise PermissionDenied
    if not keys:
        messages.warning(request, "Choose at least one Office.")
        return redirect(back)
    if len(keys) > starting.MOST:
        messages.warning(request, str(errors.TooManyOffices(starting.MOST)))
        return redirect(back)
    chosen = list(Office.objects.filter(pk__in=keys).order_by("name", "pk"))
    reads.look_at_list(request, rows=len(chosen))
    form_class = FORMS.get(kind.name, WhyForm)
    form = form_class(request.POST if "asked" in request.POST else None)
    if form.is_bound and form.is_valid():
        try:
            act = starting.start(
                kind,
                chosen,
                by=actor.person(request.user),
                reason=form.cleaned_data.get("reason", follow_up.REASON),
                given={name: _plain(value) for name, value in form.cleaned_data.items() if name != "reason"},
                seen=request.POST.get("seen", ""),
            )
        except errors.PreviewStale:
            form.add_error(None, NOT_WHAT_WAS_SEEN)
        except errors.BillingError as error:
            form.add_error(None, str(error))
        else:
            return redirect(reverse("admin:billing_bulkact_change", args=[act.pk]))
    judged = judging.judge(kind, chosen, _given(kind, form))
    context = {
        **admin.site.each_context(request),
        "title": f"{kind.title}: {many(len(chosen), 'Office')}",
        "opts": BulkAct._meta,
        "kind": kind,
        "form": form,
        "keys": ",".join(str(key) for key in keys),
        "back": back,
        "can": [(office, _amount(own)) for office, own in judged.can[:SHOWN_OFFICES]],
        "seen": judged.seen,
        "cannot": judged.cannot[:SHOWN_OFFICES],
        "how_many": many(len(judged.can), "Office"),
        "left_out": many(len(judged.cannot), "Office"),
        "shown": SHOWN_OFFICES,
        "sums": _sums(judged.can),
        "button": f"{kind.title}: {many(len(judged.can), 'Office')}",
    }
    return TemplateResponse(request, "billing/admin_bulk_before.html", context)


def _given(kind: BulkKind, form: forms.Form) -> dict[str, Any]:
    given = dict(WITHOUT_VALUES.get(kind.name, {}))
    valid = getattr(form, "cleaned_data", {}) if form.is_bound else {}
    return given | {name: _plain(value) for name, value in valid.items() if name != "reason"}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: a day in ISO, and what is empty as an empty text."""
    if value is None:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _amount(own: dict[str, Any]) -> Money | None:
    return Money(own["amount"], own["currency"]) if "amount" in own else None


def _sums(can: Sequence[tuple[Office, dict[str, Any]]]) -> list[Money]:
    """Return what would be charged in all, an amount for each currency."""
    return summed(amount for _, own in can if (amount := _amount(own)))


def _stop(act: BulkAct, *, by: actor.Actor, reason: str) -> None:
    starting.stop(act, by=by, reason=reason)


@admin.register(BulkAct)
class BulkActAdmin(ReadOnlyAdmin, ActsAdmin):
    list_display = ("created_at", "what", "state", "how_far", "actor", "reason")
    list_select_related = ("actor",)
    _is_of_offices = True  # each page of one names Offices
    acts = (
        OtherAct(
            name="stop",
            title="Stop",
            says="Offices that still wait are left out. The one that is being done is finished. Nothing is undone.",
            form=ReasonForm,
            does=_stop,
            offered=lambda act: act.ended_at is None and act.stopped_at is None,
            needs=follow_ups.NOTE.power,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkAct]:
        return super().get_queryset(request).annotate(n=Count("rows"))

    def get_urls(self) -> list[URLPattern]:
        begin = path("begin/", self.admin_site.admin_view(self.begin), name="billing_bulkact_begin")
        return [begin, *super().get_urls()]

    @display(description="What", ordering="kind")
    def what(self, act: BulkAct) -> str:
        return kinds.titled(act.kind)

    @display(description="Status", label=TONES)
    def state(self, act: BulkAct) -> str:
        return _state(act)

    @display(description="Offices")
    def how_far(self, act: Any) -> str:
        return f"{act.n:,}"

    def begin(self, request: HttpRequest) -> HttpResponse:
        """Show the page before a bulk act, for the Offices that were chosen elsewhere, or begin it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return redirect(reverse("admin:billing_bulkact_changelist"))
        back = reverse("admin:billing_followup_changelist")
        try:
            kind = _offered(request.POST.get("act", ""))
        except errors.BulkKindUnknown as error:
            messages.warning(request, str(error))
            return redirect(back)
        keys = _keys(request)
        if "asked" not in request.POST:
            return asked(request, kind, keys, back=back)
        return done_once(
            request, reverse("admin:billing_bulkact_changelist"), lambda: asked(request, kind, keys, back=back)
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show how far it is, and the result of each Office."""
        act = self.get_object(request, object_id)
        if not self.has_view_permission(request, act):
            raise PermissionDenied
        if act is None:
            raise Http404
        far = bulk_rows.progress(act)
        counts, wanted = far["numbers"], request.GET.get("state", "")
        rows = results.rows_of(act)
        rows = rows.filter(came_to=wanted) if wanted in State.values else rows
        after = request.GET.get("after", "")
        rows = rows.filter(pk__gt=int(after)) if after.isascii() and after.isdecimal() and len(after) < 19 else rows
        found = list(rows[: SHOWN_ROWS + 1])
        reads.look_at_list(request, rows=len(found[:SHOWN_ROWS]))
        context = {
            **self.admin_site.each_context(request),
            "title": kinds.titled(act.kind),
            "opts": self.opts,
            "act": act,
            "state": _state(act, counts),
            "tone": TONES.get(_state(act, counts), "info"),
            **far,
            "stage": _stage(act, counts, found),
            "wanted": wanted,
            "rows": [bulk_rows.shown(row) for row in found[:SHOWN_ROWS]],
            "more": found[SHOWN_ROWS - 1].pk if len(found) > SHOWN_ROWS else "",
            "can_stop": not act.ended_at
            and not act.stopped_at
            and roles.has(cast(User, request.user), self.acts[0].power),
            "back": reverse("admin:billing_bulkact_changelist"),
        }
        return TemplateResponse(request, "billing/admin_bulk_progress.html", context)


def _offered(name: str) -> BulkKind:
    """Return the kind with this name, if a list offers it. Raises: BulkKindUnknown."""
    kind = kinds.of(name)
    if kind not in (*OF_OFFICES, *OF_WORKLIST):
        raise errors.BulkKindUnknown
    return kind


def _keys(request: HttpRequest) -> list[int]:
    """Return the primary keys of the Offices that were chosen: boxes of a list, or those that a page had before."""
    given = [*request.POST.getlist("office"), *request.POST.get("offices", "").split(",")]
    return list(dict.fromkeys(int(one) for one in given if one.isascii() and one.isdecimal() and len(one) < 19))


def _state(act: BulkAct, counts: dict[str, int] | None = None) -> str:
    if act.stopped_at:
        return "was stopped"
    if act.ended_at:
        return "is done"
    waits = counts is None or not (set(counts) - {State.WAITING, State.LEFT_OUT})
    return "waits for a worker" if waits and clock.wall() - act.created_at > NO_WORKER_AFTER else "is being done"


def _stage(act: BulkAct, counts: dict[str, int], rows: Sequence[BulkRow]) -> str:
    """Say in a sentence what happens now."""
    if act.stopped_at:
        return "It was stopped. What waited was left out."
    if act.ended_at:
        return "It has ended. Each Office has its result."
    now = next((row.office for row in rows if row.state == State.BEGUN), None)
    if now:
        return f"{now} is being done. This page refreshes by itself."
    if _state(act, counts) == "waits for a worker":
        return "No worker has begun it. Look under Workers whether one runs. This page refreshes by itself."
    return "A worker does one Office after another. This page refreshes by itself."


__all__ = ["OF_OFFICES", "OF_WORKLIST", "BulkActAdmin", "asked", "in_lists"]
