"""Starting a subscription."""

import uuid
from datetime import datetime, timedelta

from billing import clock, errors
from billing.access import grants
from billing.audit.actor import Actor
from billing.models import Office, PlanPrice
from billing.operations import coupons, previews
from billing.operations.bodies import operation_body
from billing.operations.customer import customer_made, customer_of, refuse_deleted
from billing.operations.open_links import close_payment_link
from billing.operations.previews import Preview
from billing.operations.protocol import perform
from billing.operations.run import Run
from billing.stripe_api import charging, gateway
from billing.stripe_api.gateway import Coupon

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
    coupon: str = "",
    as_of: datetime | None = None,
) -> Office:
    """The office has a live subscription to this price.

    Without a trial the first invoice is paid now: **money moves**. ``payment_method`` is the id of a card
    at Stripe, added to the customer and used from now on; without one the card on file is charged. A
    declined card leaves nothing behind: the subscription is cancelled and the card taken off again.
    ``coupon`` is a promotion code, or for the vendor also a coupon's id. Only the vendor gives a trial. A payment
    link that is open is withdrawn. With ``as_of`` of a preview of the last hour the amounts are the ones that
    were shown.

    Raises:
        DeterminationMissing, NoCustomer, PlanUnknown, QuantityInvalid, LiveSubscriptionExists, CurrencyMismatch,
            StaffOnly, PaymentMethodRequired, PreviewStale: it was refused before Stripe was asked.
        CardDeclined: the card said no; nothing was charged.
        CouponUnknown, CouponShorterThanTrial: Stripe was asked about the coupon; nothing was done.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/billing/subscriptions/build-subscriptions
    """
    key = str(price.public_id) if isinstance(price, PlanPrice) else str(price)

    def guard(fresh: Office) -> None:
        charging.require_determination()
        row = check_start(fresh, key, by=by, quantity=quantity, trial_days=trial_days)
        if not (payment_method or trial_days or fresh.has_payment_method or row.unit_amount == 0):
            raise errors.PaymentMethodRequired(fresh)
        previews.check_unchanged(fresh, as_of)

    request = {
        "price": key,
        "quantity": quantity,
        "trial_days": trial_days,
        "payment_method": payment_method,
        "coupon": coupon,
    }
    return perform("subscribe", office, by=by, reason=reason, request=request, guard=guard)


def preview_subscribe(
    office: Office,
    price: PlanPrice | str | uuid.UUID,
    *,
    by: Actor,
    quantity: int = 1,
    trial_days: int = 0,
    coupon: str = "",
) -> Preview:
    """The first invoice that ``subscribe`` with the same arguments would charge: now, or at the trial's end.

    Nothing changes. An Office that Stripe does not know yet has neither credit nor taxes there, so its first
    invoice is reckoned here.

    Raises: what ``subscribe`` raises for these arguments; StripeUnavailable.
    """
    office, as_of = previews.opened(office, by=by)
    charging.require_determination()
    row = check_start(
        office,
        str(price.public_id) if isinstance(price, PlanPrice) else str(price),
        by=by,
        quantity=quantity,
        trial_days=trial_days,
    )
    found = coupons.redeemable(coupon, office, by=by, trial_days=trial_days) if coupon else None
    customer = office.payment_provider_customer_id
    invoice = (
        gateway.preview_start(customer, row, quantity=quantity, coupon=found)
        if customer
        else previews.reckoned(row, quantity, found)
    )
    if trial_days:  # it was asked for as if it came now; its periods are those after the trial
        invoice = previews.without_periods(invoice)
    return previews.shown(
        invoice,
        now=not trial_days,
        at=as_of + timedelta(days=trial_days) if trial_days else None,
        as_of=as_of,
        afterwards=f"{row.money.times(quantity)} a {row.every}, before taxes and discounts",
        says=_says(trial_days, found),
    )


def _says(trial_days: int, coupon: Coupon | None) -> str:
    trial = f"Nothing is charged now, and nothing during the {trial_days} days of the trial." if trial_days else ""
    return " ".join(filter(None, [trial, f"Discount: {coupon.discount}." if coupon else ""]))


def check_start(office: Office, key: str, *, by: Actor, quantity: int, trial_days: int) -> PlanPrice:
    """The price with which a subscription may start. Raises what refuses it, but for a missing card."""
    refuse_deleted(office)
    row = price_for_sale(key)
    if office.has_live_subscription:
        raise errors.LiveSubscriptionExists(office)
    if office.currency and office.currency != row.currency:
        raise errors.CurrencyMismatch(office, row.currency)
    check_quantity(row, quantity)
    if not 0 <= trial_days <= LONGEST_TRIAL_DAYS:
        raise errors.QuantityInvalid(f"A trial lasts 0 to {LONGEST_TRIAL_DAYS} days.")
    if trial_days:
        grants.require_vendor(by, "manage_billing", to="give a trial")
    return row


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
def _subscribe(
    run: Run, office: Office, *, price: str, quantity: int, trial_days: int, payment_method: str, coupon: str = ""
) -> None:
    row = PlanPrice.objects.get(public_id=price)
    found = coupons.to_redeem(coupon, office, run, step="create", trial_days=trial_days)
    customer = customer_of(run, office)
    close_payment_link(run, office)
    card = ""
    if payment_method:
        card = gateway.attach_payment_method(payment_method, customer=customer, step=run.step("attach"))
    started = gateway.start_subscription(
        customer,
        row,
        quantity=quantity,
        trial_days=trial_days,
        coupon=found,
        office=str(office.public_id),
        operation=run.id,
        step=run.step("create"),
    )
    if started.invoice_status == "open":
        try:
            gateway.pay_invoice(started.invoice_id, payment_method=card, step=run.step("pay"))
        except (errors.CardDeclined, errors.StripeRejected):
            if not _was_started(run, office):  # else somebody had the invoice paid at Stripe meanwhile
                if card:
                    gateway.detach_payment_method(card, step=run.step("detach"))
                raise
    if card:
        gateway.set_default_payment_method(card, customer=customer, step=run.step("default"))
