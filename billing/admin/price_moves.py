"""A price move: the act that begins its preview, and the page with its totals, on which it is confirmed and watched."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminRadioSelectWidget

from billing import clock, errors
from billing.access import roles
from billing.access.roles import Power
from billing.admin import bulk_rows
from billing.admin.acts import OtherAct
from billing.admin.acts.plans import PriceField, in_words, sold_at
from billing.admin.forms import WhyForm
from billing.audit import actor, reads
from billing.audit.actor import Actor
from billing.bulk import price_moves, results
from billing.durations import many
from billing.models import BulkAct, BulkRow, Plan, PlanPrice
from billing.sent_twice import done_once

SHOWN = 100
State = BulkRow.State
TOLD = (State.FAILED, State.UNKNOWN, State.LEFT_OUT)
"""What a person must know of, row by row."""


class MoveForm(WhyForm):
    old = PriceField(label="Present price", empty_label="Choose …")
    new = PriceField(label="New price", empty_label="Choose …")
    when = forms.ChoiceField(
        choices=list(price_moves.WHEN.items()), initial=price_moves.NEXT_PERIOD, widget=UnfoldAdminRadioSelectWidget
    )
    field_order = ("old", "new", "when")

    def for_subject(self, plan: Plan) -> None:
        cast(forms.ModelChoiceField, self.fields["old"]).queryset = plan.prices.exclude(
            stripe_price_id=None
        ).select_related("plan")
        cast(forms.ModelChoiceField, self.fields["new"]).queryset = PlanPrice.objects.for_sale(clock.billing())


def _begin(plan: Plan, *, by: Actor, old: PlanPrice, new: PlanPrice, when: str, reason: str) -> str:
    act = price_moves.preview(old, new, when=when, by=by, reason=reason)
    return reverse("admin:billing_plan_price_move", args=[act.pk])


MOVE = OtherAct(
    does=_begin,
    name="move",
    title="Move Offices to another price",
    says="Stripe calculates what each Office pays at the other price. Nothing changes until you have seen the totals "
    f"and confirm them. One move is of at most {price_moves.BATCH:,} Offices. Begin another one for the rest.",
    button="Preview the move",
    form=MoveForm,
    facts=in_words,
    offered=lambda plan: plan.stripe_product_id is not None,
    needs=Power.OPERATE,
)


def page(model_admin: ModelAdmin, request: HttpRequest, number: int) -> HttpResponse:
    """Show a preview with its totals, and what became of the move. A POST confirms it."""
    if not roles.has(cast(Any, request.user), Power.OPERATE):
        raise PermissionDenied
    act = BulkAct.objects.filter(pk=number, kind=price_moves.PREVIEW.name).select_related("actor").first()
    if act is None:
        messages.warning(request, "There is no such move.")
        return redirect("admin:billing_plan_changelist")
    here = reverse("admin:billing_plan_price_move", args=[act.pk])
    if request.method == "POST":
        return done_once(request, here, lambda: _confirmed(request, act, here))
    return _shown(model_admin, request, act)


def _confirmed(request: HttpRequest, act: BulkAct, here: str) -> HttpResponse:
    try:
        price_moves.confirm(act, by=actor.person(request.user))
    except errors.BillingError as error:
        messages.warning(request, str(error))
    return redirect(here)


def _stage(far: dict[str, Any], *, is_move: bool) -> dict[str, str]:
    """Say in a word or two and in a sentence how far it is, and in which tone."""
    counted = ", ".join(f"{capfirst(one['title'])}: {one['n']}" for one in far["counts"])
    if far["ended"]:
        state = "The move has ended" if is_move else "The preview is ready"
        return {"state": state, "tone": "success", "stage": f"{counted}."}
    state = "Moving" if is_move else "Previewing"
    return {"state": state, "tone": "info", "stage": f"{counted}. This page refreshes by itself."}


def _shown(model_admin: ModelAdmin, request: HttpRequest, act: BulkAct) -> HttpResponse:
    old, new = price_moves.prices_of(act)
    move, seen = price_moves.moved_by(act), price_moves.come_to(act)
    now = move or act
    far = bulk_rows.progress(now)
    told = list(results.rows_of(now).filter(came_to__in=TOLD)[: SHOWN + 1])
    reads.look_at_list(request, rows=len(told[:SHOWN]), filters=("a price move",))
    lapsed = seen.lapses_at is not None and seen.lapses_at < clock.billing()
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Move from {sold_at(old)} to {sold_at(new)}",
        "opts": model_admin.opts,
        "act": act,
        "move": move,
        "plan": old.plan,
        "new": new,
        "when": price_moves.WHEN.get(act.given["settle"], ""),
        **far,
        **_stage(far, is_move=move is not None),
        "totals": list(seen.totals.values()),
        "offices": many(seen.offices, "Office"),
        "lapses_at": seen.lapses_at,
        "lapsed": lapsed,
        "can_confirm": bool(act.ended_at and not move and seen.offices and not lapsed),
        "told": [bulk_rows.shown(row) for row in told[:SHOWN]],
        "more": len(told) > SHOWN,
        "back": reverse("admin:billing_plan_change", args=[old.plan.pk]),
    }
    return TemplateResponse(request, "billing/admin_price_move.html", context)
