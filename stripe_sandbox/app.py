"""The HTTP side of Stripe's API: secret keys, idempotency keys, expansion and the request log."""

import base64
import binascii
import json
import logging
import secrets
import time
from email.utils import formatdate
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from stripe_sandbox import answers, faults, limits, tax_rates, test_clocks
from stripe_sandbox import strict as strict_mode
from stripe_sandbox.control import table
from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.memory import MOST_REQUESTS_KEPT
from stripe_sandbox.pages import checkout as checkout_page
from stripe_sandbox.pages import overview
from stripe_sandbox.params import decoded, typed
from stripe_sandbox.routes import ROUTES
from stripe_sandbox.schema.load import API_VERSION, request_schema
from stripe_sandbox.store import Store
from stripe_sandbox.views import expanded, shown

FORM = "application/x-www-form-urlencoded"
METHODS = ("GET", "HEAD", "POST", "DELETE")
OTHER_METHODS = ("PUT", "PATCH", "OPTIONS")
log = logging.getLogger(__name__)


def build(store: Store, keys: list[str], lifespan: Any = None, *, strict: bool = False) -> Starlette:
    """Build the application on this store, with these secret keys.

    With ``strict``, every answer and every event is checked against the schema. A difference is answered with a 500
    that says what differs.
    """
    if strict:
        strict_mode.check_events(store)
    by_path: dict[str, list[str]] = {}
    for method, path in ROUTES:
        by_path.setdefault(path, []).append(method.upper())

    def address(path: str, methods: list[str]) -> Route:
        async def endpoint(request: Request) -> Response:
            return await answer(store, keys, request, path, strict=strict)

        return Route(path, endpoint, methods=methods)

    async def unknown(request: Request) -> Response:
        status = 404 if request.method in METHODS else 405
        message = f"Unrecognized request URL ({request.method}: {request.url.path}). The local Stripe may not have it."
        return _json(invalid(message, status=status).body, status)

    routes = [address(path, methods) for path, methods in sorted(by_path.items(), key=lambda one: "{" in one[0])]
    routes += table.routes(store) + overview.routes(store) + checkout_page.routes(store)
    routes += [Route("/v1/{rest:path}", unknown, methods=[*METHODS, *OTHER_METHODS])]
    return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(Settled, store=store)])


class Settled:
    """Middleware that plays everything that is due before a request of the API, the control plane or a page."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self.app, self.store = app, store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            test_clocks.settle(self.store)
            self.store.persist()
        await self.app(scope, receive, send)


async def answer(store: Store, keys: list[str], request: Request, path: str, *, strict: bool) -> Response:
    """Answer one request of the API, and log it."""
    came = time.time()
    body = await request.body()
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    version = request.headers.get("Stripe-Version", API_VERSION)
    headers = {
        "Request-Id": f"req_{store.random.getrandbits(56):014x}",
        "Stripe-Version": version,
        "Date": formatdate(time.time() + store.settings.get("date_seconds", 0), usegmt=True),
    }
    if key:
        headers["Idempotency-Key"] = key
    params: dict[str, Any] = {}
    fault = None
    try:
        if not _known_key(request, keys):
            raise invalid("Invalid API Key provided.", status=401)
        params = decoded(_form(request, body))
        if key:
            await answers.claim(store, key, request)
        fault = faults.matching(store, _method(request), request.url.path)
        limits.count(store, f"{_method(request)} {path}")
        await limits.travel(store)
        await faults.before(fault)
        status, shown_body = _answered(store, request, path, params, headers, key, fault, strict=strict)
        if fault:
            store.persist()
            await faults.after(fault)
    except StripeError as error:
        status, shown_body = error.status, json.dumps(error.body).encode()
        headers |= error.headers
    except Exception as defect:  # a defect of the sandbox; it is sent in Stripe's form, so that a client can show it
        log.exception("%s %s failed", request.method, request.url.path)
        failure = StripeError(500, "api_error", f"A defect of the local Stripe: {type(defect).__name__}: {defect}")
        status, shown_body = failure.status, json.dumps(failure.body).encode()
    finally:
        if key:
            answers.release(store, key, request)
    _log(store, request, params, key, status, headers["Request-Id"], came=came, endpoint=path)
    store.persist()
    if fault and fault["kind"] == faults.NO_ANSWER:
        return faults.NoAnswer()
    return Response(shown_body, status, headers, media_type="application/json")


def _form(request: Request, body: bytes) -> str:
    """Return the form that the request sends: in its address and, unless it only reads, in its body. Raises: 400."""
    if not body or _method(request) == "GET":
        return request.url.query
    kind = request.headers.get("Content-Type", FORM).partition(";")[0].strip().lower()
    if kind != FORM:
        raise invalid(f"The Content-Type is {kind}; the parameters of a request are expected as {FORM}.")
    try:
        return f"{request.url.query}&{body.decode()}"
    except UnicodeDecodeError:
        raise invalid("The body of the request is not UTF-8.") from None


def _method(request: Request) -> str:
    """Return the method of the request. A HEAD request is a GET request; the server leaves out the body."""
    return "GET" if request.method == "HEAD" else request.method


def _answered(
    store: Store,
    request: Request,
    path: str,
    raw: dict[str, Any],
    headers: dict[str, str],
    key: str | None,
    fault: dict[str, Any] | None,
    *,
    strict: bool,
) -> tuple[int, bytes]:
    """Return status and body. If the key was used before, these are the status and body of the first answer."""
    method = _method(request).lower()
    params = typed(raw, request_schema(method, path))
    fingerprint = json.dumps([request.url.path, params], sort_keys=True)
    expand = params.pop("expand", [])
    if key and (before := answers.known(store, key, fingerprint)):
        headers["Idempotent-Replayed"] = "true"
        return before
    store.request = {"id": headers["Request-Id"], "idempotency_key": key}
    try:
        faults.instead(fault)
        with store.request_undone_on_error():
            tax_rates.refuse_unknown(store, params)
            found = ROUTES[method, path](store, params, request.path_params)
        view = expanded(store, shown(store, found) if "_kind" in found else found, expand)
        status, body = 200, json.dumps(view).encode()
        if strict:
            strict_mode.check_answer(store, method, path, view)
    except StripeError as error:
        if strict:
            strict_mode.check_error(store, error.body, path)
        if error.status < 402 or error.status == 404:  # nothing was started, so the answer is not kept for the key
            raise
        status, body = error.status, json.dumps(error.body).encode()
    finally:
        store.request = {"id": None, "idempotency_key": None}
    if key:
        answers.keep(store, key, fingerprint, status, body)
    return status, body


def _log(
    store: Store,
    request: Request,
    params: dict[str, Any],
    key: str | None,
    status: int,
    request_id: str,
    *,
    came: float,
    endpoint: str,
) -> None:
    store.requests.append(
        {
            "method": request.method,
            "path": request.url.path,
            "params": params,
            "idempotency_key": key,
            "stripe_version": request.headers.get("Stripe-Version"),
            "status": status,
            "request_id": request_id,
            "at": time.time(),
            "came": came,
            "endpoint": endpoint,
        }
    )
    if len(store.requests) > 2 * MOST_REQUESTS_KEPT:
        del store.requests[:-MOST_REQUESTS_KEPT]


def _known_key(request: Request, keys: list[str]) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given).decode().split(":", 1)[0]
        except (binascii.Error, UnicodeDecodeError):
            return False
    return any(secrets.compare_digest(given.encode(), key.encode()) for key in keys)


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")
