"""Whatever a client sends, the answer is Stripe's: never a defect, and the right parameter is named."""

import threading
from typing import Any

import httpx
import pytest

from tests.stripe_sandbox.conftest import KEY, Sandbox
from tests.stripe_sandbox.receiver import eventually

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NO_RATE = "txr_no"


@pytest.fixture
def customer(sandbox: Sandbox) -> str:
    return sandbox.customer()["id"]


def test_a_tax_rate_that_does_not_exist_is_named_wherever_it_stands(sandbox: Sandbox, customer: str) -> None:
    price = sandbox.price()["id"]
    made = sandbox.subscription(customer)
    item = made["items"]["data"][0]["id"]
    bill, draft = {"customer": customer, "amount": 5}, sandbox.post("invoices", {"customer": customer})["id"]
    new = {"customer": customer, "items[0][price]": price}
    preview = {"customer": customer, "invoice_items[0][amount]": 5, "invoice_items[0][currency]": "usd"}
    page = {"mode": "subscription", "success_url": "https://a.example/", "line_items[0][price]": price}
    for path, given, param in [
        ("subscriptions", new, "default_tax_rates[0]"),
        ("subscriptions", new, "items[0][tax_rates][0]"),
        ("subscriptions", {**new, "add_invoice_items[0][price]": price}, "add_invoice_items[0][tax_rates][0]"),
        (f"subscriptions/{made['id']}", {}, "default_tax_rates[0]"),
        (f"subscriptions/{made['id']}", {"items[0][id]": item}, "items[0][tax_rates][0]"),
        ("subscription_items", {"subscription": made["id"], "price": price}, "tax_rates[0]"),
        (f"subscription_items/{item}", {}, "tax_rates[0]"),
        ("invoiceitems", bill, "tax_rates[0]"),
        ("invoices/create_preview", preview, "invoice_items[0][tax_rates][0]"),
        ("invoices/create_preview", {"customer": customer}, "subscription_details[default_tax_rates][0]"),
        ("invoices", {"customer": customer}, "default_tax_rates[0]"),
        (f"invoices/{draft}", {}, "default_tax_rates[0]"),
        (f"invoices/{draft}/add_lines", {"lines[0][amount]": 5}, "lines[0][tax_rates][0]"),
        ("checkout/sessions", {**page, "line_items[0][quantity]": 1}, "line_items[0][tax_rates][0]"),
    ]:
        error = sandbox.refused("POST", path, {**given, param: NO_RATE})
        assert (error["code"], error["param"]) == ("resource_missing", param), path
    assert sandbox.listed("subscriptions") == [sandbox.get(f"subscriptions/{made['id']}")]


@pytest.mark.parametrize("path", ["/v1/customers", "/pay/cs_test_no", "/v1/invoices/create_preview"])
def test_bytes_that_are_no_text_are_refused(sandbox: Sandbox, path: str) -> None:
    answer = sandbox.http.post(path, content=b"name=\xff", headers=FORM)
    assert answer.status_code in (400, 404)


@pytest.mark.parametrize(
    "path", ["/clock", "/pay/{session}", "/authenticate/{intent}", "/customers/{customer}/next_charge"]
)
def test_a_page_takes_bytes_that_are_no_text_for_a_wrong_form(sandbox: Sandbox, customer: str, path: str) -> None:
    session = {"mode": "setup", "success_url": "https://a.example/", "currency": "usd"}
    intent = sandbox.post("payment_intents", {"amount": 500, "currency": "usd"})["id"]
    known = {"session": sandbox.post("checkout/sessions", session)["id"], "customer": customer, "intent": intent}
    answer = sandbox.http.post(path.format(**known), content=b"by=\xff&card=\xff", headers=FORM)
    assert answer.status_code in (200, 303, 400)


@pytest.mark.parametrize("path", ["customers", "customers/{}", "products"])
def test_a_head_is_a_get_without_its_body(sandbox: Sandbox, customer: str, path: str) -> None:
    answer = sandbox.http.head(f"/v1/{path.format(customer)}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert sandbox.http.head("/v1/customers/cus_no").status_code == 404
    assert sandbox.http.head("/v1/unicorns").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("path", ["customers", "customers/cus_no", "unicorns"])
def test_a_method_that_stripe_does_not_have_is_not_allowed(sandbox: Sandbox, method: str, path: str) -> None:
    error = sandbox.refused(method, path, {"name": "Oak"}, status=405)
    assert error["type"] == "invalid_request_error"
    assert method in error["message"]


def test_parameters_in_another_form_than_a_form_are_refused(sandbox: Sandbox) -> None:
    for given in ({"json": {"name": "Oak"}}, {"files": {"name": b"Oak"}}):
        answer = sandbox.http.post("/v1/customers", **given)  # type: ignore[arg-type]
        assert answer.status_code == 400
        assert "application/x-www-form-urlencoded" in answer.json()["error"]["message"]
    assert sandbox.listed("customers") == []


def test_a_deletion_reads_its_parameters_from_address_and_body(sandbox: Sandbox, customer: str) -> None:
    made = sandbox.subscription(customer)["id"]
    path = f"/v1/subscriptions/{made}?cancellation_details[comment]=moved"
    answer = sandbox.http.request("DELETE", path, data={"cancellation_details[feedback]": "unused", "colour": "red"})
    assert answer.json()["error"]["param"] == "colour"
    answer = sandbox.http.request("DELETE", path, data={"cancellation_details[feedback]": "unused"})
    details = answer.json()["cancellation_details"]
    assert (details["comment"], details["feedback"]) == ("moved", "unused")


ONE = {"name": "Practice"}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("customers", {"metadata[]": "x"}, "metadata"),
    ("customers", {"name[": "x"}, "name["),
    ("customers", {"name]": "x"}, "name]"),
    ("customers", {"a" + "[b]" * 5_000: "x"}, ("a" + "[b]" * 5_000)[:200]),
    ("customers", {"balance": "9" * 21}, "balance"),
    ("customers", {"balance": "٣"}, "balance"),
    ("customers", {"balance": "100000000"}, "balance"),
    ("customers", {"metadata[" + "k" * 41 + "]": "x"}, "metadata[" + "k" * 41 + "]"),
    ("customers", {"metadata[k]": "x" * 501}, "metadata[k]"),
    ("customers", {f"metadata[{n}]": "x" for n in range(51)}, "metadata"),
    ("coupons", {"percent_off": "nan"}, "percent_off"),
    ("coupons", {"percent_off": "1e1"}, "percent_off"),
    ("coupons", {"percent_off": 5, "duration": "repeating", "duration_in_months": 121}, "duration_in_months"),
    ("coupons", {"amount_off": 100_000_000, "currency": "usd"}, "amount_off"),
    ("coupons", {"amount_off": 5, "currency": "usd", "currency_options[zzz][amount_off]": 5}, "currency_options[zzz]"),
    ("payment_intents", {"amount": 100_000_000, "currency": "usd"}, "amount"),
    ("payment_intents", {"amount": 500, "currency": "zzz"}, "currency"),
    ("test_helpers/test_clocks", {"frozen_time": 10**12}, "frozen_time"),
    ("webhook_endpoints", {"url": "https://", "enabled_events[]": "*"}, "url"),
    ("webhook_endpoints", {"url": "https://[::1/", "enabled_events[]": "*"}, "url"),
    ("webhook_endpoints", {"url": "http://127.0.0.1:99999/", "enabled_events[]": "*"}, "url"),
    ("webhook_endpoints", {"url": "http://a b.example/", "enabled_events[]": "*"}, "url"),
]


@pytest.mark.parametrize(("path", "given", "param"), WRONG)
def test_a_wrong_value_is_refused_by_its_name(sandbox: Sandbox, path: str, given: dict[str, Any], param: str) -> None:
    assert sandbox.refused("POST", path, given)["param"] == param


@pytest.mark.parametrize("amount", ["nan", "abc", "1e50", "Infinity", "٣"])
def test_a_decimal_is_a_number_in_digits(sandbox: Sandbox, customer: str, amount: str) -> None:
    given = {"customer": customer, "unit_amount_decimal": amount}
    assert sandbox.refused("POST", "invoiceitems", given)["param"] == "unit_amount_decimal"
    product = sandbox.post("products", ONE)["id"]
    given = {"product": product, "currency": "usd", "unit_amount_decimal": amount}
    assert sandbox.refused("POST", "prices", given)["param"] == "unit_amount_decimal"


WRONG_ITEMS = [
    ({"amount": 5, "currency": "zzz"}, "currency"),
    ({"amount": 100_000_000}, "amount"),
    ({"unit_amount_decimal": "5", "quantity": 1_000_000}, "quantity"),
    ({"unit_amount_decimal": "5", "quantity": -1}, "quantity"),
    ({"amount": 5, "period[start]": 9, "period[end]": 8}, "period[end]"),
    ({"pricing[price]": "price_no"}, "pricing[price]"),
    ({"amount": 5, "metadata[k]": "x" * 501}, "metadata[k]"),
]


@pytest.mark.parametrize(("given", "param"), WRONG_ITEMS)
def test_a_wrong_invoice_item_is_refused_by_what_is_wrong(
    sandbox: Sandbox, customer: str, given: dict[str, Any], param: str
) -> None:
    sandbox.subscription(customer)
    assert sandbox.refused("POST", "invoiceitems", {"customer": customer, **given})["param"] == param
    assert sandbox.listed("invoiceitems", customer=customer) == []


def test_a_price_within_lines_is_named_where_it_stands(sandbox: Sandbox, customer: str) -> None:
    draft, monthly = sandbox.post("invoices", {"customer": customer})["id"], sandbox.price()["id"]
    for name, price, param in [
        ("lines[1][pricing][price]", "price_no", "lines[1][pricing][price]"),
        ("lines[1][pricing][price]", monthly, "lines[1][pricing][price]"),
        ("lines[1][description]", "Nothing", "lines[1][amount]"),
    ]:
        given = {"lines[0][amount]": 5, name: price}
        assert sandbox.refused("POST", f"invoices/{draft}/add_lines", given)["param"] == param
    preview = {"customer": customer, "invoice_items[0][price]": monthly}
    assert sandbox.refused("POST", "invoices/create_preview", preview)["param"] == "invoice_items[0][price]"


def test_what_cannot_be_expanded_is_named_by_its_place(sandbox: Sandbox, customer: str) -> None:
    made = sandbox.subscription(customer)["id"]
    error = sandbox.refused("GET", f"subscriptions/{made}", {"expand[0]": "customer", "expand[1]": "status"})
    assert error["param"] == "expand[1]"


def test_a_refund_that_a_credit_note_cannot_have_is_named_by_its_place(sandbox: Sandbox, customer: str) -> None:
    invoice = sandbox.get(f"invoices/{sandbox.subscription(customer)['latest_invoice']}")
    charge = sandbox.listed("charges", customer=customer)[0]["id"]
    refund = sandbox.post("refunds", {"charge": charge, "amount": 100})["id"]
    given = {"invoice": invoice["id"], "amount": 200, "refunds[0][refund]": refund, "refunds[1][refund]": "re_no"}
    assert sandbox.refused("POST", "credit_notes", given)["param"] == "refunds[1][refund]"


def test_a_currency_is_kept_in_small_letters(sandbox: Sandbox, customer: str) -> None:
    assert sandbox.post("payment_intents", {"amount": 500, "currency": "EUR"})["currency"] == "eur"
    assert sandbox.post("invoiceitems", {"customer": customer, "amount": 5, "currency": "EUR"})["currency"] == "eur"
    assert sandbox.post("invoices", {"customer": customer, "currency": "EUR"})["currency"] == "eur"


def test_an_empty_value_unsets_metadata_also_at_a_creation(sandbox: Sandbox, customer: str) -> None:
    given = {"metadata[a]": "1", "metadata[b]": ""}
    price, usual = sandbox.price()["id"], {"customer": customer, **given}
    once = sandbox.post(
        "prices", {"product": sandbox.post("products", ONE)["id"], "currency": "usd", "unit_amount": 90}
    )
    page = {"success_url": "https://a.example/", "line_items[0][price]": once["id"], "line_items[0][quantity]": 1}
    for path, data in [
        ("subscriptions", {**usual, "items[0][price]": price}),
        ("payment_intents", {**given, "amount": 500, "currency": "usd"}),
        ("invoices", usual),
        ("invoiceitems", {**usual, "amount": 5}),
        ("checkout/sessions", {**given, **page, "mode": "payment"}),
        ("billing_portal/configurations", {**given, "features[invoice_history][enabled]": "true"}),
    ]:
        assert sandbox.post(path, data)["metadata"] == {"a": "1"}, path
    paid = sandbox.listed("invoices", customer=customer, status="paid")[0]["id"]
    note = sandbox.post("credit_notes", {"invoice": paid, "amount": 5, "credit_amount": 5, **given})
    assert note["metadata"] == {"a": "1"}


NOT_HERE = [
    ("payment_intents", {"amount": 500, "currency": "usd", "payment_method_data[type]": "link"}),
    ("payment_intents", {"amount": 500, "currency": "usd", "payment_method_options[card][cvc_token]": "x"}),
    ("payment_intents", {"amount": 500, "currency": "usd", "mandate_data[customer_acceptance][type]": "offline"}),
    ("payment_intents/{intent}/confirm", {"amount_to_confirm": 5}),
    ("payment_intents/{held}/capture", {"final_capture": "false", "amount_to_capture": 5}),
    ("invoices/{draft}/pay", {"forgive": "true"}),
    ("invoices/create_preview", {"customer": "{customer}", "automatic_tax[enabled]": "true"}),
    ("invoiceitems", {"customer": "{customer}", "unit_amount_decimal": "5", "quantity_decimal": "1.5"}),
]


@pytest.mark.parametrize(("path", "given"), NOT_HERE)
def test_what_would_change_money_and_is_not_there_says_so(
    sandbox: Sandbox, customer: str, path: str, given: dict[str, Any]
) -> None:
    usual = {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa"}
    known = {
        "customer": customer,
        "draft": sandbox.post("invoices", {"customer": customer})["id"],
        "intent": sandbox.post("payment_intents", usual)["id"],
        "held": sandbox.post("payment_intents", {**usual, "capture_method": "manual", "confirm": "true"})["id"],
    }
    named = {name: one.format(**known) if isinstance(one, str) else one for name, one in given.items()}
    sandbox.refused("POST", path.format(**known), named, status=501)


def test_a_card_that_will_be_used_again_may_be_said_at_the_confirmation(sandbox: Sandbox, customer: str) -> None:
    intent = sandbox.post("payment_intents", {"amount": 500, "currency": "usd", "customer": customer})["id"]
    given = {"payment_method": "pm_card_mastercard", "setup_future_usage": "off_session"}
    done = sandbox.post(f"payment_intents/{intent}/confirm", given)
    assert done["setup_future_usage"] == "off_session"
    assert sandbox.get(f"payment_methods/{done['payment_method']}")["customer"] == customer


@pytest.mark.parametrize("usage", ["", "on_session"])
def test_what_is_given_empty_is_unset(sandbox: Sandbox, customer: str, usage: str) -> None:
    given = {"amount": 500, "currency": "usd", "setup_future_usage": "off_session"}
    intent = sandbox.post("payment_intents", given)["id"]
    changed = sandbox.post(f"payment_intents/{intent}", {"setup_future_usage": usage, "shipping": ""})
    assert (changed["setup_future_usage"], changed["shipping"]) == (usage or None, None)
    assert sandbox.refused("POST", f"payment_intents/{intent}", {"setup_future_usage": "soon"})["param"]
    item = sandbox.post("invoiceitems", {"customer": customer, "amount": 5})["id"]
    assert sandbox.post(f"invoiceitems/{item}", {"tax_rates": ""})["tax_rates"] == []


def test_a_line_is_priced_by_the_data_of_a_product_too(sandbox: Sandbox, customer: str) -> None:
    draft = sandbox.post("invoices", {"customer": customer})["id"]
    data = "lines[0][price_data]"
    given = {f"{data}[product_data][name]": "Training", f"{data}[currency]": "usd", f"{data}[unit_amount]": 700}
    made = sandbox.post(f"invoices/{draft}/add_lines", given)
    assert made["total"] == 700
    nothing = {name: one for name, one in given.items() if "product" not in name}
    assert sandbox.refused("POST", f"invoices/{draft}/add_lines", nothing)["param"] == f"{data}[product]"


def test_an_invoice_is_paid_by_a_card_of_its_customer(sandbox: Sandbox, customer: str) -> None:
    other = sandbox.customer()["invoice_settings"]["default_payment_method"]
    for method in (other, "pm_no"):
        given = {"customer": customer, "default_payment_method": method}
        assert sandbox.refused("POST", "invoices", given)["param"] == "default_payment_method"


def test_an_invoice_keeps_how_it_may_be_paid(sandbox: Sandbox, customer: str) -> None:
    options = "payment_settings[payment_method_options][payto]"
    given = {"customer": customer, "payment_settings[payment_method_types][0]": "card", options: ""}
    invoice = sandbox.post("invoices", given)
    assert invoice["payment_settings"]["payment_method_types"] == ["card"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"reason": "dislike"}'])
def test_a_control_request_that_is_nonsense_is_told_what_is_allowed(
    sandbox: Sandbox, customer: str, body: bytes
) -> None:
    sandbox.subscription(customer)
    charge = sandbox.listed("charges", customer=customer)[0]["id"]
    answer = sandbox.http.post(f"/_sandbox/charges/{charge}/dispute", content=body)
    assert answer.status_code == 400
    assert "one of bank_cannot_process" in answer.json()["error"]


def test_a_key_is_in_use_until_its_first_request_is_answered(sandbox: Sandbox) -> None:
    sandbox.control("faults", kind="slow", seconds=2, method="POST")
    answers: list[httpx.Response] = []
    other = Sandbox(sandbox.url)
    first = threading.Thread(
        target=lambda: answers.append(other.ask("POST", "customers", {"name": "Oak"}, Idempotency_Key="one"))
    )
    first.start()
    eventually(lambda: sandbox.listed("customers"))
    twin = sandbox.ask("POST", "customers", {"name": "Oak"}, Idempotency_Key="one")
    assert (twin.status_code, twin.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    first.join()
    other.http.close()
    again = sandbox.ask("POST", "customers", {"name": "Oak"}, Idempotency_Key="one")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == answers[0].json()


def test_a_client_that_gave_up_waiting_gets_the_answer_with_its_key(sandbox: Sandbox) -> None:
    sandbox.control("faults", kind="timeout_after", seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        sandbox.http.post("/v1/customers", data={"name": "Oak"}, headers={"Idempotency-Key": "one"}, timeout=0.3)
    again = sandbox.ask("POST", "customers", {"name": "Oak"}, Idempotency_Key="one")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")


def test_a_dropped_connection_gives_its_key_free_at_once(sandbox: Sandbox) -> None:
    sandbox.control("faults", kind="drop_after")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        sandbox.ask("POST", "customers", {"name": "Oak"}, Idempotency_Key="one")
    again = sandbox.ask("POST", "customers", {"name": "Oak"}, Idempotency_Key="one")
    assert again.headers["Idempotent-Replayed"] == "true"


def test_without_a_content_type_a_body_is_a_form(sandbox: Sandbox) -> None:
    answer = httpx.post(
        f"{sandbox.url}/v1/customers", content=b"name=Oak", headers={"Authorization": f"Bearer {KEY}"}, trust_env=False
    )
    assert answer.json()["name"] == "Oak"
