"""What the lists do to many Offices by operations: archive them, bring them back, and charge what they owe."""

from collections.abc import Mapping, Sequence
from typing import Any

from billing import clock, debts, errors, next_steps
from billing.bulk.kinds import BulkKind, Cannot, Work, register
from billing.models import Invoice, Office, Operation
from billing.money import Money
from billing.next_steps import State
from billing.operations.engine.begin import perform
from billing.operations.money.invoices import PayInvoice
from billing.operations.offices import sent_links
from billing.operations.offices.archive import ArchiveOffice, UnarchiveOffice
from billing.operations.offices.cards import MakeCardLink

Judged = dict[int, dict[str, Any] | Cannot]
ARCHIVED = Cannot("It is archived.")


def _can_be_archived(offices: Sequence[Office], given: Mapping[str, Any]) -> Judged:
    return {office.pk: _unless(_why_not_archived(office)) for office in offices}


def _why_not_archived(office: Office) -> str:
    if office.archived_at:
        return "It is archived already."
    if office.has_live_subscription:
        return "Its subscription is live. Cancel it first."
    return f"It owes {office.debts_in_words}." if office.owes_something else ""


def _can_be_brought_back(offices: Sequence[Office], given: Mapping[str, Any]) -> Judged:
    return {office.pk: _unless("" if office.archived_at else "It is not archived.") for office in offices}


def _unless(why: str) -> dict[str, Any] | Cannot:
    return Cannot(why) if why else {}


def _archived(work: Work) -> str:
    if work.office.archived_at:  # by a process that was killed before it could say so, or by somebody else
        return "It is archived."
    perform(ArchiveOffice(), work.office, by=work.by, reason=work.reason)
    return "Archived."


def _brought_back(work: Work) -> str:
    if not work.office.archived_at:
        return "It is not archived."
    perform(UnarchiveOffice(), work.office, by=work.by, reason=work.reason)
    return "Brought back."


def _can_get_link(offices: Sequence[Office], given: Mapping[str, Any]) -> Judged:
    if not sent_links.can_send():
        return dict.fromkeys((office.pk for office in offices), Cannot("No mail server is configured."))
    return {office.pk: _unless(_why_no_link(office)) for office in offices}


def _why_no_link(office: Office) -> str:
    if office.archived_at:
        return ARCHIVED.why
    return "Its customer was deleted at Stripe." if office.customer_deleted_at else ""


def _link_made(work: Work) -> str:
    perform(MakeCardLink(), work.office, by=work.by, reason=work.reason)
    return "The link is made."


def _link_sent(work: Work, made: Operation) -> str:
    sent_links.send(work.office, by=work.by, operation=made.public_id)
    return "The link is on its way by e-mail."


def _can_pay(offices: Sequence[Office], given: Mapping[str, Any]) -> Judged:
    """Name what each Office should pay first, and its amount. A fixed number of queries for all of them."""
    keys, at = [office.pk for office in offices], clock.billing()
    first, unsettled = debts.first_of(keys), debts.with_unsettled(keys)
    found: Judged = {}
    for office in offices:
        debt = first.get(office.pk)
        why = next_steps.why_not_charged(State(office, debt, office.pk in unsettled), at=at)
        if why or debt is None:
            found[office.pk] = Cannot(why)
        else:
            found[office.pk] = {
                "invoice": str(debt.invoice.public_id),
                "amount": debt.invoice.amount_remaining,
                "currency": debt.invoice.currency,
            }
    return found


def _paid(work: Work) -> str:
    invoice = Invoice.objects.get(public_id=work.own["invoice"], office=work.office)
    if invoice.amount_remaining != work.own["amount"] and invoice.is_open:
        raise errors.DueChanged
    perform(PayInvoice(), invoice, by=work.by, reason=work.reason)
    return f"{Money(work.own['amount'], work.own['currency'])} was paid on invoice {invoice}."


ARCHIVE = register(
    BulkKind(
        name="archive",
        title="Archive",
        says="Members cannot see these Offices any more, and their billing cannot be changed. Nothing is deleted. You "
        "can bring them back.",
        power=ArchiveOffice.needs,
        judge=_can_be_archived,
        work=_archived,
        is_red=True,
    )
)
UNARCHIVE = register(
    BulkKind(
        name="unarchive",
        title="Bring back",
        says="Members can see these Offices again, and you can bill them again.",
        power=UnarchiveOffice.needs,
        judge=_can_be_brought_back,
        work=_brought_back,
    )
)
CARD_LINK = register(
    BulkKind(
        name="send_card_link",
        title="Send a link to add a card",
        says="Each Office gets an e-mail with a link to a page at Stripe, where it enters a card. The link is valid "
        "for one day. From then on, invoices are charged to that card.",
        power=MakeCardLink.needs,
        judge=_can_get_link,
        work=_link_made,
        then=_link_sent,
    )
)
PAY = register(
    BulkKind(
        name="pay_now",
        title="Pay now",
        says="The oldest invoice that each Office owes is charged to what is on file. If a payment is declined, its "
        "invoice stays open, and the others go on.",
        power=PayInvoice.needs,
        judge=_can_pay,
        work=_paid,
        is_red=True,
    )
)
