"""What operations on a live subscription share: the subscription itself, and whether a change of it was made."""

from datetime import datetime

from billing import errors
from billing.models import Office
from billing.operations.run import Run
from billing.stripe_api import gateway
from billing.stripe_api.inbound import SubscriptionState

PRORATION: dict[str, str] = {"now": "always_invoice", "next_invoice": "create_prorations", "not_at_all": "none"}


def require_live(office: Office) -> None:
    if not office.has_live_subscription:
        raise errors.NoLiveSubscription(office)


def require_collection(office: Office) -> None:
    """What is invoiced now is charged now."""
    if office.collection_paused:
        raise errors.CollectionPaused(office)


def moment(as_of: datetime | None) -> str:
    """For the record of an operation; ``when`` reads it back."""
    return as_of.isoformat() if as_of else ""


def when(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def state_of(office: Office) -> SubscriptionState:
    """The Office's subscription as Stripe has it now."""
    found = gateway.fetch_subscription(office.payment_provider_subscription_id)
    if found is None:
        raise errors.NoLiveSubscription(office)
    return found


def was_updated(run: Run, office: Office) -> bool:
    """The subscription carries the operation's mark: no other operation of the Office could begin since."""
    state = gateway.fetch_subscription(run.operation.request["subscription"])
    return state is not None and state.operation == run.id
