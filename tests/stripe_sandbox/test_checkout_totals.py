"""What a checkout session says it costs is what its invoice then asks for."""

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.stripe_sandbox.conftest import Sandbox

Sold = tuple[int, int, bool]
"""Price, quantity, and whether it is sold by subscription."""
ITEMS = st.lists(st.tuples(st.integers(1, 9_999), st.integers(1, 7), st.booleans()), min_size=1, max_size=4)
RATES = st.sampled_from([None, ("7", "false"), ("8.875", "false"), ("19", "true")])
OFFS = st.sampled_from([None, {"amount_off": 100}, {"amount_off": 777}, {"percent_off": 12.5}, {"percent_off": 33.33}])


@example(items=[(1074, 1, True), (1334, 1, False), (1892, 1, True)], rate=("7", "false"), off={"amount_off": 100})
@example(items=[(1074, 1, True), (1334, 1, True), (1892, 1, True)], rate=("7", "false"), off={"amount_off": 100})
@given(items=ITEMS, rate=RATES, off=OFFS)
@settings(
    max_examples=25,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_session_costs_what_its_invoice_asks_for(
    sandbox: Sandbox, items: list[Sold], rate: tuple[str, str] | None, off: dict[str, Any] | None
) -> None:
    sandbox.control("reset")
    asked: dict[str, Any] = {"mode": "subscription", "success_url": "https://vendor.example/back"}
    product = sandbox.post("products", {"name": "Practice"})["id"]
    for n, (amount, quantity, recurs) in enumerate([*items, (500, 1, True)]):
        price = {"product": product, "currency": "usd", "unit_amount": amount}
        price |= {"recurring[interval]": "month"} if recurs else {}
        asked[f"line_items[{n}][price]"] = sandbox.post("prices", price)["id"]
        asked[f"line_items[{n}][quantity]"] = quantity
    if rate:
        made = {"display_name": "Tax", "percentage": rate[0], "inclusive": rate[1]}
        asked["subscription_data[default_tax_rates][0]"] = sandbox.post("tax_rates", made)["id"]
    if off:
        coupon = {"duration": "forever", **off, **({"currency": "usd"} if "amount_off" in off else {})}
        asked["discounts[0][coupon]"] = sandbox.post("coupons", coupon)["id"]
    session = sandbox.post("checkout/sessions", asked)
    lines = sandbox.listed(f"checkout/sessions/{session['id']}/line_items")
    sandbox.control(f"checkout/sessions/{session['id']}/complete", card="pm_card_visa")
    done = sandbox.get(f"checkout/sessions/{session['id']}")
    invoice = sandbox.get(f"invoices/{done['invoice']}")
    assert (session["amount_subtotal"], session["amount_total"]) == (invoice["subtotal"], invoice["total"])
    assert session["total_details"] == done["total_details"]
    assert sum(one["amount_total"] for one in lines) == invoice["total"]
