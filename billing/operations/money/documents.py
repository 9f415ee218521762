"""Invoices as Stripe shows them now. These reads change nothing."""

from billing import clock, errors
from billing.access import grants
from billing.access.roles import Power
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import Invoice, Office
from billing.models.statuses import SubscriptionStatus
from billing.operations.engine import previews
from billing.operations.engine.previews import Preview
from billing.stripe_api import gateway
from billing.stripe_api.gateway.invoices import Document

OPENED: dict[Document, str] = {"pdf": "opened the invoice's PDF", "page": "opened the invoice's page"}


def open_document(invoice: Invoice, document: Document, *, by: Actor) -> str:
    """Fetch the address at which Stripe shows the invoice. It is not stored. The audit trail says who opened it.

    Raises: NotPermitted, NoDocument, StripeRejected, StripeUnavailable.
    """
    grants.require_on_record(by, Power.DOCUMENTS, invoice.office, what="open an invoice")
    address = gateway.invoices.document_address(invoice.stripe_id, document)
    if not address:
        raise errors.NoDocument(invoice)
    with trail.acting(by, office=invoice.office):
        trail.record_act(invoice, OPENED[document], office=invoice.office)
    return address


def preview_upcoming(office: Office, *, by: Actor) -> Preview:
    """Show the invoice of the next renewal, as Stripe calculates it now. Nothing changes.

    A subscription whose status is ``paused`` makes no invoices, and those of one that is ``unpaid`` are not charged.

    Raises: NotPermitted, NoUpcomingInvoice, StripeUnavailable.
    Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
    """
    grants.require_on_record(by, Power.PREVIEW, office, what="upcoming invoice")
    if not office.has_live_subscription or office.subscription_status == SubscriptionStatus.PAUSED:
        raise errors.NoUpcomingInvoice(office)
    as_of = clock.billing()
    invoice = gateway.invoices.preview_renewal(office.payment_provider_subscription_id)
    if invoice is None:
        raise errors.NoUpcomingInvoice(office)
    seen = previews.shown(invoice, now=False, at=invoice.period_end, as_of=as_of, of=office)
    return previews.naming_the_present(seen, office)
