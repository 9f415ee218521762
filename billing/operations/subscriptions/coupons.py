"""Find the discount of a code. An Office may use promotion codes. Only the vendor may use coupons by their id."""

from billing import errors
from billing.access import grants
from billing.access.roles import Power
from billing.audit.actor import Actor
from billing.models import Office
from billing.money import Money
from billing.operations.engine.steps import Run
from billing.stripe_api import gateway
from billing.stripe_api.gateway.coupons import Coupon

SHORTEST_MONTH_DAYS = 28


def redeemable(
    code: str,
    office: Office,
    *,
    by: Actor,
    currency: str,
    price: Money | None,
    trial_days: int = 0,
    subscription: str = "",
) -> Coupon:
    """Return what Stripe has under this code, if it can be redeemed for what costs ``price`` a period.

    The price is before discounts, and None if nobody can tell it. Its ``currency`` is always known. ``subscription``
    is one that has begun already.

    Raises:
        CouponUnknown: nothing with this code can be redeemed, or this actor may not use it.
        CouponInOtherCurrency: it takes off an amount, and none in this currency.
        CouponShorterThanTrial: it could end before anything is charged.
        CouponNeedsMore, CouponForFirstTime: a condition of the code is not met.
    """
    customer = office.payment_provider_customer_id or ""
    found = gateway.coupons.find_promotion_code(code, customer=customer)
    if found is None and grants.acts_for_vendor(by, Power.OPERATE):
        found = gateway.coupons.find_coupon(code)
    if found is None:
        raise errors.CouponUnknown
    here = found.in_currency(currency)
    if here is None:
        raise errors.CouponInOtherCurrency([one.currency for one in found.amounts], currency)
    found = here
    months = found.discount.months
    if months is not None and trial_days >= months * SHORTEST_MONTH_DAYS:
        raise errors.CouponShorterThanTrial
    if price is not None and not _is_enough(price, found.minimums):
        raise errors.CouponNeedsMore(price, found.minimums)
    if found.first_time and customer and gateway.customers.has_bought(customer, besides=subscription):
        raise errors.CouponForFirstTime
    return found


def _is_enough(price: Money, minimums: tuple[Money, ...]) -> bool:
    least = [one.amount for one in minimums if one.currency == price.currency]
    return not minimums or any(price.amount >= amount for amount in least)


def to_redeem(
    code: str,
    run: Run,
    *,
    step: str,
    currency: str,
    price: Money | None,
    trial_days: int = 0,
    subscription: str = "",
) -> Coupon | None:
    """Return what this step of an operation redeems, or nothing if the step was already asked.

    Such a step is sent again unchanged. Its code may be used up by then, so it cannot be checked again."""
    if not code or run.was_asked(step):
        return None
    return redeemable(
        code,
        run.office,
        by=run.by,
        currency=currency,
        price=price,
        trial_days=trial_days,
        subscription=subscription,
    )


def takes_all(coupon: Coupon, price: Money, *, product: str | None) -> bool:
    """Return whether nothing of the price is charged, now and later, because the coupon takes it all off for ever."""
    applies = not coupon.products or product in coupon.products
    return applies and coupon.discount.duration == "forever" and coupon.discount.taken_off(price) == price
