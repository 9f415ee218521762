import pytest

from billing.models import Operation
from tests.api.test_api import path, signed_in, usd
from tests.conftest import a_member, subscribed_office


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
