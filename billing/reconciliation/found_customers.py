"""Asking Stripe whether a finding about a customer that no Office has is over."""

from billing import errors
from billing.models import Finding
from billing.models.statuses import LIVE
from billing.reconciliation import adoption
from billing.reconciliation.unknown_customers import CLAIMS, office_id
from billing.stripe_api import gateway
from billing.stripe_api.gateway import lists
from billing.stripe_api.inbound.states import SubscriptionState


def is_over(finding: Finding) -> bool:
    """Ask Stripe whether the matter of a finding about a customer is over. One or two requests.

    Raises: StripeUnavailable.
    """
    try:
        state = gateway.customers.fetch_customer(finding.subject)
    except errors.StripeObjectMissing:
        return True
    if state.deleted:
        return True
    if finding.kind in CLAIMS:
        return finding.office is None or office_id(state) != finding.office.public_id
    if not finding.facts:  # an event came, and nothing says that the customer ever subscribed to a plan
        return False
    subscriptions = adoption.of_ours(lists.subscriptions(customer=finding.subject, with_owners=True).objects)
    return not any(isinstance(one.state, SubscriptionState) and one.state.status in LIVE for one in subscriptions)
