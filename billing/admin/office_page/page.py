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
from billing.admin.acts import Button
from billing.admin.acts.follow_up import NoteForm
from billing.admin.acts.invoices import INVOICE_ACTS
from billing.admin.acts.pages import ActsAdmin
from billing.admin.office_page import months, next_acts, period, rows, sentences
from billing.admin.office_page.details import details
from billing.admin.office_page.next_acts import Next
from billing.admin.office_page.rows import Rows
from billing.admin.tones import in_words
from billing.entitlement import Policy, entitlement
from billing.models import Office, User

MOST_BUTTONS = 2
PAGE = "billing_office_change"
WRITES_NOTES = "note"
"""The act with which a note is written."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A button beside the sentence."""

    title: str
    page: str


@dataclass(frozen=True, slots=True)
class Method:
    """A payment method on file. ``until`` is the last month in which a card is valid: 2029-12."""

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
        read = rows.read(office, with_trail=reads_trail)
        on_file = [one for one in read.methods if not one.detached_at]
        return {
            "rows": read,
            "said": sentences.said(read, policy, at=at),
            "buttons": list(self._buttons(request, read, list(next_acts.fitting(read, at=at)))),
            "bar": period.bar(read, found, at=at),
            "pictures": months.pictures(read.payments, office.time_zone, at=at),
            "details": list(details(read, found)),
            "findings": [(one.pk, in_words(one.kind), one.detail) for one in read.findings],
            "methods": [Method(str(one), one.expires, one.expiry(at), one.is_default) for one in on_file],
            "removed": len(read.methods) - len(on_file),
            "write_note": self._address(request, WRITES_NOTES, office),
            "note_form": NoteForm(auto_id="note_%s"),
            "change_contact": self._address(request, "contact", office),
            "few": rows.SHOWN,
        }

    def _buttons(self, request: HttpRequest, read: Rows, fitting: list[Next]) -> Iterator[Beside]:
        """Yield the first ones that this person may use and that can work now."""
        shown = 0
        for one in fitting:
            subject = one.invoice or read.office
            act = _named(one.name, INVOICE_ACTS if one.invoice else self.acts)
            if act is None or shown == MOST_BUTTONS or not self._may(request, act) or not act.available(subject):
                continue
            shown += 1
            model = "invoice" if one.invoice else "office"
            amount = f" {one.invoice.remaining}" if one.invoice and one.name == "pay" else ""
            yield Beside(f"{act.title}{amount}", reverse(f"admin:billing_{model}_{act.name}", args=[subject.pk]))

    def _address(self, request: HttpRequest, name: str, office: Office) -> str:
        """Return the address of the act with this name. "" if there is none, or the person may not."""
        act = _named(name, self.acts)
        may = act is not None and self._may(request, act) and act.available(office)
        return reverse(f"admin:{self._url_name(act)}", args=[office.pk]) if act and may else ""


def _named(name: str, acts: tuple[Button, ...]) -> Button | None:
    return next((act for act in acts if act.name == name), None)
