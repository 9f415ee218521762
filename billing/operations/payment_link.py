"""Starting a subscription by a page of Stripe's, on which the Office itself puts in its card."""

import uuid

from django.conf import settings
from django.urls import reverse

from billing import errors
from billing.access import grants
from billing.audit.actor import Actor
from billing.models import Office, PlanPrice
from billing.operations import coupons
from billing.operations.bodies import operation_body
from billing.operations.customer import customer_of
from billing.operations.open_links import KIND, WITHDRAWAL, close_payment_link, open_payment_link
from billing.operations.protocol import perform
from billing.operations.run import Run
from billing.operations.subscribe import check_start
from billing.stripe_api import charging, gateway
from billing.stripe_api.gateway import PaymentLink


def create_payment_link(
    office: Office,
    price: PlanPrice | str | uuid.UUID,
    *,
    by: Actor,
    reason: str,
    quantity: int = 1,
    trial_days: int = 0,
    coupon: str = "",
) -> PaymentLink:
    """There is a page of Stripe's on which the office can start this subscription, for 24 hours.

    **Money moves** when somebody pays there; Stripe reports it, and our rows show it then. Whoever has the address
    can pay: it is answered to the person who asked, and kept nowhere. Repeating gives the same page again while it is
    open, as an operation of its own. Only the vendor gives a trial.

    Raises:
        DeterminationMissing, NoCustomer, PlanUnknown, QuantityInvalid, LiveSubscriptionExists, CurrencyMismatch,
            StaffOnly: it was refused before anything was asked for.
        PaymentLinkOpen: a link with other terms is open, and the Office could pay twice.
        CouponUnknown, CouponShorterThanTrial: Stripe was asked about the coupon; nothing was done.
        PaymentLinkGone: it was paid or withdrawn at this very moment.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/payments/checkout/build-subscriptions
    """
    key = str(price.public_id) if isinstance(price, PlanPrice) else str(price)

    def guard(fresh: Office) -> None:
        charging.require_determination()
        check_start(fresh, key, by=by, quantity=quantity, trial_days=trial_days)

    request = {"price": key, "quantity": quantity, "trial_days": trial_days, "coupon": coupon}
    return shown_payment_link(perform(KIND, office, by=by, reason=reason, request=request, guard=guard), by=by)


def shown_payment_link(office: Office, *, by: Actor) -> PaymentLink:
    """The Office's payment link that is open, for somebody who may use it.

    Raises: NotPermitted, OfficeArchived, DeterminationMissing, PaymentLinkGone, StripeUnavailable.
    """
    grants.require(by, "manage_billing", office)
    if office.archived_at:
        raise errors.OfficeArchived(office)
    charging.require_determination()
    link = open_payment_link(office)
    if link is None:
        raise errors.PaymentLinkGone(office)
    return link


def withdraw_payment_link(office: Office, *, by: Actor, reason: str) -> Office:
    """Nobody can start the office's subscription by a payment link any more.

    Money does not move. Repeating is a no-op.

    Raises: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/api/checkout/sessions/expire
    """
    return perform(WITHDRAWAL, office, by=by, reason=reason, request={}, guard=lambda _: None)


def _terms_of(link: PaymentLink, office: Office) -> dict[str, object]:
    """What the link was asked for with, if we asked for it."""
    for operation in office.operations.filter(kind=KIND):
        if str(operation.public_id) == link.operation:
            return dict(operation.request)
    return {}


def _was_opened(run: Run, office: Office) -> bool:
    """It is open, or was paid already."""
    link = open_payment_link(office)
    customer = office.payment_provider_customer_id or ""
    if link and link.operation == run.id:
        return True
    return bool(customer and gateway.find_subscription(customer, operation=run.id))


@operation_body(KIND, search=_was_opened)
def _open(run: Run, office: Office, *, price: str, quantity: int, trial_days: int, coupon: str) -> None:
    link = open_payment_link(office)
    if link and link.operation != run.id:
        if _terms_of(link, office) != run.operation.request:
            raise errors.PaymentLinkOpen
        return  # it is told again
    found = coupons.to_redeem(coupon, office, run, step="open_link", trial_days=trial_days)
    customer = customer_of(run, office)
    gateway.open_payment_link(
        customer,
        PlanPrice.objects.get(public_id=price),
        quantity=quantity,
        trial_days=trial_days,
        coupon=found,
        success_url=settings.SITE_URL + reverse("payment-done"),
        cancel_url=settings.SITE_URL + reverse("payment-not-done"),
        office=str(office.public_id),
        operation=run.id,
        step=run.step("open_link"),
    )


def _was_withdrawn(run: Run, office: Office) -> bool:
    return open_payment_link(office) is None


@operation_body(WITHDRAWAL, search=_was_withdrawn)
def _withdraw(run: Run, office: Office) -> None:
    close_payment_link(run, office)
