"""A checkout session from its creation to its page, its card and its end."""

import re
from typing import Any

import httpx
import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Sandbox

BACK = "https://office.example/done?session={CHECKOUT_SESSION_ID}"


def session(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    given = {"mode": "subscription", "success_url": BACK, "cancel_url": "https://office.example/stop", **more}
    if given["mode"] == "subscription" and "line_items[0][price]" not in given:
        given |= {"line_items[0][price]": sandbox.price()["id"], "line_items[0][quantity]": 2}
    return sandbox.post("checkout/sessions", given)


def once(sandbox: Sandbox, amount: int = 2500) -> dict[str, Any]:
    """The line items of a session in payment mode."""
    product = sandbox.post("products", {"name": "Training"})
    price = sandbox.post("prices", {"product": product["id"], "currency": "usd", "unit_amount": amount})
    return {"mode": "payment", "line_items[0][price]": price["id"], "line_items[0][quantity]": 1}


def refused(sandbox: Sandbox, **given: Any) -> dict[str, Any]:
    answer = sandbox.ask("POST", "checkout/sessions", given)
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]


def complete(sandbox: Sandbox, made: dict[str, Any], card: str = "pm_card_visa") -> Any:
    return sandbox.control(f"checkout/sessions/{made['id']}/complete", card=card)


def fill(sandbox: Sandbox, made: dict[str, Any], **form: str) -> httpx.Response:
    return sandbox.http.post(f"/pay/{made['id']}", data={"action": "pay", "card": "pm_card_visa", **form})


def again(sandbox: Sandbox, made: dict[str, Any], *expand: str) -> dict[str, Any]:
    return sandbox.get(f"checkout/sessions/{made['id']}", **{f"expand[{n}]": one for n, one in enumerate(expand)})


def test_a_session_tells_what_is_sold_and_where_its_page_is(sandbox: Sandbox) -> None:
    made = session(sandbox, client_reference_id="office-7", **{"metadata[a]": "b"})
    assert (made["status"], made["payment_status"], made["mode"]) == ("open", "unpaid", "subscription")
    assert (made["amount_subtotal"], made["amount_total"], made["currency"]) == (2000, 2000, "usd")
    assert made["url"] == f"{sandbox.url}/pay/{made['id']}"
    assert made["expires_at"] == made["created"] + DAY
    assert (made["client_reference_id"], made["customer"], made["metadata"]) == ("office-7", None, {"a": "b"})
    lines = sandbox.get(f"checkout/sessions/{made['id']}/line_items")["data"]
    assert [(one["description"], one["quantity"], one["amount_total"]) for one in lines] == [("Practice", 2, 2000)]
    assert again(sandbox, made, "line_items")["line_items"]["data"] == lines
    assert sandbox.listed("checkout/sessions", status="open") == [made]
    changed = sandbox.post(f"checkout/sessions/{made['id']}", {"metadata[c]": "d"})
    assert changed["metadata"] == {"a": "b", "c": "d"}


def test_a_completed_session_made_customer_card_and_subscription(sandbox: Sandbox) -> None:
    more = {"customer_email": "new@office.example", "subscription_data[metadata][plan]": "large"}
    made = session(sandbox, **more)
    complete(sandbox, made)
    done = again(sandbox, made, "subscription", "customer", "invoice")
    assert (done["status"], done["payment_status"], done["url"]) == ("complete", "paid", None)
    assert done["customer"]["email"] == done["customer_details"]["email"] == "new@office.example"
    subscription = done["subscription"]
    assert (subscription["status"], subscription["metadata"]) == ("active", {"plan": "large"})
    assert subscription["items"]["data"][0]["quantity"] == 2
    method = sandbox.get(f"payment_methods/{subscription['default_payment_method']}")
    assert (method["customer"], method["card"]["last4"]) == (done["customer"]["id"], "4242")
    assert (done["invoice"]["status"], done["amount_total"]) == ("paid", 2000)
    assert sandbox.event_types()[-1] == "checkout.session.completed"
    again_paid = sandbox.http.post(f"/_sandbox/checkout/sessions/{made['id']}/complete", json={"card": "pm_card_visa"})
    assert again_paid.status_code == 400
    assert "has a status of `complete`" in again_paid.json()["error"]["message"]
    assert len(sandbox.listed("subscriptions")) == 1


def test_a_known_customer_is_used_and_no_other_made(sandbox: Sandbox) -> None:
    customer = sandbox.customer(None)
    made = session(sandbox, customer=customer["id"])
    complete(sandbox, made)
    assert again(sandbox, made)["customer"] == customer["id"]
    assert [one["id"] for one in sandbox.listed("customers")] == [customer["id"]]


def test_the_page_pays_and_sends_the_customer_back(sandbox: Sandbox) -> None:
    made = session(sandbox)
    page = sandbox.http.get(f"/pay/{made['id']}")
    assert page.status_code == 200
    assert "20.00 USD today" in page.text
    assert "pm_card_chargeDeclined" in page.text
    assert "<script" not in page.text
    sent = fill(sandbox, made, email="person@office.example")
    assert (sent.status_code, sent.headers["location"]) == (303, f"https://office.example/done?session={made['id']}")
    assert again(sandbox, made)["customer_details"]["email"] == "person@office.example"
    assert sandbox.http.get(f"/pay/{made['id']}").status_code == 303


@pytest.mark.parametrize("card", ["pm_card_chargeDeclinedInsufficientFunds", "pm_card_chargeCustomerFail"])
def test_a_declined_card_is_told_on_the_page_and_another_may_pay(sandbox: Sandbox, card: str) -> None:
    made = session(sandbox, customer_email="person@office.example")
    declined = fill(sandbox, made, card=card)
    words = "insufficient funds" if "Funds" in card else "Your card was declined"
    assert declined.status_code == 400
    assert words in declined.text
    still = again(sandbox, made)
    assert (still["status"], still["payment_status"], still["subscription"]) == ("open", "unpaid", None)
    assert "checkout.session.completed" not in sandbox.event_types()
    assert fill(sandbox, made).status_code == 303
    done = again(sandbox, made, "subscription")
    assert (done["status"], done["subscription"]["status"]) == ("complete", "active")
    assert len(sandbox.listed("subscriptions", status="all")) == 1
    assert [one["status"] for one in sandbox.listed("charges") if one["paid"]] == ["succeeded"]


def test_a_declined_card_is_a_402_of_the_control_plane(sandbox: Sandbox) -> None:
    made = session(sandbox)
    given = {"card": "pm_card_chargeCustomerFail"}
    answer = sandbox.http.post(f"/_sandbox/checkout/sessions/{made['id']}/complete", json=given)
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, "card_declined")


@pytest.mark.parametrize("mode", ["subscription", "payment", "setup"])
def test_a_card_that_asks_for_authentication_completes_after_it(sandbox: Sandbox, mode: str) -> None:
    more = {"payment": once(sandbox), "setup": {"mode": "setup", "currency": "usd"}}.get(mode, {})
    made = session(sandbox, customer_email="person@office.example", **more)
    asked = fill(sandbox, made, card="pm_card_threeDSecure2Required")
    assert asked.status_code == 303
    assert "/authenticate/" in asked.headers["location"]
    assert again(sandbox, made)["status"] == "open"
    assert "Complete" in sandbox.http.get(asked.headers["location"]).text
    failed = sandbox.http.post(asked.headers["location"], data={"outcome": "fail"})
    assert failed.headers["location"] == made["url"]
    assert "failed authentication" in sandbox.http.get(made["url"]).text
    asked = fill(sandbox, made, card="pm_card_threeDSecure2Required")
    passed = sandbox.http.post(asked.headers["location"], data={"outcome": "complete"})
    assert passed.headers["location"] == f"https://office.example/done?session={made['id']}"
    done = again(sandbox, made)
    assert done["status"] == "complete"
    assert done["payment_status"] == ("no_payment_required" if mode == "setup" else "paid")
    assert sandbox.event_types().count("checkout.session.completed") == 1


def test_the_control_plane_authenticates_for_a_session_too(sandbox: Sandbox) -> None:
    made = session(sandbox)
    told = complete(sandbox, made, "pm_card_authenticationRequired")
    intent = told["authenticate_url"].rpartition("/")[2]
    assert told["session"]["status"] == "open"
    sandbox.control(f"payment_intents/{intent}/authenticate", succeed=True)
    assert again(sandbox, made)["status"] == "complete"


def test_a_payment_has_an_intent_and_needs_no_customer(sandbox: Sandbox) -> None:
    made = session(sandbox, **once(sandbox), **{"payment_intent_data[metadata][order]": "5"})
    complete(sandbox, made)
    done = again(sandbox, made, "payment_intent")
    assert (done["payment_status"], done["customer"], done["subscription"]) == ("paid", None, None)
    intent = done["payment_intent"]
    assert (intent["status"], intent["amount"], intent["metadata"]) == ("succeeded", 2500, {"order": "5"})
    assert sandbox.listed("checkout/sessions", payment_intent=intent["id"])[0]["id"] == made["id"]


def test_a_setup_session_saves_the_card(sandbox: Sandbox) -> None:
    customer = sandbox.customer(None)
    made = session(sandbox, mode="setup", currency="usd", customer=customer["id"])
    assert made["payment_status"] == "no_payment_required"
    complete(sandbox, made, "pm_card_mastercard")
    done = again(sandbox, made, "setup_intent")
    assert done["setup_intent"]["status"] == "succeeded"
    method = sandbox.get(f"payment_methods/{done['setup_intent']['payment_method']}")
    assert (method["customer"], method["card"]["brand"]) == (customer["id"], "mastercard")
    assert sandbox.listed("charges") == []


def test_a_trial_is_paid_later(sandbox: Sandbox) -> None:
    made = session(sandbox, **{"subscription_data[trial_period_days]": 14})
    assert made["amount_total"] == 0
    assert "14 days free" in sandbox.http.get(made["url"]).text
    complete(sandbox, made)
    done = again(sandbox, made, "subscription")
    assert (done["payment_status"], done["subscription"]["status"]) == ("no_payment_required", "trialing")


def test_a_trial_may_start_without_a_card_where_none_is_asked_for(sandbox: Sandbox) -> None:
    more = {"subscription_data[trial_period_days]": 14, "payment_method_collection": "if_required"}
    made = session(sandbox, customer_email="person@office.example", **more)
    sandbox.control(f"checkout/sessions/{made['id']}/complete")
    done = again(sandbox, made, "subscription")
    assert (done["status"], done["subscription"]["default_payment_method"]) == ("complete", None)
    asks = session(sandbox, **{"subscription_data[trial_period_days]": 14})
    answer = sandbox.http.post(f"/_sandbox/checkout/sessions/{asks['id']}/complete", json={})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "card")


def test_a_promotion_code_lowers_what_is_paid(sandbox: Sandbox) -> None:
    coupon = sandbox.post("coupons", {"percent_off": 25, "duration": "once"})
    sandbox.post("promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": coupon["id"], "code": "SPRING"})
    made = session(sandbox, allow_promotion_codes="true", customer_email="person@office.example")
    wrong = fill(sandbox, made, action="code", promotion_code="WINTER")
    assert wrong.status_code == 400
    assert "WINTER is not valid" in wrong.text
    page = fill(sandbox, made, action="code", promotion_code="spring")
    assert page.status_code == 200
    assert "15.00 USD today" in page.text
    assert again(sandbox, made)["total_details"]["amount_discount"] == 500
    assert fill(sandbox, made).status_code == 303
    done = again(sandbox, made, "invoice")
    assert (done["invoice"]["total"], done["amount_total"]) == (1500, 1500)
    assert sandbox.get(f"coupons/{coupon['id']}")["times_redeemed"] == 1


def test_a_discount_of_a_payment_is_taken_and_counted_once(sandbox: Sandbox) -> None:
    coupon = sandbox.post("coupons", {"amount_off": 700, "currency": "usd", "duration": "once"})
    made = session(sandbox, **once(sandbox), **{"discounts[0][coupon]": coupon["id"]})
    assert (made["amount_total"], made["discounts"]) == (1800, [{"coupon": coupon["id"], "promotion_code": None}])
    assert sandbox.get(f"coupons/{coupon['id']}")["times_redeemed"] == 0
    complete(sandbox, made)
    assert sandbox.listed("charges")[0]["amount"] == 1800
    assert sandbox.get(f"coupons/{coupon['id']}")["times_redeemed"] == 1


def test_the_taxes_of_the_lines_are_in_the_total(sandbox: Sandbox) -> None:
    rate = sandbox.post("tax_rates", {"display_name": "VAT", "percentage": 20, "inclusive": "false"})["id"]
    made = session(sandbox, **{"subscription_data[default_tax_rates][0]": rate})
    assert (made["amount_subtotal"], made["amount_total"], made["total_details"]["amount_tax"]) == (2000, 2400, 400)
    complete(sandbox, made)
    assert again(sandbox, made, "invoice")["invoice"]["total"] == 2400


def test_a_session_expires_by_itself(sandbox: Sandbox) -> None:
    made = session(sandbox, expires_at=sandbox.now() + HOUR)
    sandbox.advance(HOUR - 60)
    assert again(sandbox, made)["status"] == "open"
    sandbox.advance(120)
    gone = again(sandbox, made)
    assert (gone["status"], gone["url"]) == ("expired", None)
    assert sandbox.event_types()[-1] == "checkout.session.expired"
    assert "expired" in sandbox.http.get(f"/pay/{made['id']}").text
    assert fill(sandbox, made, email="late@office.example").status_code == 400
    assert sandbox.listed("subscriptions", status="all") == []


@pytest.mark.parametrize("mode", ["subscription", "payment", "setup"])
def test_what_an_expired_session_started_is_canceled(sandbox: Sandbox, mode: str) -> None:
    more = {"payment": once(sandbox), "setup": {"mode": "setup", "currency": "usd"}}.get(mode, {})
    made = session(sandbox, **more)
    waits = complete(sandbox, made, "pm_card_threeDSecure2Required")["authenticate_url"]
    sandbox.post(f"checkout/sessions/{made['id']}/expire")
    assert "Nothing to authenticate" in sandbox.http.get(waits).text
    sandbox.http.post(waits, data={"outcome": "complete"})
    assert sandbox.listed("charges") == []
    if mode == "subscription":
        assert [one["status"] for one in sandbox.listed("subscriptions", status="all")] != ["active"]
    assert again(sandbox, made)["status"] == "expired"


def test_a_session_is_expired_on_request_but_not_twice(sandbox: Sandbox) -> None:
    made = session(sandbox)
    assert sandbox.post(f"checkout/sessions/{made['id']}/expire")["status"] == "expired"
    second = sandbox.ask("POST", f"checkout/sessions/{made['id']}/expire")
    assert second.status_code == 400
    assert "has a status of `expired`" in second.json()["error"]["message"]


def test_wrong_sessions_are_refused(sandbox: Sandbox) -> None:
    monthly, single = sandbox.price()["id"], once(sandbox)["line_items[0][price]"]
    base = {"mode": "subscription", "success_url": BACK}
    item = {"line_items[0][price]": monthly, "line_items[0][quantity]": 1}
    assert refused(sandbox, mode="subscription", **item)["param"] == "success_url"
    assert refused(sandbox, **base)["param"] == "line_items"
    assert refused(sandbox, success_url=BACK, **item)["param"] == "mode"
    assert refused(sandbox, mode="setup", success_url=BACK)["param"] == "currency"
    assert "passed a recurring price" in refused(sandbox, **{**base, **item, "mode": "payment"})["message"]
    one_time = {**item, "line_items[0][price]": single}
    assert "at least one recurring price" in refused(sandbox, **base, **one_time)["message"]
    no_count = {"line_items[0][price]": monthly}
    assert "Quantity is required" in refused(sandbox, **base, **no_count)["message"]
    both = {"customer": sandbox.customer()["id"], "customer_email": "a@office.example"}
    assert "only specify one" in refused(sandbox, **base, **item, **both)["message"]
    soon, late = sandbox.now() + 60, sandbox.now() + 2 * DAY
    assert "30 minutes" in refused(sandbox, **base, **item, expires_at=soon)["message"]
    assert "24 hours" in refused(sandbox, **base, **item, expires_at=late)["message"]
    assert refused(sandbox, **item, mode="subscription", success_url="javascript:alert(1)")["code"] == "url_invalid"
    assert sandbox.listed("checkout/sessions") == []


def test_what_no_card_could_complete_is_refused_at_once(sandbox: Sandbox) -> None:
    item = {"line_items[0][price]": sandbox.price()["id"], "line_items[0][quantity]": 1}
    past = {"subscription_data[trial_end]": sandbox.now() - 60}
    assert refused(sandbox, mode="subscription", success_url=BACK, **item, **past)["param"] == "trial_end"
    given = {"success_url": BACK, **once(sandbox), "payment_intent_data[transfer_data][destination]": "acct_1"}
    assert sandbox.ask("POST", "checkout/sessions", given).status_code == 501
    assert sandbox.listed("checkout/sessions") == sandbox.listed("customers") == []


@pytest.mark.parametrize("mode", ["subscription", "payment"])
def test_a_price_may_be_made_for_one_line(sandbox: Sandbox, mode: str) -> None:
    """Source: https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-line_items-price_data"""
    price = {"currency": "usd", "unit_amount": 1500, "product_data][name": "Training"}
    if mode == "subscription":
        price |= {"recurring][interval": "month"}
    line = {f"line_items[0][price_data][{name}]": value for name, value in price.items()}
    given = {"mode": mode, "success_url": BACK, "line_items[0][quantity]": 2, **line}
    made = sandbox.post("checkout/sessions", given)
    assert (made["amount_total"], made["currency"]) == (3000, "usd")
    (item,) = sandbox.get(f"checkout/sessions/{made['id']}/line_items")["data"]
    assert (item["description"], item["price"]["active"], item["price"]["unit_amount"]) == ("Training", False, 1500)
    sandbox.control(f"checkout/sessions/{made['id']}/complete", card="pm_card_visa", email="a@office.example")
    assert again(sandbox, made)["payment_status"] == "paid"
    assert [one["amount"] for one in sandbox.listed("charges")] == [3000]
    if mode == "subscription":
        (subscription,) = sandbox.listed("subscriptions")
        assert subscription["items"]["data"][0]["price"]["id"] == item["price"]["id"]


def test_a_line_has_one_price(sandbox: Sandbox) -> None:
    line = {"line_items[0][price_data][currency]": "usd", "line_items[0][price_data][product_data][name]": "Training"}
    given = {"mode": "payment", "success_url": BACK, "line_items[0][quantity]": 1, **line}
    assert refused(sandbox, **given, **{"line_items[0][price]": "price_1"})["param"] == "line_items[0][price]"
    no_product = {name: value for name, value in given.items() if "product_data" not in name}
    assert refused(sandbox, **no_product)["param"] == "line_items[0][price_data][product]"
    assert sandbox.listed("checkout/sessions") == sandbox.listed("products") == []


@pytest.mark.parametrize("name", ["automatic_tax[enabled]", "invoice_creation[enabled]", "tax_id_collection[enabled]"])
def test_what_would_change_the_money_and_is_not_here_is_a_501(sandbox: Sandbox, name: str) -> None:
    given = {"success_url": BACK, "line_items[0][price]": sandbox.price()["id"], "line_items[0][quantity]": 1}
    answer = sandbox.ask("POST", "checkout/sessions", {"mode": "subscription", **given, name: "true"})
    assert answer.status_code == 501


def test_names_are_escaped_on_the_page(sandbox: Sandbox) -> None:
    product = sandbox.post("products", {"name": "<b>Bold</b>"})
    recurring = {"product": product["id"], "currency": "usd", "unit_amount": 100, "recurring[interval]": "month"}
    price = sandbox.post("prices", recurring)["id"]
    made = session(sandbox, **{"line_items[0][price]": price, "line_items[0][quantity]": 1})
    page = sandbox.http.get(made["url"]).text
    assert "&lt;b&gt;Bold" in page
    assert "<b>Bold" not in page


def test_the_page_of_an_invoice_shows_and_pays_it(sandbox: Sandbox) -> None:
    rate = sandbox.post("tax_rates", {"display_name": "VAT", "percentage": 20, "inclusive": "false"})["id"]
    customer = sandbox.customer(None)["id"]
    more = {"payment_behavior": "default_incomplete", "default_tax_rates[0]": rate}
    invoice = sandbox.get(f"invoices/{sandbox.subscription(customer, **more)['latest_invoice']}")
    page = sandbox.http.get(invoice["hosted_invoice_url"]).text
    assert invoice["number"] in page
    assert "VAT 20" in page
    assert "Pay 12.00 USD" in page
    declined = sandbox.http.post(invoice["hosted_invoice_url"], data={"card": "pm_card_chargeCustomerFail"})
    assert declined.status_code == 400
    assert "Your card was declined" in declined.text
    asked = sandbox.http.post(invoice["hosted_invoice_url"], data={"card": "pm_card_threeDSecure2Required"})
    passed = sandbox.http.post(asked.headers["location"], data={"outcome": "complete"})
    assert passed.headers["location"] == f"/invoices/{invoice['id']}"
    assert sandbox.get(f"invoices/{invoice['id']}")["status"] == "paid"
    assert "Pay 12.00" not in sandbox.http.get(invoice["hosted_invoice_url"]).text


def test_the_pdf_of_an_invoice_is_well_formed(sandbox: Sandbox) -> None:
    made = sandbox.subscription(sandbox.customer()["id"])
    invoice = sandbox.get(f"invoices/{made['latest_invoice']}")
    answer = sandbox.http.get(invoice["invoice_pdf"])
    assert answer.headers["content-type"] == "application/pdf"
    content = answer.content
    assert invoice["number"].encode() in content
    assert b"10.00 USD" in content
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF", content)[1])  # type: ignore[index]
    assert content[start:].startswith(b"xref\n")
    places = re.findall(rb"(\d{10}) 00000 n ", content[start:])
    for n, place in enumerate(places, 1):
        assert content[int(place) :].startswith(b"%d 0 obj\n" % n)
    for length, stream in re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", content, re.DOTALL):
        assert int(length) == len(stream)


@pytest.mark.parametrize("path", ["pay/cs_test_x", "invoices/in_x", "invoices/in_x.pdf", "portal/bps_x"])
def test_a_page_of_nothing_is_a_404(sandbox: Sandbox, path: str) -> None:
    assert sandbox.http.get(f"/{path}").status_code == 404
