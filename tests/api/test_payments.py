from zoneinfo import ZoneInfo

import pytest

from billing.models import Adjustment, Invoice, Operation, Payment
from tests.api.test_api import path, signed_in, start, usd
from tests.conftest import a_member, a_person, an_office, subscribed_office


def paid(stripe, operator, office, card="pm_card_visa"):
    subscribed_office(office, by=operator, card=card)
    stripe.deliver_and_apply()
    return Payment.objects.get()


@pytest.fixture
def payment(stripe, operator, office):
    return paid(stripe, operator, office)


def post(client, office, rest, body, key=""):
    return client.post(path(office, rest), body, format="json", headers={"Idempotency-Key": key} if key else {})


def test_staff_preview_and_refund_and_a_repetition_refunds_once(stripe, operator, office, payment):
    client, rest = signed_in(operator.user), f"payments/{payment.public_id}/refund/"
    asked = {"amount": 5_000, "reason": "office_asked"}

    seen = post(client, office, f"{rest}preview/", {"amount": 5_000, "reason": "suspected_fraud"})
    done, again = (post(client, office, rest, asked, key="once") for _ in range(2))

    assert seen.status_code == 200
    assert (seen.json()["amount"], seen.json()["remains"]) == (usd(5_000), usd(14_900))
    assert "blocks the card" in seen.json()["warnings"][0]
    stale = post(client, office, rest, {**asked, "as_of": seen.json()["as_of"]})
    assert (stale.status_code, stale.json()["code"]) == (409, "preview_stale")
    assert (done.status_code, done.json()["amount_refunded"], done.json()["refundable"]) == (
        201,
        usd(5_000),
        usd(14_900),
    )
    assert [(one["kind"], one["amount"]) for one in done.json()["adjustments"]] == [("refund", usd(5_000))]
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (done.json(), "true")
    assert len(stripe.listed("refunds")) == 1


def test_a_refund_whose_answer_was_lost_is_answered_once_it_is_known(stripe, operator, office, payment):
    from tests.api.test_idempotency import worker_comes

    client, rest = signed_in(operator.user), f"payments/{payment.public_id}/refund/"
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/refunds")
    unknown = post(client, office, rest, {"reason": "goodwill"}, key="once")
    worker_comes()
    known = post(client, office, rest, {"reason": "goodwill"}, key="once")

    assert (unknown.status_code, known.status_code) == (503, 201)
    assert known.json()["amount_refunded"] == usd(19_900)
    assert len(stripe.listed("refunds")) == 1


def test_staff_preview_and_issue_a_credit_note(stripe, operator, office, payment):
    client, rest = signed_in(operator.user), f"invoices/{Invoice.objects.get().public_id}/credit-note/"
    asked = {"amount": 5_000, "to": "balance", "reason": "goodwill"}

    seen = post(client, office, f"{rest}preview/", asked)
    done, again = (post(client, office, rest, asked, key="once") for _ in range(2))

    assert (seen.json()["amount"], seen.json()["remains_as"]) == (usd(5_000), "Can still be credited")
    assert (done.status_code, done.json()["status"], done.json()["creditable"]) == (201, "paid", usd(14_900))
    assert [(one["kind"], one["status"]) for one in done.json()["adjustments"]] == [("credit_note", "issued")]
    assert again.json() == done.json()
    assert len(stripe.listed("credit_notes")) == 1


@pytest.mark.parametrize(
    ("rest", "body", "status", "code"),
    [
        ("payments/{payment}/refund/", {"amount": 20_000}, 422, "more_than_left"),
        ("payments/{payment}/refund/", {"amount": 0}, 422, "amount_invalid"),
        ("invoices/{invoice}/credit-note/", {"to": "due"}, 409, "invoice_not_creditable"),
        ("invoices/{invoice}/credit-note/", {}, 400, "invalid"),
    ],
)
def test_a_refusal_says_what_would_be_possible(stripe, operator, office, payment, rest, body, status, code):
    rest = rest.format(payment=payment.public_id, invoice=payment.invoice.public_id)

    answer = post(signed_in(operator.user), office, rest, {"reason": "goodwill", **body})

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_owner_sees_payments_and_is_told_who_may_refund(stripe, office, payment):
    client = signed_in(a_member(office, "owner"))

    seen = client.get(path(office, "payments/")).json()["results"]
    refused = [
        post(client, office, f"payments/{payment.public_id}/refund/", {}),
        post(client, office, f"payments/{payment.public_id}/refund/preview/", {}),
        post(client, office, f"invoices/{payment.invoice.public_id}/credit-note/", {"to": "refund"}),
    ]

    assert [(one["id"], one["amount"], one["failure"]) for one in seen] == [(str(payment.public_id), usd(19_900), None)]
    assert {(one.status_code, one.json()["code"]) for one in refused} == {(403, "staff_only")}
    assert "Only the vendor's staff may give money back. Ask them" in refused[0].json()["detail"]
    assert not Operation.objects.exclude(kind="subscribe").exists()


def test_an_outsider_finds_no_payment_and_staff_none_of_another_office(stripe, operator, office, payment, outsider):
    other, rest = an_office("Another Practice"), f"payments/{payment.public_id}/refund/"
    stranger, staff = signed_in(outsider.user), signed_in(operator.user)

    for answer in (
        stranger.get(path(office, "payments/")),
        stranger.get(path(office, "adjustments/")),
        post(stranger, office, rest, {}),
        post(staff, other, rest, {"reason": "goodwill"}),
        post(staff, other, f"invoices/{payment.invoice.public_id}/credit-note/", {"to": "refund", "reason": "agreed"}),
    ):
        assert answer.status_code == 404
    assert stripe.listed("refunds") == []


@pytest.mark.parametrize("rest", ["", "credit-note/", "credit-note/preview/"])
def test_an_invoice_that_was_deleted_is_found_at_none_of_its_addresses(stripe, operator, office, payment, rest):
    client, at = signed_in(operator.user), f"invoices/{payment.invoice.public_id}/{rest}"
    Invoice.objects.update(deleted_at=payment.created_at)

    answer = post(client, office, at, {"to": "balance", "reason": "goodwill"}) if rest else client.get(path(office, at))
    assert answer.status_code == 404


def test_a_dispute_is_listed_with_what_to_do_and_until_when(stripe, operator, office):
    paid(stripe, operator, office, "pm_card_createDispute")

    (one,) = signed_in(operator.user).get(path(office, "adjustments/")).json()["results"]

    row = Adjustment.objects.get()
    assert (one["kind"], one["status"], one["outcome"]) == ("dispute", "needs_response", "")
    due = row.due_at.astimezone(ZoneInfo(office.time_zone))
    assert f"answer it in Stripe's dashboard before {due.day} {due:%B %Y, %H:%M} (America/New_York)" in one["says"]
    assert one["due_at"] == row.due_at.isoformat().replace("+00:00", "Z")
    assert row.stripe_id not in str(one)


@pytest.mark.parametrize(
    ("at_bank", "told", "next_step"),
    [
        ("insufficient_funds", "insufficient_funds", "Use another payment method, or try again when there is enough."),
        ("expired_card", "expired_card", "Add a valid card"),
        ("incorrect_cvc", "incorrect_cvc", "right code"),
        ("processing_error", "processing_error", "Try again in a few minutes"),
        ("generic_decline", "generic_decline", "ask the bank"),
        ("lost_card", "generic_decline", "ask the bank"),
        ("stolen_card", "generic_decline", "ask the bank"),
        ("authentication_required", "authentication_required", "Ask the person who pays to confirm it"),
    ],
)
def test_a_decline_says_why_and_what_to_do_next_also_when_it_is_repeated(stripe, office, at_bank, told, next_step):
    client = signed_in(a_member(office, "owner"))
    client.credentials(**client._credentials, HTTP_IDEMPOTENCY_KEY="once")
    stripe.control("charges", outcome="decline", code=at_bank)

    first, again = start(client, office), start(client, office)
    stripe.deliver_and_apply()
    listed = client.get(path(office, "payments/")).json()["results"]

    body = first.json()
    assert (first.status_code, body["decline_code"]) == (402, told)
    assert next_step in body["next_step"]
    assert body["next_step"] in body["detail"]
    assert again.json() == body
    assert [(one["status"], one["failure"]["code"]) for one in listed] == [("failed", told)]
    for word in ("lost", "stolen"):
        assert word not in first.content.decode() + str(listed)


def test_a_viewer_may_not_refund(stripe, office, payment):
    client = signed_in(a_member(office, "viewer"))

    assert client.get(path(office, "payments/")).status_code == 200
    assert post(client, office, f"payments/{payment.public_id}/refund/", {"reason": "goodwill"}).status_code == 403


def test_an_auditor_reads_and_may_not_refund(stripe, office, payment):
    client = signed_in(a_person("auditor@vendor.example", group="auditor"))

    assert client.get(path(office, "payments/")).status_code == 200
    assert post(client, office, f"payments/{payment.public_id}/refund/", {"reason": "goodwill"}).status_code == 403
