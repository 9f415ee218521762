"""What operations on a live subscription share: the subscription itself, and whether a change of it was made."""

from billing import errors
from billing.models import Office
from billing.operations.engine.declaration import Outcome
from billing.operations.engine.steps import Run
from billing.stripe_api import gateway
from billing.stripe_api.inbound.states import SubscriptionState

PRORATION: dict[str, str] = {"now": "always_invoice", "next_invoice": "create_prorations", "not_at_all": "none"}


def require_live(office: Office) -> None:
    if not office.has_live_subscription:
        raise errors.NoLiveSubscription(office)


def require_collection(office: Office) -> None:
    """What is invoiced now is charged now."""
    if office.collection_paused:
        raise errors.CollectionPaused(office)


def state_of(subscription: str) -> SubscriptionState:
    """The subscription as Stripe has it now. Raises: StripeObjectMissing."""
    found = gateway.subscriptions.fetch_subscription(subscription)
    if found is None:
        raise errors.StripeObjectMissing("Stripe has this subscription no more.")
    return found


def was_updated(run: Run, subscription: str) -> Outcome:
    """Whether the subscription carries the operation's mark: no other operation of the Office could begin since."""
    state = gateway.subscriptions.fetch_subscription(subscription)
    return Outcome.of(state is not None and state.operation == run.id)
