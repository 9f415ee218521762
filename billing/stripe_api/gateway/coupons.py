"""Finding coupons and promotion codes. They are made in Stripe's dashboard."""

import re
from dataclasses import dataclass, replace
from typing import Any

from billing.discounts import Discount
from billing.money import Money
from billing.stripe_api import inbound
from billing.stripe_api.gateway import answers

OF_COUPON = ("applies_to", "currency_options")
"""What a coupon shows only if it is asked for."""
CODE = re.compile(r"[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon that can be redeemed. ``named`` is how a request names it. It is only for ``products``, if any.

    ``amounts`` is what it takes off in each currency that it is for. It is empty if it takes off a percentage, in any.

    A promotion code can have conditions: it is only for the ``first_time``, so for customers that never paid. And what
    it is used for must cost at least so much before discounts: ``minimums`` has minor units by currency, if any.
    """

    named: dict[str, str]
    discount: Discount
    amounts: tuple[Money, ...] = ()
    products: tuple[str, ...] = ()
    first_time: bool = False
    minimums: tuple[Money, ...] = ()

    def in_currency(self, currency: str) -> "Coupon | None":
        """Return the coupon with what it takes off in this currency, or None if it takes off nothing there."""
        if self.discount.percent is not None:
            return self
        found = next((one for one in self.amounts if one.currency == currency), None)
        return replace(self, discount=replace(self.discount, amount=found)) if found else None


def find_promotion_code(code: str, *, customer: str) -> Coupon | None:
    """Return the active promotion code with this text, in upper or lower case, for this customer or for everybody.

    Source: https://docs.stripe.com/api/promotion_codes/list
    """
    if not CODE.fullmatch(code):
        return None
    expand = [f"data.promotion.coupon.{name}" for name in OF_COUPON]
    query = {"code": code, "active": "true", "expand": expand}
    found = [
        one
        for one in answers.page("/v1/promotion_codes", query)
        if inbound.values.identity(one["customer"]) in ("", customer) and one["promotion"]["coupon"]
    ]
    found.sort(key=lambda one: one["customer"] is None)  # the customer's own code comes first
    if not found:
        return None
    coupon = _coupon({"promotion_code": found[0]["id"]}, found[0]["promotion"]["coupon"])
    limits = found[0]["restrictions"]
    return replace(coupon, first_time=limits["first_time_transaction"], minimums=_minimums(limits))


def _minimums(limits: dict[str, Any]) -> tuple[Money, ...]:
    """Source: https://docs.stripe.com/api/promotion_codes/object#promotion_code_object-restrictions-minimum_amount"""
    if limits["minimum_amount"] is None:
        return ()
    options = {currency: one["minimum_amount"] for currency, one in (limits.get("currency_options") or {}).items()}
    options[limits["minimum_amount_currency"]] = limits["minimum_amount"]
    return tuple(Money(amount, currency) for currency, amount in options.items())


def find_coupon(key: str) -> Coupon | None:
    """Return the coupon with this id if it can be redeemed. Source: https://docs.stripe.com/api/coupons/retrieve"""
    if not CODE.fullmatch(key):
        return None
    found = answers.one(f"/v1/coupons/{key}", {"expand": [*OF_COUPON]})
    return _coupon({"coupon": found["id"]}, found) if found and found.get("valid") else None


def _coupon(named: dict[str, str], data: dict[str, Any]) -> Coupon:
    return Coupon(
        named,
        inbound.subscriptions.coupon(data),
        amounts=inbound.subscriptions.amounts_off(data),
        products=tuple((data.get("applies_to") or {}).get("products") or ()),
    )
