"""Cards, contact, credit, portal and archive through the API; what they mean is tested with the operations."""

import pytest

from billing.models import IdempotentRequest, Office, Operation
from billing.operations.engine.begin import perform
from billing.operations.offices.cards import fulfil_wishes
from billing.operations.subscriptions.cancel import CancelSubscription
from tests.api.test_api import path, signed_in, usd
from tests.conftest import a_member

KEY = {"Idempotency-Key": "k"}


def post(client, office, rest, body=None, **more):
    return client.post(path(office, rest), body or {}, format="json", **more)


def cards(client, office):
    return client.get(path(office, "payment-methods/")).json()["payment_methods"]


def test_a_front_end_adds_a_card_with_a_setup_intent(stripe, subscribed):
    client = signed_in(a_member(subscribed, "owner"))

    told = post(client, subscribed, "payment-methods/", headers=KEY)
    again = post(client, subscribed, "payment-methods/", headers=KEY)

    assert (told.status_code, told.headers["Cache-Control"]) == (201, "no-store")
    assert again.json()["client_secret"] != told.json()["client_secret"]
    assert not IdempotentRequest.objects.exists()
    stripe.confirm(stripe.listed("setup_intents")[1]["id"], "pm_card_mastercard")
    stripe.deliver_and_apply()
    fulfil_wishes()
    seen = cards(client, subscribed)
    assert [(one["brand"], one["is_default"], one["expiry"]) for one in seen] == [
        ("mastercard", True, "valid"),
        ("visa", False, "valid"),
    ]
    assert set(seen[0]) == {"id", "name", "brand", "last4", "expires", "expiry", "is_default"}


def test_an_owner_chooses_and_removes_cards_and_a_repetition_is_answered_the_same(stripe, subscribed):
    client = signed_in(a_member(subscribed, "owner"))
    url = post(client, subscribed, "payment-methods/link/", {"make_default": False}).json()["url"]
    assert url.startswith(stripe.url)
    stripe.control(f"checkout/sessions/{stripe.listed('checkout/sessions')[0]['id']}/complete", card="pm_card_amex")
    stripe.deliver_and_apply()
    visa, amex = (one["id"] for one in cards(client, subscribed))

    refused = post(client, subscribed, f"payment-methods/{visa}/remove/")
    chosen = post(client, subscribed, f"payment-methods/{amex}/default/", headers=KEY)
    again = post(client, subscribed, f"payment-methods/{amex}/default/", headers=KEY)
    removed = post(client, subscribed, f"payment-methods/{visa}/remove/")
    gone = post(client, subscribed, f"payment-methods/{visa}/default/")

    assert (refused.status_code, refused.json()["code"]) == (409, "payment_method_needed")
    assert (chosen.status_code, chosen.json()["payment_methods"][0]["id"]) == (200, amex)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (chosen.json(), "true")
    assert [one["id"] for one in removed.json()["payment_methods"]] == [amex]
    assert (gone.status_code, gone.json()["code"]) == (404, "payment_method_unknown")
    assert set(Operation.objects.filter(kind="remove_payment_method").values_list("reason", flat=True)) == {
        "The Office did it itself"
    }


def test_an_owner_changes_the_contact(stripe, subscribed):
    client = signed_in(a_member(subscribed, "owner"))

    done = post(client, subscribed, "contact/", {"billing_email": "new@maple.example"}, headers=KEY)
    again = post(client, subscribed, "contact/", {"billing_email": "new@maple.example"}, headers=KEY)
    wrong = post(client, subscribed, "contact/", {"billing_email": "nowhere"})

    assert (done.status_code, done.json()["billing_email"]) == (200, "new@maple.example")
    assert again.json() == done.json()
    assert wrong.status_code == 400
    assert stripe.listed("customers")[0]["email"] == "new@maple.example"


def test_the_portals_address_is_told_once_and_never_remembered(stripe, subscribed):
    client = signed_in(a_member(subscribed, "manager"))

    first, second = (post(client, subscribed, "portal/", headers=KEY) for _ in range(2))

    assert (first.status_code, first.headers["Cache-Control"]) == (201, "no-store")
    assert first.json()["url"] != second.json()["url"]


def test_staff_preview_and_give_credit_once_and_the_office_sees_it(stripe, operator, subscribed):
    client = signed_in(operator.user)
    seen = post(client, subscribed, "credit/preview/", {"amount": 500}).json()
    assert (seen["before"], seen["after"]) == (usd(0), usd(500))
    body = {"amount": 500, "reason": "goodwill", "as_of": seen["as_of"]}

    done = post(client, subscribed, "credit/", body, headers=KEY)
    replayed = post(client, subscribed, "credit/", body, headers=KEY)
    twice = post(client, subscribed, "credit/", body)
    free_text = post(client, subscribed, "credit/", {"amount": 500, "reason": "they were nice"})

    assert (done.status_code, done.json()["credit_balance"]) == (200, usd(500))
    assert replayed.json() == done.json()
    assert (twice.status_code, twice.json()["code"]) == (409, "preview_stale")
    assert free_text.status_code == 400
    owner = signed_in(a_member(subscribed, "owner"))
    assert owner.get(path(subscribed, "subscription/")).json()["credit_balance"] == usd(500)
    assert post(owner, subscribed, "credit/", {"amount": 500, "reason": "goodwill"}).status_code == 403


def test_staff_archive_an_office_and_its_owner_finds_it_no_more(stripe, operator, subscribed):
    staff, owner = signed_in(operator.user), signed_in(a_member(subscribed, "owner"))
    why = {"reason": "closing"}
    assert post(staff, subscribed, "archive/", why).json()["code"] == "still_billed"
    perform(CancelSubscription(at_period_end=False), subscribed, by=operator, reason="closing")
    assert post(owner, subscribed, "archive/").status_code == 403

    done = post(staff, subscribed, "archive/", why, headers=KEY)
    again = post(staff, subscribed, "archive/", why, headers=KEY)

    assert (done.status_code, done.json()["archived_at"] is not None) == (200, True)
    assert again.json() == done.json()
    assert owner.get(path(subscribed)).status_code == 404
    assert post(staff, subscribed, "unarchive/", {"reason": "agreed"}).json()["archived_at"] is None
    assert owner.get(path(subscribed)).status_code == 200


POSTS = "payment-methods/ payment-methods/link/ contact/ portal/ credit/ credit/preview/ archive/ unarchive/".split()


@pytest.mark.parametrize("rest", POSTS)
def test_a_viewer_is_refused_and_an_outsider_finds_nothing(stripe, subscribed, outsider, rest):
    viewer, stranger = signed_in(a_member(subscribed, "viewer")), signed_in(outsider.user)
    body = {"amount": 5, "reason": "goodwill", "locale": "es"}

    assert post(viewer, subscribed, rest, body).status_code == 403
    assert post(stranger, subscribed, rest, body).status_code == 404
    assert stranger.get(path(subscribed, "payment-methods/")).status_code == 404
    assert len(cards(viewer, subscribed)) == 1


@pytest.mark.parametrize("rest", ["default/", "remove/"])
def test_a_card_is_of_its_office_alone(stripe, operator, subscribed, outsider, rest):
    card = subscribed.payment_methods.get().public_id
    viewer, stranger = signed_in(a_member(subscribed, "viewer")), signed_in(outsider.user)

    assert post(viewer, subscribed, f"payment-methods/{card}/{rest}").status_code == 403
    assert post(stranger, subscribed, f"payment-methods/{card}/{rest}").status_code == 404


def test_an_owner_is_told_that_the_vendor_is_at_it_and_not_who(stripe, operator, subscribed):
    stripe.fail_next("503", method="POST")
    assert (
        post(signed_in(operator.user), subscribed, "contact/", {"locale": "es", "reason": "agreed"}).status_code == 503
    )

    answer = post(signed_in(a_member(subscribed, "owner")), subscribed, "contact/", {"locale": "de"})

    assert (answer.status_code, answer.json()["code"]) == (409, "operation_in_progress")
    assert "asked for by the vendor" in answer.json()["detail"]
    assert "@" not in answer.json()["detail"]
    assert Office.objects.get(pk=subscribed.pk).locale == "en"
