"""Events and how they are handed over."""

import json

import pytest
import stripe

from tests.stripe_sandbox.conftest import SECRET, Sandbox


def endpoint(sandbox: Sandbox, *types: str) -> dict[str, str]:
    given = {"url": "http://127.0.0.1:9/hook"}
    return sandbox.post("webhook_endpoints", given | {f"enabled_events[{n}]": one for n, one in enumerate(types)})


def test_a_delivery_is_signed_as_stripe_signs(sandbox: Sandbox) -> None:
    endpoint(sandbox, "*")
    sandbox.customer(card=None)
    (sent,) = sandbox.control("deliveries/take")["deliveries"]
    signature = sent["headers"]["Stripe-Signature"]
    assert stripe.WebhookSignature.verify_header(sent["body"], signature, SECRET, tolerance=300)
    assert json.loads(sent["body"])["type"] == "customer.created"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(sent["body"] + " ", signature, SECRET, tolerance=300)


def test_an_endpoint_hears_only_what_it_asked_for(sandbox: Sandbox) -> None:
    endpoint(sandbox, "invoice.paid")
    sandbox.subscription(sandbox.customer()["id"])
    assert [one["type"] for one in sandbox.control("deliveries/take")["deliveries"]] == ["invoice.paid"]


def test_the_secret_is_shown_only_at_creation(sandbox: Sandbox) -> None:
    made = endpoint(sandbox, "*")
    assert made["secret"] == SECRET
    assert not sandbox.get(f"webhook_endpoints/{made['id']}").get("secret")


def test_deliveries_are_taken_shuffled_and_twice_on_demand(sandbox: Sandbox) -> None:
    endpoint(sandbox, "*")
    sandbox.subscription(sandbox.customer()["id"])
    order = [one["id"] for one in reversed(sandbox.listed("events"))]
    taken = [one["event"] for one in sandbox.control("deliveries/take", shuffle_seed=7, duplicate=True)["deliveries"]]
    assert sorted(taken) == sorted(order * 2)
    assert taken != order * 2
    assert sandbox.control("deliveries/take")["deliveries"] == []


def test_an_event_can_be_sent_again(sandbox: Sandbox) -> None:
    endpoint(sandbox, "*")
    sandbox.customer(card=None)
    first = sandbox.control("deliveries/take", limit=1)["deliveries"][0]
    sandbox.control(f"events/{first['event']}/resend")
    again = sandbox.control("deliveries/take")["deliveries"][0]
    assert again["event"] == first["event"]


def test_an_event_tells_the_request_and_what_was_before(sandbox: Sandbox) -> None:
    customer = sandbox.customer(card=None)
    sandbox.ask("POST", f"customers/{customer['id']}", {"name": "Oak Street"}, Idempotency_Key="one")
    event = sandbox.listed("events")[0]
    assert event["data"]["previous_attributes"] == {"name": "Maple Street"}
    assert event["request"]["idempotency_key"] == "one"
    created = sandbox.listed("events", type="customer.created")[0]
    assert "previous_attributes" not in created["data"]
