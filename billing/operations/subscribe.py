"""Starting a subscription."""

import uuid

from billing import clock, errors
from billing.audit.actor import Actor
from billing.models import Office, PlanPrice
from billing.operations.customer import customer_made, customer_of
from billing.operations.protocol import Run, operation_body, perform
from billing.stripe_api import charging, gateway

MOST_SEATS = 10_000
LONGEST_TRIAL_DAYS = 365


def subscribe(
    office: Office,
    price: PlanPrice | str | uuid.UUID,
    *,
    by: Actor,
    reason: str,
    quantity: int = 1,
    trial_days: int = 0,
    payment_method: str = "",
) -> Office:
    """The office has a live subscription to this price.

    Without a trial the first invoice is paid now: **money moves**. ``payment_method`` is the id of a card
    at Stripe, added to the customer and used from now on; without one the card on file is charged. A
    declined card leaves nothing behind: the subscription is cancelled and the card taken off again.

    Raises:
        DeterminationMissing, PlanUnknown, QuantityInvalid, LiveSubscriptionExists, CurrencyMismatch,
            PaymentMethodRequired: it was refused before Stripe was asked.
        CardDeclined: the card said no; nothing was charged.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/billing/subscriptions/build-subscriptions
    """
    key = str(price.public_id) if isinstance(price, PlanPrice) else str(price)

    def guard(fresh: Office) -> None:
        charging.require_determination()
        row = price_for_sale(key)
        if fresh.has_live_subscription:
            raise errors.LiveSubscriptionExists(fresh)
        if fresh.currency and fresh.currency != row.currency:
            raise errors.CurrencyMismatch(fresh, row.currency)
        check_quantity(row, quantity)
        if not 0 <= trial_days <= LONGEST_TRIAL_DAYS:
            raise errors.QuantityInvalid(f"A trial lasts 0 to {LONGEST_TRIAL_DAYS} days.")
        if not (payment_method or trial_days or fresh.has_payment_method or row.unit_amount == 0):
            raise errors.PaymentMethodRequired(fresh)

    request = {
        "price": key,
        "quantity": quantity,
        "trial_days": trial_days,
        "payment_method": payment_method,
    }
    return perform("subscribe", office, by=by, reason=reason, request=request, guard=guard)


def price_for_sale(key: str) -> PlanPrice:
    """The plan price with this public id. Raises: PlanUnknown."""
    try:
        public_id = uuid.UUID(key)
    except ValueError:
        raise errors.PlanUnknown(key) from None
    row = PlanPrice.objects.for_sale(clock.billing()).filter(public_id=public_id).first()
    if row is None:
        raise errors.PlanUnknown(key)
    return row


def check_quantity(price: PlanPrice, quantity: int) -> None:
    if not 1 <= quantity <= MOST_SEATS:
        raise errors.QuantityInvalid(f"The number of seats is 1 to {MOST_SEATS:,}.")
    if quantity != 1 and not price.per_seat:
        raise errors.QuantityInvalid("This price is not per seat: the quantity is 1.")


def _was_started(run: Run, office: Office) -> bool:
    """It is live. One that was begun and never paid is cancelled: it must not come to life later."""
    customer = customer_made(run, office)
    found = gateway.find_subscription(customer, operation=run.id) if customer else None
    if found and found.status == "incomplete":
        gateway.cancel_subscription(found.id, at_period_end=False, step=run.step("undo"))
    return bool(found and found.status in ("active", "trialing", "past_due"))


@operation_body("subscribe", search=_was_started)
def _subscribe(run: Run, office: Office, *, price: str, quantity: int, trial_days: int, payment_method: str) -> None:
    row = PlanPrice.objects.get(public_id=price)
    customer = customer_of(run, office)
    card = ""
    if payment_method:
        card = gateway.attach_payment_method(payment_method, customer=customer, step=run.step("attach"))
    started = gateway.start_subscription(
        customer,
        row,
        quantity=quantity,
        trial_days=trial_days,
        office=str(office.public_id),
        operation=run.id,
        step=run.step("create"),
    )
    if started.invoice_status == "open":
        try:
            gateway.pay_invoice(started.invoice_id, payment_method=card, step=run.step("pay"))
        except (errors.CardDeclined, errors.StripeRejected):
            gateway.cancel_subscription(started.state.id, at_period_end=False, step=run.step("undo"))
            if card:
                gateway.detach_payment_method(card, step=run.step("detach"))
            raise
    if card:
        gateway.set_default_payment_method(card, customer=customer, step=run.step("default"))
