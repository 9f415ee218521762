"""What a subscription consists of: several items, none of something, prices that are not ours or are archived."""

from tests.situations.dashboard import Dashboard
from tests.situations.situation import Right, moment, situation

SEVERAL = "billing/subscriptions/multiple-products"
QUANTITIES = "billing/subscriptions/quantities"
MARCH, APRIL = ("1 Mar", "1 Apr"), ("1 Apr", "1 May")


@situation(
    SEVERAL,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 444_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 444_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def a_second_plan_is_added(at: Dashboard) -> None:
    """Each item is billed with every invoice: 199.00 for Practice, and 5 seats of 49.00."""
    one = at.subscribe("practice-monthly")
    at.post(
        "subscription_items", subscription=one, price=at.price("seats-monthly"), quantity=5, proration_behavior="none"
    )


@situation(
    SEVERAL,
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=5,
        monthly={"usd": 444_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 444_00, "usd"),
        cycles=[MARCH],
        findings=[],
        invoice=(444_00, 0, 0, 444_00),
    ),
)
def it_starts_with_two_plans_and_the_seats_come_first(at: Dashboard) -> None:
    """The first item is the main one, and the sum is the same in each order."""
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 5}, "practice-monthly")


@situation(
    SEVERAL,
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=5,
        monthly={"usd": 245_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 245_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def the_first_of_two_items_is_removed(at: Dashboard) -> None:
    """What is removed is not billed again: only the 5 seats of 49.00 are left."""
    one = at.subscribe("practice-monthly", {"price": at.price("seats-monthly"), "quantity": 5})
    at.we_hear()
    at.post(f"subscriptions/{one}", items=[{"id": at.item(one), "deleted": True}], proration_behavior="none")


@situation(
    SEVERAL,
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
def the_second_of_two_items_is_removed(at: Dashboard) -> None:
    """Only Practice is left."""
    one = at.subscribe("practice-monthly", {"price": at.price("seats-monthly"), "quantity": 5})
    at.we_hear()
    at.post(f"subscriptions/{one}", items=[{"id": at.item(one, 1), "deleted": True}], proration_behavior="none")


@situation(
    "api/subscriptions/update",
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=4,
        monthly={"usd": 196_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 196_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def the_only_item_is_replaced_by_another(at: Dashboard) -> None:
    """One request removes an item and adds another: 4 seats of 49.00."""
    one = at.subscribe("practice-monthly")
    at.we_hear()
    four = {"price": at.price("seats-monthly"), "quantity": 4}
    at.post(f"subscriptions/{one}", items=[{"id": at.item(one), "deleted": True}, four], proration_behavior="none")


@situation(
    SEVERAL,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 218_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 218_00, "usd"),
        cycles=[MARCH],
        findings=["unknown_price"],
    ),
)
def it_has_twenty_items(at: Dashboard) -> None:
    """A subscription has up to 20 items. Lists come in pages: 199.00 and 19 times 1.00."""
    others = [{"price": at.a_price_of_somebody(1_00)} for _ in range(19)]
    at.subscribe("practice-monthly", *others)


@situation(
    SEVERAL,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 218_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 218_00, "usd"),
        cycles=[MARCH],
        findings=["unknown_price"],
    ),
)
def it_has_twenty_items_and_ours_is_the_last(at: Dashboard) -> None:
    """The main item is the first that is ours, on whatever page of the list it comes."""
    others = [{"price": at.a_price_of_somebody(1_00)} for _ in range(19)]
    at.subscribe(*others, "practice-monthly")


# --- quantities


@situation(
    QUANTITIES,
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=0,
        monthly={},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 0, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def the_seats_are_set_to_zero(at: Dashboard) -> None:
    """Zero of something is billed at zero. It is not one."""
    one = at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})
    at.we_hear()
    at.post(f"subscription_items/{at.item(one)}", quantity=0, proration_behavior="none")


@situation(
    QUANTITIES,
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=0,
        monthly={},
        owed={},
        past_due_since=None,
        next_charge=("1 May", 0, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
        invoice=(0, 0, 0, 0),
    ),
)
def it_renews_with_zero_seats(at: Dashboard) -> None:
    """An invoice over nothing is paid at once, and the subscription stays active."""
    one = at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})
    at.post(f"subscription_items/{at.item(one)}", quantity=0, proration_behavior="none")
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    QUANTITIES,
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=2,
        monthly={"usd": 98_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 98_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def seats_come_back_from_zero(at: Dashboard) -> None:
    """From zero it goes on as from any number: 2 seats of 49.00."""
    one = at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})
    at.post(f"subscription_items/{at.item(one)}", quantity=0, proration_behavior="none")
    at.we_hear()
    at.post(f"subscription_items/{at.item(one)}", quantity=2, proration_behavior="none")


@situation(
    QUANTITIES,
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
def of_the_second_item_there_is_none(at: Dashboard) -> None:
    """199.00 for Practice, and nothing for zero seats."""
    at.subscribe("practice-monthly", {"price": at.price("seats-monthly"), "quantity": 0})


@situation(
    QUANTITIES,
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=0,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def of_the_first_item_there_is_none(at: Dashboard) -> None:
    """The first item stays the main one with zero of it, and the second is billed: 199.00."""
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 0}, "practice-monthly")


# --- prices that are not ours, and archived ones


@situation(
    "products-prices/manage-prices",
    right=Right(
        access="full",
        status="active",
        plan=None,
        quantity=1,
        monthly={"usd": 150_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 150_00, "usd"),
        cycles=[MARCH],
        findings=["unknown_price"],
    ),
)
def it_is_put_on_a_special_price(at: Dashboard) -> None:
    """A price that is not of our plans is billed as any other, 150.00, and a finding tells of it."""
    one = at.subscribe("practice-monthly")
    at.we_hear()
    at.post(f"subscription_items/{at.item(one)}", price=at.a_price_of_somebody(150_00), proration_behavior="none")


@situation(
    "products-prices/manage-prices",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 349_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 349_00, "usd"),
        cycles=[MARCH],
        findings=["unknown_price"],
    ),
)
def a_special_price_comes_before_ours(at: Dashboard) -> None:
    """Both are billed, 150.00 and 199.00. The Office has our plan, wherever it stands."""
    at.subscribe({"price": at.a_price_of_somebody(150_00)}, "practice-monthly")


@situation(
    "products-prices/manage-prices",
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
def it_comes_back_from_a_special_price(at: Dashboard) -> None:
    """The finding is over with what it told of."""
    one = at.subscribe({"price": at.a_price_of_somebody(199_00)})
    at.we_hear()
    at.post(f"subscription_items/{at.item(one)}", price=at.price("practice-monthly"), proration_behavior="none")


@situation(
    "products-prices/manage-prices",
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
def a_second_item_with_a_special_price_is_removed(at: Dashboard) -> None:
    """The mirror image: the finding is over when the item is gone."""
    one = at.subscribe("practice-monthly", {"price": at.a_price_of_somebody(150_00)})
    at.we_hear()
    at.post(f"subscriptions/{one}", items=[{"id": at.item(one, 1), "deleted": True}], proration_behavior="none")


@situation(
    "billing/subscriptions/cancel",
    right=Right(
        access="none",
        status="canceled",
        plan=None,
        quantity=1,
        monthly={},
        owed={},
        past_due_since=None,
        next_charge=None,
        cycles=[MARCH],
        findings=[],
    ),
)
def a_subscription_with_a_special_price_ends(at: Dashboard) -> None:
    """What is over is billed no more, so nobody has to do anything about its price."""
    one = at.subscribe({"price": at.a_price_of_somebody(150_00)})
    at.we_hear()
    at.delete(f"subscriptions/{one}")


@situation(
    "api/prices/object#price_object-recurring-interval_count",
    right=Right(
        access="full",
        status="active",
        plan=None,
        quantity=2,
        monthly={"usd": 200_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Jun", 600_00, "usd"),
        cycles=[("1 Mar", "1 Jun")],
        findings=["unknown_price"],
    ),
)
def a_special_price_is_billed_every_three_months(at: Dashboard) -> None:
    """2 of 300.00 every 3 months are 600.00 a quarter, and 200.00 a month."""
    price = at.a_price_of_somebody(300_00, interval="month", interval_count=3)
    at.subscribe({"price": price, "quantity": 2})


@situation(
    "api/prices/object#price_object-recurring-interval",
    right=Right(
        access="full",
        status="active",
        plan=None,
        quantity=1,
        monthly={"usd": 52_00},
        owed={},
        past_due_since=None,
        next_charge=("8 Mar", 12_00, "usd"),
        cycles=[("1 Mar", "8 Mar")],
        findings=["unknown_price"],
    ),
)
def a_special_price_is_billed_by_the_week(at: Dashboard) -> None:
    """12.00 a week are 624.00 in the 52 weeks of a year, and 52.00 a month."""
    at.subscribe({"price": at.a_price_of_somebody(12_00, interval="week")})


@situation(
    "api/prices/object#price_object-recurring-interval",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 165_83},
        owed={},
        past_due_since=None,
        next_charge=("1 Mar 2031", 1_990_00, "usd"),
        cycles=[("1 Mar", "1 Mar 2031")],
        findings=[],
    ),
)
def it_is_billed_by_the_year(at: Dashboard) -> None:
    """1,990.00 a year are 165.83 a month, rounded once."""
    at.subscribe("practice-yearly")


@situation(
    "products-prices/manage-prices#archive-price",
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=3,
        monthly={"usd": 147_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 147_00, "usd"),
        cycles=[MARCH],
        findings=["not_for_sale_at_stripe"],
    ),
)
def its_price_is_archived_and_a_seat_is_added(at: Dashboard) -> None:
    """An archived price goes on for whoever has it, also with another quantity. Only new sales end."""
    one = at.subscribe({"price": at.price("seats-monthly"), "quantity": 2})
    at.post(f"prices/{at.price('seats-monthly')}", active=False)
    at.we_hear()
    at.post(f"subscription_items/{at.item(one)}", quantity=3, proration_behavior="none")


@situation(
    "products-prices/manage-prices#archive-price",
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
def its_price_is_archived_and_brought_back(at: Dashboard) -> None:
    """The finding is over when the price is for sale again."""
    at.subscribe("practice-monthly")
    at.post(f"prices/{at.price('practice-monthly')}", active=False)
    at.we_hear()
    at.post(f"prices/{at.price('practice-monthly')}", active=True)


@situation(
    "products-prices/manage-prices#archive-product",
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
def its_product_is_archived_and_brought_back(at: Dashboard) -> None:
    """The same for the product of a plan."""
    at.subscribe("practice-monthly")
    product = at.get(f"prices/{at.price('practice-monthly')}")["product"]
    at.post(f"products/{product}", active=False)
    at.we_hear()
    at.post(f"products/{product}", active=True)


@situation(
    SEVERAL,
    right=Right(
        access="full",
        status="past_due",
        plan="Team",
        quantity=0,
        monthly={"usd": 150_00},
        owed={"usd": 150_00},
        past_due_since="1 Apr 13:00",
        next_charge=("1 May", 150_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=["unknown_price"],
    ),
)
def zero_seats_and_a_special_price_are_refused(at: Dashboard) -> None:
    """Of both together 150.00 are billed, and the card refuses them."""
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 0}, {"price": at.a_price_of_somebody(150_00)})
    at.pays_with("pm_card_chargeCustomerFail")
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    "api/invoice-line-item/object#invoice_line_item_object-parent",
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=6,
        monthly={"usd": 294_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 294_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def somebody_adds_a_line_with_a_period_to_the_invoice_of_a_change(at: Dashboard) -> None:
    """Only a line of the subscription itself is a billing cycle: training for three months is none."""
    one = at.subscribe({"price": at.price("seats-monthly"), "quantity": 5})
    at.wait_until(moment("10 Mar"))
    months = {"start": int(moment("10 Mar").timestamp()), "end": int(moment("10 Jun").timestamp())}
    at.post("invoiceitems", customer=at.customer, subscription=one, amount=90_00, currency="usd", period=months)
    at.post(f"subscription_items/{at.item(one)}", quantity=6, proration_behavior="always_invoice")


MIXED = "billing/subscriptions/mixed-interval"


@situation(
    MIXED,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 165_83 + 245_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 245_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def one_plan_is_billed_by_the_year_and_one_by_the_month(at: Dashboard) -> None:
    """What is charged next is what the first item is billed that renews: 5 seats of 49.00 on 1 April."""
    at.subscribe("practice-yearly", {"price": at.price("seats-monthly"), "quantity": 5})


@situation(
    MIXED,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 165_83 + 245_00},
        owed={},
        past_due_since=None,
        next_charge=("1 May", 245_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
        invoice=(245_00, 0, 0, 245_00),
    ),
)
def a_month_of_mixed_intervals_has_passed(at: Dashboard) -> None:
    """Only the item whose period ended is billed anew."""
    at.subscribe("practice-yearly", {"price": at.price("seats-monthly"), "quantity": 5})
    at.wait_until(moment("1 Apr 14:00"))
