"""Where the database can lose commits, Stripe may have done what is not on record here.

A libSQL server does not put each commit on disk. After a power cut the intent of an operation and its idempotency key
can be gone, although Stripe charged. So before anything that moves money, what Stripe has for the Office is compared
with our operations. What no operation here has made is a finding, and nothing that moves money begins until a person
closed it.
"""

import uuid

from billing import errors
from billing.findings import report
from billing.look import look
from billing.models import Finding, Office, Operation
from billing.stripe_api import gateway

LOST = "operation_lost"
SAW = (
    "Stripe did something for this Office that is not on record here: the database lost it, for example at a power cut."
)
CLOSE = (
    "Look at the Office's subscription, invoices and payments, compare the Office with Stripe, and close this finding. "
    "Until then nothing that moves money begins for this Office."
)
LINK = (
    "Stripe has a customer for this Office already, perhaps with a subscription. Run a comparison, and link the "
    "customer from its finding. Until the Office has that customer, nothing begins for it at Stripe."
)


def require_none(office: Office) -> None:
    """Check that Stripe has nothing for this Office that is not on record here.

    Raises:
        OperationLost: it has, or had, and the finding is still open. Our rows show it.
        StripeUnavailable: nothing was changed.
    """
    customer = office.payment_provider_customer_id
    seen = gateway.done.operations_seen(customer) if customer else gateway.done.customer_made_for(office)
    ids = {text for text in seen if _is_uuid(text)}  # anybody can type metadata at Stripe
    known = {str(one) for one in Operation.objects.filter(public_id__in=ids).values_list("public_id", flat=True)}
    closed = Finding.objects.filter(kind=LOST, subject__in=ids).values_list("subject", flat=True)
    decided = set(closed) if customer else set()  # a second customer is never right while Stripe has the first one
    lost = ids - known - decided
    if lost and customer:
        look(office, invoices=[seen[one] for one in lost if seen[one].startswith("in_")])
    for one in sorted(lost):
        report(
            LOST,
            one,
            office=office,
            detail=f"{SAW} {CLOSE if customer else LINK}",
        )
    is_undecided = Finding.objects.filter(kind=LOST, office=office, resolved_at=None).exists()
    if is_undecided or (lost and not customer):
        raise errors.OperationLost(office)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
