"""Finding coupons and promotion codes. They are made in Stripe's dashboard."""

import re
from dataclasses import dataclass, replace
from typing import Any

from billing.discounts import Discount
from billing.money import Money
from billing.stripe_api import inbound
from billing.stripe_api.gateway import answers

CODE = re.compile(r"[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon that can be redeemed. ``named`` is how a request names it. It is only for ``products``, if any.

    A promotion code can have conditions: it is only for the ``first_time``, so for customers that never paid. And what
    it is used for must cost at least so much before discounts: ``minimums`` has minor units by currency, if any.
    """

    named: dict[str, str]
    discount: Discount
    products: tuple[str, ...] = ()
    first_time: bool = False
    minimums: tuple[Money, ...] = ()


def find_promotion_code(code: str, *, customer: str) -> Coupon | None:
    """Return the active promotion code with this text, in upper or lower case, for this customer or for everybody.

    Source: https://docs.stripe.com/api/promotion_codes/list
    """
    if not CODE.fullmatch(code):
        return None
    query = {"code": code, "active": "true", "expand": ["data.promotion.coupon.applies_to"]}
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
    found = answers.one(f"/v1/coupons/{key}", {"expand": ["applies_to"]})
    return _coupon({"coupon": found["id"]}, found) if found and found.get("valid") else None


def _coupon(named: dict[str, str], data: dict[str, Any]) -> Coupon:
    return Coupon(
        named, inbound.subscriptions.coupon(data), tuple((data.get("applies_to") or {}).get("products") or ())
    )
