"""People's tokens: what each scope opens, for how long they hold, and what the administrator sees of them."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from billing import clock
from billing.access import tokens
from billing.models import AccessToken, AuditEntry
from tests.api.test_limits import EVERY
from tests.conftest import PASSWORD
from tests.sign_in.browser import entries

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]
API = [(name, there) for name, there, _ in EVERY if name.startswith("api:")]


def asked_for(user, **more):
    given = {"email": user.email, "password": PASSWORD, **more}
    return APIClient().post("/api/v1/auth/token/", given, format="json")


def with_token(token):
    api = APIClient(raise_request_exception=False)
    api.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return api


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(("name", "there"), API, ids=[name for name, _ in API])
def test_a_token_that_only_looks_changes_nothing_at_any_address(one_connection, operator, name, there, method):
    """At each address of the API, an address that comes later included: whatever the person may do there."""
    if name in ("api:sign-in", "api:sign-out"):
        return  # one needs no token, the other one ends it
    if name in ("api:schema", "api:docs", "api:problems"):
        return  # open to everybody, and only to be read
    api = with_token(tokens.make(operator.user, scope=tokens.Scope.READ)[1])

    answer = api.generic(method, f"/{there}", "{}", content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "token_only_reads")
    kind, who, what = entries(operator.user)[-1]
    assert (kind, who) == ("refusal", operator.user.email)
    assert what.endswith("the API token can only read")


def test_a_method_that_somebody_made_up_is_not_in_the_trail(one_connection, operator):
    api = with_token(tokens.make(operator.user, scope=tokens.Scope.READ)[1])

    for number in range(3):
        assert api.generic(f"ZEBEDEE{number}", "/api/v1/offices/").status_code == 403

    refused = AuditEntry.objects.filter(kind="refusal", actor=operator.user)
    assert [one.what for one in refused] == ["another method offices: the API token can only read"]


def test_it_looks_at_what_the_person_may_see(operator, office):
    token = asked_for(operator.user, scope="read").data["token"]

    for path in ("", f"{office.public_id}/", f"{office.public_id}/invoices/", f"{office.public_id}/entitlement/"):
        assert with_token(token).get(f"/api/v1/offices/{path}").status_code == 200


def test_it_ends_itself(operator):
    token = asked_for(operator.user, scope="read").data["token"]

    assert with_token(token).post("/api/v1/auth/sign-out/").status_code == 204

    assert with_token(token).get("/api/v1/offices/").status_code == 401


def test_a_scope_gives_nothing_that_the_person_has_not(auditor, office):
    api = with_token(asked_for(auditor.user, scope="operate").data["token"])

    answer = api.post(f"/api/v1/offices/{office.public_id}/archive/", {"reason": "closing"}, format="json")

    assert answer.status_code in (400, 403)
    office.refresh_from_db()
    assert office.archived_at is None


@pytest.mark.parametrize(
    ("more", "scope", "hours"),
    [({}, "operate", 10), ({"hours": 1}, "operate", 1), ({"scope": "read", "hours": 10}, "read", 10)],
)
def test_a_token_is_as_narrow_as_it_was_asked_for(operator, more, scope, hours):
    answer = asked_for(operator.user, **more)

    assert (answer.status_code, answer.data["scope"]) == (200, scope)
    row = AccessToken.objects.get()
    assert (row.scope, row.expiry) == (scope, answer.data["expires"])
    lasts = row.expiry - clock.wall()
    assert timedelta(hours=hours, minutes=-1) < lasts <= timedelta(hours=hours)
    assert AuditEntry.objects.get(what__startswith="signed in for an API token").what.endswith(row.get_scope_display())


@pytest.mark.parametrize("more", [{"hours": 11}, {"hours": 0}, {"hours": "x"}, {"scope": "everything"}, {"scope": ""}])
def test_what_cannot_be_asked_for_gives_no_token(operator, more):
    answer = asked_for(operator.user, **more)

    assert (answer.status_code, answer.data["code"]) == (400, "invalid")
    assert list(answer.data["fields"]) == list(more)
    assert not AccessToken.objects.exists()


def test_an_expired_token_opens_nothing(operator):
    token = asked_for(operator.user).data["token"]
    AccessToken.objects.update(expiry=clock.wall() - timedelta(seconds=1))

    assert with_token(token).get("/api/v1/offices/").status_code == 401
