"""The box that finds: Office, e-mail address, member, number of an invoice, last digits of a card, or an id.

Unfold's own search makes what was typed small, which changes an id at Stripe, and keeps what was found for minutes,
whatever becomes of the person's roles. So the page of its box is ours. Each search is noted for the audit trail.
Source: https://unfoldadmin.com/docs/configuration/command/
"""

from dataclasses import dataclass

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from billing import search
from billing.access.masking import is_masked_for
from billing.audit import reads
from billing.models import (
    Adjustment,
    Invoice,
    Office,
    Operation,
    Payment,
    Plan,
    ReceivedEvent,
    Subscription,
    User,
)

ICONS: dict[type[Model], str] = {
    Office: "local_hospital",
    Subscription: "autorenew",
    Invoice: "receipt_long",
    Payment: "payments",
    Adjustment: "currency_exchange",
    Operation: "pending_actions",
    ReceivedEvent: "inbox",
    Plan: "sell",
    User: "person",
}
"""What has a page. A row of anything else is shown by what it belongs to."""
LEAST_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the box."""

    title: str
    description: str
    link: str
    icon: str


def box(request: HttpRequest) -> HttpResponse:
    """Show what is found. Nobody finds rows of a list that they may not see, or by texts that they see masked."""
    typed = request.GET.get("s", "").strip()
    details = not is_masked_for(request.user)
    lines: list[Line] = []
    if len(typed) >= LEAST_LETTERS:
        found = search.everywhere(typed, details=details)
        lines = [line for hit in found.hits if (line := _line(request, hit))]
        if found.more_offices:
            lines.append(_all_offices(typed))
        reads.look_at_list(request, rows=len(lines), filters=("a search",))
    context = {
        "lines": lines,
        "typed": typed,
        "is_short": len(typed) < LEAST_LETTERS,
        "details": details,
    }
    return TemplateResponse(request, "billing/admin_search.html", context, headers={"HX-Trigger": "search"})


def _line(request: HttpRequest, hit: search.Hit) -> Line | None:
    model = type(hit.row)
    ours = admin.site._registry.get(model)
    if model not in ICONS or ours is None or not ours.has_view_permission(request):
        return None
    link = reverse(f"admin:billing_{model._meta.model_name}_change", args=[hit.row.pk])
    return Line(_title(hit.row), _description(hit), link, ICONS[model])


def _title(row: Model) -> str:
    office = None if isinstance(row, Office) else getattr(row, "office", None)
    return f"{row} · {office}" if office else str(row)


def _description(hit: search.Hit) -> str:
    name = str(hit.row._meta.verbose_name)
    if isinstance(hit.row, Office):
        state = hit.row.subscription_in_words or "no subscription"
        archived = ", archived" if hit.row.archived_at else ""
        because = "" if hit.because == "Office" else f"{hit.because}; "
        return f"{because}Office, {state}{archived}"
    return f"{name}, found by {hit.because}" if hit.because.endswith(("id", "Stripe")) else name


def _all_offices(typed: str) -> Line:
    link = reverse("admin:billing_office_changelist", query={"q": typed})
    return Line(f"All Offices with “{typed}”", "Show the list", link, "list")
