"""Trouble on demand: what fails, and what is there afterwards."""

import time
from typing import Any

import httpx
import pytest

from tests.stripe_sandbox.conftest import HOUR, Sandbox

BEFORE_ANY_WORK = [
    ("429", 429, "rate_limit"),
    ("500", 500, None),
    ("503", 503, None),
    ("lock_timeout", 429, "lock_timeout"),
    ("conflict", 409, "idempotency_key_in_use"),
]


def named(sandbox: Sandbox, name: str) -> list[dict[str, Any]]:
    return [one for one in sandbox.listed("customers") if one["name"] == name]


def create(sandbox: Sandbox, **headers: str) -> httpx.Response:
    return sandbox.ask("POST", "customers", {"name": "Oak"}, **headers)


@pytest.mark.parametrize(("kind", "status", "code"), BEFORE_ANY_WORK)
def test_what_fails_before_any_work_does_nothing_and_may_be_tried_again(
    sandbox: Sandbox, kind: str, status: int, code: str | None
) -> None:
    sandbox.control("faults", kind=kind)
    failed = create(sandbox, Idempotency_Key="one")
    assert (failed.status_code, failed.json()["error"].get("code")) == (status, code)
    assert "Stripe-Should-Retry" not in failed.headers
    assert named(sandbox, "Oak") == []
    assert create(sandbox, Idempotency_Key="one").status_code == 200


def test_a_500_in_the_place_of_the_work_is_the_answer_under_its_key(sandbox: Sandbox) -> None:
    sandbox.control("faults", kind="500_after")
    assert create(sandbox, Idempotency_Key="one").status_code == 500
    again = create(sandbox, Idempotency_Key="one")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (500, "true")
    assert named(sandbox, "Oak") == []


def test_a_time_out_after_the_work_loses_only_the_answer(sandbox: Sandbox) -> None:
    sandbox.control("faults", kind="timeout_after", seconds=20)
    with pytest.raises(httpx.ReadTimeout):
        sandbox.http.post("/v1/customers", data={"name": "Oak"}, headers={"Idempotency-Key": "one"}, timeout=0.3)
    again = create(sandbox, Idempotency_Key="one")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [one["id"] for one in named(sandbox, "Oak")] == [again.json()["id"]]


def test_a_time_out_before_the_work_does_nothing(sandbox: Sandbox) -> None:
    sandbox.control("faults", kind="timeout_before", seconds=20)
    with pytest.raises(httpx.ReadTimeout):
        sandbox.http.post("/v1/customers", data={"name": "Oak"}, timeout=0.3)
    assert named(sandbox, "Oak") == []
    sandbox.control("faults", kind="timeout_before", seconds=0)
    assert create(sandbox).status_code == 503


def test_a_slow_answer_comes_after_so_many_seconds(sandbox: Sandbox) -> None:
    sandbox.control("faults", kind="slow", seconds=0.3)
    began = time.monotonic()
    assert create(sandbox).status_code == 200
    assert time.monotonic() - began >= 0.3


def test_a_dropped_connection_loses_only_the_answer(sandbox: Sandbox) -> None:
    sandbox.control("faults", kind="drop_after")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        create(sandbox, Idempotency_Key="one")
    again = create(sandbox, Idempotency_Key="one")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(named(sandbox, "Oak")) == 1


def test_a_fault_strikes_only_what_it_names_and_only_so_often(sandbox: Sandbox) -> None:
    sandbox.control("faults", kind="500", next=2, method="POST", path_prefix="/v1/customers")
    assert sandbox.ask("POST", "products", {"name": "Practice"}).status_code == 200
    assert sandbox.ask("GET", "customers").status_code == 200
    assert [create(sandbox).status_code for _ in range(3)] == [500, 500, 200]
    assert sandbox.http.get("/_sandbox/faults").json() == {"faults": []}


def test_a_fault_with_a_probability_repeats_with_the_seed(sandbox: Sandbox) -> None:
    def answers() -> list[int]:
        sandbox.control("reset", seed=11)
        sandbox.control("faults", kind="503", probability=0.5)
        return [create(sandbox).status_code for _ in range(20)]

    first = answers()
    assert first == answers()
    assert set(first) == {200, 503}
    sandbox.http.delete("/_sandbox/faults")
    assert create(sandbox).status_code == 200


def test_more_requests_in_a_second_than_allowed_are_refused(sandbox: Sandbox) -> None:
    sandbox.control("settings", requests_per_second=1)
    answers = [sandbox.ask("GET", "customers") for _ in range(20)]
    refused = [one for one in answers if one.status_code == 429]
    assert refused
    assert len(refused) < 20
    assert refused[0].json()["error"]["code"] == "rate_limit"
    assert "Stripe-Should-Retry" not in refused[0].headers
    sandbox.control("settings", requests_per_second=None)
    assert {sandbox.ask("GET", "customers").status_code for _ in range(20)} == {200}


def test_the_next_charge_of_a_customer_is_declined_as_asked(sandbox: Sandbox) -> None:
    spared, struck = sandbox.customer()["id"], sandbox.customer()["id"]
    sandbox.control("charges", outcome="decline", code="insufficient_funds", customer=struck)
    assert sandbox.subscription(spared)["status"] == "active"
    assert sandbox.subscription(struck)["status"] == "incomplete"
    (failed,) = sandbox.listed("charges", customer=struck)
    assert failed["outcome"]["reason"] == "insufficient_funds"
    assert sandbox.subscription(struck)["status"] == "active"


def test_a_declined_renewal_is_past_due_without_another_card(sandbox: Sandbox) -> None:
    made = sandbox.subscription(sandbox.customer()["id"])
    sandbox.control("charges", outcome="decline")
    sandbox.advance_to(made["items"]["data"][0]["current_period_end"] + 2 * HOUR)
    assert sandbox.get(f"subscriptions/{made['id']}")["status"] == "past_due"


def test_a_decline_is_used_up_also_where_the_request_leaves_nothing_behind(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    sandbox.control("charges", outcome="decline", next=1)
    given = {"customer": customer, "items[0][price]": sandbox.price()["id"], "payment_behavior": "error_if_incomplete"}
    assert [sandbox.ask("POST", "subscriptions", given).status_code for _ in range(2)] == [402, 200]
    assert len(sandbox.listed("subscriptions", customer=customer)) == 1


@pytest.mark.parametrize(("succeed", "status"), [(True, "active"), (False, "incomplete")])
def test_authentication_is_asked_for_and_answered(sandbox: Sandbox, succeed: bool, status: str) -> None:
    customer = sandbox.customer()["id"]
    sandbox.control("charges", outcome="authenticate", customer=customer)
    made = sandbox.subscription(customer)
    assert made["status"] == "incomplete"
    (intent,) = sandbox.listed("payment_intents", customer=customer)
    assert intent["status"] == "requires_action"
    sandbox.control(f"payment_intents/{intent['id']}/authenticate", succeed=succeed)
    assert sandbox.get(f"subscriptions/{made['id']}")["status"] == status
    again = sandbox.http.post(f"/_sandbox/payment_intents/{intent['id']}/authenticate", json={})
    assert again.status_code == 400


def test_a_setup_intent_can_be_authenticated(sandbox: Sandbox) -> None:
    customer = sandbox.customer(card=None)["id"]
    given = {"customer": customer, "payment_method": "pm_card_authenticationRequired", "confirm": "true"}
    intent = sandbox.post("setup_intents", given | {"return_url": "http://127.0.0.1:9/back"})
    assert intent["status"] == "requires_action"
    told = sandbox.control(f"setup_intents/{intent['id']}/authenticate", succeed=True)
    assert told["status"] == "succeeded"


@pytest.mark.parametrize(("inquiry", "status"), [(False, "needs_response"), (True, "warning_needs_response")])
def test_a_charge_can_be_disputed(sandbox: Sandbox, inquiry: bool, status: str) -> None:
    customer = sandbox.customer()["id"]
    sandbox.subscription(customer)
    (charge,) = sandbox.listed("charges", customer=customer)
    sandbox.control(f"charges/{charge['id']}/dispute", reason="duplicate", inquiry=inquiry)
    (made,) = sandbox.listed("disputes", charge=charge["id"])
    assert (made["status"], made["reason"]) == (status, "duplicate")
    assert sandbox.http.post(f"/_sandbox/charges/{charge['id']}/dispute", json={}).status_code == 400


def test_a_customer_can_be_deleted_behind_the_clients_back(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    made = sandbox.subscription(customer)
    assert sandbox.http.delete(f"/_sandbox/customers/{customer}").json() == {"id": customer, "deleted": True}
    assert sandbox.get(f"customers/{customer}") == {"id": customer, "object": "customer", "deleted": True}
    assert sandbox.get(f"subscriptions/{made['id']}")["status"] == "canceled"
    assert sandbox.event_types()[-1] == "customer.deleted"
    assert sandbox.http.delete("/_sandbox/customers/cus_no").status_code == 404


def test_idempotency_keys_can_be_forgotten(sandbox: Sandbox) -> None:
    first = create(sandbox, Idempotency_Key="one").json()["id"]
    sandbox.http.delete("/_sandbox/idempotency_keys").raise_for_status()
    assert create(sandbox, Idempotency_Key="one").json()["id"] != first


def test_customers_are_seeded_with_a_paid_invoice_each(sandbox: Sandbox) -> None:
    told = sandbox.control("seed", customers=3)
    more = sandbox.control("seed", customers=2, price=told["price"])
    assert len(told["customers"] + more["customers"]) == len(sandbox.listed("customers")) == 5
    assert {one["status"] for one in sandbox.listed("subscriptions")} == {"active"}
    assert [one["status"] for one in sandbox.listed("invoices")] == ["paid"] * 5
    unknown = sandbox.http.post("/_sandbox/seed", json={"customers": 1, "price": "price_no"})
    assert unknown.status_code == 400
    assert len(sandbox.listed("customers")) == 5


WRONG = [
    ("faults", {"kind": "flood"}),
    ("faults", {}),
    ("faults", {"kind": "500", "next": 0}),
    ("faults", {"kind": "500", "next": True}),
    ("faults", {"kind": "500", "path_prefix": 7}),
    ("faults", {"kind": "500", "probability": 2}),
    ("faults", {"kind": ["500"]}),
    ("clock", {}),
    ("clock", {"now": "tomorrow"}),
    ("clock", {"now": 1, "advance": 1}),
    ("clock", {"advance": -60}),
    ("clock", {"advance": 20 * 366 * 86_400}),
    ("delivery", {"mode": "post"}),
    ("delivery", {"drop": -1}),
    ("delivery", {"shuffle": "yes"}),
    ("deliveries/take", {"limit": "all"}),
    ("deliveries/take", {"colour": "red"}),
    ("charges", {}),
    ("charges", {"outcome": "decline", "code": "no_reason"}),
    ("charges", {"outcome": "authenticate", "code": "lost_card"}),
    ("charges", {"outcome": "decline", "customer": "cus_no"}),
    ("settings", {"retries_exhausted": "shrug"}),
    ("settings", {"retry_days": [3, "five"]}),
    ("settings", {"requests_per_second": 0}),
    ("settings", {"requests_per_endpoint": 0}),
    ("settings", {"latency_seconds": -1}),
    ("settings", {"latency_spread_seconds": "long"}),
    ("settings", {"retry_seconds": -1}),
    ("checkout/sessions/cs_no/complete", {"card": 7}),
    ("payment_methods/pm_no/renew", {"exp_month": 13}),
    ("refunds/re_no/settle", {"amount": 5}),
    ("seed", {}),
    ("seed", {"customers": 10**9}),
    ("reset", {"seed": "x"}),
    ("reset", []),
    ("reset", "all"),
]


@pytest.mark.parametrize(("path", "body"), WRONG)
def test_a_wrong_control_request_is_told_what_is_allowed(sandbox: Sandbox, path: str, body: Any) -> None:
    answer = sandbox.http.post(f"/_sandbox/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_control_request_that_is_not_json_is_told_what_is_allowed(sandbox: Sandbox) -> None:
    for body in (b"{", b"\xff", b"kind=500"):
        answer = sandbox.http.post("/_sandbox/faults", content=body)
        assert answer.status_code == 400
        assert "kind (one of 429, " in answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "events/evt_no/resend",
        "webhook_endpoints/we_no/roll",
        "charges/ch_no/dispute",
        "payment_intents/pi_no/authenticate",
        "setup_intents/seti_no/authenticate",
        "checkout/sessions/cs_no/complete",
        "refunds/re_no/settle",
    ],
)
def test_a_control_request_about_nothing_is_a_404(sandbox: Sandbox, path: str) -> None:
    assert sandbox.http.post(f"/_sandbox/{path}").status_code == 404
