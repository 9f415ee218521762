"""The page of the monthly journal: its sums and what ties, or a file for the accountant."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget

from billing import clock, errors
from billing.access import roles
from billing.access.roles import Power
from billing.admin.forms import ReasonForm
from billing.audit import actor, reads
from billing.models import User
from billing.money import CURRENCIES
from billing.reports import journal_files, tables
from billing.reports.journal import Journal, Month

MONTHS_OFFERED = 36
ON_THE_PAGE = "page"
FORMS = (
    (ON_THE_PAGE, "On this page: the accounts, and the checks"),
    (journal_files.DETAILED, "CSV: each entry, the accounts, and the checks"),
    (journal_files.QUICKBOOKS, "CSV for QuickBooks Online: sums of the month"),
    (journal_files.XERO, "CSV for Xero: sums of the month"),
)
SAYS = (
    "Double entries of what was invoiced, paid, given back and written off in a month (UTC). Stripe's fees and payouts "
    "are not in it: take them from Stripe's payout report. What becomes known later, such as a debit that the bank "
    "pays after some days, belongs to the month in which it began: if you export a month again, it can differ. With "
    "many Offices this takes a minute. The audit trail records who exported it, and why."
)


class JournalForm(ReasonForm):
    month = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    form = forms.ChoiceField(choices=FORMS, label="File", widget=UnfoldAdminSelectWidget)
    currency = forms.ChoiceField(
        choices=[("", "All"), *((one, one.upper()) for one in sorted(CURRENCIES))],
        required=False,
        help_text="Only for files: the page shows all currencies. A file for Xero can have only one.",
        widget=UnfoldAdminSelectWidget,
    )

    field_order = ("month", "form", "currency", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        months = list(_months())
        cast(forms.ChoiceField, self.fields["month"]).choices = months
        self.fields["month"].initial = months[1][0]


def page(request: HttpRequest) -> HttpResponseBase:
    """Ask for the month, and show or send its journal. The trail has it before anything is shown."""
    if not roles.has(cast(User, request.user), Power.LISTS):
        raise PermissionDenied
    form = JournalForm(request.POST or None)
    shown: Journal | None = None
    if request.method == "POST" and form.is_valid():
        month, kind = Month.read(form.cleaned_data["month"]), form.cleaned_data["form"]
        try:
            journal_files.record(month, kind, by=actor.person(request.user), reason=form.cleaned_data["reason"])
            if kind != ON_THE_PAGE:
                return _sent(month, kind, form.cleaned_data["currency"])
            shown = journal_files.read_through(Journal(month))
        except errors.BillingError as error:
            form.add_error(None, str(error))
    if shown:
        reads.look_at_list(request, rows=shown.count)
    context = {
        **admin.site.each_context(request),
        "title": "Journal",
        "form": form,
        "says": SAYS,
        "button": "Show or export",
        "back": reverse("admin:index"),
        **(_shown(shown) if shown else {}),
    }
    return TemplateResponse(request, "billing/admin_journal.html", context)


def _shown(journal: Journal) -> dict[str, Any]:
    return {
        "journal": journal,
        "heading": journal_files.heading(journal.month),
        "summed": (journal_files.SUMMED, _with_commas(journal_files.accounts(journal))),
        "tied": (journal_files.TIED, _with_commas(journal_files.tied(journal))),
        "all_tie": not any(tie.difference for tie in journal.ties()),
    }


def _with_commas(lines: Iterable[journal_files.Line]) -> list[list[tables.Cell]]:
    return [[f"{cell:,}" if isinstance(cell, Decimal) else cell for cell in line] for line in lines]


def _sent(month: Month, kind: str, currency: str) -> StreamingHttpResponse:
    name = "-".join(filter(None, ["journal", str(month), "" if kind == journal_files.DETAILED else kind, currency]))
    return StreamingHttpResponse(
        journal_files.written(month, kind, currency=currency),
        content_type=tables.CONTENT_TYPES[tables.CSV],
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _months() -> list[tuple[str, str]]:
    """Return the months that are offered, the present one first."""
    month = Month.of(clock.billing())
    found = [(str(month), f"{month.in_words} (not over)")]
    for _ in range(MONTHS_OFFERED):
        month = month.previous
        found.append((str(month), month.in_words))
    return found
