import pytest

from billing.models import Operation
from tests.api.test_api import path, signed_in, usd
from tests.conftest import a_member, price, subscribed_office


@pytest.fixture
def team(stripe, operator, office):
    return subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)


def test_an_owner_previews_and_confirms_and_need_not_say_why(stripe, team):
    client = signed_in(a_member(team, "owner"))

    seen = client.post(path(team, "subscription/change/preview/"), {"quantity": 5}, format="json")
    assert (seen.status_code, seen.json()["charged"]) == (200, usd(9_800))
    confirmed = {"quantity": 5, "as_of": seen.json()["as_of"]}
    done = client.post(path(team, "subscription/change/"), confirmed, format="json", headers={"Idempotency-Key": "k"})
    again = client.post(path(team, "subscription/change/"), confirmed, format="json", headers={"Idempotency-Key": "k"})

    assert (done.status_code, done.json()["quantity"]) == (200, 5)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (done.json(), "true")
    assert Operation.objects.get(kind="change_subscription").reason == "The Office did it itself"
    assert stripe.listed("invoices")[0]["amount_paid"] == 9_800


def test_a_price_is_named_by_its_code_too(stripe, office):
    client = signed_in(a_member(office, "owner"))
    by_code = {"price": "practice-monthly", "payment_method": "pm_card_visa"}
    seen = client.post(path(office, "subscription/preview/"), {"price": "practice-monthly"}, format="json")
    started = client.post(path(office, "subscription/"), by_code, format="json")
    to_seats = {"price": "seats-monthly", "quantity": 2}
    cost = client.post(path(office, "subscription/change/preview/"), to_seats, format="json")
    changed = client.post(path(office, "subscription/change/"), to_seats, format="json")
    unknown = client.post(path(office, "subscription/change/"), {"price": "no-such-code"}, format="json")

    assert (seen.status_code, started.status_code, started.json()["plan"]) == (200, 201, "Practice")
    assert (cost.status_code, changed.status_code, changed.json()["plan"]) == (200, 200, "Team")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "plan_unknown")
    stored = Operation.objects.get(kind="change_subscription").request["price"]
    assert stored == str(price("seats-monthly").public_id)


def test_staff_must_say_why_and_in_neutral_words(stripe, operator, team):
    client = signed_in(operator.user)
    answers = [
        client.post(path(team, "subscription/change/"), {"quantity": 5, **why}, format="json")
        for why in ({}, {"reason": "the patient asked"}, {"reason": "agreed"})
    ]

    assert [(one.status_code, one.json().get("code")) for one in answers] == [
        (422, "reason_required"),
        (422, "text_not_neutral"),
        (200, None),
    ]
    assert Operation.objects.get(kind="change_subscription").reason == "Agreed with the Office"


def test_a_viewer_is_refused_and_an_outsider_finds_nothing(stripe, team, outsider):
    viewer, stranger = signed_in(a_member(team, "viewer")), signed_in(outsider.user)

    for rest, status in (("subscription/change/", 403), ("subscription/change/preview/", 200)):
        assert viewer.post(path(team, rest), {"quantity": 5}, format="json").status_code == status
        assert stranger.post(path(team, rest), {"quantity": 5}, format="json").status_code == 404
