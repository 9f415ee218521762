"""Money back above the limit, over the API: 202 with the address of the request, and what a second person does."""

import pytest

from billing.models import ApprovalRequest, IdempotentRequest, Operation, Payment
from tests.api.test_api import path, signed_in, usd
from tests.api.test_idempotency import died_before_it_answered, is_replay
from tests.conftest import a_person, subscribed_office

REASON = "goodwill"


@pytest.fixture(autouse=True)
def limit(settings):
    settings.APPROVAL_LIMITS = {"usd": 10_000}


@pytest.fixture
def payment(stripe, operator, office):
    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    return Payment.objects.get()


@pytest.fixture
def asking(operator):
    return signed_in(operator.user)


@pytest.fixture
def second(db):
    return signed_in(a_person("second@vendor.example", group="finance"))


def refund(client, payment, key=None, **given):
    headers = {"Idempotency-Key": key} if key else {}
    body = {"amount": 10_001, "reason": REASON, **given}
    return client.post(path(payment.office, f"payments/{payment.public_id}/refund/"), body, "json", headers=headers)


def test_it_is_accepted_with_its_address_and_a_second_person_carries_it_out(stripe, asking, second, payment):
    answer = refund(asking, payment)
    sent = answer.json()
    assert (answer.status_code, sent["status"], sent["operation"]) == (202, "waits for approval", None)
    assert answer["Location"] == sent["address"] == path(payment.office, f"approvals/{sent['id']}/")
    assert "Sent for approval to: second@vendor.example" in sent["says"]
    assert stripe.listed("refunds") == []

    listed = second.get(path(payment.office, "approvals/")).json()["results"]
    assert [one["id"] for one in listed] == [sent["id"]]
    seen = second.post(sent["address"] + "preview/").json()
    assert seen["amount"] == usd(10_001)
    assert "Back to visa …4242" in seen["says"][0]
    done = second.post(sent["address"] + "approve/", {"as_of": seen["as_of"]}, "json")

    assert (done.status_code, done.json()["status"]) == (200, "approved")
    assert done.json()["operation"] == str(Operation.objects.get(kind="refund_payment").public_id)
    assert [one["amount"] for one in stripe.listed("refunds")] == [10_001]
    assert asking.get(sent["address"]).json()["decided_by"] == "second@vendor.example"


def test_a_credit_is_previewed_in_words(stripe, asking, second, payment):
    sent = asking.post(path(payment.office, "credit/"), {"amount": 10_001, "reason": REASON}, "json").json()

    seen = second.post(sent["address"] + "preview/").json()

    assert seen["says"] == ["Now: no credit", "Given: 100.01 USD", "Afterwards: 100.01 USD credit"]


def test_a_repeated_request_is_one_and_gets_what_has_become_of_it(stripe, asking, second, payment):
    first = refund(asking, payment, key="once")
    again = refund(asking, payment, key="once")
    assert (again.status_code, again.json()) == (202, first.json())
    assert is_replay(again)

    died_before_it_answered()
    assert refund(asking, payment, key="once").json()["id"] == first.json()["id"]
    assert ApprovalRequest.objects.count() == 1
    assert IdempotentRequest.objects.get().approval_request == ApprovalRequest.objects.get()

    address = first.json()["address"]
    second.post(address + "turn-down/", {"reason": "not agreed"}, "json")
    now = refund(asking, payment, key="once")
    assert (now.status_code, now.json()["status"]) == (202, "turned down")


def test_a_repeated_approval_is_carried_out_once(stripe, asking, second, payment):
    address = refund(asking, payment).json()["address"]
    body = {"as_of": second.post(address + "preview/").json()["as_of"]}
    first = second.post(address + "approve/", body, "json", headers={"Idempotency-Key": "yes"})
    again = second.post(address + "approve/", body, "json", headers={"Idempotency-Key": "yes"})

    assert (first.status_code, first.json()) == (200, again.json())
    assert is_replay(again)
    assert len(stripe.listed("refunds")) == 1


def test_an_approval_whose_answer_was_lost_is_told_once_it_is_known(stripe, asking, second, payment):
    address = refund(asking, payment).json()["address"]
    body = {"as_of": second.post(address + "preview/").json()["as_of"]}
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/refunds")
    lost = second.post(address + "approve/", body, "json", headers={"Idempotency-Key": "yes"})
    assert lost.status_code == 503
    from tests.api.test_idempotency import worker_comes

    worker_comes()
    known = second.post(address + "approve/", body, "json", headers={"Idempotency-Key": "yes"})
    assert (known.status_code, known.json()["operation_status"]) == (200, "succeeded")


@pytest.mark.parametrize("body", [{}, {"as_of": None}, {"as_of": "soon"}])
def test_nothing_is_approved_without_a_preview(stripe, asking, second, payment, body):
    address = refund(asking, payment).json()["address"]

    assert second.post(address + "approve/", body, "json").status_code == 400
    assert stripe.listed("refunds") == []


def test_one_takes_back_only_what_one_asked_for(stripe, asking, second, payment):
    address = refund(asking, payment).json()["address"]

    assert second.post(address + "withdraw/", {"reason": REASON}, "json").json()["code"] == "not_your_request"
    own = asking.post(address + "approve/", {"as_of": "2030-01-01T00:00:00Z"}, "json")
    assert (own.status_code, own.json()["code"]) == (409, "own_request")
    assert asking.post(address + "withdraw/", {"reason": "found it"}, "json").json()["status"] == "withdrawn"
