"""The web server as the Procfile starts it, without a proxy: slow clients cost no thread, and each body is whole."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from billing.access import tokens
from billing.api.limits import MOST_BYTES
from billing.models import AccessToken, ReceivedEvent
from config.whole_requests import WholeRequests
from demo.stack import free_port, web_command
from tests import raw_http
from tests.api.test_api import path
from tests.conftest import PASSWORD, a_member
from tests.moving.test_frozen import answers
from tests.processes import until

SLOW = 64
UNFINISHED_HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: a"
UNFINISHED_BODY = (
    raw_http.head("POST", "/api/v1/auth/token/", Content_Type="application/json", Content_Length=500) + b"{"
)
UNREAD = raw_http.head("GET", "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js")
SIGN_IN = "/api/v1/auth/token/"
CUT_OFF = 0
"""What is above the largest body of all is not read. Whoever still sends it may not see the answer."""
KILLED_SECONDS = 30
"""--workers-kill-timeout. granian lets a process that took a connection while it stopped run until then."""

pytestmark = pytest.mark.django_db(transaction=True)
Server = tuple[int, "subprocess.Popen[bytes]"]


@pytest.fixture
def server(stripe, started: Callable[..., "subprocess.Popen[bytes]"]) -> Server:
    port = free_port()
    process = started(*web_command(port, "--workers", "1"))
    until(partial(answers, port))
    return port, process


@contextlib.contextmanager
def held(port: int, sent: bytes, *, times: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(raw_http.connected(port)) for _ in range(times)]
        for line in lines:
            line.sendall(sent)
        yield lines


def test_slow_clients_do_not_keep_others_from_an_answer(server, stripe, office):
    port, _ = server
    stripe.post("customers", name="Somebody")
    event = stripe.taken()[0]

    for sent, times in ((UNFINISHED_HEAD, SLOW), (UNFINISHED_BODY, SLOW), (b"", SLOW), (UNREAD, SLOW // 4)):
        with held(port, sent, times=times):
            begun = time.monotonic()
            found = raw_http.answer(port, raw_http.head("GET", "/healthz", Connection="close"))[0]
            took = time.monotonic() - begun
            stored = httpx.post(
                f"http://127.0.0.1:{port}/{event['url'].split('/', 3)[3]}",
                content=event["body"],
                headers=event["headers"],
                trust_env=False,
            )

        assert found in (200, 503), sent
        assert took < 1, sent
        assert stored.status_code == 200, sent


def event_of(stripe) -> tuple[str, bytes, dict[str, str]]:
    stripe.post("customers", name="Somebody")
    event = stripe.taken()[0]
    return f"/{event['url'].split('/', 3)[3]}", event["body"].encode(), event["headers"]


def test_an_event_is_taken_whichever_way_its_body_comes(server, stripe):
    port, _ = server
    ways = 0
    for version in ("1.0", "1.1"):
        where, body, headers = event_of(stripe)
        top = raw_http.head("POST", where, version=version, **headers, Content_Length=len(body))
        assert raw_http.answer(port, top, body[:7], body[7:]) == (200, b"received\n")
        ways += 1
    where, body, headers = event_of(stripe)
    top = raw_http.head("POST", where, **headers, Transfer_Encoding="chunked")
    status, _ = raw_http.answer(port, top, raw_http.chunked(body[:7], body[7:]))

    assert status == 200
    assert ReceivedEvent.objects.count() == ways + 1


def test_a_body_that_is_not_whole_is_not_called_wrongly_signed(server, stripe):
    port, _ = server
    where, body, headers = event_of(stripe)
    with_length = raw_http.head("POST", where, **headers, Content_Length=len(body))
    in_chunks = raw_http.head("POST", where, **headers, Transfer_Encoding="chunked")

    for sent in ((with_length, body[:50]), (in_chunks, raw_http.chunked(body[:50])[:-5])):
        status, said = raw_http.answer(port, *sent, cut=True)

        assert status == 400
        assert b"body_incomplete" in said

    assert not ReceivedEvent.objects.exists()


def test_a_large_body_is_refused_however_it_comes(server, stripe, office):
    port, _ = server
    owner = a_member(office, "owner")
    right = f'{{"email": "{owner.email}", "password": "{PASSWORD}"}}'.encode()
    where, event, headers = event_of(stripe)

    for address, body, given, expected in (
        (SIGN_IN, right.ljust(MOST_BYTES + 1), {"Content_Type": "application/json"}, {413}),
        (where, event.ljust(1_000_001), headers, {413, CUT_OFF}),
    ):
        with_length = raw_http.head("POST", address, **given, Content_Length=len(body))
        in_chunks = raw_http.head("POST", address, **given, Transfer_Encoding="chunked")
        parts = [body[at : at + 9_999] for at in range(0, len(body), 9_999)]

        assert raw_http.answer(port, with_length, body)[0] in expected
        assert raw_http.answer(port, in_chunks, raw_http.chunked(*parts))[0] in expected

    assert raw_http.answer(port, raw_http.head("POST", where, **headers, Content_Length=10**12), b"{")[0] == 413
    assert not AccessToken.objects.exists()
    assert not ReceivedEvent.objects.exists()


def test_a_body_of_the_api_may_come_in_chunks(server, office):
    port, _ = server
    _, token = tokens.make(a_member(office, "owner"))
    given = {"Authorization": f"Token {token}", "Content_Type": "application/json", "Transfer_Encoding": "chunked"}
    asked = b'{"email": "nora@maple.example", "role": "viewer"}'

    top = raw_http.head("POST", path(office, "members/"), **given)

    assert raw_http.answer(port, top, raw_http.chunked(asked[:5], asked[5:]))[0] == 202


def test_what_began_before_the_server_is_stopped_is_answered(server, stripe):
    port, process = server
    where, body, headers = event_of(stripe)
    with raw_http.connected(port) as line, raw_http.connected(port):
        line.sendall(raw_http.head("POST", where, **headers, Content_Length=len(body), Expect="100-continue"))
        assert b" 100 " in line.recv(1_000)  # it has begun
        process.send_signal(signal.SIGTERM)
        until(partial(refuses, port))
        line.sendall(body)

        assert raw_http.read_answer(line)[0] == 200

    assert process.wait(timeout=KILLED_SECONDS + 15) == 0


def refuses(port: int) -> bool:
    try:
        raw_http.connected(port).close()
    except ConnectionRefusedError:
        return True
    return False


class Collected:
    """An application, and a server, that keep what they are given."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages = list(messages)
        self.scopes: list[Any] = []
        self.sent: list[Any] = []

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)

    async def receive(self) -> dict[str, Any]:
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.pop(0)

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    def asked(self, *headers: tuple[bytes, bytes], query: bytes = b"", body_seconds: float = 5) -> None:
        scope = {"type": "http", "headers": [*headers], "query_string": query}
        asyncio.run(WholeRequests(self.app, body_seconds=body_seconds)(scope, self.receive, self.send))


def test_a_body_that_takes_too_long_is_given_up():
    found = Collected({"type": "http.request", "body": b"{", "more_body": True})

    found.asked((b"content-length", b"5"), body_seconds=0.05)

    assert found.scopes == []
    assert [one.get("status") for one in found.sent] == [408, None]


def test_a_header_with_an_underscore_is_not_taken_for_that_of_a_proxy():
    found = Collected({"type": "http.request", "body": b""})

    found.asked((b"x_forwarded_for", b"203.0.113.7"), (b"x-forwarded-for", b"198.51.100.7"))

    assert found.scopes[0]["headers"] == [(b"x-forwarded-for", b"198.51.100.7"), (b"content-length", b"0")]


def test_bytes_that_no_address_has_are_written_out():
    found = Collected({"type": "http.request", "body": b""})

    found.asked(query="q=Zoë&r=%2F+a".encode())

    assert found.scopes[0]["query_string"] == b"q=Zo%C3%AB&r=%2F+a"
