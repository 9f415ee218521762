"""Cards and how they are attached, changed and detached; setup intents and authentication."""

from datetime import UTC, datetime
from typing import Any

import pytest

from stripe_sandbox.cards import CARDS
from stripe_sandbox.payment_methods import NUMBERS
from tests.stripe_sandbox.conftest import DAY, Sandbox, error_of

NEVER = {"automatic_payment_methods[enabled]": "true", "automatic_payment_methods[allow_redirects]": "never"}
RETURN = {"return_url": "https://maple.example/back"}
SETUP_ERROR = "setup_intent_unexpected_state"


def card(sandbox: Sandbox, **given: Any) -> dict[str, Any]:
    return sandbox.post("payment_methods", {"type": "card", **given})


def numbered(number: str = "4242424242424242", month: int = 12, year: int | None = None) -> dict[str, Any]:
    return {"card[number]": number, "card[exp_month]": month, "card[exp_year]": year or this_year() + 1}


def this_year() -> int:
    return datetime.now(UTC).year


def setup(sandbox: Sandbox, **given: Any) -> dict[str, Any]:
    return sandbox.post("setup_intents", {**NEVER, **given})


def authenticate(sandbox: Sandbox, intent: dict[str, Any], *, succeed: bool) -> dict[str, Any]:
    sandbox.control(f"setup_intents/{intent['id']}/authenticate", succeed=succeed)
    return sandbox.get(f"setup_intents/{intent['id']}")


# ── payment methods ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("number", "name"), NUMBERS.items())
def test_a_test_number_is_the_card_that_stripe_names(sandbox: Sandbox, number: str, name: str) -> None:
    made = card(sandbox, **numbered(number), **{"card[cvc]": "123"})
    assert number.endswith(made["card"]["last4"])
    assert (made["card"]["last4"], made["card"]["brand"]) == (CARDS[name].last4, CARDS[name].brand)
    assert (made["customer"], made["card"]["checks"]["cvc_check"]) == (None, "pass")
    assert sandbox.event_types() == []


def test_a_token_and_details_make_a_card(sandbox: Sandbox) -> None:
    given = {"card[token]": "tok_mastercard", "billing_details[name]": "Mae", "billing_details[address][city]": "Bonn"}
    made = card(sandbox, **given, **{"metadata[a]": "1", "allow_redisplay": "always"})
    assert made["card"]["last4"] == "4444"
    assert (made["billing_details"]["name"], made["billing_details"]["email"]) == ("Mae", None)
    assert made["billing_details"]["address"]["city"] == "Bonn"
    assert (made["metadata"], made["allow_redisplay"]) == ({"a": "1"}, "always")
    assert sandbox.get(f"payment_methods/{made['id']}") == made


@pytest.mark.parametrize(
    ("given", "status", "code", "param"),
    [
        ({}, 400, "parameter_missing", "type"),
        ({"type": "card"}, 400, "parameter_missing", "card"),
        ({"type": "card", "card[number]": "4242424242424242"}, 400, "parameter_missing", "card[exp_month]"),
        ({"type": "card", "card[token]": "tok_x"}, 400, "resource_missing", "card[token]"),
        ({"type": "card", **numbered("4929000000006")}, 402, "card_declined", "card[number]"),
        ({"type": "card", **numbered(month=13)}, 402, "invalid_expiry_month", "card[exp_month]"),
        ({"type": "card", **numbered(year=2020)}, 402, "invalid_expiry_year", "card[exp_year]"),
        ({"type": "sepa_debit", "sepa_debit[iban]": "DE89370400440532013000"}, 501, None, None),
        ({"type": "card", "card[token]": "tok_visa", "customer": "cus_x"}, 501, None, None),
    ],
)
def test_a_card_that_is_refused(
    sandbox: Sandbox, given: dict[str, Any], status: int, code: str | None, param: str | None
) -> None:
    error = sandbox.refused("POST", "payment_methods", given, status=status)
    assert (error.get("code"), error.get("param")) == (code, param)
    assert sandbox.listed("payment_methods") == []


def test_a_test_id_makes_a_card_of_the_customers_own(sandbox: Sandbox) -> None:
    one, two = (sandbox.post("customers")["id"] for _ in range(2))
    made = [sandbox.post("payment_methods/pm_card_visa/attach", {"customer": key}) for key in (one, two)]
    assert made[0]["id"] != made[1]["id"]
    assert made[0]["customer"] == one
    assert sandbox.event_types()[-2:] == ["payment_method.attached"] * 2
    path = f"customers/{one}/payment_methods"
    assert sandbox.listed(path) == sandbox.listed("payment_methods", customer=one) == made[:1]
    assert sandbox.listed(path, type="sepa_debit") == []
    assert sandbox.listed("payment_methods", customer=one, type="card", allow_redisplay="always") == []
    assert sandbox.get(f"{path}/{made[0]['id']}") == made[0]
    sandbox.refused("GET", f"{path}/{made[1]['id']}", status=404)


def test_a_card_is_attached_to_one_customer_and_detached_for_good(sandbox: Sandbox) -> None:
    one, two = (sandbox.post("customers")["id"] for _ in range(2))
    path = f"payment_methods/{card(sandbox, **numbered())['id']}"
    sandbox.post(f"{path}/attach", {"customer": one})
    sandbox.post(f"{path}/attach", {"customer": one})
    assert sandbox.event_types().count("payment_method.attached") == 1
    sandbox.refused("POST", f"{path}/attach", {"customer": two})
    assert sandbox.post(f"{path}/detach")["customer"] is None
    (event,) = sandbox.listed("events", type="payment_method.detached")
    assert event["data"]["previous_attributes"] == {"customer": one}
    assert event["data"]["object"]["customer"] is None
    sandbox.refused("POST", f"{path}/attach", {"customer": one})
    sandbox.refused("POST", f"{path}/detach")


@pytest.mark.parametrize("name", [name for name in CARDS if name.startswith("pm_card_chargeDeclined")])
def test_a_declined_card_cannot_be_attached(sandbox: Sandbox, name: str) -> None:
    customer = sandbox.post("customers")["id"]
    error = sandbox.refused("POST", f"payment_methods/{name}/attach", {"customer": customer}, status=402)
    refusal = CARDS[name].on_attach
    assert refusal
    assert (error["type"], error["code"]) == ("card_error", refusal.code)
    assert error.get("decline_code", "") == refusal.decline_code
    assert sandbox.listed("payment_methods") == []


@pytest.mark.parametrize(
    ("key", "given", "status", "param"),
    [
        ("pm_card_visa", {}, 400, "customer"),
        ("pm_card_visa", {"customer": "cus_x"}, 400, "customer"),
        ("pm_x", {"customer": "real"}, 404, "id"),
        ("pm_card_visa", {"customer_account": "acct_x"}, 501, None),
    ],
)
def test_attaching_that_is_refused(
    sandbox: Sandbox, key: str, given: dict[str, str], status: int, param: str | None
) -> None:
    if given.get("customer") == "real":
        given = {"customer": sandbox.post("customers")["id"]}
    assert sandbox.refused("POST", f"payment_methods/{key}/attach", given, status=status).get("param") == param


def test_a_detached_card_never_pays_again(sandbox: Sandbox) -> None:
    customer = sandbox.customer()
    key = customer["invoice_settings"]["default_payment_method"]
    intent = {"customer": customer["id"], "amount": 500, "currency": "usd", "payment_method": key}
    waits = sandbox.post("payment_intents", intent)
    sandbox.post("invoiceitems", {"customer": customer["id"], "amount": 500, "currency": "usd"})
    draft = {"customer": customer["id"], "pending_invoice_items_behavior": "include", "default_payment_method": key}
    invoice = sandbox.post("invoices", draft)
    sandbox.post(f"invoices/{invoice['id']}/finalize", {"auto_advance": "false"})
    sandbox.post(f"payment_methods/{key}/detach")
    assert sandbox.get(f"invoices/{invoice['id']}")["default_payment_method"] is None
    for path, given in (
        (f"payment_intents/{waits['id']}/confirm", {}),
        ("payment_intents", intent),
        ("setup_intents", {"customer": customer["id"], "payment_method": key}),
        (f"invoices/{invoice['id']}/pay", {"payment_method": key}),
    ):
        assert "may not be used again" in error_of(sandbox.ask("POST", path, given), 400)["message"]
    assert sandbox.listed("charges") == []


def test_a_deleted_customers_card_is_no_invoices_default(sandbox: Sandbox) -> None:
    customer = sandbox.customer()
    key = customer["invoice_settings"]["default_payment_method"]
    invoice = sandbox.post("invoices", {"customer": customer["id"], "default_payment_method": key})
    sandbox.ask("DELETE", f"customers/{customer['id']}").raise_for_status()
    assert sandbox.get(f"invoices/{invoice['id']}")["default_payment_method"] is None


def test_a_card_of_nobody_pays(sandbox: Sandbox) -> None:
    given = {"amount": 500, "currency": "usd", "payment_method": card(sandbox, **numbered())["id"], "confirm": "true"}
    assert sandbox.post("payment_intents", given)["status"] == "succeeded"


def test_a_detached_card_is_nobodys_default(sandbox: Sandbox) -> None:
    customer = sandbox.customer()
    key = customer["invoice_settings"]["default_payment_method"]
    subscription = sandbox.subscription(customer["id"], default_payment_method=key)
    sandbox.post(f"payment_methods/{key}/detach")
    shown = sandbox.get(f"customers/{customer['id']}")
    assert shown["invoice_settings"]["default_payment_method"] is None
    assert sandbox.get(f"subscriptions/{subscription['id']}")["default_payment_method"] is None
    kinds = ["customer.updated", "customer.subscription.updated", "payment_method.detached"]
    assert sandbox.event_types()[-3:] == kinds


def test_a_card_is_changed_only_while_it_is_a_customers(sandbox: Sandbox) -> None:
    customer, made = sandbox.post("customers")["id"], card(sandbox, **numbered())
    path, later = f"payment_methods/{made['id']}", this_year() + 4
    sandbox.refused("POST", path, {"metadata[a]": "1"})
    sandbox.post(f"{path}/attach", {"customer": customer})
    given = {"card[exp_month]": 3, "card[exp_year]": later, "billing_details[email]": "mae@maple.example"}
    changed = sandbox.post(path, {**given, "metadata[a]": "1", "billing_details[address][city]": "Bonn"})
    assert (changed["card"]["exp_month"], changed["card"]["exp_year"]) == (3, later)
    assert (changed["billing_details"]["email"], changed["metadata"]) == ("mae@maple.example", {"a": "1"})
    assert changed["billing_details"]["address"]["city"] == "Bonn"
    assert changed["card"]["last4"] == "4242"
    (event,) = sandbox.listed("events", type="payment_method.updated")
    assert event["data"]["previous_attributes"]["card"]["exp_month"] == 12
    assert sandbox.refused("POST", path, {"card[exp_year]": 2020}, status=402)["code"] == "invalid_expiry_year"
    sandbox.refused("POST", path, {"us_bank_account[account_type]": "savings"}, status=501)


def test_a_card_expires_as_time_passes(sandbox: Sandbox) -> None:
    year = this_year() + 1
    sandbox.advance_to(int(datetime(year, 6, 15, tzinfo=UTC).timestamp()))
    customer = sandbox.post("customers")["id"]
    made = card(sandbox, **numbered(month=6, year=year))
    sandbox.post(f"payment_methods/{made['id']}/attach", {"customer": customer})
    sandbox.post(f"customers/{customer}", {"invoice_settings[default_payment_method]": made["id"]})
    assert sandbox.subscription(customer)["status"] == "active"
    sandbox.advance(32 * DAY)
    given = {"customer": customer, "items[0][price]": sandbox.price()["id"], "payment_behavior": "error_if_incomplete"}
    assert sandbox.refused("POST", "subscriptions", given, status=402)["code"] == "expired_card"


def test_a_card_of_a_month_that_has_passed_is_refused(sandbox: Sandbox) -> None:
    year = this_year() + 1
    sandbox.advance_to(int(datetime(year, 6, 15, tzinfo=UTC).timestamp()))
    card(sandbox, **numbered(month=6, year=year))
    answer = sandbox.ask("POST", "payment_methods", {"type": "card", **numbered(month=5, year=year)})
    assert error_of(answer, 402)["code"] == "invalid_expiry_month"


def test_a_card_that_its_network_renews_tells_so(sandbox: Sandbox) -> None:
    owner = sandbox.customer()
    key = owner["invoice_settings"]["default_payment_method"]
    told = sandbox.control(f"payment_methods/{key}/renew", exp_month=5, exp_year=2031)
    assert told == sandbox.get(f"payment_methods/{key}")
    assert (told["card"]["exp_month"], told["card"]["exp_year"], told["card"]["last4"]) == (5, 2031, "4242")
    assert sandbox.event_types()[-1] == "payment_method.automatically_updated"


# ── setup intents ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_setup_intent_makes_a_card_ready_and_the_customers(sandbox: Sandbox) -> None:
    customer = sandbox.post("customers")["id"]
    made = setup(sandbox, customer=customer, description="A card", usage="on_session", **{"metadata[a]": "1"})
    assert (made["status"], made["usage"], made["payment_method_types"]) == (
        "requires_payment_method",
        "on_session",
        ["card"],
    )
    assert made["client_secret"].startswith(f"{made['id']}_secret_")
    path = f"setup_intents/{made['id']}"
    assert sandbox.refused("POST", f"{path}/confirm")["code"] == SETUP_ERROR
    changed = sandbox.post(path, {"payment_method": "pm_card_visa", "metadata[b]": "2", "description": ""})
    assert (changed["status"], changed["description"]) == ("requires_confirmation", None)
    assert changed["metadata"] == {"a": "1", "b": "2"}
    done = sandbox.post(f"{path}/confirm")
    assert (done["status"], done["next_action"]) == ("succeeded", None)
    assert [one["id"] for one in sandbox.listed("payment_methods", customer=customer)] == [done["payment_method"]]
    assert sandbox.event_types()[1:] == ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]
    for action in ("confirm", "cancel"):
        assert sandbox.refused("POST", f"{path}/{action}")["code"] == SETUP_ERROR
    sandbox.refused("POST", path, {"payment_method": "pm_card_visa"})
    assert sandbox.post(path, {"metadata": ""})["metadata"] == {}


def test_a_setup_intent_is_made_and_confirmed_at_once(sandbox: Sandbox) -> None:
    customer = sandbox.post("customers")["id"]
    made = setup(sandbox, customer=customer, payment_method="pm_card_visa", confirm="true")
    assert (made["status"], made["usage"]) == ("succeeded", "off_session")
    plain = setup(sandbox, confirm="true", payment_method=card(sandbox, **numbered())["id"])
    shown = sandbox.get(f"setup_intents/{plain['id']}", **{"expand[0]": "payment_method"})
    assert (shown["status"], shown["payment_method"]["card"]["last4"]) == ("succeeded", "4242")
    assert shown["payment_method"]["customer"] is None
    assert [one["id"] for one in sandbox.listed("setup_intents")] == [plain["id"], made["id"]]
    assert [one["id"] for one in sandbox.listed("setup_intents", customer=customer)] == [made["id"]]
    found = sandbox.listed("setup_intents", payment_method=plain["payment_method"])
    assert [one["id"] for one in found] == [plain["id"]]
    assert sandbox.get(f"setup_intents/{made['id']}", client_secret=made["client_secret"]) == made
    sandbox.refused("GET", f"setup_intents/{made['id']}", {"client_secret": "seti_x"})


@pytest.mark.parametrize("name", ["pm_card_authenticationRequired", "pm_card_authenticationRequiredOnSetup"])
def test_a_card_that_asks_for_authentication_is_ready_once_it_has_it(sandbox: Sandbox, name: str) -> None:
    customer = sandbox.post("customers")["id"]
    made = setup(sandbox, customer=customer, payment_method=name, confirm="true", **RETURN)
    assert made["status"] == "requires_action"
    action = made["next_action"]["redirect_to_url"]
    assert action["return_url"] == RETURN["return_url"]
    assert action["url"].endswith(f"/authenticate/{made['id']}")
    assert sandbox.listed("payment_methods", customer=customer) == []
    done = authenticate(sandbox, made, succeed=True)
    assert (done["status"], done["next_action"]) == ("succeeded", None)
    assert [one["id"] for one in sandbox.listed("payment_methods", customer=customer)] == [made["payment_method"]]
    kinds = [
        "setup_intent.created",
        "setup_intent.requires_action",
        "payment_method.attached",
        "setup_intent.succeeded",
    ]
    assert sandbox.event_types()[1:] == kinds
    answer = sandbox.http.post(f"/_sandbox/setup_intents/{made['id']}/authenticate", json={"succeed": True})
    assert answer.status_code == 400


def test_a_card_that_was_set_up_pays_without_asking_again(sandbox: Sandbox) -> None:
    customer = sandbox.post("customers")["id"]
    given = {"customer": customer, "payment_method": "pm_card_authenticationRequiredOnSetup", "confirm": "true"}
    ready = authenticate(sandbox, setup(sandbox, **given), succeed=True)["payment_method"]
    assert sandbox.subscription(customer, default_payment_method=ready)["status"] == "active"
    unasked = sandbox.post("payment_methods/pm_card_authenticationRequiredOnSetup/attach", {"customer": customer})
    assert sandbox.subscription(customer, default_payment_method=unasked["id"])["status"] == "incomplete"


def test_a_refused_authentication_fails_the_setup(sandbox: Sandbox) -> None:
    customer = sandbox.post("customers")["id"]
    given = {"customer": customer, "payment_method": "pm_card_threeDSecure2Required", "confirm": "true"}
    failed = authenticate(sandbox, setup(sandbox, **given), succeed=False)
    assert (failed["status"], failed["payment_method"]) == ("requires_payment_method", None)
    assert failed["last_setup_error"]["code"] == "setup_intent_authentication_failure"
    assert sandbox.listed("payment_methods", customer=customer) == []
    assert sandbox.event_types()[-1] == "setup_intent.setup_failed"
    done = sandbox.post(f"setup_intents/{failed['id']}/confirm", {"payment_method": "pm_card_visa"})
    assert (done["status"], done["last_setup_error"]) == ("succeeded", None)


def test_a_declined_card_fails_the_setup_with_a_402(sandbox: Sandbox) -> None:
    given = {**NEVER, "customer": sandbox.post("customers")["id"], "confirm": "true"}
    answer = sandbox.ask("POST", "setup_intents", {**given, "payment_method": "pm_card_chargeDeclinedLostCard"})
    error = error_of(answer, 402)
    assert (error["code"], error["decline_code"]) == ("card_declined", "lost_card")
    shown = sandbox.get(f"setup_intents/{error['setup_intent']['id']}")
    assert shown == error["setup_intent"]
    assert shown["status"] == "requires_payment_method"
    assert shown["last_setup_error"]["decline_code"] == "lost_card"
    assert sandbox.event_types()[-1] == "setup_intent.setup_failed"


def test_a_canceled_setup_intent_stays_canceled(sandbox: Sandbox) -> None:
    made = setup(sandbox, payment_method="pm_card_visa")
    path = f"setup_intents/{made['id']}"
    done = sandbox.post(f"{path}/cancel", {"cancellation_reason": "abandoned"})
    assert (done["status"], done["cancellation_reason"]) == ("canceled", "abandoned")
    assert sandbox.event_types()[-1] == "setup_intent.canceled"
    for action in ("confirm", "cancel"):
        assert sandbox.refused("POST", f"{path}/{action}")["code"] == SETUP_ERROR


@pytest.mark.parametrize(
    ("given", "status", "param"),
    [
        ({"customer": "cus_x"}, 400, "customer"),
        ({"payment_method": "pm_x"}, 400, "payment_method"),
        ({"payment_method": "pm_card_visa", "confirm": "true"}, 400, "return_url"),
        ({"confirm": "true", **NEVER}, 400, None),
        ({"payment_method_types[0]": "card", **NEVER}, 400, None),
        ({**RETURN}, 400, "return_url"),
        ({"payment_method_types[0]": "sepa_debit"}, 501, None),
        ({"payment_method_options[card][request_three_d_secure]": "any"}, 501, None),
        ({"on_behalf_of": "acct_x"}, 501, None),
        ({"attach_to_self": "true"}, 501, None),
        ({"payment_method_data[type]": "link"}, 501, None),
        ({"single_use[amount]": 5, "single_use[currency]": "usd"}, 501, None),
    ],
)
def test_a_setup_intent_that_is_refused_is_not_there(
    sandbox: Sandbox, given: dict[str, Any], status: int, param: str | None
) -> None:
    assert sandbox.refused("POST", "setup_intents", given, status=status).get("param") == param
    assert sandbox.listed("setup_intents") == []


def test_a_setup_intent_takes_no_card_of_another_customer(sandbox: Sandbox) -> None:
    key = sandbox.customer()["invoice_settings"]["default_payment_method"]
    other = sandbox.post("customers")["id"]
    answer = sandbox.ask("POST", "setup_intents", {**NEVER, "customer": other, "payment_method": key})
    assert error_of(answer, 400)["param"] == "payment_method"
    made = setup(sandbox, customer=other)
    answer = sandbox.ask("POST", f"setup_intents/{made['id']}/confirm", {"payment_method": key})
    assert error_of(answer, 400)["param"] == "payment_method"
