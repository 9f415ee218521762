"""Determinations on the BAA: what is in force, their list, and the pages to prepare, approve and withdraw one."""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.decorators import action, display

from billing import checks, clock, errors, zones
from billing.access import roles, two_people
from billing.access.roles import Power
from billing.admin.agreement_forms import MONOSPACE, ExecutedForm, NotRequiredForm
from billing.admin.asking import Asked
from billing.admin.forms import ReasonForm
from billing.admin.readonly import ReadOnlyAdmin
from billing.audit import actor
from billing.models import Agreement, AuditEntry, User
from billing.models.agreement import Standing, State, payment_processor
from billing.operations import compliance
from billing.operations.compliance import Executed, NotRequired
from billing.stripe_api import outbound

TONES = {
    "in force": "success",
    "begins later": "info",
    "not in use": "info",
    "waits for approval": "warning",
    "ended": "danger",
    "withdrawn": "danger",
    "rejected": "danger",
}


@admin.register(Agreement)
class AgreementAdmin(ReadOnlyAdmin):
    list_display = ("prepared_at", "subject", "kind", "status", "holds", "prepared_by", "approved_by")
    list_select_related = ("prepared_by", "approved_by")
    list_before_template = "billing/determination_banner.html"
    change_form_outer_before_template = "billing/determination_banner.html"
    actions_list = ("prepare_executed", "prepare_not_required")
    actions_detail = ("approve", "withdraw")
    document = ("subject", "kind", "fingerprint", "document_at")
    what = {
        Agreement.Kind.EXECUTED: (
            *(*document, "our_signer", "their_signer", "signed_on"),
            ("effective_from", "effective_until"),
        ),
        Agreement.Kind.NOT_REQUIRED: (*document, "legal_basis", "reviewer", "review_by"),
    }
    supplier = ("counterparty", "services", ("terms_version", "terms_dated"), "terms_review_by", "outbound_fingerprint")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agreement]:
        return (
            super()
            .get_queryset(request)
            .defer("outbound_list")
            .select_related("prepared_by", "approved_by", "withdrawn_by")
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        decided = ["status", ("prepared_by", "prepared_at")]
        decided += [("approved_by", "approved_at")] if obj and obj.approved_at else []
        decided += [("withdrawn_by", "withdrawn_at"), "withdrawn_reason"] if obj and obj.withdrawn_at else []
        kind = Agreement.Kind(obj.kind) if obj else Agreement.Kind.EXECUTED
        return (
            ("What counsel determined", {"fields": self.what[kind]}),
            ("Supplier and terms", {"fields": self.supplier}),
            ("Who decided", {"fields": decided}),
            ("Audit trail", {"fields": ("history",)}),
        )

    @display(description="Status", label=TONES)
    def status(self, row: Agreement) -> str:
        now = clock.wall()
        if row.withdrawn_at:
            return "withdrawn" if row.approved_at else "rejected"
        if not row.approved_at:
            return "waits for approval"
        if row.ends_at and row.ends_at <= now:
            return "ended"
        if not row.in_force(now):
            return "begins later"
        return "in force" if payment_processor(at=now).row == row else "not in use"

    @display(description="Valid")
    def holds(self, row: Agreement) -> str:
        begins = f"from {row.effective_from:%d %b %Y} " if row.effective_from else "from its approval "
        last = row.effective_until or row.review_by
        return begins + (f"to {last:%d %b %Y}" if last else "without an end date")

    @display(description="SHA-256")
    def fingerprint(self, row: Agreement) -> str:
        return format_html('<code style="{}">{}</code>', MONOSPACE, row.document_sha256)

    @display(description="What happened")
    def history(self, row: Agreement) -> str:
        entries = AuditEntry.objects.get_for_object(row).order_by("timestamp")
        lines = ((f"{one.timestamp:%d %b %Y %H:%M}", one.actor_label, _said(one), one.reason) for one in entries)
        return format_html_join("", '<p class="mb-2">{} UTC · <strong>{}</strong> · {} · “{}”</p>', lines)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "banner": banner()})

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        row = self.get_object(request, object_id) if object_id else None
        waits = waiting(row, cast(User, request.user)) if row else ""
        context = {**(extra_context or {}), "banner": banner(), "waits": waits}
        return super().changeform_view(request, object_id, form_url, context)

    def has_prepare_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return roles.has(cast(User, request.user), Power.PREPARE)

    def has_approve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return roles.has(cast(User, request.user), Power.DETERMINATIONS)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Return only the acts that would not be refused."""
        row = self.get_object(request, str(object_id))
        if row is None or row.withdrawn_at:
            return []
        offered = {
            "approve": may_approve(row, cast(User, request.user)),
            "withdraw": not row.approved_at or self.has_approve_permission(request),
        }
        shown = super().get_actions_detail(request, object_id)
        return [one for one in shown if offered[one.path.rstrip("/")]]

    @action(description="Record an executed BAA", url_path="prepare-executed/", permissions=["prepare"])
    def prepare_executed(self, request: HttpRequest) -> HttpResponse:
        return self._prepare(request, ExecutedForm, Executed, "Record an executed BAA")

    @action(description="Record that none is required", url_path="prepare-not-required/", permissions=["prepare"])
    def prepare_not_required(self, request: HttpRequest) -> HttpResponse:
        return self._prepare(request, NotRequiredForm, NotRequired, "Record that no BAA is required")

    def _prepare(
        self, request: HttpRequest, form_class: type[ReasonForm], kind: type[Executed | NotRequired], title: str
    ) -> HttpResponse:
        def carry_out(given: dict[str, Any]) -> Agreement:
            asked = {name: given.pop(name) for name in ("reason", "subject")}
            return compliance.prepare_determination(kind(**given), by=actor.person(request.user), **asked)

        return self._ask(
            request,
            form_class,
            carry_out,
            title=title,
            says="Counsel decides, not this software. Write here what counsel determined. It has no effect until "
            "another person, an administrator, approves it. You cannot edit it afterwards. One about the payment "
            "processor covers what python manage.py outbound_list prints now, with the fingerprint "
            f"{outbound.fingerprint_of(outbound.text())}.",
            button="Send for approval",
            done="Recorded. Another person must now approve it.",
        )

    @action(description="Approve", url_path="approve/", permissions=["approve"])
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._row(request, object_id)
        if request.method != "POST" and not may_approve(row, cast(User, request.user)):
            messages.warning(request, waiting(row, cast(User, request.user)) or "There is nothing to approve.")
            return redirect(_page(row))
        return self._ask(
            request,
            ReasonForm,
            lambda given: compliance.approve_determination(row, by=actor.person(request.user), **given),
            row=row,
            title="Approve the determination",
            says="You are the second person. Take your own copy of the document and compute its SHA-256. Compare it, "
            "and every line above, before you approve. After that nobody can edit it. It can only be withdrawn.",
            button="Approve",
            done="Approved.",
        )

    @action(description="Withdraw", url_path="withdraw/", permissions=["prepare"])
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._row(request, object_id)
        says = "It is not approved yet, so it becomes rejected. It stays on record and never takes effect."
        if row.approved_at:
            says = "It stays on record, but it is not in force from now on. In live mode, what can charge is refused "
            says += "unless another determination is in force. Stripe makes renewals itself, so they continue."
        return self._ask(
            request,
            ReasonForm,
            lambda given: compliance.withdraw_determination(row, by=actor.person(request.user), **given),
            row=row,
            title="Withdraw the determination",
            says=says,
            button="Withdraw",
            done="Withdrawn. It stays on record.",
        )

    def _row(self, request: HttpRequest, object_id: str) -> Agreement:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def _ask(
        self,
        request: HttpRequest,
        form_class: type[ReasonForm],
        carry_out: Callable[[dict[str, Any]], Agreement],
        *,
        row: Agreement | None = None,
        **texts: str,
    ) -> HttpResponse:
        page = Asked(
            form_class,
            carry_out,
            back=_page(row) if row else reverse("admin:billing_agreement_changelist"),
            goes_to=_page,
            template="billing/admin_determination.html",
            **texts,
        )
        return page.answer(self, request, row=row)


def may_approve(row: Agreement, user: User) -> bool:
    return bool(
        roles.has(user, Power.DETERMINATIONS) and row.prepared_by != user and not (row.approved_at or row.withdrawn_at)
    )


def waiting(row: Agreement, user: User) -> str:
    """Return a sentence that says who must approve it, or "" if it does not wait for approval."""
    if row.approved_at or row.withdrawn_at:
        return ""
    others = roles.people_with(Power.DETERMINATIONS).order_by("email")
    second = [one.email for one in others if two_people.are_two(row.prepared_by, one)]
    names = ", ".join(second) or f"nobody yet. {errors.FIND_A_SECOND}"
    prepared = "You" if row.prepared_by == user else str(row.prepared_by)
    return f"{prepared} prepared it, so another administrator must approve it: {names}."


def banner() -> dict[str, Any]:
    """Return what is in force now, in words and with a tone."""
    now = clock.wall()
    found = payment_processor(at=now)
    return {
        "tone": _tone(found, soon=bool(found.until and found.until - now <= checks.SOON)),
        "title": HEADLINES[found.state],
        "row": found.row,
        "page": _page(found.row) if found.row else "",
        "last_day": zones.last_day_of(found.until, "UTC") if found.until else None,
        "live": settings.STRIPE_LIVE_MODE,
        "permits": found.permits_charging,
    }


HEADLINES = {
    State.EXECUTED: "In force: a BAA with the payment processor was executed",
    State.NOT_REQUIRED: "In force: counsel determined that no BAA with the payment processor is required",
    State.EXPIRED: "Expired: no determination on the payment processor is in force",
    State.UNKNOWN: "Unknown: no determination on the payment processor is in force",
}


def _tone(found: Standing, *, soon: bool) -> str:
    if found.permits_charging:
        return "warning" if soon else "success"
    return "danger" if settings.STRIPE_LIVE_MODE else "warning"


def _said(entry: AuditEntry) -> str:
    if entry.what:
        return f"refused: {entry.what}" if entry.kind == AuditEntry.Kind.REFUSAL else entry.what
    return "prepared" if entry.action == AuditEntry.Action.CREATE else "changed"


def _page(row: Agreement) -> str:
    return reverse("admin:billing_agreement_change", args=[row.pk])
