from datetime import timedelta

import pytest

from billing import clock
from billing.models import IdempotentRequest, Office, Operation
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.cancel import CancelSubscription
from tests.api.test_api import path, signed_in, usd
from tests.at_stripe import a_coupon, a_promotion_code
from tests.conftest import a_member, price, subscribed_office


@pytest.fixture
def on_trial(stripe, operator, office):
    return subscribed_office(office, by=operator, trial_days=14)


def post(client, office, rest, body=None, key=""):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(path(office, f"subscription/{rest}/"), body or {}, format="json", headers=headers)


def twice(client, office, rest, body=None):
    """Asked with a key, and again: one operation, one answer."""
    before = Operation.objects.count()
    done, again = (post(client, office, rest, body, key=rest) for _ in range(2))
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.status_code, again.json()) == (done.status_code, done.json())
    assert Operation.objects.count() == before + 1
    assert done.status_code == 200, done.content
    return done.json()


def test_a_cancellation_is_taken_back_once(stripe, operator, subscribed):
    perform(CancelSubscription(), subscribed, by=operator, reason="closing")
    client = signed_in(a_member(subscribed, "owner"))

    assert twice(client, subscribed, "resume-renewal")["cancel_at"] is None
    assert post(client, subscribed, "resume-renewal").json()["code"] == "not_cancelling"


def test_it_ends_on_a_date_once(stripe, subscribed):
    at = (clock.billing() + timedelta(days=60)).replace(microsecond=0)
    client = signed_in(a_member(subscribed, "owner"))

    shown = twice(client, subscribed, "cancel-on-date", {"at": at.isoformat()})
    assert shown["cancel_at"] == at.isoformat().replace("+00:00", "Z")
    past = post(client, subscribed, "cancel-on-date", {"at": "2020-01-01T00:00:00Z"})
    assert (past.status_code, past.json()["code"]) == (422, "date_invalid")


def test_a_trial_ends_once_and_is_not_made_longer_by_the_office(stripe, on_trial):
    client = signed_in(a_member(on_trial, "owner"))
    later = {"at": (clock.billing() + timedelta(days=60)).isoformat()}

    assert post(client, on_trial, "trial-end/preview", {"at": None}).json()["charged"] == usd(19_900)
    assert post(client, on_trial, "trial-end/preview", later).status_code == 403
    assert post(client, on_trial, "trial-end", later).status_code == 403
    seen = post(client, on_trial, "trial-end/preview", {"at": None}).json()
    assert twice(client, on_trial, "trial-end", {"at": None, "as_of": seen["as_of"]})["status"] == "active"
    assert len(stripe.listed("charges")) == 1


def test_a_period_begins_once(stripe, subscribed):
    client = signed_in(a_member(subscribed, "owner"))
    seen = post(client, subscribed, "restart-period/preview", {"credit": "not_at_all"}).json()

    twice(client, subscribed, "restart-period", {"credit": "not_at_all", "as_of": seen["as_of"]})

    assert [one["amount"] for one in stripe.listed("charges")] == [seen["charged"]["amount"], 19_900]


def test_staff_pause_and_resume_collection_once_and_an_owner_may_not(stripe, operator, subscribed):
    staff, owner = signed_in(operator.user), signed_in(a_member(subscribed, "owner"))
    pause = {"invoices_become": "void", "reason": "goodwill"}

    assert post(owner, subscribed, "pause-collection", pause).status_code == 403
    assert twice(staff, subscribed, "pause-collection", pause)["collection_paused"] == "void"
    assert post(owner, subscribed, "resume-collection").status_code == 403
    assert twice(staff, subscribed, "resume-collection", {"reason": "goodwill"})["collection_paused"] == ""


def test_an_owner_redeems_a_promotion_code_once_and_no_coupon(stripe, subscribed):
    a_coupon(stripe, "FIFTH", percent_off=20, duration="forever")
    a_promotion_code(stripe, "WELCOME", "FIFTH")
    client = signed_in(a_member(subscribed, "owner"))

    unknown = post(client, subscribed, "discount", {"code": "FIFTH"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "coupon_unknown")
    assert post(client, subscribed, "discount/preview", {"code": "WELCOME"}).json()["charged"] == usd(15_920)
    assert twice(client, subscribed, "discount", {"code": "WELCOME"})["discount"] == "20 % off, without an end"
    assert post(client, subscribed, "discount/remove/preview").json()["charged"] == usd(19_900)
    assert twice(client, subscribed, "discount/remove")["discount"] == ""


def test_the_first_invoice_is_shown_before_a_subscription_starts(stripe, office):
    client = signed_in(a_member(office, "owner"))
    seen = post(client, office, "preview", {"price": str(price("seats-monthly").public_id), "quantity": 2}).json()

    assert (seen["now"], seen["charged"], seen["lines"][0]["text"]) == (True, usd(9_800), "Team, 2 seats")


def test_a_payment_link_is_one_for_a_key_and_its_address_is_not_kept(stripe, office):
    client = signed_in(a_member(office, "owner"))
    body = {"price": str(price("practice-monthly").public_id)}

    done, again = (post(client, office, "payment-link", body, key="one") for _ in range(2))
    other_key = post(client, office, "payment-link", body, key="two")

    assert (done.status_code, again.status_code, other_key.status_code) == (201, 201, 201)
    assert done.json()["address"].startswith(f"{stripe.url}/pay/")
    assert done.json() == again.json() == other_key.json()
    assert (again.headers["Idempotent-Replayed"], again.headers["Cache-Control"]) == ("true", "no-store")
    assert len(stripe.listed("checkout/sessions")) == 1
    assert "/pay/" not in str(list(IdempotentRequest.objects.values()))

    withdrawn = twice(client, office, "payment-link/withdraw")
    assert withdrawn["status"] == ""
    gone = post(client, office, "payment-link", body, key="one")
    assert (gone.status_code, gone.json()["code"]) == (409, "payment_link_gone")


def test_a_viewer_gets_403_and_an_outsider_404_everywhere(stripe, subscribed, outsider):
    viewer, stranger = signed_in(a_member(subscribed, "viewer")), signed_in(outsider.user)
    at = {"at": (clock.billing() + timedelta(days=60)).isoformat()}
    start = {"price": str(price("practice-monthly").public_id)}
    for rest, body in (
        ("payment-link", start),
        ("payment-link/withdraw", {}),
        ("resume-renewal", {}),
        ("cancel-on-date", at),
        ("trial-end", at),
        ("restart-period", {}),
        ("pause-collection", {"invoices_become": "void"}),
        ("resume-collection", {}),
        ("discount", {"code": "WELCOME"}),
        ("discount/remove", {}),
    ):
        assert post(viewer, subscribed, rest, body).status_code == 403, rest
        assert post(stranger, subscribed, rest, body).status_code == 404, rest
    assert Office.objects.get(pk=subscribed.pk).cancel_at is None
