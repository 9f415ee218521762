"""The payment link that is open now: somebody may be paying with it at this moment."""

from datetime import timedelta

from django.db.models import Q

from billing import clock, errors
from billing.look import look
from billing.models import Office, Operation
from billing.models.operation import Kind
from billing.models.statuses import CheckoutStatus
from billing.operations.engine.steps import Run
from billing.stripe_api import gateway
from billing.stripe_api.gateway.payment_links import PaymentLink

LASTS = timedelta(hours=24)


def open_payment_link(office: Office) -> PaymentLink | None:
    """Return the Office's open payment link, with its address. Only Stripe stores the address."""
    customer = office.payment_provider_customer_id
    return gateway.payment_links.find_payment_link(customer) if customer else None


def may_have_link(office: Office) -> bool:
    """Return whether a link of the last 24 hours was not withdrawn. Only Stripe knows if it is still open."""
    if not office.is_customer:
        return False
    asked = Q(settled_at=None) | Q(settled_at__gte=clock.wall() - LASTS)
    last = office.operations.filter(asked, kind=Kind.CREATE_PAYMENT_LINK).exclude(status=Operation.Status.REJECTED)
    closed = Q(kind__in=[Kind.WITHDRAW_PAYMENT_LINK, Kind.START_SUBSCRIPTION], status=Operation.Status.SUCCEEDED)
    link = last.first()
    return link is not None and not office.operations.filter(closed, created_at__gt=link.created_at).exists()


def link_of(office: Office) -> PaymentLink | None:
    """Return the Office's open payment link. Stripe is asked only if a link was ever made."""
    made = office.operations.filter(kind=Kind.CREATE_PAYMENT_LINK).exists()
    return open_payment_link(office) if made else None


def close_payment_link(link: PaymentLink, run: Run) -> None:
    """Close the payment link so that nobody can pay with it and start a second subscription.

    Raises: PaymentLinkUsed: somebody used it at this moment. Our rows show the subscription.
    """
    try:
        gateway.payment_links.close_payment_link(link.id, step=run.step("close_link"))
    except errors.StripeRejected:
        status = gateway.payment_links.status_of(link.id)
        if status == CheckoutStatus.COMPLETE:
            run.office = look(run.office)
            raise errors.PaymentLinkUsed from None
        if status != CheckoutStatus.EXPIRED:
            raise
