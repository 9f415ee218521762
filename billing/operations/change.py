"""Changing what an Office is subscribed to: plan, interval, seats."""

import uuid
from datetime import datetime
from typing import Literal

from billing import errors
from billing.access import grants
from billing.audit.actor import Actor
from billing.models import Office, PlanPrice
from billing.operations import previews
from billing.operations.bodies import operation_body
from billing.operations.live import (
    PRORATION,
    moment,
    require_collection,
    require_live,
    state_of,
    was_updated,
    when,
)
from billing.operations.previews import Preview
from billing.operations.protocol import perform
from billing.operations.run import Run
from billing.operations.subscribe import check_quantity, price_for_sale
from billing.stripe_api import charging, gateway

Settle = Literal["now", "next_invoice", "not_at_all"]
CHANGEABLE = ("active", "trialing")


def change_subscription(
    office: Office,
    *,
    by: Actor,
    reason: str,
    price: PlanPrice | str | uuid.UUID | None = None,
    quantity: int | None = None,
    settle: Settle = "now",
    as_of: datetime | None = None,
) -> Office:
    """The office's subscription has this price and so many seats; what is not given stays as it is.

    The difference for the rest of the period is charged or credited now, with the next invoice, or not at
    all, which only the vendor decides; another interval begins a new period, which is charged now. **Money may
    move.** A declined card changes nothing. With ``as_of`` of a preview of the last hour the amounts are the
    ones that were shown.

    Raises:
        DeterminationMissing, NoLiveSubscription, SubscriptionNotChangeable, PlanUnknown, QuantityInvalid,
            CurrencyMismatch, NothingToChange, StaffOnly, CollectionPaused, PreviewStale: it was refused before Stripe
            was asked.
        CardDeclined: the card said no; nothing was changed or charged.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/billing/subscriptions/change-price
    """

    def guard(fresh: Office) -> None:
        charging.require_determination()
        wanted, _ = _wanted(fresh, price, quantity)
        _check_settling(fresh, wanted, settle, by)
        previews.check_unchanged(fresh, as_of)

    row, seats = _wanted_or_given(office, price, quantity)
    request = {
        "subscription": office.payment_provider_subscription_id,
        "price": row,
        "quantity": seats,
        "settle": settle,
        "as_of": moment(as_of),
    }
    return perform("change_subscription", office, by=by, reason=reason, request=request, guard=guard)


def preview_change(
    office: Office,
    *,
    by: Actor,
    price: PlanPrice | str | uuid.UUID | None = None,
    quantity: int | None = None,
    settle: Settle = "now",
) -> Preview:
    """What ``change_subscription`` with the same arguments would charge or credit. Nothing changes.

    Raises: what ``change_subscription`` raises before Stripe is asked; StripeUnavailable.
    """
    office, as_of = previews.opened(office, by=by)
    charging.require_determination()
    wanted, seats = _wanted(office, price, quantity)
    _check_settling(office, wanted, settle, by)
    current = state_of(office)
    old = PlanPrice.objects.get(stripe_price_id=current.price_id)
    invoice = gateway.preview_subscription_change(
        current, wanted, quantity=seats, proration=PRORATION[settle], as_of=as_of
    )
    another_interval = _interval(old) != _interval(wanted)
    now = settle == "now" or another_interval
    trial = current.status == "trialing"
    seen = previews.shown(
        invoice,
        now=now and not trial,
        at=current.current_period_end,
        as_of=as_of,
        says=_says_interval(old, wanted, trial=trial) if another_interval else "",
        afterwards=_afterwards(wanted, seats),
    )
    return previews.uncollected(seen, office)


def _says_interval(old: PlanPrice, new: PlanPrice, *, trial: bool) -> str:
    text = f"It is charged once a {new.every} instead of once a {old.every}"
    return f"{text}, from the end of the trial on." if trial else f"{text}: a whole {new.every} begins now."


def _afterwards(price: PlanPrice, quantity: int) -> str:
    return f"{price.money.times(quantity)} a {price.every}, before taxes and discounts"


def _interval(price: PlanPrice) -> tuple[str, int]:
    return price.interval, price.interval_count


def _wanted(office: Office, price: PlanPrice | str | uuid.UUID | None, quantity: int | None) -> tuple[PlanPrice, int]:
    """The price and quantity after the change. Raises what refuses it."""
    require_live(office)
    if office.subscription_status not in CHANGEABLE:
        raise errors.SubscriptionNotChangeable(office)
    current = office.current_subscription
    if price is not None:
        wanted = price_for_sale(_key(price))
    elif current is None or current.plan_price is None:
        raise errors.PlanUnknown("of this subscription")
    else:
        wanted = current.plan_price
    seats = (office.quantity if wanted.per_seat else 1) if quantity is None else quantity
    check_quantity(wanted, seats)
    if office.currency and office.currency != wanted.currency:
        raise errors.CurrencyMismatch(office, wanted.currency)
    if current and current.plan_price == wanted and seats == office.quantity:
        raise errors.NothingToChange("the Office has this plan with so many seats already.")
    return wanted, seats


def _check_settling(office: Office, wanted: PlanPrice, settle: str, by: Actor) -> None:
    """Raises: StaffOnly, where it is not settled at all; CollectionPaused, where it is invoiced now."""
    if settle == "not_at_all":
        grants.require_vendor(by, "manage_billing", to="leave the rest of this period unsettled")
    current = office.current_subscription
    old = current.plan_price if current else None
    another_interval = old is None or _interval(old) != _interval(wanted)
    if office.subscription_status != "trialing" and (settle == "now" or another_interval):
        require_collection(office)


def _wanted_or_given(
    office: Office, price: PlanPrice | str | uuid.UUID | None, quantity: int | None
) -> tuple[str, int]:
    """For the record of an attempt that the guard will refuse too."""
    try:
        wanted, seats = _wanted(office, price, quantity)
    except errors.BillingError:
        return _key(price) if price is not None else "", quantity or 0
    return str(wanted.public_id), seats


def _key(price: PlanPrice | str | uuid.UUID) -> str:
    return str(price.public_id) if isinstance(price, PlanPrice) else str(price)


@operation_body("change_subscription", search=was_updated)
def _change(run: Run, office: Office, *, subscription: str, price: str, quantity: int, settle: str, as_of: str) -> None:
    gateway.change_subscription(
        state_of(office),
        PlanPrice.objects.get(public_id=price),
        quantity=quantity,
        proration=PRORATION[settle],
        as_of=when(as_of),
        operation=run.id,
        step=run.step("change"),
    )
