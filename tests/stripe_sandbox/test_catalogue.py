"""Products, prices, tax rates, coupons, promotion codes, and what a discount does."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from stripe_sandbox import coupons, customers, discounts
from stripe_sandbox.dates import add_interval, add_months
from stripe_sandbox.store import Store
from tests.stripe_sandbox.conftest import DAY, Sandbox, error_of

PRICE = {"currency": "usd", "unit_amount": 1000}


def product(sandbox: Sandbox, **given: Any) -> dict[str, Any]:
    return sandbox.post("products", {"name": "Practice", **given})


def price(sandbox: Sandbox, **given: Any) -> dict[str, Any]:
    return sandbox.post("prices", {**PRICE, "product": product(sandbox)["id"], **given})


def coupon(sandbox: Sandbox, **given: Any) -> dict[str, Any]:
    return sandbox.post("coupons", given or {"percent_off": 50})


def code(sandbox: Sandbox, coupon_id: str, **given: Any) -> dict[str, Any]:
    return sandbox.post("promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": coupon_id, **given})


def first_invoice(sandbox: Sandbox, subscription: dict[str, Any]) -> dict[str, Any]:
    return sandbox.get(f"invoices/{subscription['latest_invoice']}")


# ── products ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_product_keeps_what_it_is_given_under_the_id_it_is_given(sandbox: Sandbox) -> None:
    given = {"id": "practice", "description": "For one", "unit_label": "seat", "url": "https://maple.example"}
    made = product(sandbox, **given, **{"images[0]": "https://maple.example/a.png", "metadata[a]": "1"})
    assert {name: made[name] for name in given} == given
    assert (made["active"], made["type"], made["images"]) == (True, "service", ["https://maple.example/a.png"])
    assert sandbox.get("products/practice") == made
    error = sandbox.refused("POST", "products", {"id": "practice", "name": "Other"})
    assert error["code"] == "resource_already_exists"
    changed = sandbox.post("products/practice", {"active": "false", "description": "", "metadata[a]": ""})
    assert (changed["active"], changed["description"], changed["metadata"]) == (False, None, {})
    event = sandbox.listed("events", type="product.updated")[0]
    assert event["data"]["previous_attributes"]["description"] == "For one"


def test_a_product_comes_with_a_default_price(sandbox: Sandbox) -> None:
    data = {"default_price_data[currency]": "usd", "default_price_data[unit_amount]": 900}
    made = product(sandbox, **data, **{"default_price_data[recurring][interval]": "year"})
    (only,) = sandbox.listed("prices", product=made["id"])
    assert made["default_price"] == only["id"]
    assert (only["unit_amount"], only["recurring"]["interval"], only["type"]) == (900, "year", "recurring")
    assert sandbox.event_types() == ["product.created", "price.created"]
    error = sandbox.refused("POST", f"prices/{only['id']}", {"active": "false"})
    assert "default price" in error["message"]
    stranger = price(sandbox)["id"]
    answer = sandbox.ask("POST", f"products/{made['id']}", {"default_price": stranger})
    assert error_of(answer, 400)["param"] == "default_price"


def test_a_product_is_deleted_only_without_prices(sandbox: Sandbox) -> None:
    kept = price(sandbox)["product"]
    sandbox.refused("DELETE", f"products/{kept}")
    made = product(sandbox)["id"]
    assert sandbox.ask("DELETE", f"products/{made}").json() == {"id": made, "object": "product", "deleted": True}
    sandbox.refused("GET", f"products/{made}", status=404)
    assert sandbox.event_types()[-1] == "product.deleted"


def test_products_are_listed_by_what_they_are(sandbox: Sandbox) -> None:
    one = product(sandbox, shippable="true", type="good")["id"]
    two = product(sandbox, active="false")["id"]
    for wanted, found in (
        ({"active": "false"}, [two]),
        ({"shippable": "true"}, [one]),
        ({"type": "service"}, [two]),
        ({"ids[0]": one}, [one]),
        ({}, [two, one]),
    ):
        assert [each["id"] for each in sandbox.listed("products", **wanted)] == found
    assert sandbox.get(f"products/{one}/features")["data"] == []
    sandbox.refused("POST", f"products/{one}/features", {"entitlement_feature": "feat_x"}, status=501)


# ── prices ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "amount", "decimal"),
    [
        ({"unit_amount": 0}, 0, "0"),
        ({"unit_amount": 1250, "currency": "JPY"}, 1250, "1250"),
        ({"unit_amount_decimal": "12.50"}, None, "12.5"),
        ({"unit_amount_decimal": "0.05"}, None, "0.05"),
        ({"unit_amount_decimal": "12.0"}, 12, "12"),
    ],
)
def test_a_price_is_a_whole_number_of_minor_units_or_a_decimal(
    sandbox: Sandbox, given: dict[str, Any], amount: int | None, decimal: str
) -> None:
    made = sandbox.post("prices", {"currency": "usd", "product": product(sandbox)["id"], **given})
    assert (made["unit_amount"], made["unit_amount_decimal"]) == (amount, decimal)
    assert made["currency"] == given.get("currency", "usd").lower()
    assert (made["type"], made["recurring"], made["tax_behavior"]) == ("one_time", None, "unspecified")


def test_a_recurring_price_counts_its_intervals(sandbox: Sandbox) -> None:
    made = price(sandbox, nickname="Quarterly", **{"recurring[interval]": "month", "recurring[interval_count]": 3})
    assert (made["recurring"]["interval"], made["recurring"]["interval_count"]) == ("month", 3)
    assert made["recurring"]["usage_type"] == "licensed"
    assert (made["type"], made["nickname"]) == ("recurring", "Quarterly")
    assert sandbox.get(f"prices/{made['id']}") == made


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"unit_amount": -1}, 400),
        ({"unit_amount_decimal": "1"}, 400),
        ({"product_data[name]": "Twice"}, 400),
        ({"product": "prod_x"}, 400),
        ({"currency": "dollars"}, 400),
        ({"recurring[interval]": "year", "recurring[interval_count]": 4}, 400),
        ({"recurring[interval]": "month", "recurring[interval_count]": 0}, 400),
        ({"lookup_key": "taken"}, 400),
        ({"billing_scheme": "tiered"}, 501),
        ({"tiers[0][up_to]": "inf"}, 501),
        ({"custom_unit_amount[enabled]": "true"}, 501),
        ({"transform_quantity[divide_by]": 5, "transform_quantity[round]": "up"}, 501),
        ({"currency_options[eur][unit_amount]": 5}, 501),
        ({"recurring[interval]": "month", "recurring[usage_type]": "metered"}, 501),
        ({"recurring[interval]": "month", "recurring[trial_period_days]": 7}, 501),
    ],
)
def test_a_price_that_is_refused(sandbox: Sandbox, given: dict[str, Any], status: int) -> None:
    key = price(sandbox, lookup_key="taken")["product"]
    sandbox.refused("POST", "prices", {**PRICE, "product": key, **given}, status=status)
    assert len(sandbox.listed("prices")) == len(sandbox.listed("products")) == 1


@pytest.mark.parametrize("amount", ["", "-1", "1.", "one", "1.1234567890123", "NaN"])
def test_a_decimal_that_is_no_amount_is_refused(sandbox: Sandbox, amount: str) -> None:
    given = {"currency": "usd", "product": product(sandbox)["id"], "unit_amount_decimal": amount}
    assert sandbox.refused("POST", "prices", given)["param"] == "unit_amount_decimal"


def test_a_price_needs_an_amount_and_a_product(sandbox: Sandbox) -> None:
    sandbox.refused("POST", "prices", {"currency": "usd", "product": product(sandbox)["id"]})
    sandbox.refused("POST", "prices", PRICE)


def test_a_price_makes_its_product(sandbox: Sandbox) -> None:
    made = sandbox.post("prices", {**PRICE, "product_data[name]": "Clinic", "product_data[id]": "clinic"})
    assert made["product"] == "clinic"
    assert sandbox.get("products/clinic")["name"] == "Clinic"
    assert sandbox.event_types() == ["product.created", "price.created"]


def test_a_lookup_key_moves_only_if_it_may(sandbox: Sandbox) -> None:
    first, second = price(sandbox, lookup_key="standard"), price(sandbox)
    answer = sandbox.ask("POST", f"prices/{second['id']}", {"lookup_key": "standard"})
    assert error_of(answer, 400)["param"] == "lookup_key"
    given = {"lookup_key": "standard", "transfer_lookup_key": "true"}
    assert sandbox.post(f"prices/{second['id']}", given)["lookup_key"] == "standard"
    assert sandbox.get(f"prices/{first['id']}")["lookup_key"] is None
    assert [one["id"] for one in sandbox.listed("prices", **{"lookup_keys[0]": "standard"})] == [second["id"]]
    assert sandbox.post(f"prices/{second['id']}", {"lookup_key": "standard"})["lookup_key"] == "standard"
    before = [one["data"]["previous_attributes"] for one in sandbox.listed("events", type="price.updated")]
    assert before == [{"lookup_key": None}, {"lookup_key": "standard"}]


def test_prices_are_listed_by_what_they_are(sandbox: Sandbox) -> None:
    one = price(sandbox, active="false", **{"recurring[interval]": "year"})
    two = price(sandbox, currency="eur")
    for wanted, found in (
        ({"active": "true"}, [two]),
        ({"currency": "eur"}, [two]),
        ({"type": "recurring"}, [one]),
        ({"recurring[interval]": "year"}, [one]),
        ({"recurring[interval]": "month"}, []),
        ({"product": one["product"]}, [one]),
    ):
        assert sandbox.listed("prices", **wanted) == found


def test_the_tax_behaviour_of_a_price_is_set_once(sandbox: Sandbox) -> None:
    made = price(sandbox)["id"]
    assert sandbox.post(f"prices/{made}", {"tax_behavior": "exclusive"})["tax_behavior"] == "exclusive"
    assert sandbox.refused("POST", f"prices/{made}", {"tax_behavior": "inclusive"})["param"] == "tax_behavior"


# ── tax rates ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_tax_rate_keeps_its_percentage(sandbox: Sandbox) -> None:
    given = {"display_name": "VAT", "percentage": 19.5, "inclusive": "false", "country": "DE", "tax_type": "vat"}
    made = sandbox.post("tax_rates", given)
    assert (made["percentage"], made["inclusive"], made["country"], made["active"]) == (19.5, False, "DE", True)
    changed = sandbox.post(f"tax_rates/{made['id']}", {"active": "false", "display_name": "MwSt", "country": ""})
    assert (changed["active"], changed["display_name"], changed["country"]) == (False, "MwSt", None)
    assert sandbox.get(f"tax_rates/{made['id']}") == changed
    assert sandbox.listed("tax_rates", active="true") == []
    assert sandbox.listed("tax_rates", inclusive="false") == [changed]
    answer = sandbox.ask("POST", f"tax_rates/{made['id']}", {"percentage": 7})
    assert error_of(answer, 400)["code"] == "parameter_unknown"
    for wrong in ({"percentage": 101}, {"percentage": -1}, {"display_name": ""}):
        error = sandbox.refused("POST", "tax_rates", {**given, **wrong})
        assert error["param"] == next(iter(wrong))


# ── coupons ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_coupon_keeps_its_terms(sandbox: Sandbox) -> None:
    key = product(sandbox)["id"]
    given = {"id": "SPRING", "amount_off": 500, "currency": "USD", "name": "Spring", "applies_to[products][0]": key}
    given |= {"duration": "repeating", "duration_in_months": 3, "currency_options[eur][amount_off]": 450}
    made = coupon(sandbox, **given)
    assert (made["id"], made["amount_off"], made["currency"], made["duration_in_months"]) == ("SPRING", 500, "usd", 3)
    assert (made["valid"], made["times_redeemed"], made["percent_off"]) == (True, 0, None)
    assert "applies_to" not in made
    whole = sandbox.get("coupons/SPRING", **{"expand[0]": "applies_to", "expand[1]": "currency_options"})
    assert (whole["applies_to"], whole["currency_options"]) == ({"products": [key]}, {"eur": {"amount_off": 450}})
    changed = sandbox.post("coupons/SPRING", {"name": "", "metadata[a]": "1", "currency_options[gbp][amount_off]": 400})
    assert (changed["name"], changed["metadata"]) == (None, {"a": "1"})
    listed = sandbox.listed("coupons", **{"expand[0]": "data.currency_options"})[0]
    assert listed["currency_options"] == {"eur": {"amount_off": 450}, "gbp": {"amount_off": 400}}
    assert sandbox.event_types()[-2:] == ["coupon.created", "coupon.updated"]


def test_a_coupon_without_an_id_gets_one(sandbox: Sandbox) -> None:
    one, two = coupon(sandbox), coupon(sandbox)
    assert len(one["id"]) == 8
    assert one["id"] != two["id"]
    assert one["duration"] == "once"


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({}, "percent_off"),
        ({"percent_off": 10, "amount_off": 5, "currency": "usd"}, "percent_off"),
        ({"percent_off": 0}, "percent_off"),
        ({"percent_off": 100.5}, "percent_off"),
        ({"amount_off": 5}, "currency"),
        ({"amount_off": 0, "currency": "usd"}, "amount_off"),
        ({"percent_off": 10, "duration": "repeating"}, "duration_in_months"),
        ({"percent_off": 10, "duration": "forever", "duration_in_months": 2}, "duration_in_months"),
        ({"percent_off": 10, "max_redemptions": 0}, "max_redemptions"),
        ({"percent_off": 10, "redeem_by": 1}, "redeem_by"),
        ({"percent_off": 10, "name": "n" * 41}, "name"),
        ({"percent_off": 10, "id": "no spaces"}, "id"),
        ({"percent_off": 10, "applies_to[products][0]": "prod_x"}, "applies_to[products][0]"),
        ({"percent_off": 10, "currency_options[eur][amount_off]": 5}, "currency_options"),
    ],
)
def test_a_coupon_that_is_refused(sandbox: Sandbox, given: dict[str, Any], param: str) -> None:
    assert sandbox.refused("POST", "coupons", given)["param"] == param
    assert sandbox.listed("coupons") == []


def test_a_deleted_coupon_is_gone_and_its_codes_are_inactive(sandbox: Sandbox) -> None:
    coupon(sandbox, id="SPRING", percent_off=10)
    made = code(sandbox, "SPRING")
    assert sandbox.refused("POST", "coupons", {"id": "SPRING", "percent_off": 5})["code"] == ("resource_already_exists")
    assert sandbox.ask("DELETE", "coupons/SPRING").json()["deleted"]
    for method in ("GET", "POST", "DELETE"):
        sandbox.refused(method, "coupons/SPRING", status=404)
    sandbox.refused("POST", "coupons", {"id": "SPRING", "percent_off": 5}, status=501)
    assert sandbox.listed("coupons") == []
    assert not sandbox.get(f"promotion_codes/{made['id']}")["active"]
    assert sandbox.event_types()[-1] == "coupon.deleted"


def test_a_coupon_is_valid_until_its_time_is_over(sandbox: Sandbox) -> None:
    made = coupon(sandbox, percent_off=10, redeem_by=sandbox.now() + DAY)
    promo = code(sandbox, made["id"])
    sandbox.advance(DAY - 60)
    assert sandbox.get(f"coupons/{made['id']}")["valid"]
    sandbox.advance(120)
    assert not sandbox.get(f"coupons/{made['id']}")["valid"]
    assert not sandbox.get(f"promotion_codes/{promo['id']}")["active"]
    answer = sandbox.ask("POST", f"promotion_codes/{promo['id']}", {"active": "true"})
    error_of(answer, 400)
    sandbox.refused("POST", "promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": made["id"]})


# ── promotion codes ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_promotion_code_tells_its_promotion_and_restrictions(sandbox: Sandbox) -> None:
    key, customer = coupon(sandbox)["id"], sandbox.post("customers")["id"]
    limits = {"restrictions[first_time_transaction]": "true", "restrictions[minimum_amount]": 500}
    limits |= {"restrictions[minimum_amount_currency]": "usd", "max_redemptions": 5}
    made = code(sandbox, key, code="SPRING-26", customer=customer, expires_at=sandbox.now() + DAY, **limits)
    assert made["promotion"] == {"type": "coupon", "coupon": key}
    assert made["restrictions"]["first_time_transaction"]
    assert made["restrictions"]["minimum_amount"] == 500
    assert (made["code"], made["customer"], made["active"], made["max_redemptions"]) == ("SPRING-26", customer, True, 5)
    whole = sandbox.get(f"promotion_codes/{made['id']}", **{"expand[0]": "promotion.coupon"})
    assert whole["promotion"]["coupon"]["percent_off"] == 50
    plain = code(sandbox, key)
    assert len(plain["code"]) == 8
    for wanted, found in (
        ({"code": "spring-26"}, [made]),
        ({"customer": customer}, [made]),
        ({"coupon": key}, [plain, made]),
        ({"coupon": "other"}, []),
        ({"active": "false"}, []),
    ):
        assert sandbox.listed("promotion_codes", **wanted) == found
    changed = sandbox.post(f"promotion_codes/{made['id']}", {"active": "false", "metadata[a]": "1"})
    assert (changed["active"], changed["metadata"]) == (False, {"a": "1"})
    assert sandbox.event_types()[-1] == "promotion_code.updated"


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"promotion[coupon]": "NONE"}, "promotion[coupon]"),
        ({"customer": "cus_x"}, "customer"),
        ({"code": "no spaces"}, "code"),
        ({"code": "taken"}, "code"),
        ({"expires_at": 1}, "expires_at"),
        ({"expires_at": 4_000_000_000}, "expires_at"),
        ({"max_redemptions": 0}, "max_redemptions"),
        ({"max_redemptions": 9}, "max_redemptions"),
        ({"restrictions[minimum_amount]": 5}, "restrictions[minimum_amount_currency]"),
    ],
)
def test_a_promotion_code_that_is_refused(sandbox: Sandbox, given: dict[str, Any], param: str) -> None:
    coupon(sandbox, id="SPRING", percent_off=10, max_redemptions=8, redeem_by=sandbox.now() + DAY)
    code(sandbox, "SPRING", code="TAKEN")
    asked = {"promotion[type]": "coupon", "promotion[coupon]": "SPRING", **given}
    assert sandbox.refused("POST", "promotion_codes", asked)["param"] == param


def test_a_code_may_be_used_again_once_it_is_inactive(sandbox: Sandbox) -> None:
    key = coupon(sandbox)["id"]
    first = code(sandbox, key, code="SPRING")
    sandbox.post(f"promotion_codes/{first['id']}", {"active": "false"})
    code(sandbox, key, code="spring")
    sandbox.refused("POST", f"promotion_codes/{first['id']}", {"active": "true"})


def test_a_promotion_code_expires(sandbox: Sandbox) -> None:
    made = code(sandbox, coupon(sandbox)["id"], expires_at=sandbox.now() + DAY)
    sandbox.advance(DAY + 1)
    assert not sandbox.get(f"promotion_codes/{made['id']}")["active"]


# ── discounts ─────────────────────────────────────────────────────────────────────────────────────────────────


def discounted(sandbox: Sandbox, customer: str, **ways: str) -> dict[str, Any]:
    return sandbox.subscription(customer, **{f"discounts[0][{way}]": key for way, key in ways.items()})


def test_a_coupon_lowers_the_first_invoice_and_counts_as_redeemed(sandbox: Sandbox) -> None:
    made = coupon(sandbox, percent_off=50, duration="forever", max_redemptions=2)
    promo = code(sandbox, made["id"], max_redemptions=1)
    customer = sandbox.customer()["id"]
    subscription = discounted(sandbox, customer, promotion_code=promo["id"])
    assert first_invoice(sandbox, subscription)["total"] == 500
    shown = sandbox.get(f"subscriptions/{subscription['id']}", **{"expand[0]": "discounts"})["discounts"][0]
    assert shown["source"] == {"type": "coupon", "coupon": made["id"]}
    assert (shown["promotion_code"], shown["customer"], shown["end"]) == (promo["id"], customer, None)
    assert shown["subscription"] == subscription["id"]
    assert sandbox.get(f"coupons/{made['id']}")["times_redeemed"] == 1
    used = sandbox.get(f"promotion_codes/{promo['id']}")
    assert (used["times_redeemed"], used["active"]) == (1, False)
    assert len(sandbox.listed("events", type="customer.discount.created")) == 1
    discounted(sandbox, customer, coupon=made["id"])
    assert not sandbox.get(f"coupons/{made['id']}")["valid"]
    given = {"customer": customer, "items[0][price]": sandbox.price()["id"], "discounts[0][coupon]": made["id"]}
    error = sandbox.refused("POST", "subscriptions", given)
    assert (error["code"], error["param"]) == ("coupon_expired", "discounts[0][coupon]")


def test_a_discount_for_some_months_ends_by_the_calendar(sandbox: Sandbox) -> None:
    made = coupon(sandbox, percent_off=10, duration="repeating", duration_in_months=2)
    subscription = discounted(sandbox, sandbox.customer()["id"], coupon=made["id"])
    shown = sandbox.get(f"subscriptions/{subscription['id']}", **{"expand[0]": "discounts"})["discounts"][0]
    assert shown["end"] == add_months(shown["start"], 2)
    sandbox.advance_to(shown["end"] + 2 * 3600)
    totals = [one["total"] for one in sandbox.listed("invoices", subscription=subscription["id"])]
    assert totals == [1000, 900, 900]
    assert sandbox.get(f"subscriptions/{subscription['id']}")["discounts"] == []
    (event,) = sandbox.listed("events", type="customer.discount.deleted")
    assert event["created"] == shown["end"]


def test_a_discount_lowers_what_is_billed_before_its_end_and_not_at_it() -> None:
    store = Store(delivery="manual")
    customer = customers.create(store, {})["id"]
    terms = {"percent_off": 10.0, "duration": "repeating", "duration_in_months": 1}
    (key,) = discounts.create(store, [{"coupon": coupons.create_coupon(store, terms, {})["id"]}], customer=customer)
    row = store.objects["discount"][key]
    assert [discounts.active(store, row, at) for at in (row["end"] - 1, row["end"])] == [True, False]


def test_a_discount_that_is_replaced_is_at_its_end(sandbox: Sandbox) -> None:
    one, two = (coupon(sandbox, percent_off=n, duration="forever")["id"] for n in (10, 20))
    subscription = discounted(sandbox, sandbox.customer()["id"], coupon=one)
    kept = subscription["discounts"][0]
    given = {"discounts[0][discount]": kept, "discounts[1][coupon]": two}
    changed = sandbox.post(f"subscriptions/{subscription['id']}", given)
    assert changed["discounts"][0] == kept
    assert len(changed["discounts"]) == 2
    assert sandbox.post(f"subscriptions/{subscription['id']}", {"discounts": ""})["discounts"] == []
    assert len(sandbox.listed("events", type="customer.discount.deleted")) == 2
    answer = sandbox.ask("POST", f"subscriptions/{subscription['id']}", {"discounts[0][discount]": kept})
    assert error_of(answer, 400)["code"] == "resource_missing"


def test_a_deleted_discount_is_answered_with_all_of_it_but_its_end(sandbox: Sandbox) -> None:
    """Source: https://docs.stripe.com/api/discounts/subscription_delete"""
    made = coupon(sandbox, percent_off=10, duration="repeating", duration_in_months=3)
    subscription = discounted(sandbox, sandbox.customer()["id"], coupon=made["id"])
    path = f"subscriptions/{subscription['id']}"
    shown = sandbox.get(path, **{"expand[0]": "discounts"})["discounts"][0]
    assert shown["end"]

    gone = sandbox.ask("DELETE", f"{path}/discount").raise_for_status().json()

    assert gone == {name: value for name, value in shown.items() if name != "end"} | {"deleted": True}
    assert sandbox.get(path)["discounts"] == []


def test_who_has_a_discount_keeps_it_when_its_coupon_is_deleted(sandbox: Sandbox) -> None:
    made = coupon(sandbox, percent_off=10, duration="forever")
    subscription = discounted(sandbox, sandbox.customer()["id"], coupon=made["id"])
    sandbox.ask("DELETE", f"coupons/{made['id']}").raise_for_status()
    sandbox.advance_to(subscription["items"]["data"][0]["current_period_end"] + 2 * 3600)
    assert [one["total"] for one in sandbox.listed("invoices", subscription=subscription["id"])] == [900, 900]


@pytest.mark.parametrize(
    ("given", "way", "error_code"),
    [
        ({"percent_off": 10}, {"coupon": "NONE"}, "resource_missing"),
        ({"percent_off": 10}, {"promotion_code": "promo_x"}, "resource_missing"),
        ({"percent_off": 10}, {"discount": "di_x"}, "resource_missing"),
        ({"percent_off": 10}, {"coupon": "SPRING", "promotion_code": "promo_x"}, None),
        ({"amount_off": 5, "currency": "eur"}, {"coupon": "SPRING"}, None),
    ],
)
def test_a_discount_that_cannot_be_had(
    sandbox: Sandbox, given: dict[str, Any], way: dict[str, str], error_code: str | None
) -> None:
    coupon(sandbox, id="SPRING", **given)
    asked = {"customer": sandbox.customer()["id"], "items[0][price]": sandbox.price()["id"]}
    asked |= {f"discounts[0][{name}]": key for name, key in way.items()}
    error = sandbox.refused("POST", "subscriptions", asked)
    assert error.get("code") == error_code
    assert error["param"].startswith("discounts[0]")
    assert sandbox.listed("subscriptions") == []


def test_a_coupon_discounts_each_currency_that_it_names(sandbox: Sandbox) -> None:
    made = coupon(sandbox, amount_off=100, currency="eur", **{"currency_options[usd][amount_off]": 120})
    subscription = discounted(sandbox, sandbox.customer()["id"], coupon=made["id"])
    assert first_invoice(sandbox, subscription)["total"] == 880


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"restrictions[minimum_amount]": 1001, "restrictions[minimum_amount_currency]": "usd"}, "minimum amount"),
        ({"restrictions[minimum_amount]": 1, "restrictions[minimum_amount_currency]": "eur"}, "minimum amount"),
        ({"restrictions[first_time_transaction]": "true"}, "prior transactions"),
        ({"active": "false"}, "inactive"),
        ({"customer": "another"}, "this customer"),
    ],
)
def test_a_promotion_code_keeps_its_restrictions(sandbox: Sandbox, limits: dict[str, Any], message: str) -> None:
    if "customer" in limits:
        limits = {"customer": sandbox.post("customers")["id"]}
    key = coupon(sandbox)["id"]
    promo = code(sandbox, key, **limits)["id"]
    customer = sandbox.customer()["id"]
    sandbox.subscription(customer)
    asked = {"customer": customer, "items[0][price]": sandbox.price()["id"], "discounts[0][promotion_code]": promo}
    assert message in sandbox.refused("POST", "subscriptions", asked)["message"]
    assert sandbox.get(f"coupons/{key}")["times_redeemed"] == 0


def test_a_promotion_code_works_where_its_restrictions_are_met(sandbox: Sandbox) -> None:
    limits = {"restrictions[minimum_amount]": 1000, "restrictions[minimum_amount_currency]": "usd"}
    customer = sandbox.customer()["id"]
    limits |= {"restrictions[first_time_transaction]": "true", "customer": customer}
    promo = code(sandbox, coupon(sandbox)["id"], **limits)["id"]
    assert first_invoice(sandbox, discounted(sandbox, customer, promotion_code=promo))["total"] == 500


# ── dates ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("start", "interval", "count", "times", "end"),
    [
        ("2026-01-31", "month", 1, 1, "2026-02-28"),
        ("2028-01-31", "month", 1, 1, "2028-02-29"),
        ("2026-11-30", "month", 3, 1, "2027-02-28"),
        ("2028-02-29", "year", 1, 1, "2029-02-28"),
        ("2026-12-31", "month", 1, 2, "2027-02-28"),
        ("2026-03-28", "week", 2, 1, "2026-04-11"),
        ("2026-03-28", "day", 1, 5, "2026-04-02"),
    ],
)
def test_an_interval_keeps_the_day_or_ends_on_the_months_last(
    start: str, interval: str, count: int, times: int, end: str
) -> None:
    at, until = (int(datetime.fromisoformat(one).replace(tzinfo=UTC).timestamp()) for one in (start, end))
    assert add_interval(at, {"interval": interval, "interval_count": count}, times) == until


def test_stripes_own_client_reads_a_promotion_code(sandbox: Sandbox, sandbox_sdk: stripe.StripeClient) -> None:
    coupon = sandbox.post("coupons", {"percent_off": 20, "duration": "once"})["id"]
    made = sandbox.post("promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": coupon, "code": "SPRING"})
    found = sandbox_sdk.v1.promotion_codes.retrieve(made["id"])
    assert (found.code, found.promotion.coupon, found.restrictions.first_time_transaction) == ("SPRING", coupon, False)
