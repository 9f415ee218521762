"""Everything the local Stripe shows has the shape that stripe-python documents."""

from pathlib import Path
from typing import Any

from stripe_sandbox import expectations
from stripe_sandbox.schema import load
from stripe_sandbox.schema.conformance import faults, response_faults
from tests.stripe_sandbox.conftest import DAY, HOUR, Sandbox

FOLDER = Path(load.__file__).parent
LISTS = (
    "customers products prices payment_methods subscriptions invoices invoice_payments payment_intents charges "
    "refunds webhook_endpoints"
).split()
# The card of a charge is shown as its payment method shows it; Stripe shows fewer fields of it there.


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


def pages(sandbox: Sandbox, path: str, **params: Any) -> list[dict[str, Any]]:
    found = [sandbox.get(path, limit=100, **params)]
    while found[-1]["has_more"]:
        last = found[-1]["data"][-1]["id"]
        found.append(sandbox.get(path, limit=100, starting_after=last, **params))
    return found


def test_everything_shown_in_a_broad_scenario_has_its_documented_shape(sandbox: Sandbox) -> None:
    broad_scenario(sandbox)
    wrong = response_faults("get", "/v1/account", sandbox.get("account"))
    shown: dict[str, list[dict[str, Any]]] = {}
    for path in [*LISTS, "events"]:
        for page in pages(sandbox, path, **({"status": "all"} if path == "subscriptions" else {})):
            wrong += response_faults("get", f"/v1/{path}", page)
            shown.setdefault(path, []).extend(page["data"])
        assert shown[path], path
    for one in shown["subscriptions"]:
        items = sandbox.get("subscription_items", subscription=one["id"])
        wrong += response_faults("get", "/v1/subscription_items", items)
    assert wrong == []
    assert {one["status"] for one in shown["subscriptions"]} >= {"active", "canceled", "incomplete_expired"}
    assert {one["type"] for one in shown["events"]} <= set(load.DOCUMENT["x-event-types"])


def test_what_is_expanded_or_deleted_has_its_documented_shape(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    made = sandbox.subscription(customer)
    expanded = {"expand[0]": "customer", "expand[1]": "latest_invoice.payments"}
    shown = sandbox.get(f"subscriptions/{made['id']}", **expanded)
    assert shown["customer"]["object"] == "customer"
    assert shown["latest_invoice"]["payments"]["data"]
    assert response_faults("get", "/v1/subscriptions/{id}", shown) == []
    gone = sandbox.ask("DELETE", f"customers/{customer}").raise_for_status().json()
    assert response_faults("delete", "/v1/customers/{id}", gone) == []
    assert faults(sandbox.get(f"customers/{customer}")) == []
    assert faults({**shown, "customer": {**shown["customer"], "colour": "red"}})


def told_under(title: str) -> list[str]:
    """List what the README tells under this title."""
    part = (FOLDER.parent / "README.md").read_text().partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [line[2:] for line in part.splitlines() if line.startswith("- ")]


def test_the_readme_tells_exactly_what_is_believed() -> None:
    assert told_under("What is believed, not measured") == list(expectations.EXPECTATIONS)


def test_the_readme_names_the_page_of_what_is_documented() -> None:
    documented = [f"{sentence} [Source]({page})" for sentence, page in expectations.DOCUMENTED]
    assert told_under("What Stripe's documentation says") == documented
