"""What changes in the middle of a period cost, to the second and the cent."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Frozen, Sandbox

THIRTY_DAYS = {"interval": "day", "count": 30}


@pytest.fixture
def office(sandbox: Sandbox) -> Frozen:
    return sandbox.frozen_customer()


def cheap(sandbox: Sandbox, amount: int = 1000, **more: Any) -> str:
    return sandbox.price(amount, **{**THIRTY_DAYS, **more})["id"]


def amounts(invoice: dict[str, Any]) -> list[int]:
    return [line["amount"] for line in invoice["lines"]["data"]]


def test_an_upgrade_at_half_time_credits_half_and_debits_half(sandbox: Sandbox, office: Frozen) -> None:
    """The example of Stripe's own page on prorations."""
    made = office.subscribe(cheap(sandbox, 1000))
    office.wait(15 * DAY)
    office.change(made, price=cheap(sandbox, 2000))
    assert office.waiting() == [-500, 1000]
    office.wait(15 * DAY + HOUR)
    renewal = office.invoices()[0]
    assert (amounts(renewal), renewal["total"], renewal["status"]) == ([-500, 1000, 2000], 2500, "paid")
    assert [line["parent"]["subscription_item_details"]["proration"] for line in renewal["lines"]["data"]] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("seconds", "quantity", "expected"),
    [
        (0, 5, [-3000, 5000]),
        (864, 5, [-2999, 4998]),
        (10 * DAY, 4, [-2000, 2667]),
        (20 * DAY + 12345, 1, [-986, 329]),
        (30 * DAY - 1, 100, [0, 0]),
    ],
)
def test_seats_are_prorated_to_the_second(
    sandbox: Sandbox, office: Frozen, seconds: int, quantity: int, expected: list[int]
) -> None:
    made = office.subscribe(cheap(sandbox), **{"items[0][quantity]": 3})
    if seconds:
        office.wait(seconds)
    office.change(made, quantity=quantity)
    assert office.waiting() == expected


def test_an_immediate_invoice_charges_only_the_difference(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(cheap(sandbox, 1000))
    office.wait(15 * DAY)
    office.change(made, price=cheap(sandbox, 2000), proration_behavior="always_invoice")
    invoice = office.invoices()[0]
    assert (amounts(invoice), invoice["billing_reason"]) == ([-500, 1000], "subscription_update")
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", 500)
    assert office.waiting() == []


def test_no_proration_changes_the_price_of_the_next_period_only(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(cheap(sandbox, 1000))
    office.wait(15 * DAY)
    office.change(made, price=cheap(sandbox, 2000), proration_behavior="none")
    assert office.waiting() == []
    office.wait(15 * DAY + HOUR)
    assert amounts(office.invoices()[0]) == [2000]


def test_a_downgrade_leaves_a_credit_that_the_next_invoices_use(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(cheap(sandbox, 9000))
    office.wait(10 * DAY)
    office.change(made, price=cheap(sandbox, 1000), proration_behavior="always_invoice")
    invoice = office.invoices()[0]
    assert (invoice["total"], invoice["amount_due"], invoice["status"]) == (-5333, 0, "paid")
    assert (invoice["starting_balance"], invoice["ending_balance"], office.balance()) == (0, -5333, -5333)
    office.wait(20 * DAY + HOUR)
    renewal = office.invoices()[0]
    assert (renewal["total"], renewal["amount_due"], renewal["amount_paid"]) == (1000, 0, 0)
    assert (renewal["starting_balance"], renewal["ending_balance"], office.balance()) == (-5333, -4333, -4333)
    history = sandbox.listed(f"customers/{office.customer}/balance_transactions")
    assert [(one["amount"], one["type"]) for one in history] == [
        (1000, "applied_to_invoice"),
        (-5333, "applied_to_invoice"),
    ]


def test_an_interval_change_begins_a_new_period_and_charges_it_now(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(sandbox.price(3100, "month")["id"])
    office.wait(10 * DAY)
    changed = office.change(made, price=sandbox.price(30_000, "year")["id"])
    invoice = office.invoices()[0]
    assert (amounts(invoice), invoice["status"]) == ([-2100, 30_000], "paid")
    item = changed["items"]["data"][0]
    assert changed["billing_cycle_anchor"] == item["current_period_start"] == office.now()
    assert datetime.fromtimestamp(item["current_period_end"], UTC) == datetime(2028, 1, 11, tzinfo=UTC)


def test_what_was_debited_is_credited_never_more(sandbox: Sandbox, office: Frozen) -> None:
    """There and back again at one instant costs nothing, also where rounding could."""
    one, other = cheap(sandbox, 1001), cheap(sandbox, 3337)
    made = office.subscribe(one)
    office.wait(7 * DAY + 4321)
    for price in (other, one, other, one):
        office.change(made, price=price)
    assert sum(office.waiting()) == 0
    office.wait(3 * DAY + 77)
    office.change(made, price=other)
    office.change(made, price=one)
    assert sum(office.waiting()) == 0


def test_a_proration_date_in_the_period_is_used_and_another_refused(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(cheap(sandbox, 1000))
    start = office.now()
    office.wait(20 * DAY)
    office.change(made, price=cheap(sandbox, 2000), proration_date=start + 15 * DAY)
    assert office.waiting() == [-500, 1000]
    item = made["items"]["data"][0]["id"]
    given = {"items[0][id]": item, "items[0][quantity]": 2, "proration_date": start - 1}
    assert sandbox.refused("POST", f"subscriptions/{made['id']}", given)["param"] == "proration_date"


def test_changes_in_a_trial_cost_nothing(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(cheap(sandbox, 1000), trial_period_days=14)
    office.wait(5 * DAY)
    office.change(made, price=cheap(sandbox, 2000), proration_behavior="always_invoice")
    assert office.waiting() == []
    office.wait(9 * DAY + HOUR)
    assert amounts(office.invoices()[0]) == [2000]


def test_ending_a_trial_now_charges_a_whole_period(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(cheap(sandbox, 1000), trial_period_days=14)
    office.wait(5 * DAY)
    changed = office.change(made, trial_end="now")
    assert (changed["status"], changed["billing_cycle_anchor"]) == ("active", office.now())
    assert (amounts(office.invoices()[0]), office.invoices()[0]["status"]) == ([1000], "paid")


def test_a_trial_given_later_credits_the_paid_rest(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(cheap(sandbox, 3000))
    office.wait(10 * DAY)
    changed = office.change(made, trial_end=office.now() + 40 * DAY)
    assert (changed["status"], office.waiting()) == ("trialing", [-2000])
    assert changed["items"]["data"][0]["current_period_end"] == changed["trial_end"]
    office.go_to(changed["trial_end"] + HOUR)
    assert amounts(office.invoices()[0]) == [-2000, 3000]


def test_a_new_anchor_now_credits_and_bills_anew(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(cheap(sandbox, 3000))
    office.wait(10 * DAY)
    changed = office.change(made, billing_cycle_anchor="now")
    assert amounts(office.invoices()[0]) == [-2000, 3000]
    assert changed["items"]["data"][0]["current_period_end"] == office.now() + 30 * DAY


def test_an_anchor_at_the_beginning_makes_a_short_first_period(sandbox: Sandbox, office: Frozen) -> None:
    price = sandbox.price(3100, "month")["id"]
    made = office.subscribe(price, billing_cycle_anchor=int(datetime(2027, 1, 11, tzinfo=UTC).timestamp()))
    assert amounts(office.invoices()[0]) == [1000]
    office.go_to(made["billing_cycle_anchor"] + HOUR)
    assert amounts(office.invoices()[0]) == [3100]


def test_items_can_be_added_and_removed(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(cheap(sandbox, 3000))
    office.wait(10 * DAY)
    extra = sandbox.post("subscription_items", {"subscription": made["id"], "price": cheap(sandbox, 600)})
    assert office.waiting() == [400]
    office.wait(10 * DAY)
    sandbox.ask("DELETE", f"subscription_items/{extra['id']}").raise_for_status()
    assert office.waiting() == [400, -200]
    last = made["items"]["data"][0]["id"]
    assert sandbox.refused("DELETE", f"subscription_items/{last}")["type"] == "invalid_request_error"


def test_a_cancellation_credits_and_invoices_what_is_asked_for(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(cheap(sandbox, 3000))
    office.wait(10 * DAY)
    sandbox.ask("DELETE", f"subscriptions/{made['id']}?prorate=true&invoice_now=true").raise_for_status()
    assert (office.invoices()[0]["total"], office.balance()) == (-2000, -2000)


def test_percentages_off_lower_both_sides_of_a_proration(sandbox: Sandbox, office: Frozen) -> None:
    coupon = sandbox.post("coupons", {"percent_off": 50, "duration": "forever"})
    made = office.subscribe(cheap(sandbox, 1000), **{"discounts[0][coupon]": coupon["id"]})
    assert office.invoices()[0]["total"] == 500
    office.wait(15 * DAY)
    office.change(made, price=cheap(sandbox, 2000))
    assert office.waiting() == [-250, 500]


def test_a_coupon_for_one_invoice_is_not_given_again_by_a_proration(sandbox: Sandbox, office: Frozen) -> None:
    coupon = sandbox.post("coupons", {"percent_off": 50, "duration": "once"})
    made = office.subscribe(cheap(sandbox, 1000), **{"discounts[0][coupon]": coupon["id"]})
    office.wait(15 * DAY)
    office.change(made, price=cheap(sandbox, 2000))
    assert office.waiting() == [-250, 1000]


def test_yen_have_no_fractions(sandbox: Sandbox, office: Frozen) -> None:
    made = office.subscribe(cheap(sandbox, 1001, currency="jpy"))
    office.wait(15 * DAY)
    office.change(made, quantity=2)
    assert office.waiting() == [-501, 1001]


def test_months_are_as_long_as_they_are(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer(datetime(2027, 2, 1, tzinfo=UTC))
    made = office.subscribe(sandbox.price(2800, "month")["id"])
    office.wait(14 * DAY)
    office.change(made, quantity=2)
    assert office.waiting() == [-1400, 2800]


PREVIEWED = [
    {"quantity": 7, "proration_behavior": "always_invoice"},
    {"price": 2500, "proration_behavior": "always_invoice"},
    {"price": 100, "proration_behavior": "always_invoice"},
    {"price": 9900, "interval": "year"},
    {"billing_cycle_anchor": "now"},
    {"quantity": 7},
    {"price": 100},
    {"price": 2500, "proration_behavior": "none"},
]


@pytest.mark.parametrize("given", PREVIEWED, ids=str)
@pytest.mark.parametrize("taxed", [False, True])
def test_a_preview_is_the_invoice_that_follows(
    sandbox: Sandbox, office: Frozen, given: dict[str, Any], taxed: bool
) -> None:
    rate = sandbox.post("tax_rates", {"display_name": "Tax", "percentage": 7.25, "inclusive": "false"})
    more = {"default_tax_rates[0]": rate["id"]} if taxed else {}
    made = office.subscribe(cheap(sandbox, 1000), **{"items[0][quantity]": 3, **more})
    office.wait(11 * DAY + 4567)
    change = {name: value for name, value in given.items() if name != "interval"}
    if "price" in change:
        interval = {"interval": given["interval"], "count": 1} if "interval" in given else {}
        change["price"] = cheap(sandbox, change["price"], **interval)
    before = [office.read(made), office.invoices(), office.waiting(), len(sandbox.listed("events"))]
    details = {
        f"subscription_details[{name}]": value for name, value in change.items() if name not in ("price", "quantity")
    }
    for name in ("price", "quantity"):
        if name in change:
            details["subscription_details[items][0][id]"] = made["items"]["data"][0]["id"]
            details[f"subscription_details[items][0][{name}]"] = change[name]
    preview = sandbox.post("invoices/create_preview", {"subscription": made["id"], **details})
    assert [office.read(made), office.invoices(), office.waiting(), len(sandbox.listed("events"))] == before
    assert preview["id"].startswith("upcoming_in_")
    office.change(made, **change)
    if office.invoices()[0]["billing_reason"] != "subscription_update":
        office.go_to(office.read(made)["items"]["data"][0]["current_period_end"] + HOUR)
    invoice = office.invoices()[0]
    for name in ("subtotal", "total", "amount_due", "total_taxes", "starting_balance", "currency"):
        assert preview[name] == invoice[name], name
    assert amounts(preview) == amounts(invoice)
    assert [line["period"] for line in preview["lines"]["data"]] == [
        line["period"] for line in invoice["lines"]["data"]
    ]


def test_the_first_invoice_can_be_previewed_before_there_is_a_subscription(sandbox: Sandbox, office: Frozen) -> None:
    price = cheap(sandbox, 1000)
    given = {"customer": office.customer, "subscription_details[items][0][price]": price}
    preview = sandbox.post("invoices/create_preview", given)
    assert sandbox.listed("subscriptions", customer=office.customer) == []
    office.subscribe(price)
    assert preview["total"] == office.invoices()[0]["total"] == 1000


def test_without_anything_to_come_there_is_no_preview(sandbox: Sandbox, office: Frozen) -> None:
    error = sandbox.refused("POST", "invoices/create_preview", {"customer": office.customer}, status=404)
    assert error["code"] == "invoice_upcoming_none"
    made = office.subscribe(cheap(sandbox))
    office.change(made, cancel_at_period_end="true")
    sandbox.refused("POST", "invoices/create_preview", {"subscription": made["id"]}, status=404)


def test_the_lines_of_a_long_preview_are_read_page_by_page(sandbox: Sandbox, office: Frozen) -> None:
    """Ten come with it. Source: https://docs.stripe.com/api/invoice-line-item/retrieve"""
    amounts_given = {f"invoice_items[{n}][amount]": 100 + n for n in range(12)}
    currencies = {f"invoice_items[{n}][currency]": "usd" for n in range(12)}
    given = {"customer": office.customer, **amounts_given, **currencies}
    preview = sandbox.post("invoices/create_preview", given)
    shown = preview["lines"]
    assert (len(shown["data"]), shown["has_more"], shown["url"]) == (10, True, f"/v1/invoices/{preview['id']}/lines")
    rest = sandbox.get(f"invoices/{preview['id']}/lines", starting_after=shown["data"][-1]["id"])
    assert (len(rest["data"]), rest["has_more"]) == (2, False)
    assert sum(line["amount"] for line in shown["data"] + rest["data"]) == preview["total"] == 12 * 100 + 66
    assert sandbox.listed("invoiceitems", customer=office.customer) == []
    sandbox.refused("GET", f"invoices/{preview['id']}", status=404)
    sandbox.refused("GET", "invoices/upcoming_in_1Gone/lines", status=404)
