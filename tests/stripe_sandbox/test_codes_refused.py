"""A promotion code that cannot be redeemed is refused by a preview as by what the preview shows.

Source: https://docs.stripe.com/billing/subscriptions/coupons#promotion-codes, the parameter discounts of
https://docs.stripe.com/api/invoices/create_preview
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, Frozen, Sandbox


def code(sandbox: Sandbox, coupon: dict[str, Any] | None = None, **given: Any) -> str:
    made = sandbox.post("coupons", {"duration": "once", **(coupon or {"percent_off": 30})})
    promotion = {"promotion[type]": "coupon", "promotion[coupon]": made["id"]}
    return sandbox.post("promotion_codes", {**promotion, **given})["id"]


def for_first_time(sandbox: Sandbox, office: Frozen) -> str:
    return code(sandbox, **{"restrictions[first_time_transaction]": "true"})


def for_more(sandbox: Sandbox, office: Frozen) -> str:
    least = {"restrictions[minimum_amount]": 50_000, "restrictions[minimum_amount_currency]": "usd"}
    return code(sandbox, **least)


def for_another_currency(sandbox: Sandbox, office: Frozen) -> str:
    return code(sandbox, {"amount_off": 100, "currency": "eur"})


def for_somebody_else(sandbox: Sandbox, office: Frozen) -> str:
    return code(sandbox, customer=sandbox.customer()["id"])


def inactive(sandbox: Sandbox, office: Frozen) -> str:
    made = code(sandbox)
    sandbox.post(f"promotion_codes/{made}", {"active": "false"})
    return made


def expired(sandbox: Sandbox, office: Frozen) -> str:
    made = code(sandbox, expires_at=sandbox.now() + 60)
    office.wait(max(0, sandbox.now() + 120 - office.now()) + DAY)
    return made


def used_up(sandbox: Sandbox, office: Frozen) -> str:
    made = code(sandbox, max_redemptions=1)
    sandbox.subscription(sandbox.customer()["id"], **{"discounts[0][promotion_code]": made})
    return made


REFUSED = [for_first_time, for_more, for_another_currency, for_somebody_else, inactive, expired, used_up]


def refusal(sandbox: Sandbox, path: str, given: dict[str, Any]) -> tuple[str, str, str]:
    error = sandbox.refused("POST", path, given)
    return error["message"], error.get("code", ""), error["param"]


@pytest.mark.parametrize("refused", REFUSED)
def test_a_preview_of_a_change_refuses_a_code_as_the_change_does(
    sandbox: Sandbox, refused: Callable[[Sandbox, Frozen], str]
) -> None:
    office = sandbox.frozen_customer()
    made = office.subscribe(sandbox.price()["id"])
    asked = {"discounts[0][promotion_code]": refused(sandbox, office)}
    told = refusal(sandbox, f"subscriptions/{made['id']}", asked)
    assert refusal(sandbox, "invoices/create_preview", {"subscription": made["id"], **asked}) == told
    assert told[2] == "discounts[0][promotion_code]" or refused is for_another_currency


@pytest.mark.parametrize("refused", REFUSED)
def test_a_preview_of_a_start_refuses_a_code_as_the_start_does(
    sandbox: Sandbox, refused: Callable[[Sandbox, Frozen], str]
) -> None:
    office = sandbox.frozen_customer()
    sandbox.ask("DELETE", f"subscriptions/{office.subscribe(sandbox.price()['id'])['id']}")
    asked = {"customer": office.customer, "discounts[0][promotion_code]": refused(sandbox, office)}
    price = sandbox.price()["id"]
    told = refusal(sandbox, "subscriptions", {**asked, "items[0][price]": price})
    preview = {**asked, "subscription_details[items][0][price]": price}
    assert refusal(sandbox, "invoices/create_preview", preview) == told


@pytest.mark.parametrize("refused", REFUSED)
def test_a_preview_of_what_waits_refuses_a_code_as_its_invoice_does(
    sandbox: Sandbox, refused: Callable[[Sandbox, Frozen], str]
) -> None:
    office = sandbox.frozen_customer()
    sandbox.ask("DELETE", f"subscriptions/{office.subscribe(sandbox.price()['id'])['id']}")
    asked = {"customer": office.customer, "discounts[0][promotion_code]": refused(sandbox, office)}
    sandbox.post("invoiceitems", {"customer": office.customer, "amount": 900, "currency": "usd"})
    told = refusal(sandbox, "invoices", {**asked, "pending_invoice_items_behavior": "include"})
    assert refusal(sandbox, "invoices/create_preview", asked) == told


@pytest.mark.parametrize("behaviour", ["create_prorations", "always_invoice"])
def test_a_preview_with_a_code_is_what_the_change_with_it_costs(sandbox: Sandbox, behaviour: str) -> None:
    office = sandbox.frozen_customer()
    made = office.subscribe(sandbox.price()["id"])
    office.wait(10 * DAY)
    item, price, given = made["items"]["data"][0]["id"], sandbox.price(3000)["id"], code(sandbox)
    asked = {"items][0][id": item, "items][0][price": price, "proration_behavior": behaviour}
    details = {f"subscription_details[{name}]": value for name, value in asked.items()}
    discount = {"discounts[0][promotion_code]": given}
    preview = sandbox.post("invoices/create_preview", {"subscription": made["id"], **details, **discount})
    office.change(made, price=price, proration_behavior=behaviour, **discount)
    if behaviour == "create_prorations":
        office.wait(25 * DAY)
    assert (preview["total"], preview["amount_due"]) == tuple(office.invoices()[0][n] for n in ("total", "amount_due"))
