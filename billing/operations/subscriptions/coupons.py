"""Which discount a code stands for. An Office has promotion codes; coupons by their id are the vendor's to give."""

from billing import errors
from billing.access import grants
from billing.audit.actor import Actor
from billing.models import Office
from billing.operations.engine.steps import Run
from billing.stripe_api import gateway
from billing.stripe_api.gateway.coupons import Coupon

SHORTEST_MONTH_DAYS = 28


def redeemable(code: str, office: Office, *, by: Actor, trial_days: int = 0) -> Coupon:
    """What Stripe has under this code.

    Raises:
        CouponUnknown: there is none that can be redeemed, or it is not for this actor.
        CouponShorterThanTrial: it could run out before anything is charged.
    """
    found = gateway.coupons.find_promotion_code(code, customer=office.payment_provider_customer_id or "")
    if found is None and grants.acts_for_vendor(by, "manage_billing"):
        found = gateway.coupons.find_coupon(code)
    if found is None:
        raise errors.CouponUnknown(code)
    months = found.discount.months
    if months is not None and trial_days >= months * SHORTEST_MONTH_DAYS:
        raise errors.CouponShorterThanTrial
    return found


def to_redeem(code: str, run: Run, *, step: str, trial_days: int = 0) -> Coupon | None:
    """What this step of an operation redeems. Nothing where it was asked before: that is sent again as it was, and
    a code that it used up by then is none that can be redeemed."""
    if not code or run.was_asked(step):
        return None
    return redeemable(code, run.office, by=run.by, trial_days=trial_days)
