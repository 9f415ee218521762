"""A bank account whose numbers were typed is verified by a small deposit before it can be debited.

Source: https://docs.stripe.com/payments/ach-direct-debit/set-up-payment and
https://support.stripe.com/questions/verify-a-new-ach-direct-debit-customer-using-micro-deposits
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Frozen, Sandbox

MONDAY = datetime(2027, 1, 4, 12, tzinfo=UTC)
ONLINE = {"mandate_data[customer_acceptance][type]": "offline"}
MISMATCH = "payment_method_microdeposit_verification_descriptor_code_mismatch"
EXCEEDED = "payment_method_microdeposit_verification_attempts_exceeded"
TIMEOUT = "payment_method_microdeposit_verification_timeout"


@pytest.fixture
def office(sandbox: Sandbox) -> Frozen:
    return sandbox.frozen_customer(MONDAY, card=None)


def account(sandbox: Sandbox, number: str = "000123456789") -> dict[str, Any]:
    numbers = {"account_holder_type": "company", "account_number": number, "routing_number": "110000000"}
    given = {f"us_bank_account[{name}]": value for name, value in numbers.items()}
    return sandbox.post(
        "payment_methods", {"type": "us_bank_account", "billing_details[name]": "Maple Street Family Practice", **given}
    )


def waiting(sandbox: Sandbox, office: Frozen, method: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A setup intent that waits for the deposit."""
    wanted = {"customer": office.customer, "payment_method_types[0]": "us_bank_account", "confirm": True}
    return sandbox.post("setup_intents", {**wanted, "payment_method": method["id"], **ONLINE, **given})


def verify(sandbox: Sandbox, intent: dict[str, Any], code: str) -> dict[str, Any]:
    return sandbox.post(f"setup_intents/{intent['id']}/verify_microdeposits", {"descriptor_code": code})


def methods(sandbox: Sandbox, office: Frozen) -> list[str]:
    return [one["id"] for one in sandbox.listed("payment_methods", customer=office.customer)]


def test_the_account_is_the_customer_s_once_its_code_is_right(sandbox: Sandbox, office: Frozen) -> None:
    method = account(sandbox)
    intent = waiting(sandbox, office, method)
    wait = intent["next_action"]["verify_with_microdeposits"]
    assert (intent["status"], intent["next_action"]["type"]) == ("requires_action", "verify_with_microdeposits")
    assert wait["arrival_date"] == int(MONDAY.timestamp()) + 2 * DAY
    assert wait["microdeposit_type"] == "descriptor_code"
    assert methods(sandbox, office) == []
    done = verify(sandbox, intent, "SM11AA")
    assert (done["status"], done["next_action"], done["payment_method"]) == ("succeeded", None, method["id"])
    assert methods(sandbox, office) == [method["id"]]
    assert {"setup_intent.requires_action", "setup_intent.succeeded", "payment_method.attached"} <= {
        *sandbox.event_types()
    }
    sandbox.post(f"customers/{office.customer}", {"invoice_settings[default_payment_method]": method["id"]})
    office.subscribe(sandbox.price()["id"])
    charge = sandbox.listed("charges", customer=office.customer)[0]
    assert charge["payment_method_details"]["us_bank_account"]["mandate"].startswith("mandate_")


def test_an_account_that_is_not_verified_is_nobody_s(sandbox: Sandbox, office: Frozen) -> None:
    method = account(sandbox)
    sandbox.refused("POST", f"payment_methods/{method['id']}/attach", {"customer": office.customer})
    wanted = {"customer": office.customer, "payment_method": method["id"], "confirm": True}
    types = {"payment_method_types[0]": "us_bank_account"}
    assert sandbox.refused("POST", "setup_intents", {**wanted, **types})["param"] == "mandate_data"
    only_cards = {"payment_method_types[0]": "card", **ONLINE}
    assert sandbox.refused("POST", "setup_intents", {**wanted, **only_cards})["param"] == "payment_method"
    assert methods(sandbox, office) == []


def test_wrong_codes_are_counted_and_the_tenth_ends_it(sandbox: Sandbox, office: Frozen) -> None:
    intent = waiting(sandbox, office, account(sandbox))
    path = f"setup_intents/{intent['id']}/verify_microdeposits"
    for _ in range(9):
        assert sandbox.refused("POST", path, {"descriptor_code": "SM99ZZ"})["code"] == MISMATCH
    ended = verify(sandbox, intent, "SM99ZZ")
    assert (ended["status"], ended["payment_method"]) == ("requires_payment_method", None)
    assert ended["last_setup_error"]["code"] == EXCEEDED
    assert "setup_intent.setup_failed" in sandbox.event_types()
    sandbox.refused("POST", path, {"descriptor_code": "SM11AA"})
    assert methods(sandbox, office) == []


@pytest.mark.parametrize(("code", "error"), [("SM33CC", EXCEEDED), ("SM44DD", TIMEOUT)])
def test_stripe_s_test_codes_fail_at_once(sandbox: Sandbox, office: Frozen, code: str, error: str) -> None:
    ended = verify(sandbox, waiting(sandbox, office, account(sandbox)), code)
    assert (ended["status"], ended["last_setup_error"]["code"]) == ("requires_payment_method", error)


def test_it_waits_ten_days_after_the_deposit_arrived(sandbox: Sandbox, office: Frozen) -> None:
    intent = waiting(sandbox, office, account(sandbox))
    office.wait(12 * DAY - HOUR)
    assert sandbox.get(f"setup_intents/{intent['id']}")["status"] == "requires_action"
    office.wait(2 * HOUR)
    ended = sandbox.get(f"setup_intents/{intent['id']}")
    assert (ended["status"], ended["last_setup_error"]["code"]) == ("requires_payment_method", TIMEOUT)


def test_an_account_by_its_test_id_was_verified_before(sandbox: Sandbox, office: Frozen) -> None:
    done = waiting(sandbox, office, {"id": "pm_usBankAccount_success"})
    assert (done["status"], done["payment_method"]) == ("succeeded", methods(sandbox, office)[0])


@pytest.mark.parametrize(
    ("number", "status"), [("000123456789", "succeeded"), ("000222222227", "requires_payment_method")]
)
def test_the_account_s_number_decides_how_its_debits_end(
    sandbox: Sandbox, office: Frozen, number: str, status: str
) -> None:
    method = account(sandbox, number)
    verify(sandbox, waiting(sandbox, office, method), "SM11AA")
    sandbox.post(f"customers/{office.customer}", {"invoice_settings[default_payment_method]": method["id"]})
    office.subscribe(sandbox.price()["id"])
    office.wait(4 * DAY + HOUR)
    assert sandbox.listed("payment_intents", customer=office.customer)[0]["status"] == status


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"us_bank_account[account_number]": "123"}, "us_bank_account[account_number]"),
        ({"us_bank_account[routing_number]": "1"}, "us_bank_account[routing_number]"),
        ({"billing_details[name]": ""}, "billing_details[name]"),
    ],
)
def test_numbers_that_are_none_are_refused(sandbox: Sandbox, given: dict[str, str], param: str) -> None:
    good = {
        "type": "us_bank_account",
        "billing_details[name]": "Maple Street",
        "us_bank_account[account_holder_type]": "company",
        "us_bank_account[account_number]": "000123456789",
        "us_bank_account[routing_number]": "110000000",
    }
    assert sandbox.refused("POST", "payment_methods", {**good, **given})["param"] == param


def test_the_page_takes_the_code(sandbox: Sandbox, office: Frozen) -> None:
    intent = waiting(sandbox, office, account(sandbox))
    page = intent["next_action"]["verify_with_microdeposits"]["hosted_verification_url"]
    assert "begins with SM" in sandbox.http.get(page).text
    wrong = sandbox.http.post(page, data={"descriptor_code": "SM99ZZ"})
    assert (wrong.status_code, "did not match" in wrong.text) == (400, True)
    assert "is verified" in sandbox.http.post(page, data={"descriptor_code": "SM11AA"}).text
    assert sandbox.get(f"setup_intents/{intent['id']}")["status"] == "succeeded"
