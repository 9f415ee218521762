"""Everything the local Stripe shows has the shape that stripe-python documents."""

import functools
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from stripe_sandbox import expectations
from stripe_sandbox.schema import load
from tests.stripe_sandbox.conftest import DAY, HOUR, Sandbox

FOLDER = Path(load.__file__).parent
LISTS = (
    "customers products prices payment_methods subscriptions invoices invoice_payments payment_intents charges "
    "refunds webhook_endpoints"
).split()


def json_schema(openapi: Any) -> Any:
    """OpenAPI 3.0's dialect as JSON Schema: what is nullable may be null; an enum of "" alone is open."""
    if isinstance(openapi, list):
        return [json_schema(one) for one in openapi]
    if not isinstance(openapi, dict):
        return openapi
    kept = {k: json_schema(v) for k, v in openapi.items() if not (k == "nullable" and v is True)}
    if kept.get("enum") == [""]:
        del kept["enum"]
    return {"anyOf": [kept, {"type": "null"}]} if openapi.get("nullable") is True else kept


SCHEMAS = json_schema(load.OBJECTS)


@functools.cache
def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{kind}", "components": {"schemas": SCHEMAS}})


def faults(shown: dict[str, Any]) -> set[str]:
    kind = shown["object"]
    found = {f"{kind}{one.json_path[1:]}: {one.message[:160]}" for one in validator(kind).iter_errors(shown)}
    return found | {f"{kind}.{name}: unknown" for name in set(shown) - set(load.OBJECTS[kind]["properties"])}


def broad_scenario(sandbox: Sandbox) -> None:
    hook = {"url": "http://127.0.0.1:9/hook", "enabled_events[0]": "*"}
    sandbox.post("webhook_endpoints", hook)
    good = sandbox.customer()["id"]
    paid = sandbox.subscription(good)
    sandbox.subscription(good, trial_period_days=5)
    waiting = sandbox.subscription(good, payment_behavior="default_incomplete")
    sandbox.post(f"invoices/{waiting['latest_invoice']}/pay")
    sandbox.post(f"subscriptions/{waiting['id']}", {"cancel_at_period_end": "true"})
    voided = sandbox.subscription(good, payment_behavior="default_incomplete")
    sandbox.ask("DELETE", f"subscriptions/{voided['id']}").raise_for_status()
    sandbox.subscription(good, payment_behavior="default_incomplete")  # expires
    sandbox.subscription(sandbox.customer("pm_card_chargeCustomerFail")["id"])
    sandbox.post("refunds", {"charge": sandbox.listed("charges", customer=good)[0]["id"], "amount": 1})
    failing = sandbox.customer()["id"]
    sandbox.subscription(failing)
    sandbox.use_card(failing, "pm_card_chargeCustomerFail")
    extra = sandbox.post("payment_methods/pm_card_mastercard/attach", {"customer": good})
    sandbox.post(f"payment_methods/{extra['id']}/detach")
    sandbox.advance_to(paid["items"]["data"][0]["current_period_end"] + HOUR)
    sandbox.advance(20 * DAY)
    leaving = sandbox.customer()["id"]
    sandbox.subscription(leaving)
    sandbox.ask("DELETE", f"customers/{leaving}").raise_for_status()


def test_everything_shown_in_a_broad_scenario_has_its_documented_shape(sandbox: Sandbox) -> None:
    broad_scenario(sandbox)
    shown = [sandbox.get("account")]
    for path in LISTS:
        found = sandbox.listed(path, **({"status": "all"} if path == "subscriptions" else {}))
        assert found, path
        shown += found
    for one in sandbox.listed("subscriptions", status="all"):
        shown += sandbox.listed("subscription_items", subscription=one["id"])
    events, after = [], {}
    while page := sandbox.listed("events", **after):
        events += page
        after = {"starting_after": page[-1]["id"]}
    shown += events + [one["data"]["object"] for one in events]
    shown += [line for one in sandbox.listed("invoices") for line in one["lines"]["data"]]
    wrong = sorted(set().union(*(faults(one) for one in shown)))
    assert not wrong, "\n".join(wrong)
    statuses = {one["status"] for one in sandbox.listed("subscriptions", status="all")}
    assert statuses >= {"active", "canceled", "incomplete_expired"}
    known = set(load.DOCUMENT["x-event-types"])
    assert {one["type"] for one in events} <= known


def test_the_check_of_shapes_finds_a_wrong_one() -> None:
    right = load.new("customer", id="cus_x", created=1)
    assert faults(right) == set()
    assert faults({**right, "created": "yesterday"})
    assert faults({name: value for name, value in right.items() if name != "created"})
    assert faults({**right, "colour": "red"})


@pytest.mark.parametrize("sentence", expectations.EXPECTATIONS)
def test_the_readme_tells_what_is_expected_and_not_confirmed(sentence: str) -> None:
    assert f"- {sentence}\n" in (FOLDER.parent / "README.md").read_text()
