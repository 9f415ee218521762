"""Discounts. A discount is a coupon that was redeemed for a customer, a subscription, an invoice or one of their items.

Source: https://docs.stripe.com/billing/subscriptions/coupons and https://docs.stripe.com/api/discounts
"""

from decimal import Decimal

from stripe_sandbox import coupons, timeline
from stripe_sandbox.dates import add_months
from stripe_sandbox.errors import invalid
from stripe_sandbox.handlers import alive
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import shown

WAYS = ("coupon", "promotion_code", "discount")


def create(
    store: Store,
    given: list[Row] | None,
    *,
    customer: str,
    subscription: str | None = None,
    invoice: str | None = None,
    currency: str | None = None,
    amount: int | None = None,
    field: str = "discounts",
) -> list[str]:
    """Make the discounts that the parameter ``discounts`` asks for, if any, and redeem each coupon. Returns their ids.

    A given ``discount`` that exists is kept as it is. Other discounts of the subscription end. ``currency`` and
    ``amount`` (minor units before discounts) say what is discounted if there is no subscription or invoice yet.
    Raises: Stripe's 400 for what cannot be redeemed.
    """
    holder = store.get("subscription", subscription) or store.get("invoice", invoice)
    currency = currency or (holder or store.objects["customer"][customer])["currency"]
    made = []
    for n, one in enumerate(given or []):
        name = f"{field}[{n}]"
        if len(one) != 1 or not one.keys() <= set(WAYS):
            raise invalid("Give exactly one of coupon, promotion_code and discount.", param=name)
        if "discount" in one:
            made.append(_kept(store, one["discount"], customer, f"{name}[discount]"))
            continue
        coupon, code = _asked(store, one, name)
        _check_coupon(store, coupon, customer, currency, name)
        if code is not None:
            param = f"{name}[promotion_code]"
            _check_code(store, code, customer, holder, param)
            _check_minimum(code["restrictions"], currency, _amount(store, holder) if holder else amount, param)
        made.append(_add(store, coupon, code, {"customer": customer, "subscription": subscription, "invoice": invoice}))
    for key in (store.get("subscription", subscription) or {}).get("discounts") or ():
        if key not in made:
            _over(store, store.objects["discount"][key])
    return made


def active(store: Store, discount: Row, at: int) -> bool:
    """Whether the discount lowers what is billed at this moment."""
    return not discount.get("_ended") and (discount["end"] is None or at < discount["end"])


def end(store: Store, discount: Row) -> None:
    """End the discount, and take it off its holder. Past invoices keep it. Repeating is a no-op."""
    if discount.get("_ended"):
        return
    _over(store, discount)
    for subscription in store.all("subscription", customer=discount["customer"]):
        _take_off(store, subscription, discount, "customer.subscription.updated")
        for item in store.all("subscription_item", subscription=subscription["id"]):
            _take_off(store, item, discount, "")
    owner = store.objects["customer"][discount["customer"]]
    if owner["discount"] == discount["id"]:
        store.change(owner, "customer.updated", discount=None)


def deleted(store: Store, discount: Row) -> Row:
    """Return what Stripe answers for a deleted discount: all of it but its end.

    Source: https://docs.stripe.com/api/discounts/delete
    """
    view = {**shown(store, discount), "deleted": True}
    del view["end"]
    return view


@timeline.timed("discount")
def _ends(store: Store, discount: Row) -> timeline.Due | None:
    if discount["end"] is None or discount.get("_ended"):
        return None
    return discount["end"], end


def _take_off(store: Store, holder: Row, discount: Row, event: str) -> None:
    if discount["id"] in (holder["discounts"] or ()):
        store.change(holder, event, discounts=[one for one in holder["discounts"] if one != discount["id"]])


def _over(store: Store, discount: Row) -> None:
    store.change(discount, _ended=True)
    if _is_told(store, discount):
        store.emit("customer.discount.deleted", discount)


def _add(store: Store, coupon: Row, code: Row | None, links: Row) -> str:
    start = store.now(links["customer"])
    months = coupon["duration_in_months"]
    discount = store.add(
        "discount",
        end=add_months(start, months) if months else None,
        promotion_code=code and code["id"],
        source={"type": "coupon", "coupon": coupon["id"]},
        start=start,
        **links,
    )
    coupons.redeem(store, coupon, code)
    if _is_told(store, discount):
        store.emit("customer.discount.created", discount)
    return discount["id"]


def _is_told(store: Store, discount: Row) -> bool:
    """Whether events report the discount: one of a customer or a subscription, not of an item or an invoice."""
    owner = store.objects["customer"][discount["customer"]]
    return discount["subscription"] is not None or owner["discount"] == discount["id"]


def _kept(store: Store, key: str, customer: str, param: str) -> str:
    discount = store.need("discount", key, param)
    if discount["customer"] != customer or discount.get("_ended"):
        raise invalid(f"No such discount: '{key}'", code="resource_missing", param=param)
    return key


def _asked(store: Store, one: Row, name: str) -> tuple[Row, Row | None]:
    """Find the coupon and, if one was given, the promotion code."""
    if "coupon" in one:
        return alive(store, "coupon", one["coupon"], f"{name}[coupon]"), None
    code = store.need("promotion_code", one["promotion_code"], f"{name}[promotion_code]")
    return alive(store, "coupon", code["_coupon"], f"{name}[promotion_code]"), code


def _check_coupon(store: Store, coupon: Row, customer: str, currency: str | None, name: str) -> None:
    param = f"{name}[coupon]"
    if coupon["redeem_by"] is not None and store.now(customer) > coupon["redeem_by"]:
        raise invalid(f"Coupon expired: {coupon['id']}", code="coupon_expired", param=param)
    if coupons.used_up(coupon):
        message = f"Coupon {coupon['id']} is used up: it has been redeemed the maximum number of times."
        raise invalid(message, code="coupon_expired", param=param)
    if coupon["amount_off"] is None or currency is None:
        return
    if currency not in (coupon["currency"], *(coupon["currency_options"] or ())):
        raise invalid(
            f"The coupon {coupon['id']} is in {coupon['currency']} and cannot discount amounts in {currency}.",
            param=param,
        )


def _check_code(store: Store, code: Row, customer: str, holder: Row | None, param: str) -> None:
    now, limits = store.now(customer), code["restrictions"]
    if code["customer"] not in (None, customer):
        raise invalid("This promotion code cannot be redeemed by this customer.", param=param)
    if code["expires_at"] is not None and now >= code["expires_at"]:
        raise invalid("This promotion code is expired.", param=param, code="coupon_expired")
    if not code["active"]:
        raise invalid("This promotion code is inactive.", param=param, code="coupon_expired")
    if limits["first_time_transaction"] and _has_bought(store, customer, holder):
        raise invalid(
            "This promotion code cannot be redeemed because the associated customer has prior transactions.",
            param=param,
        )


def _check_minimum(limits: Row, currency: str | None, amount: Decimal | int | None, param: str) -> None:
    if limits["minimum_amount"] is None or amount is None:
        return
    least = {one: option["minimum_amount"] for one, option in limits.get("currency_options", {}).items()}
    least[limits["minimum_amount_currency"]] = limits["minimum_amount"]
    if currency not in least or amount < least[currency]:
        raise invalid(
            "This promotion code cannot be redeemed because the minimum amount is not met, or is in another currency.",
            param=param,
        )


def _amount(store: Store, holder: Row) -> Decimal | None:
    """Return what one period of the subscription costs, or the sum of the invoice's lines, before discounts.

    An invoice without lines does not know it yet.
    """
    if holder["_kind"] == "invoice":
        lines = store.all("line_item", invoice=holder["id"])
        return Decimal(sum(one["amount"] for one in lines)) if lines else None
    items = store.all("subscription_item", subscription=holder["id"])
    prices = [(store.objects["price"][one["price"]], one["quantity"]) for one in items]
    return sum((Decimal(price["unit_amount_decimal"]) * (quantity or 0) for price, quantity in prices), Decimal(0))


def _has_bought(store: Store, customer: str, holder: Row | None) -> bool:
    """Whether the customer paid before, or has another invoice that is open, paid or uncollectible."""
    if any(one["paid"] for one in store.all("charge", customer=customer)):
        return True
    own = holder["id"] if holder else ""
    return any(
        one["status"] in ("open", "paid", "uncollectible") and own not in (one["id"], one["_subscription"])
        for one in store.all("invoice", customer=customer)
    )
