"""Pages of other origins may read the API if a setting names them, never with a cookie, and nothing else."""

import pytest

ORIGIN = "https://app.vendor.example"
FIRST = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}


def said_of_origins(answer):
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control-")}


@pytest.fixture
def allowed(settings):
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]


@pytest.mark.django_db
def test_it_is_off_by_default(client, settings):
    assert settings.CORS_ALLOWED_ORIGINS == []
    for answer in (
        client.get("/api/v1/schema/", headers={"Origin": ORIGIN}),
        client.options("/api/v1/offices/", headers={"Origin": ORIGIN, **FIRST}),
    ):
        assert said_of_origins(answer) == {}


@pytest.mark.django_db
def test_a_browser_learns_what_it_may_send_from_an_origin_that_is_named(client, allowed):
    answer = client.options("/api/v1/offices/", headers={"Origin": ORIGIN, **FIRST})

    told = said_of_origins(answer)
    assert answer.status_code == 204
    assert told.pop("Access-Control-Allow-Origin") == ORIGIN
    assert {"Authorization", "Idempotency-Key"} <= set(told["Access-Control-Allow-Headers"].split(", "))
    assert "POST" in told["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in told
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/offices/", "/api/v1/plans/x", "/api/v1/schema/"])
def test_an_answer_and_a_refusal_can_be_read_by_an_origin_that_is_named(client, allowed, path):
    answer = client.get(path, headers={"Origin": ORIGIN})

    told = said_of_origins(answer)
    assert told.pop("Access-Control-Allow-Origin") == ORIGIN
    assert "X-Request-ID" in told.pop("Access-Control-Expose-Headers")
    assert told == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/api/v1/schema/", "https://app.vendor.example.evil.example"),
        ("/api/v1/schema/", "http://app.vendor.example"),
        ("/api/v1/schema/", "https://app.vendor.example:8443"),
        ("/api/v1/schema/", "null"),
        ("/healthz", ORIGIN),
        ("/admin/login/", ORIGIN),
    ],
)
def test_no_other_origin_and_no_other_page_is_let(client, allowed, path, origin):
    for answer in (
        client.get(path, headers={"Origin": origin}),
        client.options(path, headers={"Origin": origin, **FIRST}),
    ):
        assert said_of_origins(answer) == {}
