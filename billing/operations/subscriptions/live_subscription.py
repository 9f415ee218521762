"""What operations on a live subscription share: the subscription, and whether a change was made."""

from billing import errors, invoice_lines
from billing.models import Office, Subscription
from billing.models.subscription import NOT_OURS, Discounted
from billing.money import Money
from billing.operations.engine.declaration import Outcome
from billing.operations.engine.steps import Run
from billing.stripe_api import gateway
from billing.stripe_api.inbound.states import ItemState, SubscriptionState

PRORATION: dict[str, str] = {"now": "always_invoice", "next_invoice": "create_prorations", "not_at_all": "none"}


def require_live(office: Office) -> None:
    if not office.has_live_subscription:
        raise errors.NoLiveSubscription(office)


def require_collection(office: Office) -> None:
    """Check that a new invoice would be charged now."""
    if office.collection_paused:
        raise errors.CollectionPaused(office)


def state_of(subscription: str) -> SubscriptionState:
    """Return the subscription as Stripe has it now. Raises: StripeObjectMissing."""
    found = gateway.subscriptions.fetch_subscription(subscription)
    if found is None:
        raise errors.StripeObjectMissing("Stripe does not have this subscription any more.")
    return found


def only_item(state: SubscriptionState) -> ItemState:
    """Return the item of a subscription that has one. Raises: SeveralItems: it has more, or none."""
    if len(state.items) != 1:
        prices = invoice_lines.prices_of(item.price_id for item in state.items)
        names = [str(prices[one.price_id].plan) if one.price_id in prices else NOT_OURS for one in state.items]
        raise errors.SeveralItems(" and ".join(names))
    return state.items[0]


def price_of(state: SubscriptionState) -> Money | None:
    """Return what all items cost a period, before taxes and discounts, or None if nobody can tell from their prices."""
    amounts = [one.unit_amount * one.quantity for one in state.items if one.unit_amount is not None]
    return Money(sum(amounts), state.currency) if len(amounts) == len(state.items) else None


def costs_nothing(subscription: Subscription) -> bool:
    """Return whether nothing is charged, now and later: its prices are 0, or a discount takes all off for ever."""
    items = subscription.present_items
    amounts = [item.unit_amount * item.quantity for item in items if item.unit_amount is not None]
    if len(amounts) < len(items):
        return False
    prices = [Money(amount, subscription.currency) for amount in amounts]
    whole = Money(sum(price.amount for price in prices), subscription.currency)
    if subscription.monthly_amount == 0 or _takes_all(subscription, whole):
        return True
    return bool(items) and all(
        price.amount == 0 or _takes_all(item, price) for item, price in zip(items, prices, strict=True)
    )


def _takes_all(discounted: Discounted, price: Money) -> bool:
    if discounted.discount_count == 0 or discounted.discount_duration != "forever":
        return False
    if discounted.discount_percent is not None:
        return discounted.discount_percent == 100
    return discounted.discount_currency == price.currency and discounted.discount_amount >= price.amount > 0


def was_updated(run: Run, subscription: str) -> Outcome:
    """Return whether the subscription carries the operation's mark. No other operation could begin since then."""
    state = gateway.subscriptions.fetch_subscription(subscription)
    return Outcome.of(state is not None and state.operation == run.id)
