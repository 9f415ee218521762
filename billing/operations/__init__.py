"""Every write that a person may ask for, one verb_noun function each."""

from billing.operations.cancel import cancel_subscription
from billing.operations.customer import ensure_customer
from billing.operations.protocol import resume_unsettled
from billing.operations.subscribe import subscribe

__all__ = ["cancel_subscription", "ensure_customer", "resume_unsettled", "subscribe"]
