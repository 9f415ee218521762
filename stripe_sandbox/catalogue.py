"""What is sold: products and prices.

Source: https://docs.stripe.com/api/products and https://docs.stripe.com/api/prices
"""

import re
from decimal import Decimal, InvalidOperation

from stripe_sandbox import search
from stripe_sandbox.errors import StripeError, invalid, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, gone, merged, page, reads, refuse
from stripe_sandbox.params import named
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import listed

PRODUCT_TEXTS = (
    "description",
    "statement_descriptor",
    "tax_code",
    "unit_label",
    "url",
    "shippable",
    "package_dimensions",
)
NOT_HERE = ("currency_options", "custom_unit_amount", "tiers", "tiers_mode", "transform_quantity")
LONGEST_INTERVAL = {"day": 1095, "week": 156, "month": 36, "year": 3}
MOST_AMOUNT = 99_999_999_999
MOST_DECIMALS = 12
LONGEST_LOOKUP_KEY = 200


def create_product(store: Store, params: Params) -> Row:
    product = _product(store, params)
    if given := params.get("default_price_data"):
        price = _price(store, {"product": product["id"], **given}, product)
        store.change(product, default_price=price["id"])
        store.emit("product.created", product)
        store.emit("price.created", price)
        return product
    store.emit("product.created", product)
    return product


def update_product(store: Store, params: Params, ids: Ids) -> Row:
    product = store.need("product", ids["id"])
    changes = {name: params[name] or None for name in PRODUCT_TEXTS if name in params and name != "shippable"}
    changes |= {name: params[name] for name in ("active", "shippable") if name in params}
    changes |= {name: params[name] or [] for name in ("images", "marketing_features") if name in params}
    if "name" in params:
        changes["name"] = _name(params["name"])
    if "metadata" in params:
        changes["metadata"] = merged(product["metadata"], params["metadata"])
    if key := params.get("default_price"):
        price = store.need("price", key, "default_price")
        if price["product"] != product["id"]:
            raise invalid(f"The price {key} does not belong to the product {product['id']}.", param="default_price")
        if not price["active"]:
            raise invalid("The default price must be active.", param="default_price")
        changes["default_price"] = key
    if any(product.get(name) != value for name, value in changes.items()):
        store.change(product, "product.updated", **changes, updated=store.now())
    return product


def delete_product(store: Store, params: Params, ids: Ids) -> Row:
    product = store.need("product", ids["id"])
    if store.all("price", product=product["id"]):
        raise invalid("This product cannot be deleted because it has one or more user-created prices.")
    store.emit("product.deleted", product)
    store.remove(product)
    return gone("product", product["id"])


def list_products(store: Store, params: Params, ids: Ids) -> Row:
    wanted = {name: params[name] for name in ("active", "shippable", "type", "url") if name in params}
    found = store.all("product", **wanted)
    if "ids" in params:
        if "starting_after" in params or "ending_before" in params:
            raise invalid("`ids` cannot be used with `starting_after` or `ending_before`.", param="ids")
        found = [one for one in found if one["id"] in params["ids"]]
    return page(store, found, params, "/v1/products")


def list_features(store: Store, params: Params, ids: Ids) -> Row:
    """List no features: entitlement features cannot be made here."""
    product = store.need("product", ids["product"])
    return listed([], f"/v1/products/{product['id']}/features", more=False)


def create_feature(store: Store, params: Params, ids: Ids) -> Row:
    raise unsupported("entitlement features")


def create_price(store: Store, params: Params) -> Row:
    price = _price(store, params, _product_of(store, params, ""))
    store.emit("price.created", price)
    return price


def _product_of(store: Store, given: Params, param: str) -> Row:
    """Find the product of a new price. If the request describes a new product, make it."""
    if ("product" in given) == ("product_data" in given):
        raise invalid("You must specify either `product` or `product_data`.", param=named(param, "product"))
    if "product_data" not in given:
        return store.need("product", given["product"], named(param, "product"))
    product = _product(store, given["product_data"])
    store.emit("product.created", product)
    return product


def price_from_data(store: Store, given: Params, param: str) -> Row:
    """Make an inactive price for one line or item. ``param`` is the request's parameter that describes it."""
    price = _price(store, {**given, "active": False}, _product_of(store, given, param))
    store.emit("price.created", price)
    return price


def update_price(store: Store, params: Params, ids: Ids) -> Row:
    price = store.need("price", ids["price"])
    refuse(params, NOT_HERE, "a price")
    changes: Row = {name: params[name] for name in ("active",) if name in params}
    if "nickname" in params:
        changes["nickname"] = params["nickname"] or None
    if "metadata" in params:
        changes["metadata"] = merged(price["metadata"], params["metadata"])
    if "lookup_key" in params:
        changes["lookup_key"] = _lookup_key(store, params, price["id"])
    behaviour = params.get("tax_behavior", price["tax_behavior"])
    if behaviour != price["tax_behavior"]:
        if price["tax_behavior"] != "unspecified":
            raise invalid("`tax_behavior` cannot be changed once it is set.", param="tax_behavior")
        changes["tax_behavior"] = behaviour
    if changes.get("active") is False and store.objects["product"][price["product"]]["default_price"] == price["id"]:
        raise invalid("This price cannot be archived because it is the default price of its product.", param="active")
    store.change(price, "price.updated", **changes)
    return price


def list_prices(store: Store, params: Params, ids: Ids) -> Row:
    wanted = {name: params[name] for name in ("product", "active", "currency", "type") if name in params}
    found = store.all("price", **wanted)
    if "lookup_keys" in params:
        if len(params["lookup_keys"]) > 10:
            raise invalid("You may give at most 10 lookup keys.", param="lookup_keys")
        found = [one for one in found if one["lookup_key"] in params["lookup_keys"]]
    for name, value in params.get("recurring", {}).items():
        found = [one for one in found if one["recurring"] and one["recurring"][name] == value]
    return page(store, found, params, "/v1/prices")


def _name(given: str) -> str:
    if not given:
        raise invalid("You passed an empty string for 'name'.", param="name", code="parameter_invalid_empty")
    return given


def _product(store: Store, given: Params) -> Row:
    """Make a product, without an event."""
    key = given.get("id") or store.new_id("product")
    if store.get("product", key):
        raise invalid("Product already exists.", code="resource_already_exists")
    return store.add(
        "product",
        id=key,
        active=given.get("active", True),
        images=given.get("images", []),
        marketing_features=given.get("marketing_features", []),
        metadata=merged(None, given.get("metadata")),
        name=_name(given["name"]),
        type=given.get("type", "service"),
        updated=store.now(),
        **{name: given[name] if given.get(name) != "" else None for name in PRODUCT_TEXTS if name in given},
    )


def _price(store: Store, given: Params, product: Row) -> Row:
    """Make a price of this product, without an event."""
    refuse(given, NOT_HERE, "a price")
    if given.get("billing_scheme") == "tiered":
        raise unsupported("tiered prices")
    amount, text = _amount(given)
    recurring = _recurring(given["recurring"]) if "recurring" in given else None
    key = store.new_id("price")
    return store.add(
        "price",
        id=key,
        active=given.get("active", True),
        billing_scheme="per_unit",
        currency=given["currency"],
        lookup_key=_lookup_key(store, given, key),
        metadata=merged(None, given.get("metadata")),
        nickname=given.get("nickname") or None,
        product=product["id"],
        recurring=recurring,
        tax_behavior=given.get("tax_behavior", "unspecified"),
        type="recurring" if recurring else "one_time",
        unit_amount=amount,
        unit_amount_decimal=text,
    )


def _amount(given: Params) -> tuple[int | None, str]:
    """Read the price of one unit: as whole minor units (None for a fraction), and as a decimal number."""
    if ("unit_amount" in given) == ("unit_amount_decimal" in given):
        raise invalid("Prices require exactly one of `unit_amount` and `unit_amount_decimal`.", param="unit_amount")
    if "unit_amount" in given:
        if not 0 <= given["unit_amount"] <= MOST_AMOUNT:
            raise _bad_amount("unit_amount", given["unit_amount"])
        return given["unit_amount"], str(given["unit_amount"])
    text = given["unit_amount_decimal"]
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise _bad_amount("unit_amount_decimal", text) from None
    if not re.fullmatch(rf"\d+(\.\d{{1,{MOST_DECIMALS}}})?", text) or value > MOST_AMOUNT:
        raise _bad_amount("unit_amount_decimal", text)
    whole = value == value.to_integral_value()
    text = str(int(value)) if whole else text.rstrip("0").lstrip("0")
    return (int(value) if whole else None), f"0{text}" if text.startswith(".") else text


def _bad_amount(param: str, given: object) -> StripeError:
    return invalid(f"Invalid non-negative amount: {given}", param=param, code="parameter_invalid_integer")


def _recurring(given: Params) -> Row:
    if given.get("usage_type") == "metered" or "meter" in given:
        raise unsupported("usage-based prices")
    if "trial_period_days" in given:
        raise unsupported("trial_period_days of a price; give it to the subscription")
    count = given.get("interval_count", 1)
    most = LONGEST_INTERVAL[given["interval"]]
    if not 1 <= count <= most:
        raise invalid(
            f"Invalid interval_count: at least 1 and at most {most} {given['interval']}s, which are three years.",
            param="recurring[interval_count]",
        )
    return {
        "interval": given["interval"],
        "interval_count": count,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _lookup_key(store: Store, given: Params, price: str) -> str | None:
    """Read the lookup key. If it may be transferred, take it from the price that has it."""
    key: str | None = given.get("lookup_key") or None
    if key is None:
        return None
    if len(key) > LONGEST_LOOKUP_KEY:
        raise invalid(f"A lookup key has at most {LONGEST_LOOKUP_KEY} characters.", param="lookup_key")
    for other in store.all("price", lookup_key=key):
        if other["id"] == price:
            continue
        if not given.get("transfer_lookup_key"):
            raise invalid(f"A price (`{other['id']}`) already uses that lookup key.", param="lookup_key")
        store.change(other, "price.updated", lookup_key=None)
    return key


def _create_product(store: Store, params: Params, ids: Ids) -> Row:
    return create_product(store, params)


def _create_price(store: Store, params: Params, ids: Ids) -> Row:
    return create_price(store, params)


ROUTES: Routes = {
    ("get", "/v1/products"): list_products,
    ("post", "/v1/products"): _create_product,
    ("get", "/v1/products/search"): search.searches("product", "/v1/products/search"),
    ("get", "/v1/products/{id}"): reads("product", "id"),
    ("post", "/v1/products/{id}"): update_product,
    ("delete", "/v1/products/{id}"): delete_product,
    ("get", "/v1/products/{product}/features"): list_features,
    ("post", "/v1/products/{product}/features"): create_feature,
    ("get", "/v1/prices"): list_prices,
    ("post", "/v1/prices"): _create_price,
    ("get", "/v1/prices/search"): search.searches("price", "/v1/prices/search"),
    ("get", "/v1/prices/{price}"): reads("price", "price"),
    ("post", "/v1/prices/{price}"): update_price,
}
