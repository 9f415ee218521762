"""Where the database can lose commits, Stripe may have done what is not on record here.

A libSQL server does not put each commit on disk. After a power cut the intent of an operation and its idempotency key
can be gone, although Stripe charged. So before anything that moves money, what Stripe has for the Office is compared
with our operations. What no operation here has made is a finding, and nothing that moves money begins until a person
closed it. After a restore from a backup ``billing.backups.after`` compares so, once, and the findings hold in the same
way. An Office without a customer is compared each time, because a customer that nobody sees here would be a second one.
"""

import uuid

from billing import errors
from billing.findings import report
from billing.look import look
from billing.models import Finding, Office, Operation
from billing.stripe_api import gateway

LOST = "operation_lost"
SAW = (
    "Stripe did something for this Office that is not on record here: the database lost it, for example at a power cut "
    "or because a backup was restored."
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
    lost = tell_of_lost(office)
    require_decided(office)
    if lost and not office.payment_provider_customer_id:
        raise errors.OperationLost(office)


def require_decided(office: Office) -> None:
    """Check that a person has dealt with each finding about what was lost of this Office. Raises: OperationLost."""
    if Finding.objects.filter(kind=LOST, office=office, resolved_at=None).exists():
        raise errors.OperationLost(office)


def tell_of_lost(office: Office) -> list[Finding]:
    """Report a finding for each operation that made something at Stripe and is not on record here. Return them.

    Our rows show afterwards what it made. Raises: StripeUnavailable.
    """
    customer = office.payment_provider_customer_id
    seen = gateway.done.operations_seen(customer) if customer else gateway.done.customer_made_for(office)
    ids = {text for text in seen if _is_uuid(text)}  # anybody can type metadata at Stripe
    known = {str(one) for one in Operation.objects.filter(public_id__in=ids).values_list("public_id", flat=True)}
    closed = Finding.objects.filter(kind=LOST, subject__in=ids).exclude(resolved_at=None)
    # a second customer is never right while Stripe has the first one
    decided = set(closed.values_list("subject", flat=True)) if customer else set()
    lost = ids - known - decided
    if lost and customer:
        look(office, invoices=[seen[one] for one in lost if seen[one].startswith("in_")])
    return [report(LOST, one, office=office, detail=f"{SAW} {CLOSE if customer else LINK}") for one in sorted(lost)]


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
