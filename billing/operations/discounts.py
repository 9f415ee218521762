"""What is taken off an Office's invoices. Coupons and promotion codes are made in Stripe's dashboard."""

from datetime import datetime

from billing import errors
from billing.audit.actor import Actor
from billing.models import Office
from billing.operations import coupons, previews
from billing.operations.bodies import operation_body
from billing.operations.live import require_live, was_updated
from billing.operations.previews import Preview
from billing.operations.protocol import perform
from billing.operations.run import Run
from billing.stripe_api import charging, gateway
from billing.stripe_api.inbound import PreviewedInvoice


def apply_discount(office: Office, code: str, *, by: Actor, reason: str) -> Office:
    """The office's subscription has the discount of this code and no other, from its next invoice on.

    ``code`` is a promotion code, or for the vendor also a coupon's id. Money does not move now.

    Raises:
        DeterminationMissing, NoLiveSubscription, NoFurtherInvoice: it was refused before Stripe was asked.
        CouponUnknown: there is no such code that can be redeemed.
        StripeRejected: the code is not for this Office, its plan or its currency.
        StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/billing/subscriptions/coupons
    """

    def guard(fresh: Office) -> None:
        charging.require_determination()
        _check_next_invoice(fresh)

    request = {"subscription": office.payment_provider_subscription_id, "code": code.strip()}
    return perform("apply_discount", office, by=by, reason=reason, request=request, guard=guard)


def remove_discount(office: Office, *, by: Actor, reason: str) -> Office:
    """The office's subscription has no discount of its own: its next invoice is charged in full.

    Money does not move now.

    Raises:
        DeterminationMissing, NoLiveSubscription, NoDiscount: it was refused before Stripe was asked.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    """

    def guard(fresh: Office) -> None:
        charging.require_determination()
        _check_discount(fresh)

    request = {"subscription": office.payment_provider_subscription_id}
    return perform("remove_discount", office, by=by, reason=reason, request=request, guard=guard)


def preview_discount(office: Office, code: str, *, by: Actor) -> Preview:
    """The next invoice after ``apply_discount`` with the same code. Nothing changes.

    Raises: what ``apply_discount`` raises before anything is changed; StripeUnavailable.
    """
    office, as_of = previews.opened(office, by=by)
    charging.require_determination()
    _check_next_invoice(office)
    coupon = coupons.redeemable(code.strip(), office, by=by)
    invoice = gateway.preview_discount(office.payment_provider_subscription_id, coupon)
    return _next_invoice(office, invoice, as_of, says=f"Discount: {coupon.discount}.")


def preview_without_discount(office: Office, *, by: Actor) -> Preview:
    """The next invoice after ``remove_discount``. Nothing changes.

    Raises: what ``remove_discount`` raises before Stripe is asked; NoFurtherInvoice; StripeUnavailable.
    """
    office, as_of = previews.opened(office, by=by)
    charging.require_determination()
    _check_discount(office)
    _check_next_invoice(office)
    invoice = gateway.preview_discount(office.payment_provider_subscription_id, None)
    return _next_invoice(office, invoice, as_of)


def _next_invoice(office: Office, invoice: PreviewedInvoice, as_of: datetime, *, says: str = "") -> Preview:
    seen = previews.shown(invoice, now=False, at=office.current_period_end, as_of=as_of, says=says)
    return previews.uncollected(seen, office)


def _check_next_invoice(office: Office) -> None:
    require_live(office)
    if office.ends_with_this_period:
        raise errors.NoFurtherInvoice(office)


def _check_discount(office: Office) -> None:
    require_live(office)
    current = office.current_subscription
    if current is None or not current.discount_count:
        raise errors.NoDiscount(office)


@operation_body("apply_discount", search=was_updated)
def _apply_discount(run: Run, office: Office, *, subscription: str, code: str) -> None:
    coupon = coupons.to_redeem(code, office, run, step="apply_discount")
    gateway.set_discount(subscription, coupon, operation=run.id, step=run.step("apply_discount"))


@operation_body("remove_discount", search=was_updated)
def _remove_discount(run: Run, office: Office, *, subscription: str) -> None:
    gateway.set_discount(subscription, None, operation=run.id, step=run.step("remove_discount"))
