"""Every write that a person may ask for, one verb_noun function each."""

from billing.operations.agreement import approve_determination, prepare_determination, withdraw_determination
from billing.operations.cancel import cancel_subscription
from billing.operations.change import change_subscription, preview_change
from billing.operations.customer import ensure_customer
from billing.operations.protocol import resume_unsettled
from billing.operations.subscribe import subscribe

__all__ = [
    "approve_determination",
    "cancel_subscription",
    "change_subscription",
    "ensure_customer",
    "prepare_determination",
    "preview_change",
    "resume_unsettled",
    "subscribe",
    "withdraw_determination",
]
