"""A disputed charge: the money goes at once, and comes back only with the evidence that wins."""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import DAY, Sandbox


def disputed(sandbox: Sandbox, card: str = "pm_card_createDispute") -> dict[str, Any]:
    sandbox.subscription(sandbox.customer(card)["id"])
    return sandbox.listed("disputes")[0]


def test_a_charge_on_the_card_that_disputes_is_disputed_at_once(sandbox: Sandbox) -> None:
    dispute = disputed(sandbox)
    assert (dispute["status"], dispute["reason"], dispute["amount"]) == ("needs_response", "fraudulent", 1000)
    assert not dispute["is_charge_refundable"]
    assert dispute["evidence_details"]["due_by"] == dispute["created"] + 7 * DAY
    assert [(one["type"], one["amount"], one["reporting_category"]) for one in dispute["balance_transactions"]] == [
        ("adjustment", -1000, "dispute")
    ]
    charge = sandbox.get(f"charges/{dispute['charge']}")
    assert charge["disputed"]
    refusal = sandbox.ask("POST", "refunds", {"charge": charge["id"]})
    assert (refusal.status_code, refusal.json()["error"]["code"]) == (400, "charge_disputed")
    types = sandbox.event_types()
    assert types.index("charge.succeeded") < types.index("charge.dispute.created")
    assert types[types.index("charge.dispute.created") + 1] == "charge.dispute.funds_withdrawn"
    assert [one["id"] for one in sandbox.listed("disputes", charge=charge["id"])] == [dispute["id"]]
    assert sandbox.listed("disputes", charge="ch_other") == []


@pytest.mark.parametrize(("text", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_evidence_is_under_review_for_a_day_and_then_decides(sandbox: Sandbox, text: str, status: str) -> None:
    dispute = disputed(sandbox)
    sent = sandbox.post(f"disputes/{dispute['id']}", {"evidence[uncategorized_text]": text})
    assert (sent["status"], sent["evidence"]["uncategorized_text"]) == ("under_review", text)
    assert (sent["evidence_details"]["has_evidence"], sent["evidence_details"]["submission_count"]) == (True, 1)
    assert sandbox.event_types()[-1] == "charge.dispute.updated"
    sandbox.advance(DAY - 60)
    assert sandbox.get(f"disputes/{dispute['id']}")["status"] == "under_review"
    sandbox.advance(120)
    decided = sandbox.get(f"disputes/{dispute['id']}")
    assert decided["status"] == status
    moved = [one["amount"] for one in decided["balance_transactions"]]
    types = sandbox.event_types()
    if status == "won":
        assert moved == [-1000, 1000]
        assert types[-2:] == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]
    else:
        assert moved == [-1000]
        assert types[-1] == "charge.dispute.closed"
    assert sandbox.ask("POST", f"disputes/{dispute['id']}", {"evidence[receipt]": "file_1"}).status_code == 400


def test_evidence_that_is_not_submitted_waits(sandbox: Sandbox) -> None:
    dispute = disputed(sandbox)
    given = {"evidence[uncategorized_text]": "winning_evidence", "submit": "false", "metadata[case]": "7"}
    staged = sandbox.post(f"disputes/{dispute['id']}", given)
    assert (staged["status"], staged["metadata"]) == ("needs_response", {"case": "7"})
    assert staged["evidence_details"]["submission_count"] == 0
    sandbox.advance(DAY)
    assert sandbox.get(f"disputes/{dispute['id']}")["status"] == "needs_response"
    assert sandbox.post(f"disputes/{dispute['id']}", {"submit": "true"})["status"] == "under_review"
    sandbox.advance(DAY)
    assert sandbox.get(f"disputes/{dispute['id']}")["status"] == "won"


def test_metadata_alone_submits_nothing(sandbox: Sandbox) -> None:
    changed = sandbox.post(f"disputes/{disputed(sandbox)['id']}", {"metadata[a]": "b"})
    assert (changed["status"], changed["evidence_details"]["submission_count"]) == ("needs_response", 0)


def test_a_dispute_that_nobody_answers_is_lost(sandbox: Sandbox) -> None:
    dispute = disputed(sandbox)
    sandbox.advance_to(dispute["evidence_details"]["due_by"])
    lost = sandbox.get(f"disputes/{dispute['id']}")
    assert (lost["status"], lost["evidence_details"]["past_due"]) == ("lost", True)


def test_a_closed_dispute_is_lost_and_stays_so(sandbox: Sandbox) -> None:
    dispute = disputed(sandbox)
    assert sandbox.post(f"disputes/{dispute['id']}/close")["status"] == "lost"
    assert sandbox.event_types()[-1] == "charge.dispute.closed"
    assert sandbox.ask("POST", f"disputes/{dispute['id']}/close").status_code == 400


def test_an_inquiry_takes_no_money_and_lets_the_charge_be_refunded(sandbox: Sandbox) -> None:
    inquiry = disputed(sandbox, "pm_card_createDisputeInquiry")
    assert (inquiry["status"], inquiry["balance_transactions"]) == ("warning_needs_response", [])
    assert inquiry["is_charge_refundable"]
    assert "charge.dispute.funds_withdrawn" not in sandbox.event_types()
    assert sandbox.post("refunds", {"charge": inquiry["charge"]})["status"] == "succeeded"
    given = {"evidence[uncategorized_text]": "winning_evidence"}
    assert sandbox.post(f"disputes/{inquiry['id']}", given)["status"] == "warning_under_review"
    sandbox.advance(DAY)
    closed = sandbox.get(f"disputes/{inquiry['id']}")
    assert (closed["status"], closed["balance_transactions"]) == ("warning_closed", [])
