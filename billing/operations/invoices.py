"""What is done to an invoice that there is: collect it, send it, or give up the claim; and to look at it at Stripe."""

from collections.abc import Callable
from typing import Any

from billing import clock, errors
from billing.access import grants
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import Invoice, Office, Operation
from billing.operations import previews
from billing.operations.bodies import operation_body
from billing.operations.payment_methods import Card, card_on_file, key_of
from billing.operations.previews import Preview
from billing.operations.protocol import perform
from billing.operations.run import Run
from billing.stripe_api import charging, gateway
from billing.stripe_api.gateway import Document

OPENED: dict[Document, str] = {"pdf": "opened the invoice's PDF", "page": "opened the invoice's page"}


def pay_invoice(invoice: Invoice, *, by: Actor, reason: str, payment_method: Card | None = None) -> Invoice:
    """The invoice is paid: with the card on file, or with a chosen one of the Office's. **Money moves.**

    A declined card leaves the invoice open.

    Raises:
        InvoiceDraft, InvoicePaid, InvoiceVoid, NothingToPay, PaymentMethodRequired, DeterminationMissing:
            it was refused before Stripe was asked.
        PaymentMethodUnknown: the card is none of the Office's; Stripe was not asked.
        CardDeclined, StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/api/invoices/pay
    """

    def guard(row: Invoice) -> None:
        charging.require_determination()
        _check_collectible(row)
        if payment_method:
            card_on_file(row.office, payment_method)
        elif not row.office.has_payment_method:
            raise errors.PaymentMethodRequired(row.office, "pay with one of its other cards")

    card = key_of(payment_method) if payment_method else ""
    return _perform("pay_invoice", invoice, by=by, reason=reason, guard=guard, payment_method=card)


def retry_invoice(invoice: Invoice, *, by: Actor, reason: str) -> Invoice:
    """After a failed attempt the card on file was charged again. **Money moves.**

    Raises: as ``pay_invoice``; NoFailedAttempt, InvoiceUncollectible.
    """

    def guard(row: Invoice) -> None:
        charging.require_determination()
        _check_collectible(row)
        if row.status == "uncollectible":
            raise errors.InvoiceUncollectible(row)
        if not row.attempt_count:
            raise errors.NoFailedAttempt(row)
        if not row.office.has_payment_method:
            raise errors.PaymentMethodRequired(row.office, "pay with one of its other cards")

    return _perform("retry_invoice", invoice, by=by, reason=reason, guard=guard, payment_method="")


def send_invoice(invoice: Invoice, *, by: Actor, reason: str) -> Invoice:
    """Stripe mailed the invoice to the Office, with a page on which it can be paid. For the vendor.

    Raises:
        NotPermitted, DeterminationMissing, InvoiceDraft, InvoicePaid, InvoiceVoid, InvoiceUncollectible,
            InvoiceNotSendable: it was refused before Stripe was asked.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    """

    def guard(row: Invoice) -> None:
        grants.require_vendor(by, "manage_billing", to="send an invoice")
        charging.require_determination()
        _check_open(row)
        if row.collection != Invoice.Collection.SENT:
            raise errors.InvoiceNotSendable(row)

    return _perform("send_invoice", invoice, by=by, reason=reason, guard=guard)


def void_invoice(invoice: Invoice, *, by: Actor, reason: str) -> Invoice:
    """Nothing is owed on the invoice, as if it had never been; it cannot come back. For the vendor.

    Money does not move; credit that the invoice took goes back.

    Raises:
        NotPermitted, InvoiceDraft, InvoicePaid, InvoiceVoid: it was refused before Stripe was asked.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    """

    def guard(row: Invoice) -> None:
        grants.require_vendor(by, "manage_billing", to="void an invoice")
        _check_not_settled(row)

    return _perform("void_invoice", invoice, by=by, reason=reason, guard=guard)


def mark_uncollectible(invoice: Invoice, *, by: Actor, reason: str) -> Invoice:
    """The invoice is written off: Stripe tries no more, though it can still be paid. For the vendor.

    Money does not move.

    Raises:
        NotPermitted, InvoiceDraft, InvoicePaid, InvoiceVoid, InvoiceUncollectible: it was refused before
            Stripe was asked.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    """

    def guard(row: Invoice) -> None:
        grants.require_vendor(by, "manage_billing", to="write an invoice off")
        _check_open(row)

    return _perform("mark_uncollectible", invoice, by=by, reason=reason, guard=guard)


def open_document(invoice: Invoice, document: Document, *, by: Actor) -> str:
    """The address at which Stripe shows the invoice, fetched now and never kept. That it was opened is on record.

    Raises: NotPermitted, NoDocument, StripeRejected, StripeUnavailable.
    """
    grants.require(by, "view_billing", invoice.office)
    address = gateway.document_address(invoice.stripe_id, document)
    if not address:
        raise errors.NoDocument(invoice)
    with trail.acting(by, office=invoice.office):
        trail.record_act(invoice, OPENED[document], office=invoice.office)
    return address


def preview_upcoming(office: Office, *, by: Actor) -> Preview:
    """The next renewal's invoice as Stripe reckons it now. Nothing changes.

    Raises: NotPermitted, NoUpcomingInvoice, StripeUnavailable.
    """
    grants.require(by, "view_billing", office)
    if not office.has_live_subscription:
        raise errors.NoUpcomingInvoice(office)
    as_of = clock.billing()
    invoice = gateway.preview_renewal(office.payment_provider_subscription_id)
    if invoice is None:
        raise errors.NoUpcomingInvoice(office)
    seen = previews.shown(invoice, now=False, at=invoice.period_end, as_of=as_of)
    return previews.uncollected(seen, office)


def invoice_of(operation: Operation) -> Invoice:
    """The invoice that the operation dealt with."""
    return Invoice.objects.get(office=operation.office, public_id=operation.request["invoice"])


def _perform(
    kind: str, invoice: Invoice, *, by: Actor, reason: str, guard: Callable[[Invoice], None], **request: Any
) -> Invoice:
    def guard_invoice(office: Office) -> None:
        row = Invoice.objects.get(pk=invoice.pk)
        row.office = office
        guard(row)

    request = {"invoice": str(invoice.public_id), **request}
    perform(kind, invoice.office, by=by, reason=reason, request=request, guard=guard_invoice)
    return Invoice.objects.get(pk=invoice.pk)


def _check_not_settled(row: Invoice) -> None:
    """It is open or uncollectible. Raises what refuses it."""
    if row.status == "draft" or row.deleted_at:
        raise errors.InvoiceDraft(row)
    if row.status == "paid":
        raise errors.InvoicePaid(row)
    if row.status == "void":
        raise errors.InvoiceVoid(row)


def _check_open(row: Invoice) -> None:
    _check_not_settled(row)
    if row.status == "uncollectible":
        raise errors.InvoiceUncollectible(row)


def _check_collectible(row: Invoice) -> None:
    _check_not_settled(row)
    if row.amount_remaining <= 0:
        raise errors.NothingToPay(row)


def _row(run: Run) -> Invoice:
    """The operation's invoice, which the look afterwards fetches with its payments."""
    row = invoice_of(run.operation)
    run.look_at(invoices=row.stripe_id, payments=row.payment_intent_id)
    return row


def _has_status(status: str) -> Callable[[Run, Office], bool]:
    """A search that finds out whether the invoice has this status at Stripe."""

    def search(run: Run, office: Office) -> bool:
        found = gateway.fetch_invoice(_row(run).stripe_id)
        return found is not None and found.status == status

    return search


@operation_body("retry_invoice", search=_has_status("paid"))
@operation_body("pay_invoice", search=_has_status("paid"))
def _pay(run: Run, office: Office, *, invoice: str, payment_method: str) -> None:
    row = _row(run)
    card = office.payment_methods.get(public_id=payment_method).stripe_id if payment_method else ""
    try:
        gateway.pay_invoice(row.stripe_id, payment_method=card, step=run.step("pay"))
    except errors.StripeRejected as error:
        if error.stripe_code != "invoice_already_paid":  # Stripe's own attempt was quicker
            raise


def _was_sent(run: Run, office: Office) -> bool:
    return gateway.was_sent(_row(run).stripe_id, key=run.step("send").key)


@operation_body("send_invoice", search=_was_sent)
def _send(run: Run, office: Office, *, invoice: str) -> None:
    gateway.send_invoice(_row(run).stripe_id, step=run.step("send"))


@operation_body("void_invoice", search=_has_status("void"))
def _void(run: Run, office: Office, *, invoice: str) -> None:
    gateway.void_invoice(_row(run).stripe_id, step=run.step("void"))


@operation_body("mark_uncollectible", search=_has_status("uncollectible"))
def _mark_uncollectible(run: Run, office: Office, *, invoice: str) -> None:
    gateway.mark_uncollectible(_row(run).stripe_id, step=run.step("mark"))
