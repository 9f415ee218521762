"""The pages on which an Office changes something: what it costs or loses is shown first, then the operation is done.

A form that is sent twice does it once. A refusal stays on the page, with the input.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from billing import errors
from billing.audit import actor
from billing.models import Office
from billing.office_pages.forms import ChangeForm
from billing.office_pages.frame import of_office, page_of, shown, told
from billing.office_pages.texts import ENGLISH
from billing.office_pages.views import invoice_of
from billing.operations.engine import begin, previews
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import Declaration, confirmed
from billing.operations.engine.previews import Preview
from billing.operations.money.invoices import PayInvoice
from billing.operations.subscriptions.cancel import CancelSubscription, ResumeRenewal
from billing.operations.subscriptions.change import ChangeSubscription
from billing.sent_twice import done_once


@of_office("GET", "POST")
def change(request: HttpRequest, office: Office) -> HttpResponse:
    """Ask for the plan and the seats. A form that comes back with the moment of its preview is carried out."""
    begin.check_permitted(ChangeSubscription, office, by=actor.person(request.user))
    if request.method == "GET":
        return _change_form(request, office, ChangeForm(office))
    return done_once(request, page_of(office), lambda: _changed(request, office, ChangeForm(office, request.POST)))


def _changed(request: HttpRequest, office: Office, form: ChangeForm) -> HttpResponse:
    if not form.is_valid():
        return _change_form(request, office, form)

    def refused(says: str) -> HttpResponse:
        form.add_error(None, says)
        return _change_form(request, office, form)

    as_of = _moment(request.POST.get("as_of", ""))
    if as_of is None:
        return refused(str(errors.PreviewStale()))
    return _carried_out(request, confirmed(form.wanted(), as_of), office, office, ENGLISH.changed, refused)


@of_office("POST")
def preview_change(request: HttpRequest, office: Office) -> HttpResponse:
    """Show what the change costs, before and after, to be confirmed. Nothing changes."""
    by = actor.person(request.user)
    begin.check_permitted(ChangeSubscription, office, by=by)
    form = ChangeForm(office, request.POST)
    if not form.is_valid():
        return _change_form(request, office, form)
    try:
        step = previews.second_step(form.wanted(), office, by=by)
    except errors.StripeUnavailable:
        form.add_error(None, ENGLISH.nothing_begun)
        return _change_form(request, office, form)
    except errors.BillingError as refusal:
        form.add_error(None, str(refusal))
        return _change_form(request, office, form)
    return shown(request, office, "change_preview.html", form=form, step=step, button=_confirming(step.preview))


def _change_form(request: HttpRequest, office: Office, form: ChangeForm) -> HttpResponse:
    return shown(request, office, "change.html", form=form)


def _confirming(preview: Preview) -> str:
    charges = preview.now and preview.charged.amount > 0
    return ENGLISH.confirm_charge.format(preview.charged) if charges else ENGLISH.confirm_change


@of_office("GET", "POST")
def cancel(request: HttpRequest, office: Office) -> HttpResponse:
    """Say what is lost when the subscription ends with its period, and cancel it."""
    by = actor.person(request.user)
    begin.check_permitted(CancelSubscription, office, by=by)
    if request.method == "GET":
        return _what_is_lost(request, office)
    return done_once(request, page_of(office), lambda: _cancelled(request, office))


def _cancelled(request: HttpRequest, office: Office) -> HttpResponse:
    wanted, by = CancelSubscription(), actor.person(request.user)
    try:
        lost = previews.loss_of(wanted, office, by=by)
    except errors.BillingError as refusal:
        return told(request, office, str(refusal), level=messages.WARNING)
    if lost and lost.seen != request.POST.get("seen"):
        return _what_is_lost(request, office, ENGLISH.not_what_was_seen)

    def refused(says: str) -> HttpResponse:
        return _what_is_lost(request, office, says)

    return _carried_out(request, wanted, office, office, ENGLISH.cancelled, refused)


def _what_is_lost(request: HttpRequest, office: Office, refusal: str = "") -> HttpResponse:
    try:
        step = previews.second_step(CancelSubscription(), office, by=actor.person(request.user))
    except errors.BillingError as refused:
        return told(request, office, refusal or str(refused), level=messages.WARNING)
    if step.is_empty:
        return told(request, office, ENGLISH.already_cancelled, level=messages.INFO)
    return shown(request, office, "cancel.html", step=step, refusal=refusal)


@of_office("GET", "POST")
def keep(request: HttpRequest, office: Office) -> HttpResponse:
    """Take the cancellation back."""
    begin.check_permitted(ResumeRenewal, office, by=actor.person(request.user))

    def asked(refusal: str = "") -> HttpResponse:
        return shown(request, office, "keep.html", refusal=refusal)

    if request.method == "GET":
        return asked()
    return done_once(
        request, page_of(office), lambda: _carried_out(request, ResumeRenewal(), office, office, ENGLISH.kept, asked)
    )


@of_office("GET", "POST")
def pay(request: HttpRequest, office: Office, invoice_id: Any) -> HttpResponse:
    """Pay an invoice with what is on file."""
    begin.check_permitted(PayInvoice, office, by=actor.person(request.user))
    invoice = invoice_of(office, invoice_id)

    says = ENGLISH.pay_says.format(invoice.remaining, office.pays_with) if office.has_payment_method else ""

    def asked(refusal: str = "") -> HttpResponse:
        return shown(request, office, "pay.html", invoice=invoice, says=says, refusal=refusal)

    if request.method == "GET":
        if invoice.remaining.amount <= 0:
            return told(request, office, ENGLISH.nothing_to_pay, level=messages.INFO)
        return asked()
    if invoice.remaining.amount > 0 and request.POST.get("seen") != says:
        return asked(ENGLISH.what_is_charged_changed)
    return done_once(
        request, page_of(office), lambda: _carried_out(request, PayInvoice(), invoice, office, ENGLISH.paid, asked)
    )


def _carried_out(
    request: HttpRequest,
    wanted: Declaration[Any, Any],
    subject: Any,
    office: Office,
    done: str,
    refused: Callable[[str], HttpResponse],
) -> HttpResponse:
    """Carry out the operation, and say that it is done. If it is refused, ``refused`` shows why on the page."""
    try:
        perform(wanted, subject, by=actor.person(request.user), reason="")
    except errors.NotPermitted:
        raise
    except errors.StripeUnavailable as unknown:
        return told(request, office, str(unknown), level=messages.WARNING)
    except errors.BillingError as refusal:
        return refused(str(refusal))
    return told(request, office, done)


def _moment(text: str) -> datetime | None:
    """Return the moment of a preview, or None if the text is not one that a page of ours has."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):  # it looks like one, and is not in the calendar
        return None
