"""What lowers an invoice, and the tax that is added to it or is within it."""

from tests.situations.dashboard import Dashboard
from tests.situations.situation import Right, moment, situation

COUPONS = "billing/subscriptions/coupons"
TAX = "billing/taxes/tax-rates"
MARCH, APRIL = ("1 Mar", "1 Apr"), ("1 Apr", "1 May")


def _a_coupon(at: Dashboard, **terms: object) -> str:
    return at.post("coupons", **{"duration": "forever", **terms})["id"]


@situation(
    COUPONS,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 149_25, "usd"),
        cycles=[MARCH],
        findings=[],
        discount="25 % off",
    ),
)
def its_item_has_a_discount(at: Dashboard) -> None:
    """A coupon on an item lowers each invoice: 199.00 less 49.75."""
    one = at.subscribe("practice-monthly")
    at.we_hear()
    at.post(f"subscription_items/{at.item(one)}", discounts=[{"coupon": _a_coupon(at, percent_off=25)}])


@situation(
    COUPONS,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 444_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 382_75, "usd"),
        cycles=[MARCH],
        findings=[],
        discount="25 % off",
        invoice=(444_00, 61_25, 0, 382_75),
    ),
)
def the_second_of_two_items_has_a_discount(at: Dashboard) -> None:
    """25 % of 245.00 are 61.25."""
    coupon = {"coupon": _a_coupon(at, percent_off=25)}
    seats = {"price": at.price("seats-monthly"), "quantity": 5, "discounts": [coupon]}
    at.subscribe("practice-monthly", seats)


@situation(
    COUPONS,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 159_20, "usd"),
        cycles=[MARCH],
        findings=[],
        discount="20 % off",
        invoice=(199_00, 39_80, 0, 159_20),
    ),
)
def it_has_a_discount(at: Dashboard) -> None:
    """199.00 less 20 %: 39.80."""
    at.subscribe("practice-monthly", discounts=[{"coupon": _a_coupon(at, percent_off=20)}])


@situation(
    COUPONS,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def the_discount_of_its_item_is_taken_off(at: Dashboard) -> None:
    """Without it, all is as before."""
    coupon = {"coupon": _a_coupon(at, percent_off=25)}
    one = at.subscribe({"price": at.price("practice-monthly"), "discounts": [coupon]})
    at.we_hear()
    at.post(f"subscription_items/{at.item(one)}", discounts="")


@situation(
    COUPONS,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 May", 0, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
        discount="100 % off",
        invoice=(199_00, 199_00, 0, 0),
        payments=[],
    ),
)
def it_is_free_for_ever_and_has_no_card(at: Dashboard) -> None:
    """An invoice over nothing is paid without a card, and renews so."""
    for card in at.get(f"customers/{at.customer}/payment_methods")["data"]:
        at.post(f"payment_methods/{card['id']}/detach")
    at.subscribe("practice-monthly", discounts=[{"coupon": _a_coupon(at, percent_off=100)}])
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    COUPONS,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 90_00},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH],
        findings=[],
        invoice=(100_00, 10_00, 0, 90_00),
    ),
)
def a_one_off_invoice_has_a_discount(at: Dashboard) -> None:
    """It lowers this invoice only. The subscription has no discount."""
    at.subscribe("practice-monthly")
    coupon = {"coupon": _a_coupon(at, amount_off=10_00, currency="usd", duration="once")}
    at.one_off(100_00, collection_method="send_invoice", days_until_due=30, discounts=[coupon])


@situation(
    COUPONS,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 119_40, "usd"),
        cycles=[MARCH],
        findings=[],
        discount="20 % off",
        on_the_page=("25 % off",),
        invoice=(199_00, 79_60, 0, 119_40),
    ),
)
def it_and_its_item_have_a_discount(at: Dashboard) -> None:
    """The item's comes first: 149.25 are left, and of these the subscription's takes 29.85."""
    item = {"price": at.price("practice-monthly"), "discounts": [{"coupon": _a_coupon(at, percent_off=25)}]}
    at.subscribe(item, discounts=[{"coupon": _a_coupon(at, percent_off=20)}])


@situation(
    COUPONS,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
        payments=[("succeeded", 149_25, True), ("succeeded", 199_00, True)],
    ),
)
def the_discount_of_its_item_was_for_once(at: Dashboard) -> None:
    """It lowered the first invoice, and is over."""
    coupon = {"coupon": _a_coupon(at, percent_off=25, duration="once")}
    at.subscribe({"price": at.price("practice-monthly"), "discounts": [coupon]})
    at.wait_until(moment("1 Apr 14:00"))


# --- tax


def _a_rate(at: Dashboard, *, inclusive: bool) -> str:
    return at.post("tax_rates", display_name="VAT", percentage=20, inclusive=inclusive)["id"]


@situation(
    TAX,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH],
        findings=[],
        invoice=(199_00, 0, 33_17, 199_00),
    ),
)
def tax_is_within_the_price(at: Dashboard) -> None:
    """20 % within 199.00 are 33.17: 165.83 and the tax. It is not added once more."""
    at.subscribe("practice-monthly", default_tax_rates=[_a_rate(at, inclusive=True)])


@situation(
    TAX,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 238_80, "usd"),
        cycles=[MARCH],
        findings=[],
        invoice=(199_00, 0, 39_80, 238_80),
    ),
)
def tax_is_added_to_the_price(at: Dashboard) -> None:
    """The mirror image: 20 % of 199.00 are 39.80 more."""
    at.subscribe("practice-monthly", default_tax_rates=[_a_rate(at, inclusive=False)])


@situation(
    TAX,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 159_20, "usd"),
        cycles=[MARCH],
        findings=[],
        discount="20 % off",
        invoice=(199_00, 39_80, 26_53, 159_20),
    ),
)
def tax_is_within_a_price_with_a_discount(at: Dashboard) -> None:
    """The discount comes first: 159.20 are charged, of which 26.53 are tax."""
    coupon = {"coupon": _a_coupon(at, percent_off=20)}
    at.subscribe("practice-monthly", discounts=[coupon], default_tax_rates=[_a_rate(at, inclusive=True)])
