"""The worklist: the Offices that wait for a person, with what is next and who works on each."""

from typing import Any, TypeVar, cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from billing import clock, coming, worklist, zones
from billing.access import roles
from billing.access.roles import Power
from billing.admin.bulk_acts import OF_WORKLIST
from billing.admin.offices import OfficeAdmin
from billing.admin.readonly import ReadOnlyAdmin
from billing.audit import reads
from billing.durations import days_between, within
from billing.method_names import card_month
from billing.models import FollowUp, User
from billing.next_steps import OF_INVOICE, Step
from billing.operations import follow_ups
from billing.worklist import Row, Sort, What, Whose

WHAT = {
    What.OWES: ("Owes", "Offices that owe something."),
    What.TRIAL: (
        "Trial ends, no card",
        f"Offices whose trial ends {within(coming.TRIAL_SOON)}, with nothing on file to charge.",
    ),
    What.CARD: (
        "Card expires",
        f"Offices whose next charge is {within(coming.CHARGED_SOON)}, on a card that will have expired by then.",
    ),
}
WHOSE = {
    Whose.TO_DO: "To do",
    Whose.MINE: "Mine",
    Whose.UNASSIGNED: "Unassigned",
    Whose.SNOOZED: "Put aside",
    Whose.ALL: "All",
}
SORT = {Sort.DAYS: "Oldest debt first", Sort.AMOUNT: "Largest amount first, by currency"}
NOTHING = {
    What.OWES: "No Office owes anything here.",
    What.TRIAL: "No trial ends soon without a card here.",
    What.CARD: "No card expires before its next charge here.",
}
Chosen = TypeVar("Chosen", What, Whose, Sort)


@admin.register(FollowUp)
class WorklistAdmin(ReadOnlyAdmin):
    """Its list is the worklist, which is not made of rows of this model. A row has no page of its own."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            return self._refused(request)
        person = cast(User, request.user)
        what = _chosen(request, "what", What.OWES)
        whose = _chosen(request, "whose", Whose.TO_DO)
        sort = _chosen(request, "sort", Sort.DAYS)
        found = worklist.page(what, whose, sort, person=person, after=request.GET.get("after", ""))
        reads.look_at_list(request, rows=len(found.rows), filters=(what, whose))
        may = {power for power in Power if roles.has(person, power)}
        now, billing_now = clock.wall(), clock.billing()
        context = {
            **self.admin_site.each_context(request),
            "title": "Worklist",
            "opts": self.opts,
            "says": WHAT[what][1],
            "what": [_tab(one, what, WHAT[one][0], what=one, whose=whose) for one in What],
            "whose": [_tab(one, whose, WHOSE[one], what=what, whose=one, sort=sort) for one in Whose],
            "sort": [_tab(one, sort, SORT[one], what=what, whose=whose, sort=one) for one in Sort]
            if what is What.OWES
            else [],
            "rows": [_shown(row, may, now, billing_now, person) for row in found.rows],
            "nothing": NOTHING[what],
            "more": _address(what=what, whose=whose, sort=sort, after=found.after) if found.after else "",
            "is_later_page": bool(request.GET.get("after")),
            "first": _address(what=what, whose=whose, sort=sort),
            "bulk": [kind for kind in OF_WORKLIST if roles.has(person, kind.power)],
            "begin": reverse("admin:billing_bulkact_begin"),
        }
        return TemplateResponse(request, "billing/admin_worklist.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Go to the Office's page, which shows who works on it."""
        row = self.get_object(request, object_id)
        if not self.has_view_permission(request, row) or row is None:
            return super().change_view(request, object_id, form_url, extra_context)
        return redirect(reverse("admin:billing_office_change", args=[row.office_id]))

    def _refused(self, request: HttpRequest) -> HttpResponse:
        return super().changelist_view(request)


STEPS = (Step.PAY, Step.SEND, Step.CARD_LINK, Step.COMPLETE_PAYMENT)
"""The steps that a row offers. The others are on the page of the Office."""


def _chosen(request: HttpRequest, name: str, otherwise: Chosen) -> Chosen:
    given = request.GET.get(name, "")
    kind = type(otherwise)
    return kind(given) if given in list(kind) else otherwise


def _address(**chosen: str) -> str:
    return reverse("admin:billing_followup_changelist", query=chosen)


def _tab(one: str, chosen: str, title: str, **query: str) -> dict[str, Any]:
    return {"title": title, "is_chosen": one == chosen, "page": _address(**query)}


def _shown(row: Row, may: set[Power], now: Any, billing_now: Any, person: User) -> dict[str, Any]:
    """Return a row in words. Days are in UTC, but the one until which it is put aside is the Office's own."""
    office, follow_up = row.office, row.follow_up
    to = follow_up.assigned_to if follow_up else None
    return {
        "office": office,
        "page": reverse("admin:billing_office_change", args=[office.pk]),
        "debts": office.debts if row.debt else (),
        "since": _since(row, billing_now),
        "why": _why(row, billing_now),
        "next_try": zones.bare_day(row.next_try, zones.OF_MANY) if row.next_try else "none planned" if row.debt else "",
        "access": _access(row),
        "is_shut_out": not row.keeps_access,
        "pays_with": office.pays_with or "nothing on file",
        "expires": card_month(office.payment_method_expires),
        "assigned": (to.name or to.email) if to else "",
        "is_mine": to == person,
        "aside": zones.bare_day(follow_up.snoozed_until, office.time_zone)
        if follow_up and follow_up.snoozed_until and row.is_snoozed(now)
        else "",
        "steps": list(_steps(row, may, person)),
    }


def _since(row: Row, now: Any) -> str:
    if row.since is None:
        return ""
    if row.since > now:
        return f"due on {zones.bare_day(row.since, zones.OF_MANY)}"
    if not row.days(now):
        return "since today" if row.since.date() == now.date() else days_between(row.since, now)
    return f"{days_between(row.since, now)}, since {zones.bare_day(row.since, zones.OF_MANY)}"


def _why(row: Row, now: Any) -> str:
    if row.at:
        day = zones.bare_day(row.at, zones.OF_MANY)
        if row.office.is_trialing and not row.office.has_payment_method:
            return f"The trial ends on {day}. Nothing is on file to charge."
        until = card_month(row.office.payment_method_expires)
        return f"The next charge is on {day}. The card is valid until the end of {until}."
    if row.debt and row.debt.under_way:
        return "A payment is under way."
    if row.debt and row.debt.decline:
        return row.debt.decline.says
    return "It was not charged." if row.since and row.since <= now else "It is not due yet."


def _access(row: Row) -> str:
    until = row.access.until
    if not row.keeps_access:
        return "no access"
    return f"until {zones.bare_end(until, zones.OF_MANY)}" if until else "yes"


def _steps(row: Row, may: set[Power], person: User) -> Any:
    """Yield the buttons: what fits best first, and then what is always possible."""
    office = row.office.pk
    act = OfficeAdmin.act_of(row.step) if row.step in STEPS else None
    if act and act.power in may:
        kind, key = "office", office
        if row.debt and row.step in OF_INVOICE:
            kind, key = "invoice", row.debt.invoice.pk
        yield {"title": act.title, "page": reverse(f"admin:billing_{kind}_{act.name}", args=[key])}
    if follow_ups.NEEDS in may:
        note = reverse("admin:billing_office_note", args=[office])
        assign = reverse("admin:billing_office_assign", args=[office])
        yield {"title": "Note a call", "page": f"{note}?kind=call&from=worklist"}
        yield {"title": "Write a note", "page": f"{note}?from=worklist"}
        if not row.follow_up or row.follow_up.assigned_to_id != person.pk:
            yield {"title": "Assign to me", "page": f"{assign}?to={person.public_id}&from=worklist"}
        yield {"title": "Assign", "page": f"{assign}?from=worklist"}
        yield {
            "title": "Put aside",
            "page": f"{reverse('admin:billing_office_snooze', args=[office])}?from=worklist",
        }
