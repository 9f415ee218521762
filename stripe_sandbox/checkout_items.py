"""What a checkout session sells, and its amounts. They equal those of the invoice that follows."""

from stripe_sandbox import catalogue, customers, discounts
from stripe_sandbox.errors import invalid, unsupported
from stripe_sandbox.handlers import Params, merged
from stripe_sandbox.invoicing import amounts, invoice_lines
from stripe_sandbox.store import Row, Store


def of(store: Store, session: Row) -> list[Row]:
    """List what the session sells, in the order of the request."""
    return store.all("item", _session=session["id"])


def recurring(store: Store, session: Row) -> list[Row]:
    """List what the session sells by subscription."""
    return [one for one in of(store, session) if _price(store, one)["recurring"]]


def once(store: Store, session: Row) -> list[Row]:
    """List what the session sells only once."""
    return [one for one in of(store, session) if not _price(store, one)["recurring"]]


def add(store: Store, session: Row, given: Params, name: str) -> None:
    """Add an item to the session. ``name`` is its place in the request. Raises: a 400 for what cannot be sold."""
    if given.get("adjustable_quantity", {}).get("enabled"):
        raise unsupported("line items of a checkout session with adjustable_quantity")
    made = "price_data" in given
    if made and "price" in given:
        raise invalid("You may only specify one of these parameters: price, price_data.", param=f"{name}[price]")
    if "quantity" not in given:
        raise invalid(f"Quantity is required. Add `quantity` to `{name}`.", param=f"{name}[quantity]")
    if given["quantity"] < 1:
        raise invalid("This value must be greater than or equal to 1.", param=f"{name}[quantity]")
    if made:
        price = catalogue.price_from_data(store, given["price_data"], f"{name}[price_data]")
    else:
        price = store.need("price", given.get("price"), f"{name}[price]")
    if not price["active"] and not made:
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
    store.add(
        "item",
        currency=price["currency"],
        description=store.objects["product"][price["product"]]["name"],
        metadata=merged(None, given.get("metadata"), f"{name}[metadata]"),
        price=price["id"],
        quantity=given["quantity"],
        _made_price=made,
        _own_tax_rates=given.get("tax_rates") or [],
        _session=session["id"],
        _tax_rates=given.get("tax_rates") or session["_data"].get("default_tax_rates") or [],
    )


def count(store: Store, session: Row) -> None:
    """Compute the session's amounts. They are what is paid today, without what a trial delays.

    The items are counted in the order of the invoice's lines. The order decides which line gets the odd cent of a
    discount.
    """
    if session["mode"] == "setup":
        return
    found = [*once(store, session), *recurring(store, session)]
    whole = [_today(store, session, one) for one in found]
    left = list(whole)
    for coupon, _ in coupons_of(store, session):
        parts = [(n, _price(store, one)["product"]) for n, one in zip(left, found, strict=True)]
        offs = amounts.taken_off(coupon, parts, session["currency"])
        left = [n - off for n, off in zip(left, offs, strict=True)]
    for item, amount, rest in zip(found, whole, left, strict=True):
        rates = [store.objects["tax_rate"][key] for key in item["_tax_rates"]]
        taxes = amounts.taxes(rates, rest, session["currency"])
        store.change(
            item,
            amount_subtotal=amount,
            amount_discount=amount - rest,
            amount_tax=sum(one["amount"] for one in taxes),
            amount_total=rest + amounts.exclusive(taxes),
        )
    discount, tax = sum(whole) - sum(left), sum(one["amount_tax"] for one in found)
    store.change(
        session,
        amount_subtotal=sum(whole),
        amount_total=sum(one["amount_total"] for one in found),
        total_details={"amount_discount": discount, "amount_shipping": 0, "amount_tax": tax},
    )


def apply_code(store: Store, session: Row, code: str) -> None:
    """Give the session the discount of this promotion code, and no other discount.

    Raises: StripeError if there is no such code, or if the session does not accept it.
    """
    if not session["allow_promotion_codes"]:
        raise invalid("This session takes no promotion codes.", param="promotion_code")
    for found in store.all("promotion_code", _code=code.strip().lower(), active=True):
        take_discounts(store, session, [{"promotion_code": found["id"]}])
        return
    raise invalid(f"The promotion code {code} is not valid.", param="promotion_code")


def take_discounts(store: Store, session: Row, given: list[Params]) -> None:
    """Give the session these discounts, if its customer could redeem them now."""
    with store.rehearsal():
        customer = session["customer"] or customers.create(store, {})["id"]
        amount, currency = session["amount_subtotal"], session["currency"]
        discounts.create(store, given, customer=customer, currency=currency, amount=amount)
    shown = [{name: one.get(name) for name in ("coupon", "promotion_code")} for one in given]
    store.change(session, discounts=shown)
    count(store, session)


def coupons_of(store: Store, session: Row) -> list[tuple[Row, Row | None]]:
    """List the session's coupons, each with its promotion code, or None."""
    found = []
    for one in session["discounts"]:
        code = store.get("promotion_code", one["promotion_code"])
        found.append((store.objects["coupon"][code["_coupon"] if code else one["coupon"]], code))
    return found


def _price(store: Store, item: Row) -> Row:
    return store.objects["price"][item["price"]]


def _today(store: Store, session: Row, item: Row) -> int:
    """Return what the item costs today, before discounts and taxes."""
    price = _price(store, item)
    trial = any(session["_data"].get(name) for name in ("trial_period_days", "trial_end"))
    return 0 if trial and price["recurring"] else invoice_lines.amount_of(price, item["quantity"])
