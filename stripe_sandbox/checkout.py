"""Checkout sessions: what is sold, for how much, until when. Paying one is in ``checkout_payment``.

Source: https://docs.stripe.com/api/checkout/sessions
"""

from decimal import ROUND_HALF_UP, Decimal

from stripe_sandbox import addresses, checkout_payment, credit_lines, customers, discounts, timeline
from stripe_sandbox.errors import invalid, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, merged, page, reads
from stripe_sandbox.store import Row, Store

HALF_AN_HOUR, DAY = 1800, 86_400
MOST_ITEMS = 20
SHOWN_AS_GIVEN = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer_creation",
    "integration_identifier",
    "locale",
    "origin_context",
    "payment_method_collection",
    "phone_number_collection",
    "submit_type",
    "success_url",
)
HONOURED = {
    *SHOWN_AS_GIVEN,
    *("currency", "customer", "customer_email", "discounts", "expires_at", "line_items", "metadata", "mode"),
    *("payment_intent_data", "payment_method_types", "setup_intent_data", "subscription_data", "ui_mode"),
    *("customer_update", "automatic_tax", "invoice_creation", "tax_id_collection", "adaptive_pricing"),
}
DATA = {"payment": "payment_intent_data", "setup": "setup_intent_data", "subscription": "subscription_data"}
OFF = ("automatic_tax", "invoice_creation", "tax_id_collection", "adaptive_pricing")
"""Accepted where they are not enabled."""


def create(store: Store, params: Params, ids: Ids) -> Row:
    """An open session, with the address of its page."""
    _refuse(params)
    mode = params["mode"]
    customer = store.need("customer", params["customer"], "customer") if "customer" in params else None
    now = store.now(customer["id"] if customer else None)
    key = store.new_id("checkout.session")
    session = store.add(
        "checkout.session",
        id=key,
        **{name: params.get(name) for name in SHOWN_AS_GIVEN},
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        currency=params.get("currency"),
        customer=customer and customer["id"],
        customer_details=None,
        customer_email=params.get("customer_email"),
        custom_text={
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        discounts=[],
        expires_at=_expiry(params, now),
        metadata=params.get("metadata") or {},
        mode=mode,
        payment_method_types=params.get("payment_method_types", ["card"]),
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        status="open",
        ui_mode="hosted_page",
        url=addresses.pay_url(store.base_url, key),
        _attempt=None,
        _data=params.get(DATA[mode], {}),
        _waits=None,
    )
    for n, given in enumerate(params.get("line_items", ())):
        _add_item(store, session, given, f"line_items[{n}]")
    if mode == "subscription" and not any(_price(store, one)["recurring"] for one in items(store, session)):
        raise invalid("You must provide at least one recurring price in `subscription` mode when using prices.")
    count(store, session)
    if params.get("discounts"):
        _take_discounts(store, session, params["discounts"])
    checkout_payment.refuse_impossible(store, session)
    return session


def items(store: Store, session: Row) -> list[Row]:
    """What the session sells, in the order in which it was given."""
    return store.all("item", _session=session["id"])


def count(store: Store, session: Row) -> None:
    """The session's amounts are those that are paid today: without what a trial puts off."""
    if session["mode"] == "setup":
        return
    found = items(store, session)
    trial = any(session["_data"].get(name) for name in ("trial_period_days", "trial_end"))
    gross = [0 if trial and _price(store, one)["recurring"] else _gross(store, one) for one in found]
    offs = _offs(store, session, found, gross)
    for item, amount, off in zip(found, gross, offs, strict=True):
        rates = [store.objects["tax_rate"][key] for key in item["_tax_rates"]]
        taxes = credit_lines.taxes_of(rates, amount - off)
        extra = sum(one["amount"] for one in taxes if one["tax_behavior"] == "exclusive")
        store.change(
            item,
            amount_subtotal=amount,
            amount_discount=off,
            amount_tax=sum(one["amount"] for one in taxes),
            amount_total=amount - off + extra,
        )
    tax = sum(one["amount_tax"] for one in found)
    store.change(
        session,
        amount_subtotal=sum(gross),
        amount_total=sum(one["amount_total"] for one in found),
        total_details={"amount_discount": sum(offs), "amount_shipping": 0, "amount_tax": tax},
    )


def apply_code(store: Store, session: Row, code: str) -> None:
    """The session has the discount of this promotion code, and no other.

    Raises StripeError where there is no such code, or it is not for this session.
    """
    if not session["allow_promotion_codes"]:
        raise invalid("This session takes no promotion codes.", param="promotion_code")
    for found in store.all("promotion_code", active=True):
        if found["code"].lower() == code.strip().lower():
            _take_discounts(store, session, [{"promotion_code": found["id"]}])
            return
    raise invalid(f"The promotion code {code} is not valid.", param="promotion_code")


def coupons_of(store: Store, session: Row) -> list[tuple[Row, Row | None]]:
    """The session's coupons, each with the promotion code by which it came, if it did."""
    found = []
    for one in session["discounts"]:
        code = store.get("promotion_code", one["promotion_code"])
        found.append((store.objects["coupon"][code["_coupon"] if code else one["coupon"]], code))
    return found


def expire(store: Store, session: Row) -> None:
    """Nobody can pay the session any more."""
    if session["status"] != "open":
        raise invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session['status']}`."
        )
    checkout_payment.abandon(store, session)
    store.change(session, status="expired", url=None, _waits=None)
    store.emit("checkout.session.expired", session)


@timeline.timed("checkout.session")
def due(store: Store, session: Row) -> timeline.Due | None:
    """An open session expires at its time."""
    return (session["expires_at"], expire) if session["status"] == "open" else None


def update(store: Store, params: Params, ids: Ids) -> Row:
    """The session has this metadata."""
    session = store.need("checkout.session", ids["session"])
    for name in set(params) - {"metadata"}:
        raise unsupported(f"updating {name} of a checkout session")
    if "metadata" in params:
        store.change(session, metadata=merged(session["metadata"], params["metadata"]))
    return session


def listing(store: Store, params: Params, ids: Ids) -> Row:
    """The sessions, newest first."""
    for name in ("customer_account", "payment_link"):
        if name in params:
            raise unsupported(f"listing checkout sessions by {name}")
    wanted = {k: params[k] for k in ("customer", "payment_intent", "subscription", "status") if k in params}
    found = store.all("checkout.session", **wanted)
    if "customer_details" in params:
        email = params["customer_details"]["email"]
        found = [one for one in found if (one["customer_details"] or {}).get("email") == email]
    return page(store, found, params, "/v1/checkout/sessions")


def line_items(store: Store, params: Params, ids: Ids) -> Row:
    """A page of what the session sells."""
    session = store.need("checkout.session", ids["session"])
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return page(store, items(store, session), params, url, newest_first=False)


def _expire(store: Store, params: Params, ids: Ids) -> Row:
    session = store.need("checkout.session", ids["session"])
    expire(store, session)
    return session


def check_url(url: str, param: str) -> None:
    """Raises StripeError for what is not the address of a web page."""
    if not url.startswith(("http://", "https://")):
        raise invalid("Not a valid URL", param=param, code="url_invalid")


def _refuse(params: Params) -> None:
    for name in set(params) - HONOURED:
        raise unsupported(f"checkout sessions with {name}")
    for name in OFF:
        if params.get(name, {}).get("enabled"):
            raise unsupported(f"checkout sessions with {name}")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise unsupported(f"checkout sessions with ui_mode {params['ui_mode']}")
    if params.get("payment_method_types", ["card"]) != ["card"]:
        raise unsupported("checkout sessions with other payment methods than cards")
    mode = params.get("mode", "")
    needed = ["mode", "success_url"]
    if mode == "setup":
        needed += [] if "payment_method_types" in params else ["currency"]
    else:
        needed += ["line_items"]
    for name in needed:
        if not params.get(name):
            raise invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")
    for pair in (("customer", "customer_email"), ("allow_promotion_codes", "discounts")):
        if all(params.get(name) for name in pair):
            raise invalid(f"You may only specify one of these parameters: {', '.join(pair)}.", param=pair[1])
    for other, data in DATA.items():
        if data in params and other != mode:
            raise invalid(f"You can not pass `{data}` in `{mode}` mode.", param=data)
    for name in ("success_url", "cancel_url"):
        if name in params:
            check_url(params[name], name)
    if mode == "setup" and (params.get("line_items") or params.get("discounts")):
        raise invalid("You can not pass `line_items` or `discounts` in `setup` mode.", param="line_items")
    if len(params.get("line_items", ())) > MOST_ITEMS:
        raise invalid(f"A session has at most {MOST_ITEMS} line items.", param="line_items")


def _expiry(params: Params, now: int) -> int:
    at = params.get("expires_at", now + DAY)
    if at < now + HALF_AN_HOUR:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", param="expires_at"
        )
    if at > now + DAY:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", param="expires_at"
        )
    return at


def _add_item(store: Store, session: Row, given: Params, name: str) -> None:
    if given.get("adjustable_quantity", {}).get("enabled") or "price_data" in given:
        raise unsupported("line items of a checkout session with adjustable_quantity or price_data")
    price = store.need("price", given.get("price"), f"{name}[price]")
    if "quantity" not in given:
        raise invalid(f"Quantity is required. Add `quantity` to `{name}`.", param=f"{name}[quantity]")
    if given["quantity"] < 1:
        raise invalid("This value must be greater than or equal to 1.", param=f"{name}[quantity]")
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.", param=f"{name}[price]")
    if price["recurring"] and session["mode"] == "payment":
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use "
            "only one-time prices."
        )
    if price["billing_scheme"] != "per_unit" or price["unit_amount_decimal"] is None:
        raise unsupported("checkout sessions with other prices than per_unit")
    if session["currency"] not in (None, price["currency"]):
        raise invalid(f"The price {price['id']} is not in {session['currency']}.", param=f"{name}[price]")
    store.change(session, currency=price["currency"])
    default_rates = session["_data"].get("default_tax_rates", []) if price["recurring"] else []
    rates = given.get("tax_rates") or default_rates
    for rate in rates:
        store.need("tax_rate", rate, f"{name}[tax_rates]")
    store.add(
        "item",
        currency=price["currency"],
        description=store.objects["product"][price["product"]]["name"],
        metadata=given.get("metadata") or {},
        price=price["id"],
        quantity=given["quantity"],
        _own_tax_rates=given.get("tax_rates") or [],
        _session=session["id"],
        _tax_rates=rates,
    )


def _price(store: Store, item: Row) -> Row:
    return store.objects["price"][item["price"]]


def _gross(store: Store, item: Row) -> int:
    return _rounded(Decimal(_price(store, item)["unit_amount_decimal"]) * item["quantity"])


def _take_discounts(store: Store, session: Row, given: list[Params]) -> None:
    """The session has these discounts, which its customer could redeem now."""
    with store.rehearsal():
        customer = session["customer"] or customers.create(store, {}, {})["id"]
        amount, currency = session["amount_subtotal"], session["currency"]
        discounts.create(store, given, customer=customer, currency=currency, amount=amount)
    shown = [{name: one.get(name) for name in ("coupon", "promotion_code")} for one in given]
    store.change(session, discounts=shown)
    count(store, session)


def _offs(store: Store, session: Row, found: list[Row], gross: list[int]) -> list[int]:
    """How much the session's discounts take off each item."""
    left = list(gross)
    for coupon, _ in coupons_of(store, session):
        products = (coupon["applies_to"] or {}).get("products")
        mine = [n for n, one in enumerate(found) if not products or _price(store, one)["product"] in products]
        base = [left[n] for n in mine]
        whole = min(sum(base), _amount_off(coupon, session["currency"]))
        for place, n in enumerate(mine):
            if coupon["percent_off"] is not None:
                left[n] -= _rounded(Decimal(left[n]) * Decimal(str(coupon["percent_off"])) / 100)
            else:
                left[n] -= credit_lines.share(whole, sum(base), sum(base[:place]), base[place])
    return [before - after for before, after in zip(gross, left, strict=True)]


def _amount_off(coupon: Row, currency: str) -> int:
    if coupon["amount_off"] is None or coupon["currency"] == currency:
        return coupon["amount_off"] or 0
    return coupon["currency_options"][currency]["amount_off"]


def _rounded(exact: Decimal) -> int:
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


ROUTES: Routes = {
    ("post", "/v1/checkout/sessions"): create,
    ("get", "/v1/checkout/sessions"): listing,
    ("get", "/v1/checkout/sessions/{session}"): reads("checkout.session", "session"),
    ("post", "/v1/checkout/sessions/{session}"): update,
    ("post", "/v1/checkout/sessions/{session}/expire"): _expire,
    ("get", "/v1/checkout/sessions/{session}/line_items"): line_items,
}
