"""Coupons, and the promotion codes by which customers redeem them.

Source: https://docs.stripe.com/api/coupons and https://docs.stripe.com/api/promotion_codes
"""

import re

from stripe_sandbox import timeline
from stripe_sandbox.dates import DAY
from stripe_sandbox.errors import invalid, required, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, alive, gone, merged, page, reads, refuse
from stripe_sandbox.store import Row, Store

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
LONGEST_NAME = 40
NOT_HERE = ("customer_account",)
FIVE_YEARS = 5 * 366 * DAY


def create_coupon(store: Store, params: Params, ids: Ids) -> Row:
    key = params.get("id") or _random(store)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,200}", key):
        raise invalid("Coupon ids consist of letters, digits, - and _.", param="id")
    if known := store.get("coupon", key):
        if known.get("deleted"):
            raise unsupported("a new coupon under the id of a deleted one")
        raise invalid("Coupon already exists.", code="resource_already_exists")
    _check_value(params)
    months = _months(params)
    if not params.get("max_redemptions", 1) >= 1:
        raise invalid("This value must be greater than or equal to 1.", param="max_redemptions")
    if (redeem_by := params.get("redeem_by")) is not None and not store.now() < redeem_by < store.now() + FIVE_YEARS:
        raise invalid("`redeem_by` must be in the future, and within five years.", param="redeem_by")
    for n, product in enumerate(params.get("applies_to", {}).get("products", [])):
        store.need("product", product, f"applies_to[products][{n}]")
    coupon = store.add(
        "coupon",
        id=key,
        amount_off=params.get("amount_off"),
        applies_to=params.get("applies_to"),
        currency=params["currency"] if "amount_off" in params else None,
        currency_options=_options(params),
        duration=params.get("duration", "once"),
        duration_in_months=months,
        max_redemptions=params.get("max_redemptions"),
        metadata=merged(None, params.get("metadata")),
        name=_name(params),
        percent_off=params.get("percent_off"),
        redeem_by=redeem_by,
        times_redeemed=0,
        valid=True,
    )
    store.emit("coupon.created", coupon)
    return coupon


def update_coupon(store: Store, params: Params, ids: Ids) -> Row:
    coupon = alive(store, "coupon", ids["coupon"])
    changes: Row = {}
    if "name" in params:
        changes["name"] = _name(params)
    if "metadata" in params:
        changes["metadata"] = merged(coupon["metadata"], params["metadata"])
    if "currency_options" in params:
        if coupon["amount_off"] is None:
            raise invalid("Only a coupon with amount_off has currency_options.", param="currency_options")
        changes["currency_options"] = {**(coupon["currency_options"] or {}), **(_options(params) or {})}
    store.change(coupon, "coupon.updated", **changes)
    return coupon


def delete_coupon(store: Store, params: Params, ids: Ids) -> Row:
    """Delete the coupon, so that nobody can redeem it any more. A customer who has its discount keeps it."""
    coupon = alive(store, "coupon", ids["coupon"])
    store.change(coupon, valid=False)
    store.emit("coupon.deleted", coupon)
    store.change(coupon, deleted=True)
    _end_codes(store, coupon)
    return gone("coupon", coupon["id"])


def list_coupons(store: Store, params: Params, ids: Ids) -> Row:
    return page(store, [one for one in store.all("coupon") if not one.get("deleted")], params, "/v1/coupons")


def amount_off(coupon: Row, currency: str) -> int:
    """Return the minor units that the coupon takes off in this currency."""
    if coupon["currency"] == currency:
        return coupon["amount_off"] or 0
    return ((coupon["currency_options"] or {}).get(currency) or {}).get("amount_off", 0)


def applies_to(coupon: Row, product: str | None) -> bool:
    """Whether the coupon discounts this product."""
    products = (coupon["applies_to"] or {}).get("products")
    return not products or product in products


def redeem(store: Store, coupon: Row, code: Row | None) -> None:
    """Count one more use of the coupon and of its promotion code. The last use makes them invalid."""
    for row in (coupon, code):
        if row is not None:
            store.change(row, times_redeemed=row["times_redeemed"] + 1)
    if used_up(coupon):
        _expire_coupon(store, coupon)
    if code is not None and used_up(code):
        _expire_code(store, code)


def used_up(row: Row) -> bool:
    """Whether the coupon or the code was redeemed as often as possible."""
    return row["max_redemptions"] is not None and row["times_redeemed"] >= row["max_redemptions"]


@timeline.timed("coupon")
def _coupon_ends(store: Store, coupon: Row) -> timeline.Due | None:
    if coupon["redeem_by"] is None or not coupon["valid"]:
        return None
    return coupon["redeem_by"] + 1, _expire_coupon


def _expire_coupon(store: Store, coupon: Row) -> None:
    store.change(coupon, valid=False)
    _end_codes(store, coupon)


def _end_codes(store: Store, coupon: Row) -> None:
    for code in store.all("promotion_code", _coupon=coupon["id"]):
        store.change(code, active=False)


@timeline.timed("promotion_code")
def _code_ends(store: Store, code: Row) -> timeline.Due | None:
    if code["expires_at"] is None or not code["active"]:
        return None
    return code["expires_at"], _expire_code


def _expire_code(store: Store, code: Row) -> None:
    store.change(code, active=False)


def create_code(store: Store, params: Params, ids: Ids) -> Row:
    refuse(params, NOT_HERE, "a promotion code")
    if "coupon" not in params["promotion"]:
        param = "promotion[coupon]"
        raise required(param)
    coupon = alive(store, "coupon", params["promotion"]["coupon"], "promotion[coupon]")
    customer = store.need("customer", params["customer"], "customer")["id"] if "customer" in params else None
    code = params.get("code") or _random(store)
    if not re.fullmatch("[A-Za-z0-9-]{1,500}", code):
        raise invalid("Promotion codes consist of letters, digits and dashes.", param="code")
    active = params.get("active", True)
    if active and not coupon["valid"]:
        raise invalid(f"Coupon {coupon['id']} is not valid, so its promotion codes cannot be active.", param="active")
    if active:
        _check_unique(store, code, customer)
    _check_limits(params, coupon, store.now(customer))
    made = store.add(
        "promotion_code",
        active=active,
        code=code,
        customer=customer,
        expires_at=params.get("expires_at"),
        max_redemptions=params.get("max_redemptions"),
        metadata=merged(None, params.get("metadata")),
        promotion={"type": "coupon", "coupon": coupon["id"]},
        restrictions=_restrictions(params.get("restrictions", {})),
        times_redeemed=0,
        _code=code.lower(),
        _coupon=coupon["id"],
    )
    store.emit("promotion_code.created", made)
    return made


def update_code(store: Store, params: Params, ids: Ids) -> Row:
    code = store.need("promotion_code", ids["promotion_code"])
    changes: Row = {}
    if "active" in params:
        if params["active"] and not code["active"]:
            if not _redeemable(store, code):
                raise invalid("This promotion code cannot be made active: it, or its coupon, is used up or expired.")
            _check_unique(store, code["code"], code["customer"])
        changes["active"] = params["active"]
    if "metadata" in params:
        changes["metadata"] = merged(code["metadata"], params["metadata"])
    if options := params.get("restrictions", {}).get("currency_options"):
        known = code["restrictions"].get("currency_options", {})
        changes["restrictions"] = {**code["restrictions"], "currency_options": {**known, **options}}
    store.change(code, "promotion_code.updated", **changes)
    return code


def list_codes(store: Store, params: Params, ids: Ids) -> Row:
    refuse(params, NOT_HERE, "a promotion code")
    wanted = {"_code": params["code"].lower()} if "code" in params else {}
    wanted |= {"_coupon": params["coupon"]} if "coupon" in params else {}
    wanted |= {name: params[name] for name in ("active", "customer") if name in params}
    return page(store, store.all("promotion_code", **wanted), params, "/v1/promotion_codes")


def _random(store: Store) -> str:
    return "".join(store.random.choices(LETTERS, k=8))


def _name(params: Params) -> str | None:
    name = params.get("name") or None
    if name and len(name) > LONGEST_NAME:
        raise invalid(f"Invalid string: at most {LONGEST_NAME} characters.", param="name")
    return name


def _check_value(params: Params) -> None:
    if ("percent_off" in params) == ("amount_off" in params):
        raise invalid("You must pass exactly one of `percent_off` and `amount_off`.", param="percent_off")
    if "percent_off" in params and not 0 < params["percent_off"] <= 100:
        raise invalid("Invalid percent_off: must be greater than 0 and at most 100.", param="percent_off")
    if "amount_off" in params:
        if params["amount_off"] < 1:
            raise invalid("This value must be greater than or equal to 1.", param="amount_off")
        if "currency" not in params:
            raise invalid("You must pass `currency` with `amount_off`.", param="currency", code="parameter_missing")
    elif "currency_options" in params:
        raise invalid("Only a coupon with amount_off has currency_options.", param="currency_options")


def _months(params: Params) -> int | None:
    months: int | None = params.get("duration_in_months")
    repeats = params.get("duration") == "repeating"
    if repeats and months is None:
        param = "duration_in_months"
        raise invalid("A repeating coupon needs `duration_in_months`.", param=param, code="parameter_missing")
    if not repeats and months is not None:
        raise invalid("Only a repeating coupon has `duration_in_months`.", param="duration_in_months")
    return months


def _options(params: Params) -> Row | None:
    """Read ``amount_off`` in other currencies."""
    given = params.get("currency_options")
    if not given:
        return None
    return {currency: {"amount_off": one["amount_off"]} for currency, one in given.items()}


def _restrictions(given: Params) -> Row:
    if ("minimum_amount" in given) != ("minimum_amount_currency" in given):
        param = "restrictions[minimum_amount_currency]"
        raise invalid("`minimum_amount` and `minimum_amount_currency` go together.", param=param)
    options = {"currency_options": given["currency_options"]} if given.get("currency_options") else {}
    return {
        **options,
        "first_time_transaction": given.get("first_time_transaction", False),
        "minimum_amount": given.get("minimum_amount"),
        "minimum_amount_currency": given.get("minimum_amount_currency"),
    }


def _check_unique(store: Store, code: str, customer: str | None) -> None:
    for other in store.all("promotion_code", _code=code.lower(), active=True):
        if customer is None or other["customer"] in (None, customer):
            raise invalid(f"An active promotion code with `code: {code}` already exists.", param="code")


def _check_limits(params: Params, coupon: Row, now: int) -> None:
    expires, most = params.get("expires_at"), params.get("max_redemptions")
    if expires is not None and expires <= now:
        raise invalid("`expires_at` must be in the future.", param="expires_at")
    if expires is not None and coupon["redeem_by"] is not None and expires > coupon["redeem_by"]:
        raise invalid("`expires_at` cannot be after the coupon's `redeem_by`.", param="expires_at")
    if most is not None and most < 1:
        raise invalid("This value must be greater than or equal to 1.", param="max_redemptions")
    if most is not None and coupon["max_redemptions"] is not None and most > coupon["max_redemptions"]:
        raise invalid("`max_redemptions` cannot be greater than the coupon's.", param="max_redemptions")


def _redeemable(store: Store, code: Row) -> bool:
    expired = code["expires_at"] is not None and code["expires_at"] <= store.now(code["customer"])
    return not used_up(code) and not expired and store.objects["coupon"][code["_coupon"]]["valid"]


def _read(store: Store, params: Params, ids: Ids) -> Row:
    return alive(store, "coupon", ids["coupon"])


ROUTES: Routes = {
    ("get", "/v1/coupons"): list_coupons,
    ("post", "/v1/coupons"): create_coupon,
    ("get", "/v1/coupons/{coupon}"): _read,
    ("post", "/v1/coupons/{coupon}"): update_coupon,
    ("delete", "/v1/coupons/{coupon}"): delete_coupon,
    ("get", "/v1/promotion_codes"): list_codes,
    ("post", "/v1/promotion_codes"): create_code,
    ("get", "/v1/promotion_codes/{promotion_code}"): reads("promotion_code", "promotion_code"),
    ("post", "/v1/promotion_codes/{promotion_code}"): update_code,
}
