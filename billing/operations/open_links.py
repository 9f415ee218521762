"""The page of Stripe's on which an Office may be paying at this moment."""

from billing.models import Office
from billing.operations.protocol import Run
from billing.stripe_api import gateway
from billing.stripe_api.gateway import PaymentLink

KIND = "payment_link"


def open_payment_link(office: Office) -> PaymentLink | None:
    """The Office's payment link that is open now, with its address, which Stripe alone keeps."""
    customer = office.payment_provider_customer_id
    return gateway.find_payment_link(customer) if customer else None


def close_payment_link(run: Run, office: Office) -> None:
    """Nobody can pay by a link any more, so that no second subscription comes of it."""
    if not office.operations.filter(kind=KIND).exists():
        return
    link = open_payment_link(office)
    if link:
        gateway.close_payment_link(link.id, step=run.step("close_link"))
