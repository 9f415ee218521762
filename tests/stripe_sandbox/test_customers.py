"""Customers: their fields, balances, tax ids and end; and the account."""

from typing import Any

import pytest

from stripe_sandbox import coupons, customers, discounts
from stripe_sandbox.store import Store
from tests.stripe_sandbox.conftest import DAY, Sandbox, error_of

FIELDS = {
    "name": "Maple Street",
    "email": "billing@maple.example",
    "phone": "+1 555 0100",
    "description": "An office",
    "business_name": "Maple Street Practice",
    "individual_name": "Mae Apple",
    "tax_exempt": "exempt",
    "invoice_prefix": "MAPLE",
}
ADDRESS = {"address[line1]": "1 Maple Street", "address[country]": "US"}
SHIPPING = {"shipping[name]": "Maple", "shipping[address][city]": "Springfield", "shipping[phone]": ""}


def last_event(sandbox: Sandbox, kind: str) -> dict[str, Any]:
    return sandbox.listed("events", type=kind)[0]


def clock(sandbox: Sandbox, ahead: int = 0) -> dict[str, Any]:
    return sandbox.post("test_helpers/test_clocks", {"frozen_time": sandbox.now() + ahead})


def test_a_customer_keeps_what_it_is_given(sandbox: Sandbox) -> None:
    more = {"next_invoice_sequence": 7, "preferred_locales[0]": "de", "metadata[office]": "12", "metadata[none]": ""}
    settings = {"invoice_settings[footer]": "Thanks", "invoice_settings[custom_fields][0][name]": "PO"}
    settings |= {"invoice_settings[custom_fields][0][value]": "7", "validate": "true"}
    made = sandbox.post("customers", {**FIELDS, **ADDRESS, **SHIPPING, **more, **settings})
    assert {name: made[name] for name in FIELDS} == FIELDS
    assert made["address"]["line1"] == "1 Maple Street"
    assert made["address"]["state"] is None
    assert made["shipping"] == {"name": "Maple", "phone": None, "address": {**made["shipping"]["address"]}}
    assert made["shipping"]["address"]["city"] == "Springfield"
    assert (made["next_invoice_sequence"], made["preferred_locales"]) == (7, ["de"])
    assert made["metadata"] == {"office": "12"}
    assert made["invoice_settings"]["footer"] == "Thanks"
    assert made["invoice_settings"]["custom_fields"] == [{"name": "PO", "value": "7"}]
    assert sandbox.get(f"customers/{made['id']}") == made
    assert last_event(sandbox, "customer.created")["data"]["object"] == made


def test_a_customer_without_anything_has_stripes_defaults(sandbox: Sandbox) -> None:
    made = sandbox.post("customers")
    assert (made["balance"], made["currency"], made["delinquent"], made["tax_exempt"]) == (0, None, False, "none")
    assert (made["next_invoice_sequence"], made["preferred_locales"], made["metadata"]) == (1, [], {})
    assert made["invoice_prefix"].isalnum()
    assert made["invoice_prefix"] != sandbox.post("customers")["invoice_prefix"]


def test_an_update_changes_only_what_it_names_and_tells_what_was_before(sandbox: Sandbox) -> None:
    made = sandbox.post("customers", {**FIELDS, **ADDRESS, "metadata[a]": "1", "metadata[b]": "2"})
    changed = sandbox.post(f"customers/{made['id']}", {"name": "Oak", "address": "", "phone": "", "metadata[a]": ""})
    assert (changed["name"], changed["address"], changed["phone"]) == ("Oak", None, None)
    assert changed["email"] == FIELDS["email"]
    assert changed["metadata"] == {"b": "2"}
    before = last_event(sandbox, "customer.updated")["data"]["previous_attributes"]
    assert before["name"] == "Maple Street"
    assert "email" not in before
    assert sandbox.post(f"customers/{made['id']}", {"metadata": ""})["metadata"] == {}


def test_an_update_that_changes_nothing_makes_no_event(sandbox: Sandbox) -> None:
    made = sandbox.post("customers", FIELDS)
    sandbox.post(f"customers/{made['id']}", {"name": "Maple Street"})
    assert not sandbox.listed("events", type="customer.updated")


@pytest.mark.parametrize(
    ("given", "param", "status"),
    [
        ({"email": "nobody"}, "email", 400),
        ({"invoice_prefix": "no"}, "invoice_prefix", 400),
        ({"invoice_prefix": "TAKEN"}, "invoice_prefix", 400),
        ({"next_invoice_sequence": 0}, "next_invoice_sequence", 400),
        ({"tax_exempt": "perhaps"}, "tax_exempt", 400),
        ({"test_clock": "clock_x"}, "test_clock", 400),
        ({"payment_method": "pm_x"}, "payment_method", 400),
        ({"invoice_settings[default_payment_method]": "pm_x"}, "invoice_settings[default_payment_method]", 400),
        ({"payment_method": "pm_card_chargeDeclined"}, None, 402),
        ({"tax_id_data[0][type]": "eu_vat", "tax_id_data[0][value]": "1"}, "value", 400),
        ({"source": "tok_visa"}, None, 501),
        ({"tax[ip_address]": "192.0.2.1"}, None, 501),
        ({"cash_balance[settings][reconciliation_mode]": "manual"}, None, 501),
        ({"invoice_settings[rendering_options][template]": "inrtem_x"}, None, 501),
    ],
)
def test_a_customer_that_is_refused_is_not_there(
    sandbox: Sandbox, given: dict[str, Any], param: str | None, status: int
) -> None:
    sandbox.post("customers", {"invoice_prefix": "TAKEN"})
    error = sandbox.refused("POST", "customers", given, status=status)
    assert error.get("param") == param
    assert len(sandbox.listed("customers")) == 1
    assert sandbox.event_types() == ["customer.created"]


def test_a_customer_comes_with_a_card_that_may_be_the_default(sandbox: Sandbox) -> None:
    plain = sandbox.post("customers", {"payment_method": "pm_card_visa"})
    assert plain["invoice_settings"]["default_payment_method"] is None
    assert [one["card"]["last4"] for one in sandbox.listed(f"customers/{plain['id']}/payment_methods")] == ["4242"]
    field = "invoice_settings[default_payment_method]"
    made = sandbox.post("customers", {"payment_method": "pm_card_visa", field: "pm_card_visa"})
    (card,) = sandbox.listed(f"customers/{made['id']}/payment_methods")
    assert made["invoice_settings"]["default_payment_method"] == card["id"]
    error = sandbox.refused("POST", f"customers/{plain['id']}", {field: card["id"]})
    assert (error["code"], error["param"]) == ("resource_missing", field)
    changed = sandbox.post(f"customers/{made['id']}", {field: ""})
    assert changed["invoice_settings"]["default_payment_method"] is None


def test_a_balance_that_is_set_makes_a_transaction(sandbox: Sandbox) -> None:
    made = sandbox.post("customers", {"balance": -500})
    sandbox.post(f"customers/{made['id']}", {"balance": 200, "name": "Oak"})
    sandbox.post(f"customers/{made['id']}", {"balance": 200})
    path = f"customers/{made['id']}/balance_transactions"
    found = [(one["type"], one["amount"], one["ending_balance"], one["currency"]) for one in sandbox.listed(path)]
    assert found == [("adjustment", 700, 200, "usd"), ("initial", -500, -500, "usd")]
    (event,) = sandbox.listed("events", type="customer.updated")
    assert event["data"]["previous_attributes"] == {"balance": -500, "name": None}


def test_a_balance_transaction_moves_the_balance_in_the_customers_currency(sandbox: Sandbox) -> None:
    made, other = sandbox.post("customers"), sandbox.post("customers")
    path = f"customers/{made['id']}/balance_transactions"
    one = sandbox.post(path, {"amount": -300, "currency": "eur", "description": "Sorry", "metadata[a]": "1"})
    assert (one["type"], one["amount"], one["ending_balance"]) == ("adjustment", -300, -300)
    shown = sandbox.get(f"customers/{made['id']}")
    assert (shown["balance"], shown["currency"]) == (-300, "eur")
    other_money = sandbox.post(path, {"amount": 1, "currency": "usd"})
    assert (other_money["ending_balance"], sandbox.get(f"customers/{made['id']}")["balance"]) == (1, -300)
    changed = sandbox.post(f"{path}/{one['id']}", {"description": "", "metadata[b]": "2"})
    assert (changed["description"], changed["metadata"]) == (None, {"a": "1", "b": "2"})
    assert sandbox.get(f"{path}/{one['id']}") == changed
    assert sandbox.listed(path, invoice="in_x") == []
    sandbox.refused("GET", f"customers/{other['id']}/balance_transactions/{one['id']}", status=404)


def test_a_list_leaves_out_the_deleted_and_those_on_test_clocks(sandbox: Sandbox) -> None:
    here = sandbox.post("customers", {"email": "one@maple.example"})
    gone = sandbox.post("customers", {"email": "one@maple.example"})
    sandbox.ask("DELETE", f"customers/{gone['id']}").raise_for_status()
    made = clock(sandbox, ahead=DAY)
    there = sandbox.post("customers", {"email": "one@maple.example", "test_clock": made["id"]})
    assert (there["created"], there["test_clock"]) == (made["frozen_time"], made["id"])
    assert [one["id"] for one in sandbox.listed("customers")] == [here["id"]]
    assert [one["id"] for one in sandbox.listed("customers", email="one@maple.example")] == [here["id"]]
    assert sandbox.listed("customers", email="two@maple.example") == []
    assert [one["id"] for one in sandbox.listed("customers", test_clock=made["id"])] == [there["id"]]
    assert sandbox.refused("GET", "customers", {"test_clock": "clock_x"})["param"] == "test_clock"


def test_a_test_clock_has_at_most_three_customers(sandbox: Sandbox) -> None:
    key = clock(sandbox)["id"]
    made = [sandbox.post("customers", {"test_clock": key}) for _ in range(3)]
    assert sandbox.refused("POST", "customers", {"test_clock": key})["param"] == "test_clock"
    sandbox.ask("DELETE", f"customers/{made[0]['id']}").raise_for_status()
    sandbox.post("customers", {"test_clock": key})
    answer = sandbox.ask("POST", f"customers/{made[1]['id']}", {"test_clock": key})
    assert error_of(answer, 400)["code"] == "parameter_unknown"


def test_a_deleted_customer_has_ended_and_says_so(sandbox: Sandbox) -> None:
    customer = sandbox.customer()
    card = customer["invoice_settings"]["default_payment_method"]
    answer = sandbox.ask("DELETE", f"customers/{customer['id']}").json()
    assert answer == {"id": customer["id"], "object": "customer", "deleted": True}
    assert sandbox.get(f"customers/{customer['id']}") == answer
    assert last_event(sandbox, "customer.deleted")["data"]["object"]["name"] == "Maple Street"
    assert sandbox.get(f"payment_methods/{card}")["customer"] is None
    for method, path in (("POST", ""), ("DELETE", ""), ("GET", "/balance_transactions"), ("GET", "/payment_methods")):
        error = sandbox.refused(method, f"customers/{customer['id']}{path}", status=404)
        assert error["code"] == "resource_missing"
    assert sandbox.refused("POST", "subscriptions", {"customer": customer["id"]})["param"] == "customer"


def test_a_customer_ends_only_once(sandbox: Sandbox) -> None:
    key = sandbox.post("customers")["id"]
    for _ in range(2):
        sandbox.http.delete(f"/_sandbox/customers/{key}").raise_for_status()
    assert len(sandbox.listed("events", type="customer.deleted")) == 1


def test_deleting_a_customer_cancels_the_subscriptions(sandbox: Sandbox) -> None:
    made = sandbox.subscription(sandbox.customer()["id"])
    sandbox.ask("DELETE", f"customers/{made['customer']}").raise_for_status()
    assert sandbox.get(f"subscriptions/{made['id']}")["status"] == "canceled"
    kinds = sandbox.event_types()
    assert kinds.index("customer.subscription.deleted") < kinds.index("customer.deleted")


def test_a_customer_without_a_discount_has_none_to_delete(sandbox: Sandbox) -> None:
    made = sandbox.post("customers")
    error = sandbox.refused("DELETE", f"customers/{made['id']}/discount", status=404)
    assert error["code"] == "resource_missing"


def test_a_customers_discount_is_deleted_once() -> None:
    store = Store(delivery="manual")
    customer = customers.create(store, {})
    coupon = coupons.create_coupon(store, {"percent_off": 10.0, "duration": "forever"}, {})
    (key,) = discounts.create(store, [{"coupon": coupon["id"]}], customer=customer["id"])
    store.change(customer, discount=key)
    shown = customers.delete_discount(store, {}, {"customer": customer["id"]})
    assert (shown["id"], shown["deleted"], shown["customer"]) == (key, True, customer["id"])
    assert customer["discount"] is None
    assert not discounts.active(store, store.objects["discount"][key], store.now())
    told = [one["type"] for one in store.all("event")]
    assert told[-2:] == ["customer.discount.deleted", "customer.updated"]
    discounts.end(store, store.objects["discount"][key])
    assert len(store.all("event")) == len(told)


@pytest.mark.parametrize(
    ("kind", "value", "country", "status"),
    [
        ("eu_vat", "DE 123456789", "DE", "pending"),
        ("eu_vat", "DE000000000", "DE", "verified"),
        ("gb_vat", "GB111111111", "GB", "unverified"),
        ("us_ein", "12-3456789", "US", "unavailable"),
        ("us_ein", "000000000", "US", "unavailable"),
    ],
)
def test_a_tax_id_knows_its_country_and_whether_it_was_verified(
    sandbox: Sandbox, kind: str, value: str, country: str, status: str
) -> None:
    customer = sandbox.post("customers")["id"]
    path = f"customers/{customer}/tax_ids"
    made = sandbox.post(path, {"type": kind, "value": value})
    assert (made["country"], made["verification"]["status"]) == (country, status)
    assert (made["customer"], made["owner"]["type"]) == (customer, "customer")
    assert sandbox.listed(path) == [made]
    assert sandbox.get(f"{path}/{made['id']}") == sandbox.get(f"tax_ids/{made['id']}") == made
    assert sandbox.ask("DELETE", f"{path}/{made['id']}").json()["deleted"]
    sandbox.refused("GET", f"tax_ids/{made['id']}", status=404)
    assert sandbox.event_types()[-2:] == ["customer.tax_id.created", "customer.tax_id.deleted"]


def test_a_tax_id_is_the_customers_or_the_accounts(sandbox: Sandbox) -> None:
    data = {"tax_id_data[0][type]": "us_ein", "tax_id_data[0][value]": "12-3456789"}
    customer, other = sandbox.post("customers", data)["id"], sandbox.post("customers")["id"]
    (first,) = sandbox.listed(f"customers/{customer}/tax_ids")
    owner = {"owner[type]": "customer", "owner[customer]": customer}
    second = sandbox.post("tax_ids", {**owner, "type": "us_ein", "value": "98-7654321"})
    own = sandbox.post("tax_ids", {"type": "us_ein", "value": "11-1111111"})
    assert [one["id"] for one in sandbox.listed("tax_ids", **owner)] == [second["id"], first["id"]]
    assert [one["id"] for one in sandbox.listed("tax_ids")] == [own["id"]]
    assert own["owner"]["type"] == "self"
    sandbox.refused("GET", f"customers/{other}/tax_ids/{first['id']}", status=404)
    answer = sandbox.ask("POST", "tax_ids", {"owner[type]": "account", "type": "us_ein", "value": "11-1111111"})
    error_of(answer, 501)
    answer = sandbox.ask("POST", "tax_ids", {"owner[type]": "customer", "type": "us_ein", "value": "11-1111111"})
    assert error_of(answer, 400)["param"] == "owner[customer]"
    for _ in range(3):
        sandbox.post(f"customers/{customer}/tax_ids", {"type": "us_ein", "value": "11-1111111"})
    sandbox.refused("POST", f"customers/{customer}/tax_ids", {"type": "us_ein", "value": "11-1111111"})


def test_the_account_and_its_empty_balance_are_there(sandbox: Sandbox) -> None:
    account = sandbox.get("account")
    assert (account["country"], account["default_currency"], account["charges_enabled"]) == ("US", "usd", True)
    empty = [{"amount": 0, "currency": "usd", "source_types": {"card": 0}}]
    shown = sandbox.get("balance")
    assert (shown["available"], shown["pending"]) == (empty, empty)


def test_what_was_charged_is_pending_and_then_available(sandbox: Sandbox) -> None:
    sandbox.subscription(sandbox.customer()["id"])
    assert [one["amount"] for one in sandbox.get("balance")["pending"]] == [1000]
    sandbox.advance(3 * DAY)
    shown = sandbox.get("balance")
    assert ([one["amount"] for one in shown["available"]], [one["amount"] for one in shown["pending"]]) == ([1000], [0])


def test_the_balance_follows_the_time_of_each_charge(sandbox: Sandbox) -> None:
    office = sandbox.frozen_customer()
    sandbox.subscription(office.customer)
    sandbox.advance(3 * DAY)
    assert [one["amount"] for one in sandbox.get("balance")["pending"]] == [1000]
    office.wait(3 * DAY)
    assert [one["amount"] for one in sandbox.get("balance")["available"]] == [1000]
