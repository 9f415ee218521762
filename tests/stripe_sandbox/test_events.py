"""Events as they are listed, and webhook endpoints."""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, SECRET, Sandbox

HOOK = {"url": "http://127.0.0.1:9/hook", "enabled_events[0]": "*"}


def kinds(sandbox: Sandbox, **wanted: Any) -> list[str]:
    return [one["type"] for one in sandbox.listed("events", **wanted)]


def test_events_are_listed_by_type_time_and_delivery(sandbox: Sandbox) -> None:
    sandbox.post("customers", {"payment_method": "pm_card_visa"})
    sandbox.post("products", {"name": "Practice"})
    sandbox.post("webhook_endpoints", {**HOOK, "enabled_events[0]": "coupon.created"})
    sandbox.post("coupons", {"percent_off": 5})
    assert kinds(sandbox, type="customer.created") == ["customer.created"]
    assert kinds(sandbox, type="customer.*") == ["customer.created"]
    assert kinds(sandbox, **{"types[0]": "product.created", "types[1]": "payment_method.attached"}) == [
        "product.created",
        "payment_method.attached",
    ]
    assert kinds(sandbox, delivery_success="false") == ["coupon.created"]
    assert len(kinds(sandbox, delivery_success="true")) == 3
    now = sandbox.now()
    assert kinds(sandbox, **{"created[gt]": now + 60}) == []
    assert len(kinds(sandbox, **{"created[lte]": now + 60})) == 4
    first = sandbox.get("events", limit=2)
    assert first["has_more"]
    rest = sandbox.get("events", limit=2, starting_after=first["data"][-1]["id"])
    assert [one["type"] for one in rest["data"]] == ["customer.created", "payment_method.attached"]
    one = first["data"][0]
    assert sandbox.get(f"events/{one['id']}") == one
    assert one["request"]["id"].startswith("req_")


@pytest.mark.parametrize(
    "wanted",
    [{"type": "a", "types[0]": "b"}, {f"types[{n}]": "customer.created" for n in range(21)}, {"delivery_success": "?"}],
)
def test_a_list_of_events_that_is_refused(sandbox: Sandbox, wanted: dict[str, str]) -> None:
    sandbox.refused("GET", "events", wanted)


def test_an_event_is_kept_for_thirty_days(sandbox: Sandbox) -> None:
    sandbox.post("customers")
    (one,) = sandbox.listed("events")
    sandbox.advance(30 * DAY - 60)
    assert sandbox.get(f"events/{one['id']}") == one
    sandbox.advance(120)
    assert sandbox.listed("events") == []
    assert sandbox.refused("GET", f"events/{one['id']}", status=404)["code"] == "resource_missing"


def test_an_event_carries_the_key_of_its_request(sandbox: Sandbox) -> None:
    sandbox.ask("POST", "customers", {"name": "Maple"}, Idempotency_Key="mine")
    assert sandbox.listed("events")[0]["request"]["idempotency_key"] == "mine"


def test_an_endpoint_tells_its_secret_once(sandbox: Sandbox) -> None:
    made = sandbox.post("webhook_endpoints", {**HOOK, "description": "Ours", "metadata[a]": "1"})
    assert made["secret"] == SECRET
    assert (made["status"], made["description"], made["metadata"]) == ("enabled", "Ours", {"a": "1"})
    shown = sandbox.get(f"webhook_endpoints/{made['id']}")
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert sandbox.listed("webhook_endpoints") == [shown]
    assert sandbox.ask("DELETE", f"webhook_endpoints/{made['id']}").json()["deleted"]
    sandbox.refused("GET", f"webhook_endpoints/{made['id']}", status=404)


def test_an_endpoint_gets_what_it_asks_for_while_it_is_enabled(sandbox: Sandbox) -> None:
    made = sandbox.post("webhook_endpoints", {**HOOK, "enabled_events[0]": "customer.created"})
    path = f"webhook_endpoints/{made['id']}"
    sandbox.post("customers")
    sandbox.post("products", {"name": "Practice"})
    given = {"disabled": "true", "description": "Off", "metadata[a]": "1", "url": "http://127.0.0.1:9/other"}
    changed = sandbox.post(path, given)
    assert (changed["status"], changed["description"], changed["metadata"]) == ("disabled", "Off", {"a": "1"})
    assert changed["url"] == "http://127.0.0.1:9/other"
    sandbox.post("customers")
    changed = sandbox.post(path, {"disabled": "false", "enabled_events[0]": "product.created", "description": ""})
    assert (changed["status"], changed["enabled_events"], changed["description"]) == (
        "enabled",
        ["product.created"],
        None,
    )
    sandbox.post("products", {"name": "Clinic"})
    sandbox.post("customers")
    taken = [one["type"] for one in sandbox.control("deliveries/take")["deliveries"]]
    assert taken == ["customer.created", "product.created"]


@pytest.mark.parametrize(
    ("given", "status", "param"),
    [
        ({"url": "maple.example"}, 400, "url"),
        ({"enabled_events[0]": "customer.sneezed"}, 400, "enabled_events[0]"),
        ({"connect": "true"}, 501, None),
        ({"api_version": "2020-08-27"}, 501, None),
    ],
)
def test_an_endpoint_that_is_refused(sandbox: Sandbox, given: dict[str, str], status: int, param: str | None) -> None:
    assert sandbox.refused("POST", "webhook_endpoints", {**HOOK, **given}, status=status).get("param") == param
    assert sandbox.listed("webhook_endpoints") == []


def test_there_are_at_most_sixteen_endpoints(sandbox: Sandbox) -> None:
    for _ in range(16):
        sandbox.post("webhook_endpoints", HOOK)
    sandbox.refused("POST", "webhook_endpoints", HOOK)
