"""Finding coupons and promotion codes. They are made in Stripe's dashboard."""

import re
from dataclasses import dataclass
from typing import Any

from billing.discounts import Discount
from billing.stripe_api import inbound
from billing.stripe_api.gateway import answers

CODE = re.compile(r"[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon that can be redeemed. ``named`` is how a request names it. It is only for ``products``, if any."""

    named: dict[str, str]
    discount: Discount
    products: tuple[str, ...] = ()


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
    return _coupon({"promotion_code": found[0]["id"]}, found[0]["promotion"]["coupon"]) if found else None


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
