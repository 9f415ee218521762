"""Events and how they are handed over."""

import json
import time
from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.conftest import DAY, SECRET, Sandbox
from tests.stripe_sandbox.receiver import Receiver, eventually


def verified(sent: dict[str, Any], secret: str) -> bool:
    return stripe.WebhookSignature.verify_header(
        sent["body"], sent["headers"]["Stripe-Signature"], secret, tolerance=300
    )


def event(sandbox: Sandbox, key: str) -> dict[str, Any]:
    return sandbox.get(f"events/{key}")


def test_a_delivery_is_signed_as_stripe_signs(sandbox: Sandbox) -> None:
    sandbox.endpoint()
    sandbox.customer(card=None)
    (sent,) = sandbox.take()
    assert verified(sent, SECRET)
    assert json.loads(sent["body"])["type"] == "customer.created"
    with pytest.raises(stripe.SignatureVerificationError):
        verified({**sent, "body": sent["body"] + " "}, SECRET)
    assert f"v0={'0' * 64}" in sent["headers"]["Stripe-Signature"]  # which stripe's client passes over


def test_an_endpoint_hears_only_what_it_asked_for(sandbox: Sandbox) -> None:
    sandbox.endpoint("http://127.0.0.1:9/hook", "invoice.paid")
    sandbox.subscription(sandbox.customer()["id"])
    assert [one["type"] for one in sandbox.take()] == ["invoice.paid"]


def test_the_secret_is_shown_only_at_creation(sandbox: Sandbox) -> None:
    made = sandbox.endpoint()
    assert made["secret"] == SECRET
    assert not sandbox.get(f"webhook_endpoints/{made['id']}").get("secret")


def test_a_rolled_secret_signs_beside_the_new_one_until_it_expires(sandbox: Sandbox) -> None:
    made = sandbox.endpoint()
    new = sandbox.control(f"webhook_endpoints/{made['id']}/roll", keep_seconds=3600)["secret"]
    sandbox.customer(card=None)
    (both,) = sandbox.take()
    assert new != SECRET
    assert verified(both, SECRET)
    assert verified(both, new)
    sandbox.control(f"webhook_endpoints/{made['id']}/roll", secret="whsec_third", keep_seconds=0)
    sandbox.customer(card=None)
    (last,) = sandbox.take()
    assert verified(last, "whsec_third")
    assert verified(last, SECRET)  # it was promised an hour
    with pytest.raises(stripe.SignatureVerificationError):
        verified(last, new)


def test_deliveries_are_taken_shuffled_and_twice_on_demand(sandbox: Sandbox) -> None:
    sandbox.endpoint()
    sandbox.subscription(sandbox.customer()["id"])
    order = [one["id"] for one in reversed(sandbox.listed("events"))]
    taken = [one["event"] for one in sandbox.take(shuffle_seed=7, duplicate=True)]
    assert sorted(taken) == sorted(order * 2)
    assert taken != order * 2
    assert sandbox.take() == []


def test_an_event_can_be_sent_again(sandbox: Sandbox) -> None:
    sandbox.endpoint()
    sandbox.customer(card=None)
    first = sandbox.take(limit=1)[0]
    sandbox.control(f"events/{first['event']}/resend")
    again = sandbox.take()[0]
    assert again["event"] == first["event"]


def test_an_event_tells_the_request_and_what_was_before(sandbox: Sandbox) -> None:
    customer = sandbox.customer(card=None)
    sandbox.ask("POST", f"customers/{customer['id']}", {"name": "Oak Street"}, Idempotency_Key="one")
    event = sandbox.listed("events")[0]
    assert event["data"]["previous_attributes"] == {"name": "Maple Street"}
    assert event["request"]["idempotency_key"] == "one"
    created = sandbox.listed("events", type="customer.created")[0]
    assert "previous_attributes" not in created["data"]


def test_an_event_is_sent_by_itself_and_waits_for_one_endpoint_fewer_each_time(
    sandbox: Sandbox, receiver: Receiver, other_receiver: Receiver
) -> None:
    sandbox.control("delivery", mode="auto")
    other_receiver.open.clear()
    sandbox.endpoint(receiver.url)
    sandbox.endpoint(other_receiver.url)
    sandbox.customer(card=None)
    key = receiver.next()["id"]
    assert eventually(lambda: event(sandbox, key)["pending_webhooks"] == 1)
    other_receiver.open.set()
    assert eventually(lambda: event(sandbox, key)["pending_webhooks"] == 0)
    assert [one["status"] for one in sandbox.deliveries()] == ["delivered", "delivered"]


def test_a_redirect_is_a_failure_and_the_next_attempt_is_signed_afresh(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.control("settings", retry_seconds=3_600)
    sandbox.control("delivery", mode="auto")
    receiver.answers.put(302)
    endpoint = sandbox.endpoint(receiver.url)
    sandbox.customer(card=None)
    first, body = receiver.received.get(timeout=5)
    eventually(lambda: sandbox.deliveries()[0]["attempts"])
    sandbox.control(f"webhook_endpoints/{endpoint['id']}/roll", secret="whsec_another", keep_seconds=0)
    sandbox.control("settings", retry_seconds=0)  # which ends the wait
    second, again = receiver.received.get(timeout=5)
    assert json.loads(body)["id"] == json.loads(again)["id"]
    for headers, sent, secret in ((first, body, SECRET), (second, again, "whsec_another")):
        assert verified({"body": sent, "headers": headers}, secret)
    delivery = eventually(lambda: next((one for one in sandbox.deliveries() if one["status"] == "delivered"), None))
    assert [one["status"] for one in delivery["attempts"]] == [302, 200]


def test_no_connection_is_a_failure_and_tells_when_the_next_attempt_is(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.close()
    sandbox.control("delivery", mode="auto")
    sandbox.endpoint(receiver.url)
    began = time.time()
    key = sandbox.customer(card=None)["id"]
    delivery = eventually(lambda: next((one for one in sandbox.deliveries() if one["attempts"]), None))
    assert delivery["attempts"][0]["error"] == "ConnectError"
    assert delivery["status"] == "pending"
    assert began < delivery["due"] < time.time() + 60
    (undelivered,) = sandbox.listed("events", delivery_success="false")
    assert undelivered["data"]["object"]["id"] == key


@pytest.mark.parametrize("address", ["http://xn--/", "http://.../"])
def test_an_impossible_address_is_a_failure_and_others_hear(sandbox: Sandbox, receiver: Receiver, address: str) -> None:
    sandbox.control("delivery", mode="auto")
    sandbox.endpoint(address)
    sandbox.endpoint(receiver.url)
    customer = sandbox.customer(card=None)["id"]
    assert receiver.next()["data"]["object"]["id"] == customer
    assert eventually(lambda: [one for one in sandbox.deliveries() if one["attempts"] and one["status"] == "pending"])


def test_an_endpoint_that_does_not_answer_keeps_no_other_waiting(
    sandbox: Sandbox, receiver: Receiver, other_receiver: Receiver
) -> None:
    sandbox.control("delivery", mode="auto")
    receiver.open.clear()
    sandbox.endpoint(receiver.url)
    sandbox.endpoint(other_receiver.url)
    made = {sandbox.customer(card=None)["id"] for _ in range(20)}
    assert {other_receiver.next()["data"]["object"]["id"] for _ in made} == made
    assert receiver.received.qsize() <= 8  # so many at a time


@pytest.mark.parametrize("end", ["delete", "disable"])
def test_what_waits_for_an_endpoint_that_is_gone_ends(sandbox: Sandbox, end: str) -> None:
    made = sandbox.endpoint()
    sandbox.customer(card=None)
    if end == "delete":
        sandbox.ask("DELETE", f"webhook_endpoints/{made['id']}").raise_for_status()
    else:
        sandbox.post(f"webhook_endpoints/{made['id']}", {"disabled": "true"})
    assert sandbox.take() == []
    assert [one["status"] for one in sandbox.deliveries()] == ["ended"]


def test_a_dropped_delivery_is_never_sent_and_its_event_can_be_found(sandbox: Sandbox) -> None:
    sandbox.endpoint()
    sandbox.control("delivery", drop=1)
    lost, kept = sandbox.customer(card=None)["id"], sandbox.customer(card=None)["id"]
    assert [json.loads(one["body"])["data"]["object"]["id"] for one in sandbox.take()] == [kept]
    assert [one["status"] for one in sandbox.deliveries()] == ["dropped", "delivered"]
    (found,) = sandbox.listed("events", delivery_success="false")
    assert found["data"]["object"]["id"] == lost
    sandbox.control(f"events/{found['id']}/resend")
    assert len(sandbox.take()) == 1
    assert event(sandbox, found["id"])["pending_webhooks"] == 0


def test_a_doubled_delivery_comes_twice_and_counts_once(sandbox: Sandbox) -> None:
    sandbox.endpoint()
    sandbox.endpoint("http://127.0.0.1:9/other", "customer.deleted")
    sandbox.control("delivery", duplicate=1)
    customer = sandbox.customer(card=None)["id"]
    sandbox.post(f"customers/{customer}", {"name": "Oak Street"})
    taken = [one["type"] for one in sandbox.take()]
    assert taken == ["customer.created", "customer.created", "customer.updated"]
    sandbox.endpoint("http://127.0.0.1:9/third", "customer.deleted")
    sandbox.control("delivery", duplicate=1)
    sandbox.ask("DELETE", f"customers/{customer}").raise_for_status()
    twice = sandbox.take(limit=2)
    assert twice[0] | {"delivery": "", "headers": {}, "body": ""} == twice[1] | {
        "delivery": "",
        "headers": {},
        "body": "",
    }
    assert event(sandbox, twice[0]["event"])["pending_webhooks"] == 2  # two other endpoints have not heard


def test_a_doubled_delivery_is_sent_twice_by_itself(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.control("delivery", mode="auto", duplicate=1)
    sandbox.endpoint(receiver.url)
    sandbox.customer(card=None)
    assert receiver.next()["id"] == receiver.next()["id"]


def test_a_delayed_delivery_comes_after_later_ones(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.endpoint(receiver.url)
    sandbox.control("delivery", delay=1, seconds=0.3)
    began = time.monotonic()
    late, early = sandbox.customer(card=None)["id"], sandbox.customer(card=None)["id"]
    sandbox.control("delivery", mode="auto")
    assert [receiver.next()["data"]["object"]["id"] for _ in range(2)] == [early, late]
    assert time.monotonic() - began >= 0.3


def test_a_delayed_delivery_cannot_be_taken_before_its_time(sandbox: Sandbox) -> None:
    sandbox.endpoint()
    sandbox.control("delivery", delay=1, seconds=600)
    sandbox.customer(card=None)
    assert [sandbox.take() for _ in range(3)] == [[], [], []]
    sandbox.control("delivery", delay=1, seconds=0.2)
    sandbox.customer(card=None)
    assert len(eventually(sandbox.take)) == 1


def test_shuffled_deliveries_come_in_another_order_that_the_seed_repeats(sandbox: Sandbox) -> None:
    def taken() -> list[str]:
        sandbox.control("reset", seed=5)
        sandbox.endpoint()
        sandbox.control("delivery", shuffle=True)
        for n in range(12):
            sandbox.post("products", {"name": f"Practice {n}"})
        return [json.loads(one["body"])["data"]["object"]["name"] for one in sandbox.take()]

    first = taken()
    assert first == taken()
    assert sorted(first, key=lambda name: int(name[9:])) != first


def test_a_reset_ends_the_trouble_and_gives_the_mode_of_the_start_again(sandbox: Sandbox) -> None:
    sandbox.control("delivery", mode="auto", drop=3)
    sandbox.control("reset")
    told = sandbox.http.get("/_sandbox/delivery").json()
    assert (told["mode"], told["drop"]) == ("manual", 0)


def test_events_are_gone_after_thirty_days_unless_they_still_wait(sandbox: Sandbox) -> None:
    sandbox.endpoint("http://127.0.0.1:9/hook", "customer.created")
    sandbox.post("products", {"name": "Practice"})
    sandbox.customer(card=None)
    sandbox.advance(31 * DAY)
    sandbox.advance(DAY)
    assert sandbox.event_types() == []
    (sent,) = sandbox.take()
    assert sent["type"] == "customer.created"
    sandbox.advance(DAY)
    assert sandbox.deliveries() == []
