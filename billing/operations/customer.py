"""The Office as Stripe's customer."""

from billing.audit.actor import Actor
from billing.models import Office
from billing.operations.protocol import Run, operation_body, perform
from billing.projection import link_customer
from billing.stripe_api import gateway


def ensure_customer(office: Office, *, by: Actor, reason: str) -> Office:
    """The Office is a customer at Stripe. Money does not move. Repeating is a no-op.

    Raises: as ``billing.operations.protocol.perform``.
    """
    if office.payment_provider_customer_id:
        return office
    return perform("ensure_customer", office, by=by, reason=reason, request={}, guard=lambda _: None)


def customer_of(run: Run, office: Office) -> str:
    """The Office's customer id; the customer is created where there is none."""
    office.refresh_from_db(fields=["payment_provider_customer_id"])
    if office.payment_provider_customer_id:
        return office.payment_provider_customer_id
    customer = gateway.create_customer(office, operation=run.id, step=run.step("customer"))
    return link_customer(office.pk, customer).payment_provider_customer_id or ""


def _was_made(run: Run, office: Office) -> bool:
    customer = gateway.find_customer(office, operation=run.id)
    if customer:
        link_customer(office.pk, customer)
    return bool(customer)


@operation_body("ensure_customer", search=_was_made)
def _ensure_customer(run: Run, office: Office) -> None:
    customer_of(run, office)
