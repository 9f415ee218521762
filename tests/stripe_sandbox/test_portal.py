"""The billing portal: configurations, sessions, and what a customer does on its page."""

from typing import Any

import httpx
import pytest

from tests.stripe_sandbox.conftest import Sandbox

ALLOWED = {
    "features[subscription_cancel][enabled]": "true",
    "features[payment_method_update][enabled]": "true",
    "features[invoice_history][enabled]": "true",
}


def configured(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    return sandbox.post("billing_portal/configurations", {**ALLOWED, **more})


def opened(sandbox: Sandbox, customer: str, **more: Any) -> dict[str, Any]:
    given = {"customer": customer, "return_url": "https://office.example/account", **more}
    return sandbox.post("billing_portal/sessions", given)


def press(sandbox: Sandbox, session: dict[str, Any], **form: str) -> httpx.Response:
    return sandbox.http.post(session["url"], data=form)


def test_a_configuration_is_made_changed_and_listed(sandbox: Sandbox) -> None:
    made = configured(sandbox, **{"business_profile[headline]": "Your plan", "metadata[a]": "b"})
    assert (made["active"], made["is_default"], made["business_profile"]["headline"]) == (True, False, "Your plan")
    assert made["features"]["subscription_cancel"]["mode"] == "at_period_end"
    assert not made["features"]["subscription_update"]["enabled"]
    given = {"features[subscription_cancel][mode]": "immediately", "active": "false"}
    changed = sandbox.post(f"billing_portal/configurations/{made['id']}", given)
    cancel = changed["features"]["subscription_cancel"]
    assert (cancel["mode"], cancel["enabled"], changed["active"]) == ("immediately", True, False)
    assert changed["features"]["payment_method_update"]["enabled"]
    assert sandbox.get(f"billing_portal/configurations/{made['id']}") == changed
    assert sandbox.listed("billing_portal/configurations", active="true") == []
    assert sandbox.event_types()[-2:] == [
        "billing_portal.configuration.created",
        "billing_portal.configuration.updated",
    ]
    customer = sandbox.customer()["id"]
    refused = sandbox.ask("POST", "billing_portal/sessions", {"customer": customer, "configuration": made["id"]})
    assert refused.status_code == 400


def test_a_session_without_a_configuration_has_the_default_one(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    first, second = opened(sandbox, customer), opened(sandbox, customer)
    assert first["configuration"] == second["configuration"]
    assert first["url"] == f"{sandbox.url}/portal/{first['id']}"
    default = sandbox.listed("billing_portal/configurations", is_default="true")
    assert [one["id"] for one in default] == [first["configuration"]]


def test_wrong_sessions_are_refused(sandbox: Sandbox) -> None:
    wrong = [{}, {"customer": "cus_x"}, {"customer": sandbox.customer()["id"], "return_url": "javascript:alert(1)"}]
    for given in wrong:
        assert sandbox.ask("POST", "billing_portal/sessions", given).status_code == 400


def test_a_session_for_one_thing_tells_it(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    subscription = sandbox.subscription(customer)["id"]
    flow = {"flow_data[type]": "subscription_cancel", "flow_data[subscription_cancel][subscription]": subscription}
    made = opened(sandbox, customer, **flow)
    assert made["flow"]["type"] == "subscription_cancel"
    assert made["flow"]["subscription_cancel"]["subscription"] == subscription
    other = {"customer": sandbox.customer()["id"], **flow}
    assert sandbox.ask("POST", "billing_portal/sessions", other).status_code == 400


def test_a_customer_cancels_and_takes_it_back(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    subscription = sandbox.subscription(customer)["id"]
    session = opened(sandbox, customer)
    assert "Cancel the subscription" in sandbox.http.get(session["url"]).text
    assert press(sandbox, session, action="cancel", subscription=subscription).status_code == 303
    ending = sandbox.get(f"subscriptions/{subscription}")
    assert (ending["cancel_at_period_end"], ending["status"]) == (True, "active")
    assert sandbox.event_types()[-1] == "customer.subscription.updated"
    assert "Keep the subscription" in sandbox.http.get(session["url"]).text
    press(sandbox, session, action="resume", subscription=subscription)
    assert not sandbox.get(f"subscriptions/{subscription}")["cancel_at_period_end"]


def test_a_configuration_may_cancel_at_once(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    subscription = sandbox.subscription(customer)["id"]
    made = configured(sandbox, **{"features[subscription_cancel][mode]": "immediately"})
    press(sandbox, opened(sandbox, customer, configuration=made["id"]), action="cancel", subscription=subscription)
    assert sandbox.get(f"subscriptions/{subscription}")["status"] == "canceled"


def test_a_customer_changes_the_card(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    session = opened(sandbox, customer)
    declined = press(sandbox, session, action="card", card="pm_card_chargeDeclined")
    assert declined.status_code == 400
    assert "Your card was declined" in declined.text
    assert press(sandbox, session, action="card", card="pm_card_mastercard").status_code == 303
    key = sandbox.get(f"customers/{customer}")["invoice_settings"]["default_payment_method"]
    assert sandbox.get(f"payment_methods/{key}")["card"]["brand"] == "mastercard"
    assert "mastercard" in sandbox.http.get(session["url"]).text


def test_a_card_that_asks_for_authentication_is_used_after_it(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    first = sandbox.get(f"customers/{customer}")["invoice_settings"]["default_payment_method"]
    session = opened(sandbox, customer)
    asked = press(sandbox, session, action="card", card="pm_card_authenticationRequiredOnSetup")
    failed = sandbox.http.post(asked.headers["location"], data={"outcome": "fail"})
    assert failed.headers["location"] == f"/portal/{session['id']}"
    assert "failed authentication" in sandbox.http.get(failed.headers["location"]).text
    assert sandbox.get(f"customers/{customer}")["invoice_settings"]["default_payment_method"] == first
    asked = press(sandbox, session, action="card", card="pm_card_authenticationRequiredOnSetup")
    sandbox.http.post(asked.headers["location"], data={"outcome": "complete"})
    assert "3155" in sandbox.http.get(session["url"]).text
    key = sandbox.get(f"customers/{customer}")["invoice_settings"]["default_payment_method"]
    assert sandbox.get(f"payment_methods/{key}")["card"]["last4"] == "3155"


def test_a_customer_switches_to_a_price_that_is_offered(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    subscription = sandbox.subscription(customer)
    offered, other = sandbox.price(3000), sandbox.price(50)
    update = "features[subscription_update]"
    made = configured(
        sandbox,
        **{
            f"{update}[enabled]": "true",
            f"{update}[default_allowed_updates][0]": "price",
            f"{update}[products][0][product]": offered["product"],
            f"{update}[products][0][prices][0]": offered["id"],
        },
    )
    session = opened(sandbox, customer, configuration=made["id"])
    assert "30.00 USD" in sandbox.http.get(session["url"]).text
    form = {"action": "switch", "subscription": subscription["id"]}
    assert press(sandbox, session, **form, price=other["id"]).status_code == 400
    assert press(sandbox, session, **form, price=offered["id"]).status_code == 303
    now = sandbox.get(f"subscriptions/{subscription['id']}")
    assert now["items"]["data"][0]["price"]["id"] == offered["id"]


@pytest.mark.parametrize(
    "form",
    [
        {"action": "cancel"},
        {"action": "card", "card": "pm_card_mastercard"},
        {"action": "switch", "price": "price_x"},
        {"action": "other"},
    ],
)
def test_what_the_configuration_does_not_allow_does_not_happen(sandbox: Sandbox, form: dict[str, str]) -> None:
    customer = sandbox.customer()["id"]
    subscription = sandbox.subscription(customer)
    made = sandbox.post("billing_portal/configurations", {"features[invoice_history][enabled]": "true"})
    session = opened(sandbox, customer, configuration=made["id"])
    assert press(sandbox, session, **form, subscription=subscription["id"]).status_code == 400
    assert sandbox.get(f"subscriptions/{subscription['id']}") == subscription
    assert "Cancel the subscription" not in sandbox.http.get(session["url"]).text


def test_another_customers_subscription_is_out_of_reach(sandbox: Sandbox) -> None:
    theirs = sandbox.subscription(sandbox.customer()["id"])
    session = opened(sandbox, sandbox.customer()["id"])
    assert press(sandbox, session, action="cancel", subscription=theirs["id"]).status_code == 400
    assert not sandbox.get(f"subscriptions/{theirs['id']}")["cancel_at_period_end"]


def test_the_page_lists_invoices_and_the_way_back(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    invoice = sandbox.get(f"invoices/{sandbox.subscription(customer)['latest_invoice']}")
    page = sandbox.http.get(opened(sandbox, customer)["url"]).text
    assert f"/invoices/{invoice['id']}" in page
    assert invoice["number"] in page
    assert "https://office.example/account" in page
    assert "<script" not in page
