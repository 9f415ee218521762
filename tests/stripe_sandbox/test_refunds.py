"""What goes back of a charge, when, and what the account's balance tells of it."""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, Sandbox


def paid(sandbox: Sandbox, amount: int = 1000, card: str = "pm_card_visa") -> dict[str, Any]:
    """A charge of this amount, by an intent of its own."""
    customer = sandbox.customer(card)
    given = {"amount": amount, "currency": "usd", "customer": customer["id"], "confirm": "true"}
    given["payment_method"] = customer["invoice_settings"]["default_payment_method"]
    intent = sandbox.post("payment_intents", given)
    return sandbox.get(f"charges/{intent['latest_charge']}")


def refused(sandbox: Sandbox, **given: Any) -> dict[str, Any]:
    answer = sandbox.ask("POST", "refunds", given)
    assert answer.status_code == 400
    return answer.json()["error"]


def test_a_charge_is_refunded_in_parts_until_nothing_is_left(sandbox: Sandbox) -> None:
    charge = paid(sandbox)
    first = sandbox.post("refunds", {"charge": charge["id"], "amount": 400, "reason": "duplicate", "metadata[a]": "b"})
    assert (first["amount"], first["status"], first["reason"], first["metadata"]) == (
        400,
        "succeeded",
        "duplicate",
        {"a": "b"},
    )
    half = sandbox.get(f"charges/{charge['id']}")
    assert (half["amount_refunded"], half["refunded"]) == (400, False)
    too_much = refused(sandbox, charge=charge["id"], amount=601)
    assert too_much["param"] == "amount"
    assert too_much["message"] == "Refund amount (6.01 USD) is greater than unrefunded amount on charge (6.00 USD)"
    rest = sandbox.post("refunds", {"payment_intent": charge["payment_intent"]})
    assert rest["amount"] == 600
    whole = sandbox.get(f"charges/{charge['id']}")
    assert (whole["amount_refunded"], whole["refunded"]) == (1000, True)
    assert refused(sandbox, charge=charge["id"])["code"] == "charge_already_refunded"
    assert sandbox.event_types()[-4:] == ["charge.refunded", "refund.created", "charge.refunded", "refund.created"]
    assert [one["id"] for one in sandbox.listed("refunds", charge=charge["id"])] == [rest["id"], first["id"]]
    shown = sandbox.get(f"charges/{charge['id']}", **{"expand[]": "refunds"})
    assert {one["id"] for one in shown["refunds"]["data"]} == {first["id"], rest["id"]}


def test_only_a_captured_charge_that_succeeded_is_refunded(sandbox: Sandbox) -> None:
    customer = sandbox.customer("pm_card_chargeCustomerFail")
    given = {"amount": 500, "currency": "usd", "customer": customer["id"], "confirm": "true"}
    given["payment_method"] = customer["invoice_settings"]["default_payment_method"]
    assert sandbox.ask("POST", "payment_intents", given).status_code == 402
    failed = sandbox.listed("charges", customer=customer["id"])[0]
    assert refused(sandbox, charge=failed["id"])["code"] == "charge_not_refundable"
    assert "does not have a successful charge" in refused(sandbox, payment_intent=failed["payment_intent"])["message"]
    held = sandbox.customer()
    given |= {"customer": held["id"], "capture_method": "manual"}
    given["payment_method"] = held["invoice_settings"]["default_payment_method"]
    waiting = sandbox.post("payment_intents", given)
    assert refused(sandbox, charge=waiting["latest_charge"])["code"] == "charge_not_refundable"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "One of the following params"),
        ({"charge": "ch_1", "payment_intent": "pi_1"}, "You may only specify one"),
        ({"charge": "ch_unknown"}, "No such charge: 'ch_unknown'"),
    ],
)
def test_a_refund_names_one_charge_that_exists(sandbox: Sandbox, given: dict[str, str], words: str) -> None:
    assert words in refused(sandbox, **given)["message"]


@pytest.mark.parametrize("given", [{"amount": 0}, {"amount": -5}, {"reason": "because"}])
def test_a_wrong_amount_or_reason_is_refused_and_changes_nothing(sandbox: Sandbox, given: dict[str, Any]) -> None:
    charge = paid(sandbox)
    assert refused(sandbox, charge=charge["id"], **given)["param"] in given
    assert sandbox.get(f"charges/{charge['id']}")["amount_refunded"] == 0
    assert sandbox.listed("refunds") == []


def test_a_pending_refund_succeeds_a_day_later(sandbox: Sandbox) -> None:
    charge = paid(sandbox, card="pm_card_pendingRefund")
    refund = sandbox.post("refunds", {"charge": charge["id"]})
    assert (refund["status"], refund["pending_reason"]) == ("pending", "processing")
    sandbox.advance(DAY - 60)
    assert sandbox.get(f"refunds/{refund['id']}")["status"] == "pending"
    sandbox.advance(120)
    settled = sandbox.get(f"refunds/{refund['id']}")
    assert settled["status"] == "succeeded"
    assert "pending_reason" not in settled
    assert sandbox.event_types()[-2:] == ["refund.updated", "charge.refund.updated"]
    changes = sandbox.listed("events", type="charge.refund.updated")[0]["data"]["previous_attributes"]
    assert changes == {"status": "pending", "pending_reason": "processing"}


def test_a_pending_refund_succeeds_on_demand(sandbox: Sandbox) -> None:
    refund = sandbox.post("refunds", {"charge": paid(sandbox, card="pm_card_pendingRefund")["id"]})
    assert sandbox.control(f"refunds/{refund['id']}/settle")["status"] == "succeeded"


def test_a_pending_refund_can_be_canceled_and_the_charge_is_whole_again(sandbox: Sandbox) -> None:
    charge = paid(sandbox, card="pm_card_pendingRefund")
    refund = sandbox.post("refunds", {"charge": charge["id"]})
    canceled = sandbox.post(f"refunds/{refund['id']}/cancel")
    assert canceled["status"] == "canceled"
    whole = sandbox.get(f"charges/{charge['id']}")
    assert (whole["amount_refunded"], whole["refunded"]) == (0, False)
    sandbox.advance(2 * DAY)
    assert sandbox.get(f"refunds/{refund['id']}")["status"] == "canceled"
    done = sandbox.post("refunds", {"charge": paid(sandbox)["id"]})
    assert sandbox.ask("POST", f"refunds/{done['id']}/cancel").status_code == 400


def test_a_refund_that_fails_gives_the_charge_and_the_balance_back(sandbox: Sandbox) -> None:
    charge = paid(sandbox, card="pm_card_refundFail")
    refund = sandbox.post("refunds", {"charge": charge["id"], "amount": 300})
    assert refund["status"] == "succeeded"
    sandbox.advance(DAY)
    failed = sandbox.get(f"refunds/{refund['id']}", **{"expand[]": "failure_balance_transaction"})
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    back = failed["failure_balance_transaction"]
    assert (back["amount"], back["type"], back["source"]) == (300, "refund_failure", refund["id"])
    assert sandbox.get(f"charges/{charge['id']}")["amount_refunded"] == 0
    assert sandbox.event_types()[-3:] == ["refund.updated", "charge.refund.updated", "refund.failed"]
    assert sandbox.post("refunds", {"charge": charge["id"]})["amount"] == 1000


def test_the_metadata_of_a_refund_changes_and_tells(sandbox: Sandbox) -> None:
    refund = sandbox.post("refunds", {"charge": paid(sandbox)["id"], "metadata[a]": "1"})
    changed = sandbox.post(f"refunds/{refund['id']}", {"metadata[b]": "2"})
    assert changed["metadata"] == {"a": "1", "b": "2"}
    assert sandbox.event_types()[-2:] == ["refund.updated", "charge.refund.updated"]


def test_the_balance_tells_of_charges_and_refunds(sandbox: Sandbox) -> None:
    charge = paid(sandbox)
    refund = sandbox.post("refunds", {"charge": charge["id"], "amount": 250})
    moved = sandbox.listed("balance_transactions")
    assert [(one["type"], one["amount"], one["source"]) for one in moved] == [
        ("refund", -250, refund["id"]),
        ("charge", 1000, charge["id"]),
    ]
    assert sandbox.listed("balance_transactions", source=refund["id"]) == [moved[0]]
    assert sandbox.listed("balance_transactions", type="charge") == [moved[1]]
    assert moved[0]["status"] == "pending"
    sandbox.advance(3 * DAY)
    assert sandbox.get(f"balance_transactions/{moved[0]['id']}")["status"] == "available"


@pytest.mark.parametrize("name", ["reverse_transfer", "refund_application_fee"])
def test_what_is_not_here_is_a_501(sandbox: Sandbox, name: str) -> None:
    assert sandbox.ask("POST", "refunds", {"charge": paid(sandbox)["id"], name: "true"}).status_code == 501
