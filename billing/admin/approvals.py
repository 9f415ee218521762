"""Requests for approval: what waits for a second person, and the pages on which this person decides."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from unfold.decorators import display

from billing import errors
from billing.access.roles import Power
from billing.admin.acts import Act, OtherAct
from billing.admin.acts.pages import ActsAdmin
from billing.admin.forms import ReasonForm
from billing.admin.readonly import ReadOnlyAdmin
from billing.admin.searching import OFFICE
from billing.audit.actor import Actor
from billing.models import ApprovalRequest
from billing.operations.engine import approvals

TONES = {"waits for approval": "warning", "approved": "success", "turned down": "danger"}


def _waits(row: ApprovalRequest) -> bool:
    return row.is_waiting


def _facts(row: ApprovalRequest) -> str:
    return f"{row.office}: {row.in_words}, {row.money}. {row.requested_by} asked for it: “{row.reason}”."


class Approve(Act):
    """It shows what it comes to now, which the person confirms. The reason is that of the person who asked."""

    @property
    def power(self) -> Power:
        return Power.APPROVE

    def available(self, subject: ApprovalRequest) -> bool:
        return _waits(subject)

    def preview(self, subject: ApprovalRequest, by: Actor, form: forms.Form) -> Any:
        return approvals.preview(subject, by=by)

    def carry_out(self, subject: ApprovalRequest, by: Actor, form: forms.Form, as_of: datetime | None) -> Any:
        if as_of is None:
            raise errors.PreviewStale
        approvals.approve(subject, by=by, as_of=as_of)


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ReadOnlyAdmin, ActsAdmin):
    list_display = ("asked_at", "office", "what", "amount_of_money", "state", "requested_by", "decided_by")
    list_filter = ("outcome", "kind")
    list_select_related = ("office", "requested_by", "decided_by")
    search_fields = OFFICE
    fields = (
        "office what amount_of_money state who reason requested_by asked_at expires_at decided_by decided_at "
        "decision_reason operation"
    ).split()
    acts = (
        Approve(
            name="approve",
            title="Approve",
            says="You are the second person. You see what it comes to now. It is carried out once you confirm that.",
            button="Show what it comes to",
            form=forms.Form,
            facts=_facts,
        ),
        OtherAct(
            name="turn_down",
            title="Turn down",
            says="Nothing is carried out. The request stays on record, with your reason.",
            form=ReasonForm,
            facts=_facts,
            does=approvals.turn_down,
            offered=_waits,
            needs=Power.APPROVE,
        ),
        OtherAct(
            name="withdraw",
            title="Withdraw",
            says="Only the person who asked for it can withdraw it. Nothing is carried out, and it stays on record.",
            form=ReasonForm,
            facts=_facts,
            does=approvals.withdraw,
            offered=_waits,
            needs=Power.GIVE_BACK,
        ),
    )

    @display(description="Asked for", ordering="kind")
    def what(self, row: ApprovalRequest) -> str:
        return row.in_words

    @display(description="Amount", ordering="amount")
    def amount_of_money(self, row: ApprovalRequest) -> str:
        return str(row.money)

    @display(description="Status", label=TONES)
    def state(self, row: ApprovalRequest) -> str:
        return row.status

    @display(description="Who can approve it")
    def who(self, row: ApprovalRequest) -> str:
        return approvals.in_words(row)
