"""The pages for a person: what they show, and what their buttons do."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Sandbox
from tests.stripe_sandbox.receiver import Receiver, eventually


def page(sandbox: Sandbox, path: str = "/") -> str:
    return sandbox.http.get(path).raise_for_status().text


def press(sandbox: Sandbox, path: str, **values: str) -> httpx.Response:
    return sandbox.http.post(path, data=values)


def seen(html: str) -> str:
    """The text as it is read: tags are one space."""
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.S))


def test_an_empty_sandbox_says_what_to_do_next(sandbox: Sandbox) -> None:
    told = seen(page(sandbox))
    assert "create a customer" in told
    assert "Register a webhook endpoint" in told
    sandbox.endpoint()
    assert "Every event that an endpoint asked for is listed here" in seen(page(sandbox))


def test_it_shows_customers_subscriptions_invoices_deliveries_and_requests(sandbox: Sandbox) -> None:
    sandbox.endpoint("http://127.0.0.1:9/hook", "invoice.paid")
    customer = sandbox.customer()["id"]
    made = sandbox.subscription(customer)
    told = seen(page(sandbox))
    (invoice,) = sandbox.listed("invoices")
    assert "Maple Street active 0.00 USD visa …4242" in told
    assert f"Maple Street {made['id']} active Practice, 10.00 USD each month 1" in told
    assert f"{invoice['number']} Maple Street paid 10.00 USD – 1" in told
    assert "invoice.paid http://127.0.0.1:9/hook pending none when taken" in told
    assert "POST /v1/subscriptions 200" in told


def test_names_cannot_become_markup(sandbox: Sandbox) -> None:
    name = "<script>alert(1)</script>\"'&"
    customer = sandbox.post("customers", {"name": name, "email": "a<b@maple.example"})["id"]
    sandbox.post("test_helpers/test_clocks", {"frozen_time": sandbox.now(), "name": "<i>x</i>"})
    for path in ("/", f"/customers/{customer}"):
        shown = page(sandbox, path)
        assert "<script" not in shown
        assert "<i>" not in shown
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [("jpy", 1200, "1,200 JPY"), ("usd", 123456, "1,234.56 USD"), ("kwd", 1500, "1.500 KWD")],
)
def test_money_has_the_decimals_of_its_currency(sandbox: Sandbox, currency: str, amount: int, shown: str) -> None:
    product = sandbox.post("products", {"name": "Practice"})["id"]
    price = {"product": product, "currency": currency, "unit_amount": amount, "recurring[interval]": "month"}
    customer = sandbox.customer()["id"]
    given = {"customer": customer, "items[0][price]": sandbox.post("prices", price)["id"]}
    sandbox.post("subscriptions", given)
    assert f"paid {shown}" in seen(page(sandbox))
    assert f"{shown} succeeded" in seen(page(sandbox, f"/customers/{customer}"))


@pytest.mark.parametrize(
    ("step", "least", "most"), [("hour", HOUR, HOUR), ("day", DAY, DAY), ("month", 28 * DAY, 31 * DAY)]
)
def test_the_buttons_let_time_pass(sandbox: Sandbox, step: str, least: int, most: int) -> None:
    before = sandbox.now()
    answer = press(sandbox, "/clock", by=step)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert least <= sandbox.now() - before <= most + 5


def test_a_test_clock_has_buttons_of_its_own(sandbox: Sandbox) -> None:
    then = sandbox.now()
    clock = sandbox.post("test_helpers/test_clocks", {"frozen_time": then, "name": "Spring"})["id"]
    sandbox.post("customers", {"name": "Oak", "test_clock": clock})
    assert "Test clock Spring, 1 customer " in seen(page(sandbox))
    assert press(sandbox, "/clock", by="week", clock=clock).status_code == 303
    assert f"1 customer {datetime.fromtimestamp(then + 7 * DAY, UTC):%d %b %Y, %H:%M} UTC" in seen(page(sandbox))
    moved = sandbox.get(f"test_helpers/test_clocks/{clock}")
    assert (moved["status"], moved["frozen_time"]) == ("ready", then + 7 * DAY)
    assert sandbox.now() < then + DAY


@pytest.mark.parametrize("wrong", [{}, {"by": "century"}, {"by": "day", "clock": "clock_no"}])
def test_what_a_button_cannot_do_is_told_on_a_page(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    answer = press(sandbox, "/clock", **wrong)
    assert answer.status_code in (400, 404)
    assert "That was refused" in answer.text


def test_a_delivery_shows_its_attempts_and_can_be_sent_again(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.control("delivery", mode="auto")
    receiver.answers.put(503)
    sandbox.endpoint(receiver.url)
    sandbox.customer(card=None)
    first = receiver.next()
    waiting = eventually(lambda: next((one for one in sandbox.deliveries() if one["attempts"]), None))
    assert re.search(rf"customer.created {re.escape(receiver.url)} pending [\d:]+ UTC 503 ", seen(page(sandbox)))
    assert receiver.next()["id"] == first["id"]  # by itself
    assert eventually(lambda: sandbox.deliveries()[0]["status"] == "delivered")
    press(sandbox, f"/deliveries/{waiting['id']}/again")
    assert receiver.next()["id"] == first["id"]
    assert press(sandbox, "/deliveries/dlv_no/again").status_code == 404


def test_a_delivery_that_waits_can_be_sent_now(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.control("delivery", mode="auto", delay=1, seconds=600)
    sandbox.endpoint(receiver.url)
    sandbox.customer(card=None)
    waiting = eventually(lambda: next((one for one in sandbox.deliveries() if one["due"]), None))
    assert receiver.received.empty()
    press(sandbox, f"/deliveries/{waiting['id']}/again")
    assert receiver.next()["id"] == waiting["event"]


def test_a_customers_page_shows_everything_of_it(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    other = sandbox.post("customers", {"name": "Oak Street"})["id"]
    made = sandbox.subscription(customer)
    sandbox.post(f"customers/{customer}/balance_transactions", {"amount": -500, "currency": "usd"})
    told = seen(page(sandbox, f"/customers/{customer}"))
    wanted = [made["id"], "billing@maple.example", "visa …4242", "-5.00 USD", "customer.subscription.created"]
    wanted += [sandbox.listed("charges")[0]["id"], sandbox.listed("invoices")[0]["number"]]
    assert [one for one in wanted if one not in told] == []
    assert made["id"] not in seen(page(sandbox, f"/customers/{other}"))
    assert f'href="/customers/{customer}"' in page(sandbox)


def test_a_page_of_nobody_is_a_404_and_of_a_deleted_customer_says_so(sandbox: Sandbox) -> None:
    assert sandbox.http.get("/customers/cus_no").status_code == 404
    customer = sandbox.customer()["id"]
    sandbox.subscription(customer)
    sandbox.ask("DELETE", f"customers/{customer}").raise_for_status()
    told = seen(page(sandbox, f"/customers/{customer}"))
    assert "Deleted customer" in told
    assert "customer.deleted" in told
    assert "deleted customer" in seen(page(sandbox))


def test_a_customers_buttons_decline_and_authenticate(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    press(sandbox, f"/customers/{customer}/next_charge", outcome="decline")
    assert "Planned: decline" in seen(page(sandbox, f"/customers/{customer}"))
    assert sandbox.subscription(customer)["status"] == "incomplete"
    press(sandbox, f"/customers/{customer}/next_charge", outcome="authenticate")
    waits = sandbox.subscription(customer)["id"]
    (intent,) = [one for one in sandbox.listed("payment_intents") if one["status"] == "requires_action"]
    assert f"{intent['id']} requires action Complete Fail" in seen(page(sandbox, f"/customers/{customer}"))
    assert press(sandbox, f"/customers/{customer}/intents/{intent['id']}", succeed="yes").status_code == 303
    assert sandbox.get(f"subscriptions/{waits}")["status"] == "active"
    assert press(sandbox, f"/customers/{customer}/intents/{intent['id']}", succeed="no").status_code == 400


def test_the_pages_need_nothing_from_elsewhere(sandbox: Sandbox) -> None:
    sandbox.subscription(sandbox.customer()["id"])
    for path in ("/", f"/customers/{sandbox.listed('customers')[0]['id']}"):
        found: list[Any] = re.findall(r"<script|<link|<img|@import|url\(|https?://", page(sandbox, path))
        assert found == []
