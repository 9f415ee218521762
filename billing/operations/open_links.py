"""The page of Stripe's on which an Office may be paying at this moment."""

from datetime import timedelta

from django.db.models import Q

from billing import clock
from billing.models import Office, Operation
from billing.operations.run import Run
from billing.stripe_api import gateway
from billing.stripe_api.gateway import PaymentLink

KIND = "payment_link"
WITHDRAWAL = "withdraw_payment_link"
LASTS = timedelta(hours=24)


def open_payment_link(office: Office) -> PaymentLink | None:
    """The Office's payment link that is open now, with its address, which Stripe alone keeps."""
    customer = office.payment_provider_customer_id
    return gateway.find_payment_link(customer) if customer else None


def may_have_link(office: Office) -> bool:
    """One was asked for within its 24 hours and not withdrawn; whether it is still open, Stripe alone knows."""
    if not office.is_customer:
        return False
    asked = Q(settled_at=None) | Q(settled_at__gte=clock.wall() - LASTS)
    last = office.operations.filter(asked, kind=KIND).exclude(status=Operation.Status.REJECTED).first()
    closed = Q(kind__in=[WITHDRAWAL, "subscribe"], status=Operation.Status.SUCCEEDED)
    return last is not None and not office.operations.filter(closed, created_at__gt=last.created_at).exists()


def close_payment_link(run: Run, office: Office) -> None:
    """Nobody can pay by a link any more, so that no second subscription comes of it."""
    if not office.operations.filter(kind=KIND).exists():
        return
    link = open_payment_link(office)
    if link:
        gateway.close_payment_link(link.id, step=run.step("close_link"))
