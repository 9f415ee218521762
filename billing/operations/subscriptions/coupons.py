"""Find the discount of a code. An Office may use promotion codes. Only the vendor may use coupons by their id."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from billing import errors
from billing.access import grants
from billing.access.roles import Power
from billing.audit.actor import Actor
from billing.models import Office
from billing.money import Money
from billing.operations.engine.declaration import FILLED_IN, NOT_STORED, Asked, Declaration
from billing.operations.engine.steps import Run
from billing.stripe_api import gateway
from billing.stripe_api.gateway.coupons import Coupon
from billing.text import gate
from billing.text.gate import Typed

SHORTEST_MONTH_DAYS = 28


@dataclass(frozen=True, kw_only=True)
class Redeeming(Declaration[Office, Any]):
    """Beside a declaration: the code of a discount is one of its fields, ``code_in``.

    The gate judges it as any typed text, unless Stripe lists it: the vendor made it there, whatever it looks like.
    """

    code_in: ClassVar[str]
    is_listed: bool = field(default=False, compare=False, metadata={**FILLED_IN, **NOT_STORED})

    def look_up(self, subject: Office, asked: Asked) -> Self:
        code = getattr(self, self.code_in).strip()
        if not code or not gate.refusal(code, Typed.CODE):
            return self
        return replace(
            self, is_listed=_found(code, subject.payment_provider_customer_id or "", by=asked.by) is not None
        )

    @property
    def of_stripe(self) -> tuple[str, ...]:
        return (self.code_in,) if self.is_listed else ()


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
    found = _found(code, customer, by=by)
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


def on_offer(office: Office) -> list[tuple[str, str]]:
    """Return the coupons that can be given for the Office's subscription: the id, and what it takes off in words.

    Stripe is asked once. What it does not list under its newest hundred is not here. Raises: StripeUnavailable.
    """
    found = gateway.coupons.on_offer()
    here = [one.in_currency(office.currency) for one in found] if office.currency else found
    return [(one.named["coupon"], one.discount.in_words(office.time_zone)) for one in here if one]


def _found(code: str, customer: str, *, by: Actor) -> Coupon | None:
    """Return what Stripe has under this code. One that the gate refuses is not sent: Stripe's list is compared here."""
    is_sent = not gate.refusal(code, Typed.CODE)
    find = gateway.coupons.find_promotion_code if is_sent else gateway.coupons.listed_promotion_code
    found = find(code, customer=customer)
    if found is None and grants.acts_for_vendor(by, Power.OPERATE):
        found = gateway.coupons.find_coupon(code) if is_sent else gateway.coupons.listed_coupon(code)
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
