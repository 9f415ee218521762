"""Whatever bytes come, the API answers with a refusal in JSON. It never fails (500), and never answers a page of HTML.

The walk is over the URL table, so a new address is tried too.
"""

import json
import re
import uuid
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, cast

import pytest
import yaml
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.serializers import DateTimeField

from billing.api.views import ApiView
from billing.models import Office
from tests.access.test_matrix import furnished
from tests.api.test_api import signed_in
from tests.conftest import a_member
from tests.processes import ROOT

DEEP = "[" * 60_000
HEADERS = {
    "a token that is no text": b"Token \xff\xfe",
    "a bearer that is no text": b"Bearer obs_\xff\xfe\x80",
    "a NUL in the token": b"Token abc\0def",
    "no token": b"Token ",
    "a token of two words": b"Token a b",
    "another scheme": b"Digest \xe9",
    "a very long token": b"Token " + b"a" * 5_000,
    "a very long bearer": b"Bearer " + b"a" * 5_000,
}
BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "bytes that are no text": b'{"reason": "\xff\xfe"}',
    "nesting": DEEP.encode(),
    "nesting of objects": b'{"a":' * 10_000,
    "not an object": b"[]",
    "a number": b"7",
    "null": b"null",
    "a number beyond every type": b'{"quantity": 1e999, "amount": 1e999}',
    "a number of many digits": b'{"quantity": ' + b"9" * 5_000 + b', "amount": ' + b"9" * 5_000 + b"}",
    "not a number": b'{"quantity": NaN, "amount": NaN}',
}
TEXTS = {"a lone surrogate": "\\ud800", "a NUL": "\\u0000", "nothing": "", "a very long text": "x" * 30_000}
FIELDS = "reason email role settle price password code until name quantity payment_method".split()
OPEN = ("api/v1/schema/", "api/v1/docs/", "api/v1/problems/")
TAKE_NO_BODY = ("api/v1/auth/sign-out/",)
NAMES = "cursor page_size status kind person request_id from to reason earlier_size format lang".split()
QUERIES = {
    "a number beyond 64 bits": "earlier_size=99999999999999999999999&page_size=99999999999999999999999",
    "not a number": "page_size=x&earlier_size=-1",
    "a NUL": "&".join(f"{name}=%00" for name in NAMES),
    "bytes that are no text": "&".join(f"{name}=%ff%fe" for name in NAMES),
    "a cursor that says something else": "cursor=cD1ub3QtYS1kYXRl",
    "a cursor before the calendar": "cursor="
    + b64encode(b"p=0001-01-01T00:00:00+14:00".replace(b"+", b"%2B")).decode(),
    "a cursor without a zone": "cursor=" + b64encode(b"p=2030-01-01T00:00:00").decode(),
    "a cursor of a NUL": "cursor=cD0A",
    "a date beyond the calendar": "from=99999-01-01&to=0000-00-00",
    "brackets": "a[b]=c&limit[]=1",
}


def addresses(patterns: list[Any] | None = None, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each address of the API, with its parameters in angle brackets, and its view."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns, route)
        elif isinstance(one, URLPattern) and route.startswith("api/"):
            yield route, one.callback


def filled(route: str, office: Office) -> str:
    """Return the address with this Office's id, and a made-up one wherever else there is an id."""
    path = re.sub(r"<\w+:public_id>", str(office.public_id), route)
    path = re.sub(r"<uuid:\w+>", str(uuid.UUID(int=7)), path)
    return "/" + re.sub(r"<\w+:\w+>|<\w+>", "7", path)


def methods_of(view: Any) -> set[str]:
    found = getattr(view, "cls", None) or getattr(view, "view_class", None)
    return {name for name in ("get", "post", "put", "patch", "delete", "options") if hasattr(found, name)}


def known_of(view: Any) -> tuple[str, ...] | None:
    """Return what the address may be asked with. Others would be refused before these are read. None: anything."""
    made = getattr(view, "cls", None)
    if made is None or not issubclass(made, ApiView):
        return None
    asked = cast(ApiView, made(**view.initkwargs))
    asked.request = cast(Any, RequestFactory().get("/"))
    return asked.parameters()


ADDRESSES = list(addresses())
WRITES = [(route, method) for route, view in ADDRESSES for method in methods_of(view) & {"post", "put", "patch"}]
READS = [route for route, view in ADDRESSES if "get" in methods_of(view)]


def is_refused(answer: Any, *, may_succeed: bool = False) -> None:
    assert answer.status_code < 500, answer.content[:500]
    if answer.status_code < 300 and may_succeed:
        return
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.content[:500])
    assert answer["Content-Type"] == "application/problem+json", answer["Content-Type"]
    body = json.loads(answer.content)
    assert {"type", "title", "status", "code", "detail", "request_id"} <= set(body), body
    assert (body["status"], body["request_id"]) == (answer.status_code, answer["X-Request-ID"])
    assert body["type"].partition("#")[2] == body["code"]


@pytest.fixture
def client(stripe: Any, office: Office, no_limit_is_reached: None) -> Client:
    client = signed_in(a_member(office, "owner"))
    client.raise_request_exception = False
    return client


def test_the_walk_finds_addresses() -> None:
    assert len(WRITES) > 30
    assert len(READS) > 15


@pytest.mark.parametrize("value", HEADERS.values(), ids=HEADERS)
def test_a_token_that_is_none_is_refused(office: Office, value: bytes, no_limit_is_reached: None) -> None:
    given = value.decode("latin-1")
    for route in READS:
        client = Client(raise_request_exception=False)
        answer = client.get(filled(route, office), HTTP_AUTHORIZATION=given)
        is_refused(answer, may_succeed=route in OPEN)


def test_a_body_that_is_none_is_refused(client: Any, office: Office) -> None:
    for route, method in WRITES:
        for name, body in BODIES.items():
            asked = getattr(client, method)
            answer = asked(filled(route, office), body, content_type="application/json")
            assert answer.status_code < 500, (route, name, answer.content[:300])
            is_refused(answer, may_succeed=name == "nothing")


def test_a_text_that_cannot_be_kept_is_refused(client: Any, office: Office) -> None:
    for route, method in WRITES:
        for name, text in TEXTS.items():
            sent = "{" + ", ".join(f'"{field}": "{text}"' for field in FIELDS) + "}"
            answer = getattr(client, method)(filled(route, office), sent.encode(), content_type="application/json")
            assert answer.status_code < 500, (route, name, answer.content[:300])
            if name == "a lone surrogate" and route not in TAKE_NO_BODY:
                is_refused(answer)


def bodies() -> Iterator[tuple[str, str, str, Any]]:
    """Yield method, path and name of each field that the document knows in a body, and a value of another type."""
    document = yaml.load((ROOT / "openapi.yaml").read_text(), yaml.CSafeLoader)
    for path, item in document["paths"].items():
        for method, about in item.items():
            for content in about.get("requestBody", {}).get("content", {}).values():
                name = content["schema"]["$ref"].rpartition("/")[2]
                for field, said in document["components"]["schemas"][name]["properties"].items():
                    is_no_text = said.get("type") in ("integer", "boolean", ["integer", "null"])
                    yield method, path, field, "1" if is_no_text else 0


def test_a_value_that_a_field_cannot_have_is_refused_and_the_field_is_named(
    stripe, office, operator, no_limit_is_reached
):
    """A NUL, of which PostgreSQL cannot be asked, and another type. No body is read of whoever may not ask for it."""
    ids = furnished(office)
    clients = [signed_in(user) for user in (a_member(office, "owner"), operator.user)]
    tried = list(bodies())
    for method, path, field, of_another_type in tried:
        for value in ("a\0b", of_another_type):
            named: list[str] = []
            for client in clients:
                client.raise_request_exception = False
                answer = getattr(client, method)(path.format(**ids), {field: value}, format="json")
                is_refused(answer)
                named += answer.json().get("fields", ())
            assert field in named, (method, path, field, value)
    assert len(tried) > 100


def test_a_parameter_that_is_empty_or_no_moment_is_refused(client: Any, office: Office) -> None:
    tried = 0
    for route, view in ADDRESSES:
        asked_with = getattr(getattr(view, "cls", None), "asked_with", None)
        for name, field in asked_with().get_fields().items() if asked_with else ():
            moments = ("2026-01-31", "2026-01-31T10:00:00", "2026-01-31 10:00:00Z")
            for value in ("", *(moments if isinstance(field, DateTimeField) else ())):
                answer = client.get(filled(route, office), {name: value})
                assert (answer.status_code, list(answer.json()["fields"])) == (400, [name]), (route, name, value)
                tried += 1
    assert tried > 30


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_query_that_makes_no_sense_fails_nothing(client: Any, office: Office, query: str) -> None:
    for route, view in ADDRESSES:
        if "get" not in methods_of(view):
            continue
        known = known_of(view)
        asked = "&".join(one for one in query.split("&") if known is None or one.partition("=")[0] in known)
        answer = client.get(f"{filled(route, office)}?{asked}")
        assert answer.status_code < 500, (route, answer.content[:300])


def test_what_may_be_asked_is_told_of_each_address(client: Any, office: Office) -> None:
    for route, _ in ADDRESSES:
        answer = client.options(filled(route, office))
        assert answer.status_code < 500, (route, answer.content[:300])


@pytest.mark.parametrize(
    "path",
    ["/api/v1/office/", "/api/v1/offices/7/", "/api/v1/offices/../", "/api/v2/plans/", "/api/", "/api/v1/plans/x"],
)
def test_an_address_that_is_nearly_right_is_a_refusal_in_json(client: Any, path: str) -> None:
    is_refused(client.get(path))
    is_refused(client.post(path, b"{}", content_type="application/json"))


def test_a_wrong_method_is_a_refusal_in_json(client: Any, office: Office) -> None:
    for route, view in ADDRESSES:
        for method in {"get", "post", "put", "patch", "delete", "trace"} - methods_of(view):
            answer = client.generic(method.upper(), f"{filled(route, office)}?page_size=1")
            assert answer.content, (route, method, answer.status_code)
            is_refused(answer)
            if issubclass(getattr(view, "cls", object), ApiView):
                assert answer.status_code == 405, (route, method, answer.content)


@pytest.mark.parametrize("key", ["\xff\xfe", "a\0b", "x" * 300], ids=["no text", "NUL", "long"])
def test_an_idempotency_key_that_is_none_is_refused(client: Any, office: Office, key: str) -> None:
    address = f"/api/v1/offices/{office.public_id}/subscription/cancel/"
    answer = client.post(address, b"{}", content_type="application/json", HTTP_IDEMPOTENCY_KEY=key)
    is_refused(answer)
    assert answer.json()["code"] == "idempotency_key_invalid"
