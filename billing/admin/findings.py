"""Findings, what a person can do about them, and comparisons."""

from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.timezone import localtime
from unfold.decorators import action, display

from billing import clock, errors, jobs, reconciliation
from billing.access import roles
from billing.access.roles import Power
from billing.admin.acts import OtherAct, customer
from billing.admin.acts.pages import ActsAdmin
from billing.admin.exported import Exported
from billing.admin.forms import ReasonForm
from billing.admin.readonly import ReadOnly
from billing.admin.tones import TONES, in_words
from billing.audit import actor
from billing.audit.actor import Actor
from billing.findings import KINDS
from billing.models import Finding, Reconciliation, User
from billing.reconciliation import decisions, progress

OF_COMPARISON = "comparisons__id__exact"
COUNTED = {"drifted": "repaired", "left": "left for a person"}
"""What stored counts are called, where that is not their own name."""


def _compare(finding: Finding, *, by: Actor, reason: str) -> None:
    if finding.office is None:
        raise errors.FindingOver
    decisions.compare_office(finding.office, by=by, reason=reason)


def _link(finding: Finding, *, by: Actor, reason: str) -> str:
    return _page(decisions.link_found_customer(finding, by=by, reason=reason).pk)


def _adopt(finding: Finding, *, by: Actor, reason: str) -> str:
    return _page(decisions.adopt_found_customer(finding, by=by, reason=reason).pk)


def _page(office_id: int) -> str:
    return reverse("admin:billing_office_change", args=[office_id])


def _is_open(finding: Finding) -> bool:
    return finding.resolved_at is None


def _detail(finding: Finding) -> str:
    return finding.detail


def _moment(at: datetime) -> str:
    return date_format(localtime(at), "DATETIME_FORMAT")


ACTS = (
    replace(
        customer.COMPARE,
        does=_compare,
        form=ReasonForm,
        facts=_detail,
        group="",
        offered=lambda finding: bool(finding.office and finding.office.payment_provider_customer_id),
    ),
    OtherAct(
        does=_link,
        name="link",
        title="Link the customer",
        says="From now on that customer at Stripe belongs to this Office. Its subscription, its invoices and its "
        "payments show here. Nothing is changed at Stripe.",
        button="Link",
        form=ReasonForm,
        facts=_detail,
        offered=lambda finding: _is_open(finding) and finding.kind == "customer_not_linked",
    ),
    OtherAct(
        does=_adopt,
        name="adopt",
        title="Adopt as a new Office",
        says="This makes an Office with the customer's name, address and language from Stripe, and with all of its "
        "past. Do this only for a practice that you bill. Nothing is changed at Stripe.",
        button="Adopt",
        form=ReasonForm,
        facts=_detail,
        offered=lambda finding: _is_open(finding) and finding.kind == "unknown_customer",
    ),
    OtherAct(
        does=decisions.close,
        name="close",
        title="Close the finding",
        says="Close the finding when you have dealt with it. Nothing else changes. It stays closed until something "
        "new is found.",
        form=ReasonForm,
        facts=_detail,
        offered=lambda finding: _is_open(finding) and decisions.may_close(finding),
    ),
)


@admin.register(Finding)
class FindingAdmin(Exported, ReadOnly, ActsAdmin):
    list_display = ("found_at", "age", "what", "grade", "office", "detail", "closed")
    list_filter = ("severity", "kind", ("resolved_at", admin.EmptyFieldListFilter))
    list_select_related = ("office",)
    ordering = (F("resolved_at").asc(nulls_first=True), "-found_at")
    fields = ("what", "severity", "office", "detail", "over", "found_at", "age", "resolved_at", "resolution")
    acts = ACTS

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == OF_COMPARISON or super().lookup_allowed(lookup, value, request)

    @display(description="Severity", label=TONES, ordering="severity")
    def grade(self, row: Finding) -> str:
        return row.severity

    @display(description="Kind", ordering="kind")
    def what(self, row: Finding) -> str:
        return in_words(row.kind)

    @display(description="Closed", ordering="resolved_at")
    def closed(self, row: Finding) -> str:
        return f"{_moment(row.resolved_at)}: {row.resolution}" if row.resolved_at else "–"

    @display(description="It is over when")
    def over(self, row: Finding) -> str:
        return KINDS[row.kind].over if row.kind in KINDS else "–"

    @display(description="Open for")
    def age(self, row: Finding) -> str:
        return timesince(row.found_at, row.resolved_at or clock.wall())


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnly, ActsAdmin):
    acts = (
        OtherAct(
            does=reconciliation.end,
            name="end",
            title="End the comparison",
            says="The comparison stops, and another one can begin. What it repaired stays. Use this for a comparison "
            "that cannot continue.",
            form=ReasonForm,
            offered=lambda run: run.ended_at is None,
        ),
    )
    list_display = ("began_at", "state", "took", "asked_by", "drifted", "left", "missed", "adopted")
    shows_minutes = True
    actions_list = ("compare_all",)
    change_form_before_template = "billing/comparison_progress.html"
    fields = ("began_at ended_at took asked_by reason covers events_since counted told last_error").split()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        run = kwargs.get("obj")
        context["progress"] = progress.of(run) if run else None
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="Status", label={"ended": "success", "under way": "info", "stopped by an error": "warning"})
    def state(self, row: Reconciliation) -> str:
        if row.ended_at:
            return "ended"
        return "stopped by an error" if row.last_error else "under way"

    @display(description="Asked by")
    def asked_by(self, row: Reconciliation) -> str:
        return row.actor_label

    @display(description="Duration, or stage")
    def took(self, row: Reconciliation) -> str:
        if row.ended_at is None:
            seen = progress.of(row)
            return f"{seen.percent} %, stage: {row.stage}" if seen else f"stage: {row.stage}"
        return f"{(row.ended_at - row.began_at).total_seconds():.0f} s"

    @display(description="Compares")
    def covers(self, row: Reconciliation) -> str:
        recent = f"what can still change, and what Stripe made since {_moment(row.recent_since)}"
        what = "all of the past" if row.takes_all else recent
        return f"{what}; each subscribed customer without an Office becomes one" if row.adopts else what

    @display(description="Repaired")
    def drifted(self, row: Reconciliation) -> int:
        return row.counts.get("drifted", 0)

    @display(description="Left for a person")
    def left(self, row: Reconciliation) -> int:
        return row.counts.get("left", 0)

    @display(description="Events that had not arrived")
    def missed(self, row: Reconciliation) -> int:
        return row.counts.get("events that had not arrived", 0)

    @display(description="Adopted")
    def adopted(self, row: Reconciliation) -> int:
        return row.counts.get("Offices adopted", 0)

    @display(description="Counted")
    def counted(self, row: Reconciliation) -> str:
        """Say what was counted, by its name: PostgreSQL does not keep the order in which the counts were stored."""
        return ", ".join(sorted(f"{COUNTED.get(what, what)}: {times:,}" for what, times in row.counts.items())) or "–"

    @display(description="Findings of this comparison")
    def told(self, row: Reconciliation) -> str:
        many = row.findings.count()
        if not many:
            return "0"
        page = reverse("admin:billing_finding_changelist", query={OF_COMPARISON: row.pk})
        return format_html('<a href="{}" class="text-link">{}</a>', page, many)

    @action(description="Compare everything now", url_path="compare-all/", permissions=["compare"])
    def compare_all(self, request: HttpRequest) -> HttpResponse:
        """Ask for confirmation, then begin a comparison. A worker carries it on."""
        if not self.has_compare_permission(request):
            raise PermissionDenied
        back = reverse("admin:billing_reconciliation_changelist")
        if request.method == "POST":
            try:
                run = reconciliation.begin(by=actor.person(request.user), reason="asked for in the admin")
                jobs.enqueue("reconcile")
                messages.success(request, "The comparison has begun.")
                return redirect(self._page(run))
            except errors.ReconciliationUnderWay as error:
                messages.warning(request, str(error))
            return redirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": "Compare everything now",
            "says": "This compares the rows here with Stripe: all customers and subscriptions, and the open and recent "
            "invoices, payments, refunds, credit notes and disputes. Differences are repaired here. If "
            "RECONCILE_REPAIRS is off, they wait as findings. Nothing is changed at Stripe.",
            "button": "Compare",
            "back": back,
            "opts": self.opts,
        }
        return TemplateResponse(request, "billing/admin_confirm.html", context)

    def has_compare_permission(self, request: HttpRequest) -> bool:
        return roles.has(cast(User, request.user), Power.OPERATE)
