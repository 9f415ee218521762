"""Hand a request on when all of its body is here. The server's loop waits for it, and no thread does.

Whether the body came with a length or in chunks makes no difference: its length is what was received.
Source: https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
import json
from string import printable
from typing import Any
from urllib.parse import quote

from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send
from django.conf import settings

BODY_SECONDS = 30
REPLACED = (b"content-length", b"transfer-encoding")


class WholeRequests:
    """Read the body of each request, then hand the request on. ``body_seconds`` is the time for the whole body.

    A body above DATA_UPLOAD_MAX_MEMORY_SIZE is not read further. Its request is handed on without it, with the length
    that was declared or reached, and Django's side refuses it by that: 413. A body that ends too soon is answered 400,
    and one that takes too long 408. Django sees neither.
    """

    def __init__(self, app: ASGIApp, *, body_seconds: float = BODY_SECONDS) -> None:
        self.app = app
        self.body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.body_seconds):
                length, body = await _received(scope, receive)
        except ConnectionError:
            await _refuse(send, 400, "body_incomplete", "The connection ended before the whole body was here.")
            return
        except TimeoutError:
            detail = f"The body was not here after {self.body_seconds:g} seconds."
            await _refuse(send, 408, "body_too_slow", detail)
            return

        async def received() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(_plain(scope, length), received, send)


async def _received(scope: HTTPScope, receive: Receive) -> tuple[int, bytes]:
    """Return the body and its length. Raises: ConnectionError, if it ends too soon."""
    most, body = settings.DATA_UPLOAD_MAX_MEMORY_SIZE, bytearray()
    declared = next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)
    if declared > most:
        return declared, b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        body += message.get("body", b"")
        if len(body) > most:
            return len(body), b""
        if not message.get("more_body"):
            return len(body), bytes(body)


def _plain(scope: HTTPScope, length: int) -> HTTPScope:
    """Return the request with this length, and without what could be mistaken for something else.

    In WSGI ``X_Forwarded_For`` has the name of ``X-Forwarded-For``, which a proxy checks.
    """
    headers = [(name, value) for name, value in scope["headers"] if name not in REPLACED and b"_" not in name]
    headers.append((b"content-length", str(length).encode()))
    query = quote(scope["query_string"], safe=printable).encode()  # WSGI takes no other bytes
    return {**scope, "headers": headers, "query_string": query}


async def _refuse(send: Send, status: int, code: str, detail: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    body = json.dumps({"code": code, "detail": detail}).encode()
    await send({"type": "http.response.body", "body": body, "more_body": False})
