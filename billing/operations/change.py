"""Changing what an Office is subscribed to: plan, interval, seats."""

import uuid
from datetime import datetime, timedelta
from typing import Literal

from billing import clock, errors
from billing.access import grants
from billing.audit.actor import Actor
from billing.models import Office, PlanPrice
from billing.operations import previews
from billing.operations.previews import Preview
from billing.operations.protocol import Run, operation_body, perform
from billing.operations.subscribe import check_quantity, price_for_sale
from billing.stripe_api import charging, gateway
from billing.stripe_api.inbound import SubscriptionState

Settle = Literal["now", "next_invoice", "not_at_all"]
PRORATION: dict[str, str] = {"now": "always_invoice", "next_invoice": "create_prorations", "not_at_all": "none"}
CHANGEABLE = ("active", "trialing")
PREVIEW_LASTS = timedelta(hours=1)


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
    all; another interval begins a new period, which is charged now. **Money may move.** A declined card
    changes nothing. With ``as_of`` of a preview of the last hour the amounts are the ones that were shown.

    Raises:
        DeterminationMissing, NoLiveSubscription, SubscriptionNotChangeable, PlanUnknown, QuantityInvalid,
            CurrencyMismatch, NothingToChange, PreviewStale: it was refused before Stripe was asked.
        CardDeclined: the card said no; nothing was changed or charged.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/billing/subscriptions/change-price
    """

    def guard(fresh: Office) -> None:
        charging.require_determination()
        _wanted(fresh, price, quantity)
        if as_of is not None:
            _check_fresh(fresh, as_of)

    row, seats = _wanted_or_given(office, price, quantity)
    request = {
        "subscription": office.payment_provider_subscription_id,
        "price": row,
        "quantity": seats,
        "settle": settle,
        "as_of": as_of.isoformat() if as_of else "",
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
    grants.require(by, "view_billing", office)
    wanted, seats = _wanted(office, price, quantity)
    current = _current(office)
    as_of = clock.billing().replace(microsecond=0)
    old = PlanPrice.objects.get(stripe_price_id=current.price_id)
    invoice = gateway.preview_subscription_change(
        current, wanted, quantity=seats, proration=PRORATION[settle], as_of=as_of
    )
    now = settle == "now" or _interval(old) != _interval(wanted)
    return previews.shown(
        invoice,
        now=now and current.status != "trialing",
        at=current.current_period_end,
        as_of=as_of,
        afterwards=_afterwards(wanted, seats),
    )


def _afterwards(price: PlanPrice, quantity: int) -> str:
    every = price.interval if price.interval_count == 1 else f"{price.interval_count} {price.interval}s"
    return f"{price.money.times(quantity)} a {every}, before taxes and discounts"


def _interval(price: PlanPrice) -> tuple[str, int]:
    return price.interval, price.interval_count


def _wanted(office: Office, price: PlanPrice | str | uuid.UUID | None, quantity: int | None) -> tuple[PlanPrice, int]:
    """The price and quantity after the change. Raises what refuses it."""
    if not office.has_live_subscription:
        raise errors.NoLiveSubscription(office)
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


def _check_fresh(office: Office, as_of: datetime) -> None:
    now, start = clock.billing(), office.current_period_start
    if not now - PREVIEW_LASTS <= as_of <= now or (start and as_of < start):
        raise errors.PreviewStale


def _current(office: Office) -> SubscriptionState:
    found = gateway.fetch_subscription(office.payment_provider_subscription_id)
    if found is None:
        raise errors.NoLiveSubscription(office)
    return found


def _was_changed(run: Run, office: Office) -> bool:
    return _current(office).operation == run.id


@operation_body("change_subscription", search=_was_changed)
def _change(run: Run, office: Office, *, subscription: str, price: str, quantity: int, settle: str, as_of: str) -> None:
    gateway.change_subscription(
        _current(office),
        PlanPrice.objects.get(public_id=price),
        quantity=quantity,
        proration=PRORATION[settle],
        as_of=datetime.fromisoformat(as_of) if as_of else None,
        operation=run.id,
        step=run.step("change"),
    )
