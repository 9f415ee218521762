"""Finding coupons and promotion codes, which people make in Stripe's dashboard, and making a coupon for one Office."""

import re
from dataclasses import dataclass, replace
from typing import Any

from billing import errors
from billing.discounts import Discount
from billing.money import Money
from billing.stripe_api import client, inbound
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import answers

OF_COUPON = ("applies_to", "currency_options")
"""What a coupon shows only if it is asked for."""
CODE = re.compile(r"[A-Za-z0-9_-]{1,200}")
PROMOTION_CODES = "/v1/promotion_codes"
ACTIVE = {"active": "true", "expand": [f"data.promotion.coupon.{name}" for name in OF_COUPON]}
MOST_PAGES = 20
"""How much of Stripe's list a code is compared with."""


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
    return _promotion_code(answers.page(PROMOTION_CODES, ACTIVE | {"code": code}), customer)


def listed_promotion_code(code: str, *, customer: str, most_pages: int = MOST_PAGES) -> Coupon | None:
    """Return the same, and do not send the code: it is compared with Stripe's newest codes here.

    ``most_pages`` of a hundred codes are read. Codes are ASCII, so one rule for upper and lower case is enough.
    """
    found = [
        one
        for rows in answers.pages(PROMOTION_CODES, ACTIVE, most=most_pages)
        for one in rows
        if one["code"].lower() == code.lower()
    ]
    return _promotion_code(found, customer)


def _promotion_code(found: list[dict[str, Any]], customer: str) -> Coupon | None:
    usable = [
        one
        for one in found
        if inbound.values.identity(one["customer"]) in ("", customer) and one["promotion"]["coupon"]
    ]
    usable.sort(key=lambda one: one["customer"] is None)  # the customer's own code comes first
    if not usable:
        return None
    coupon = _coupon({"promotion_code": usable[0]["id"]}, usable[0]["promotion"]["coupon"])
    limits = usable[0]["restrictions"]
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


def listed_coupon(key: str, *, most_pages: int = MOST_PAGES) -> Coupon | None:
    """Return the same, and do not send the id: it is compared with Stripe's newest coupons here.

    Source: https://docs.stripe.com/api/coupons/list
    """
    for rows in answers.pages("/v1/coupons", {"expand": [f"data.{name}" for name in OF_COUPON]}, most=most_pages):
        for one in rows:
            if one["id"] == key and one["valid"]:
                return _coupon({"coupon": key}, one)
    return None


def on_offer() -> list[Coupon]:
    """Return the newest hundred coupons that can be redeemed now. One request.

    Source: https://docs.stripe.com/api/coupons/list
    """
    found = answers.page("/v1/coupons", {"expand": [f"data.{name}" for name in OF_COUPON]})
    return [_coupon({"coupon": one["id"]}, one) for one in found if one["valid"]]


def make_coupon(discount: Discount, *, operation: str, step: Step) -> Coupon:
    """Make a coupon that can be redeemed once, and has no name. Nothing is charged or credited.

    Source: https://docs.stripe.com/api/coupons/create
    """
    off: dict[str, Any] = {"amount_off": discount.amount.amount, "currency": discount.amount.currency}
    if discount.percent is not None:
        off = {"percent_off": int(discount.percent)}
    months = {"duration_in_months": discount.months} if discount.months else {}
    params = {
        **off,
        "duration": discount.duration,
        **months,
        "max_redemptions": 1,
        "metadata": {"operation": operation},
    }
    made = client.post("/v1/coupons", params, step=step)
    return Coupon({"coupon": answers.identity_of(made)}, discount)


def remove_coupon(coupon: Coupon, *, step: Step) -> None:
    """Delete a coupon that nobody redeemed. Do nothing if it is gone.

    Source: https://docs.stripe.com/api/coupons/delete
    """
    try:
        client.delete(f"/v1/coupons/{coupon.named['coupon']}", step=step)
    except errors.StripeObjectMissing:
        return


def _coupon(named: dict[str, str], data: dict[str, Any]) -> Coupon:
    return Coupon(
        named,
        inbound.subscriptions.coupon(data),
        amounts=inbound.subscriptions.amounts_off(data),
        products=tuple((data.get("applies_to") or {}).get("products") or ()),
    )
