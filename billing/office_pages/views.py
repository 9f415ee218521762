"""The pages that show something, and the ways that lead on to Stripe."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from billing import clock, coming, errors
from billing.access import grants, second_factor
from billing.access.roles import Power
from billing.audit import actor, reads
from billing.entitlement import Policy
from billing.method_names import card_month
from billing.models import Invoice, Office, User
from billing.money import Money
from billing.office_pages.frame import for_people, of_office, page_of, shown, to_stripe, told
from billing.office_pages.texts import ENGLISH, INVOICE_STATUS
from billing.office_state import rows, sentences
from billing.office_state.rows import Rows
from billing.operations.engine import begin
from billing.operations.engine.begin import perform
from billing.operations.money.documents import open_document, preview_upcoming
from billing.operations.money.invoices import PayInvoice
from billing.operations.offices.cards import MakeCardLink
from billing.operations.subscriptions.cancel import CancelSubscription, ResumeRenewal
from billing.operations.subscriptions.change import ChangeSubscription
from billing.operations.subscriptions.under_way import EndWaitingSubscription, payment_page

MOST_INVOICES = 24


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One invoice. ``to_pay`` is None if nothing can be paid with what is on file."""

    invoice: Invoice
    name: str
    status: str
    to_pay: Money | None


@dataclass(frozen=True, slots=True)
class MethodRow:
    name: str
    until: str
    is_default: bool


@for_people("GET")
def offices(request: HttpRequest) -> HttpResponse:
    """Lead to the Office of this person. If they belong to several, let them choose. Staff are led to the admin."""
    person = cast(User, request.user)
    if person.is_staff:
        return redirect("admin:index")
    found = list(grants.list_of_offices(person, Power.LOOK).order_by("name", "pk"))
    awaits = list(second_factor.offices_that_await_it(person).order_by("name", "pk"))
    if len(found) == 1 and not awaits:
        return redirect(page_of(found[0]))
    reads.look_at_list(request, rows=len(found))
    links = [(one.name, page_of(one)) for one in found]
    context = {"t": ENGLISH, "links": links, "awaits": awaits, "support": settings.SUPPORT_EMAIL}
    return render(request, "billing/office_pages/offices.html", context)


@of_office("GET")
def office(request: HttpRequest, office: Office) -> HttpResponse:
    """Show how the Office stands, and what can be done."""
    at = clock.billing()
    read = rows.read(rows.for_page(Office.objects.all()).get(pk=office.pk))
    fresh = read.office
    person = cast(User, request.user)
    invoices = list(_invoices(read))
    return shown(
        request,
        fresh,
        "office.html",
        said=sentences.said(read, Policy.of(settings), at=at, for_staff=False),
        next_charge=coming.next_charge(fresh),
        methods=list(_methods(read)),
        invoices=invoices,
        to_pay=[one for one in invoices if one.to_pay],
        most=MOST_INVOICES if len(read.invoices) > MOST_INVOICES else 0,
        can_add_card=MakeCardLink.is_offered(fresh),
        can_complete=EndWaitingSubscription.is_offered(fresh),
        can_change=ChangeSubscription.is_offered(fresh),
        can_cancel=CancelSubscription.is_offered(fresh) and not fresh.has_an_end,
        can_keep=ResumeRenewal.is_offered(fresh),
        has_others=grants.list_of_offices(person, Power.LOOK).exclude(pk=fresh.pk).exists(),
    )


def _methods(read: Rows) -> Iterator[MethodRow]:
    for one in read.methods:
        if not one.detached_at:
            yield MethodRow(str(one), card_month(one.expires), one.is_default)


def _invoices(read: Rows) -> Iterator[InvoiceRow]:
    """Yield the newest ones, and older ones that can be paid."""
    asked_for = {one.pk for one in read.asked_for}
    for number, one in enumerate(read.invoices):
        if number >= MOST_INVOICES and one.pk not in asked_for:
            continue
        one.office = read.office
        can_pay = one.pk in asked_for and PayInvoice.is_offered(one)
        status = INVOICE_STATUS.get(one.status, one.status)
        yield InvoiceRow(one, one.number or ENGLISH.draft, status, one.remaining if can_pay else None)


@of_office("GET")
def upcoming(request: HttpRequest, office: Office) -> HttpResponse:
    """Show the next invoice as Stripe calculates it now."""
    try:
        preview = preview_upcoming(office, by=actor.person(request.user))
    except errors.NotPermitted:
        raise
    except errors.BillingError as refusal:
        return told(request, office, str(refusal), level=messages.WARNING)
    return shown(request, office, "upcoming.html", preview=preview)


@of_office("GET")
def invoice_pdf(request: HttpRequest, office: Office, invoice_id: Any) -> HttpResponse:
    """Lead to the invoice's PDF at Stripe. The audit trail records who opened it."""
    invoice = invoice_of(office, invoice_id)
    return to_stripe(request, office, lambda: open_document(invoice, "pdf", by=actor.person(request.user)))


@of_office("GET")
def invoice_page(request: HttpRequest, office: Office, invoice_id: Any) -> HttpResponse:
    """Lead to the invoice's page at Stripe, where it is paid in another way, or confirmed at the payer's bank."""
    invoice = invoice_of(office, invoice_id)
    return to_stripe(request, office, lambda: open_document(invoice, "page", by=actor.person(request.user)))


@of_office("POST")
def card(request: HttpRequest, office: Office) -> HttpResponse:
    """Lead to the page at Stripe where a card is entered. Each time it is another page, which does no harm."""
    by = actor.person(request.user)
    begin.check_permitted(MakeCardLink, office, by=by)
    return to_stripe(request, office, lambda: str(perform(MakeCardLink(), office, by=by, reason="")))


@of_office("POST")
def complete(request: HttpRequest, office: Office) -> HttpResponse:
    """Lead to the page at Stripe where the first payment of the subscription is completed."""
    by = actor.person(request.user)
    begin.check_permitted(EndWaitingSubscription, office, by=by)
    return to_stripe(request, office, lambda: payment_page(office, by=by))


def invoice_of(office: Office, invoice_id: Any) -> Invoice:
    """Return the Office's invoice with this public id. There is no page for any other."""
    invoice = get_object_or_404(office.invoices.filter(deleted_at=None), public_id=invoice_id)
    invoice.office = office
    return invoice
