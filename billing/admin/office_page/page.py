"""What the template of an Office's page gets, and the part of its admin that makes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from billing import clock
from billing.access import roles
from billing.access.roles import Power
from billing.admin import timeline
from billing.admin.acts import Button
from billing.admin.acts.follow_up import NoteForm
from billing.admin.acts.invoices import INVOICE_ACTS
from billing.admin.acts.pages import ActsAdmin
from billing.admin.office_page import months, next_acts, period
from billing.admin.office_page.details import details
from billing.admin.office_page.next_acts import Next
from billing.admin.timeline import Timeline
from billing.admin.tones import in_words
from billing.entitlement import Policy, entitlement
from billing.method_names import card_month
from billing.models import Office, User
from billing.next_steps import OF_INVOICE
from billing.office_state import rows, sentences
from billing.office_state.rows import Rows

MOST_BUTTONS = 2
LINES_SHOWN = 15
PAGE = "billing_office_change"
EDITS = "edit"
"""In the address: the page has the form with the Office's own values. Time zones alone are hundreds of choices."""
MENU = "_menu_of_office"
"""The attribute in which a request keeps the menu."""
WRITES_NOTES = "note"
"""The act with which a note is written."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A button beside the sentence."""

    title: str
    page: str


@dataclass(frozen=True, slots=True)
class Method:
    """A payment method on file. ``until`` is the last month in which a card is valid: 12/2029."""

    name: str
    until: str
    expiry: str
    is_default: bool


class OfficePage(ActsAdmin):
    """The page of an Office: its template shows rows that were read at once, and no inline tables."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Office]:
        found = super().get_queryset(request)
        is_page = request.resolver_match and request.resolver_match.url_name == PAGE
        return rows.for_page(found) if is_page else found

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        office = kwargs.get("obj")
        if office is not None:
            context |= self._shown(request, office)
        return super().render_change_form(request, context, *args, **kwargs)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Go back to the page itself, which has the form."""
        return redirect(self._page(obj))

    def _shown(self, request: HttpRequest, office: Office) -> dict[str, Any]:
        at, policy = clock.billing(), Policy.of(settings)
        reads_trail = roles.has(cast(User, request.user), Power.AUDIT)
        found = entitlement(office, policy, at=at)
        read = rows.read(office)
        on_file = [one for one in read.methods if not one.detached_at]
        return {
            "rows": read,
            "timeline": _timeline(read) if reads_trail else None,
            "said": sentences.said(read, policy, at=at),
            "buttons": list(self._buttons(request, read, list(next_acts.fitting(read, at=at)))),
            "bar": period.bar(read, found, at=at),
            "pictures": months.pictures(read.payments, office.time_zone, at=at),
            "details": list(details(read, found)),
            "findings": [(one.pk, in_words(one.kind), one.detail) for one in read.findings],
            "methods": [Method(str(one), card_month(one.expires), one.expiry(at), one.is_default) for one in on_file],
            "removed": len(read.methods) - len(on_file),
            "write_note": self._address(request, WRITES_NOTES, office),
            "note_form": NoteForm(auto_id="note_%s"),
            "change_contact": self._address(request, "contact", office),
            "few": rows.SHOWN,
            "edits": request.method == "POST" or EDITS in request.GET,
        }

    def _menu(self, request: HttpRequest, subject: Any) -> Iterator[dict[str, Any]]:
        """Yield the menu, which is asked for twice: which acts can work now is found out once for each request."""
        kept: list[dict[str, Any]] | None = getattr(request, MENU, None)
        if kept is None:
            kept = list(super()._menu(request, subject))
            setattr(request, MENU, kept)
        yield from kept

    def _can_work(self, request: HttpRequest, office: Office) -> set[str]:
        """Return the pages of the acts that this person may use and that can work now."""
        return {item["path"] for one in self._menu(request, office) for item in one.get("items", (one,))}

    def _buttons(self, request: HttpRequest, read: Rows, fitting: list[Next]) -> Iterator[Beside]:
        """Yield the first of those that fit, if they can work."""
        can_work = self._can_work(request, read.office)
        shown = 0
        for one in fitting:
            beside = self._of_invoice(request, one) if one.invoice else self._of_office(one.name, read.office)
            if beside and shown < MOST_BUTTONS and (one.invoice or beside.page in can_work):
                shown += 1
                yield beside

    @classmethod
    def act_of(cls, name: str) -> Button | None:
        """Return the act of the Office, or of the invoice that it should pay first, that this step is."""
        return next((act for act in (INVOICE_ACTS if name in OF_INVOICE else cls.acts) if act.name == name), None)

    def _of_office(self, name: str, office: Office) -> Beside | None:
        act = self.act_of(name)
        return Beside(act.title, reverse(f"admin:{self._url_name(act)}", args=[office.pk])) if act else None

    def _of_invoice(self, request: HttpRequest, one: Next) -> Beside | None:
        act = self.act_of(one.name)
        if one.invoice is None or act is None or not self._may(request, act) or not act.available(one.invoice):
            return None
        amount = f" {one.invoice.remaining}" if one.name == "pay" else ""
        return Beside(f"{act.title}{amount}", reverse(f"admin:billing_invoice_{act.name}", args=[one.invoice.pk]))

    def _address(self, request: HttpRequest, name: str, office: Office) -> str:
        """Return the address of the act with this name. "" if there is none, or the person may not."""
        beside = self._of_office(name, office)
        return beside.page if beside and beside.page in self._can_work(request, office) else ""


def _timeline(read: Rows) -> Timeline:
    """Return the newest lines. Of what they tell of, what was read already is not read again."""
    plans = {one.plan_price.plan for one in read.subscriptions if one.plan_price}
    known: timeline.Known = {
        "operation": read.operations,
        "invoice": read.invoices,
        "payment": read.payments,
        "plan": plans,
    }
    return timeline.newest(read.office, LINES_SHOWN, known=known)
