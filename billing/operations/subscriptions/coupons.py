"""Find the discount of a code. An Office may use promotion codes. Only the vendor may use coupons by their id."""

from billing import errors
from billing.access import grants
from billing.audit.actor import Actor
from billing.models import Office
from billing.operations.engine.steps import Run
from billing.stripe_api import gateway
from billing.stripe_api.gateway.coupons import Coupon

SHORTEST_MONTH_DAYS = 28


def redeemable(code: str, office: Office, *, by: Actor, trial_days: int = 0) -> Coupon:
    """Return what Stripe has under this code.

    Raises:
        CouponUnknown: nothing with this code can be redeemed, or this actor may not use it.
        CouponShorterThanTrial: it could end before anything is charged.
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
    """Return what this step of an operation redeems, or nothing if the step was already asked.

    Such a step is sent again unchanged. Its code may be used up by then, so it cannot be checked again."""
    if not code or run.was_asked(step):
        return None
    return redeemable(code, run.office, by=run.by, trial_days=trial_days)
