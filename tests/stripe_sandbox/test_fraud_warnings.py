"""Early fraud warnings: the bank warns of a payment, and nothing can be done once it is refunded or disputed."""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import Sandbox

WARNINGS = "radar/early_fraud_warnings"


def paid(sandbox: Sandbox, card: str = "pm_card_visa") -> dict[str, Any]:
    customer = sandbox.customer(card)["id"]
    sandbox.subscription(customer)
    return sandbox.listed("charges", customer=customer)[0]


def test_the_test_card_for_it_pays_and_is_warned_of(sandbox: Sandbox) -> None:
    """Source: https://docs.stripe.com/testing#disputes: 4000 0000 0000 5423."""
    charge = paid(sandbox, "pm_card_createIssuerFraudRecord")
    (warning,) = sandbox.listed(WARNINGS)
    assert (charge["status"], charge["disputed"], charge["payment_method_details"]["card"]["last4"]) == (
        "succeeded",
        False,
        "5423",
    )
    assert warning["id"].startswith("issfr_")
    assert warning == {
        "id": warning["id"],
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": charge["id"],
        "created": charge["created"],
        "fraud_type": "misc",
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }
    assert sandbox.get(f"{WARNINGS}/{warning['id']}", **{"expand[]": "charge"})["charge"]["id"] == charge["id"]
    (event,) = sandbox.listed("events", type="radar.early_fraud_warning.created")
    assert event["data"]["object"] == warning


def test_the_warnings_of_one_charge_are_listed(sandbox: Sandbox) -> None:
    first, second = paid(sandbox), paid(sandbox)
    made = sandbox.control(f"charges/{first['id']}/fraud_warning", fraud_type="made_with_stolen_card")
    assert [one["id"] for one in sandbox.listed(WARNINGS, charge=first["id"])] == [made["id"]]
    assert sandbox.listed(WARNINGS, charge=second["id"]) == []
    assert sandbox.listed(WARNINGS, payment_intent=first["payment_intent"])[0]["fraud_type"] == "made_with_stolen_card"


@pytest.mark.parametrize(("amounts", "actionable"), [([1000], False), ([400], True), ([400, 600], False)])
def test_a_refund_in_whole_leaves_nothing_to_do(sandbox: Sandbox, amounts: list[int], actionable: bool) -> None:
    charge = paid(sandbox, "pm_card_createIssuerFraudRecord")
    for amount in amounts:
        sandbox.post("refunds", {"charge": charge["id"], "amount": amount})
    (warning,) = sandbox.listed(WARNINGS)
    assert warning["actionable"] is actionable
    told = sandbox.listed("events", type="radar.early_fraud_warning.updated")
    assert [one["data"]["previous_attributes"] for one in told] == ([] if actionable else [{"actionable": True}])


def test_a_refund_that_fails_leaves_something_to_do_again(sandbox: Sandbox) -> None:
    charge = paid(sandbox, "pm_card_refundFail")
    sandbox.control(f"charges/{charge['id']}/fraud_warning")
    refund = sandbox.post("refunds", {"charge": charge["id"]})
    assert not sandbox.listed(WARNINGS)[0]["actionable"]
    sandbox.control(f"refunds/{refund['id']}/settle")
    assert sandbox.listed(WARNINGS)[0]["actionable"]


def test_a_dispute_leaves_nothing_to_do(sandbox: Sandbox) -> None:
    charge = paid(sandbox, "pm_card_createIssuerFraudRecord")
    sandbox.control(f"charges/{charge['id']}/dispute")
    assert not sandbox.listed(WARNINGS)[0]["actionable"]
    late = sandbox.control(f"charges/{charge['id']}/fraud_warning")
    assert not late["actionable"]


def test_what_did_not_succeed_is_not_warned_of(sandbox: Sandbox) -> None:
    customer = sandbox.customer("pm_card_chargeCustomerFail")["id"]
    sandbox.subscription(customer)
    charge = sandbox.listed("charges", customer=customer)[0]["id"]
    assert sandbox.http.post(f"/_sandbox/charges/{charge}/fraud_warning", json={}).status_code == 400
    assert sandbox.http.post(f"/_sandbox/charges/{charge}/fraud_warning", json={"fraud_type": "x"}).status_code == 400
