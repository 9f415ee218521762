import pytest
from rest_framework.test import APIClient

from billing.models import AuditEntry, Operation
from tests.conftest import PASSWORD, a_member, a_person, an_office, price


def signed_in(user) -> APIClient:
    client = APIClient()
    answer = client.post("/api/v1/auth/token/", {"email": user.email, "password": PASSWORD}, format="json")
    assert answer.status_code == 200, answer.content
    client.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    return client


def path(office, rest=""):
    return f"/api/v1/offices/{office.public_id}/{rest}"


def usd(cents):
    return {"amount": cents, "currency": "usd", "formatted": f"{cents / 100:,.2f} USD"}


def start(client, office, **given):
    body = {
        "price": str(price("practice-monthly").public_id),
        "payment_method": "pm_card_visa",
        "reason": "we begin",
        **given,
    }
    return client.post(path(office, "subscription/"), body, format="json")


def test_an_owner_starts_and_cancels_and_the_trail_names_them(stripe, office):
    owner = a_member(office, "owner")
    client = signed_in(owner)

    started = start(client, office)
    entitled = client.get(path(office, "entitlement/"))
    cancelled = client.post(path(office, "subscription/cancel/"), {"reason": "we close"}, format="json")

    assert (started.status_code, started.json()["status"]) == (201, "active")
    assert entitled.json()["access"] == "full"
    assert entitled.json()["until"] == started.json()["current_period_end"]
    assert cancelled.status_code == 200
    assert cancelled.json()["cancel_at"] is not None
    assert set(Operation.objects.values_list("actor", "reason")) == {(owner.pk, "we begin"), (owner.pk, "we close")}
    assert AuditEntry.objects.filter(actor=owner, reason="we close").exists()


def test_no_answer_holds_a_stripe_id(stripe, office):
    client = signed_in(a_member(office, "owner"))
    answers = [start(client, office), client.get(path(office)), client.get("/api/v1/plans/")]
    for answer in answers:
        for prefix in ("cus_", "sub_", "price_", "prod_", "in_", "pm_"):
            assert prefix not in answer.content.decode()


@pytest.mark.parametrize("rest", ["", "subscription/", "entitlement/"])
def test_without_a_grant_an_office_does_not_exist(stripe, office, rest):
    other = an_office("Another Practice")
    client = signed_in(a_member(office, "owner"))

    assert client.get(path(office, rest)).status_code == 200
    assert client.get(path(other, rest)).status_code == 404
    assert start(client, other).status_code == 404
    assert client.post(path(other, "subscription/cancel/"), {"reason": "try"}, format="json").status_code == 404
    assert [one["name"] for one in client.get("/api/v1/offices/").json()["results"]] == [office.name]


def test_a_viewer_looks_and_is_refused_with_a_word_and_an_entry(stripe, office):
    viewer = a_member(office, "viewer")
    client = signed_in(viewer)

    answer = start(client, office)

    assert client.get(path(office, "subscription/")).status_code == 200
    assert answer.status_code == 403
    assert "administrator" in answer.json()["detail"]
    assert AuditEntry.objects.get(kind="refusal").actor == viewer


def test_an_ended_membership_ends_access(stripe, office):
    from billing import clock
    from billing.access import grants
    from billing.audit import actor, trail
    from billing.models import Membership

    owner = a_member(office, "owner")
    client = signed_in(owner)
    membership = Membership.objects.get()
    membership.ended_at = clock.wall()
    with trail.acting(actor.job("tests")):
        membership.save()
        grants.write_grants(membership)

    assert client.get(path(office)).status_code == 404
    assert signed_in(owner).get(path(office)).status_code == 404


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"price": "nonsense"}, 422, "plan_unknown"),
        ({"quantity": 3}, 422, "quantity_invalid"),
        ({"quantity": "many"}, 400, "invalid"),
        ({"trial_days": 365}, 403, "staff_only"),
        ({"reason": "the patient wants it"}, 422, "text_not_neutral"),
        ({"payment_method": "4242424242424242"}, 400, "invalid"),
        ({"payment_method": ""}, 402, "payment_method_required"),
        ({"payment_method": "pm_card_chargeCustomerFail"}, 402, "card_declined"),
        ({"payment_method": "pm_card_authenticationRequired"}, 402, "authentication_required"),
    ],
)
def test_refusals_say_what_is_wrong_and_what_to_do(stripe, office, given, status, code):
    answer = start(signed_in(a_member(office, "owner")), office, **given)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(answer.json()["detail"]) > 20


def test_with_stripe_away_the_answer_says_that_nobody_knows_yet(stripe, office):
    stripe.fail_next("503", method="POST")

    answer = start(signed_in(a_member(office, "owner")), office)

    assert (answer.status_code, answer.json()["code"]) == (503, "stripe_unavailable")
    assert "not known yet" in answer.json()["detail"]


def test_a_wrong_password_is_refused(db):
    a_person("owner@maple.example")
    answer = APIClient().post("/api/v1/auth/token/", {"email": "owner@maple.example", "password": "x"}, format="json")
    assert answer.status_code == 401
    assert answer.json()["code"] == "authentication_failed"


def test_a_token_is_kept_as_a_digest_and_void_after_signing_out(one_connection, db):
    from billing.models import AccessToken

    client = signed_in(a_person("owner@maple.example"))
    assert AccessToken.objects.get().digest not in client._credentials["HTTP_AUTHORIZATION"]

    assert client.post("/api/v1/auth/sign-out/").status_code == 204
    assert client.get("/api/v1/offices/").status_code == 401


def test_the_document_and_its_page_are_served_from_here(db):
    client = APIClient()
    document = client.get("/api/v1/schema/", HTTP_ACCEPT="application/json")
    shown = client.get("/api/v1/docs/").content.decode()
    assert document.status_code == 200
    assert "//cdn" not in shown
