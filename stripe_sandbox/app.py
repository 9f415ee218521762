"""The HTTP side of Stripe's API: keys, idempotency, expansion, the request log."""

import base64
import binascii
import json
import logging
import secrets
import time
import zlib
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stripe_sandbox import control, faults, hosted, page, test_clocks, timeline
from stripe_sandbox import strict as strict_mode
from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.params import decoded, typed
from stripe_sandbox.routes import ROUTES
from stripe_sandbox.schema.load import API_VERSION, request_schema
from stripe_sandbox.store import KEYS_KEPT, MOST_REQUESTS_KEPT, Store
from stripe_sandbox.views import expanded, shown

LONGEST_KEY = 255
log = logging.getLogger(__name__)


def build(store: Store, keys: list[str], lifespan: Any = None, *, strict: bool = False) -> Starlette:
    """The application, over this store and these secret keys.

    With ``strict`` every answer and every event is checked against the schema, and one that deviates is a 500
    that says how.
    """
    by_path: dict[str, list[str]] = {}
    for method, path in ROUTES:
        by_path.setdefault(path, []).append(method.upper())

    def address(path: str, methods: list[str]) -> Route:
        async def endpoint(request: Request) -> Response:
            return await answer(store, keys, request, path, strict=strict)

        return Route(path, endpoint, methods=methods)

    async def unknown(request: Request) -> Response:
        error = invalid(
            f"Unrecognized request URL ({request.method}: {request.url.path}). The local Stripe may not have it.",
            status=404,
        )
        return _json(error.body, error.status, {})

    routes = [address(path, methods) for path, methods in sorted(by_path.items(), key=lambda one: "{" in one[0])]
    routes += control.routes(store) + page.routes(store) + hosted.routes(store)
    routes += [Route("/v1/{rest:path}", unknown, methods=["GET", "POST", "DELETE"])]
    return Starlette(routes=routes, lifespan=lifespan)


async def answer(store: Store, keys: list[str], request: Request, path: str, *, strict: bool) -> Response:
    """The answer to one request of the API, with its headers, logged."""
    body = (await request.body()).decode() if request.method == "POST" else request.url.query
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    version = request.headers.get("Stripe-Version", API_VERSION)
    headers = {"Request-Id": f"req_{secrets.token_hex(7)}", "Stripe-Version": version}
    if key:
        headers["Idempotency-Key"] = key
    params: dict[str, Any] = {}
    fault = faults.matching(store, request.method, request.url.path)
    try:
        if not _known_key(request, keys):
            raise invalid("Invalid API Key provided.", status=401)
        params = decoded(body)
        faults.limit(store)
        await faults.before(fault)
        status, shown_body = _answered(store, request, path, params, headers, key, fault, strict=strict)
        if fault:
            store.persist()
            await faults.after(fault)
    except StripeError as error:
        status, shown_body = error.status, json.dumps(error.body).encode()
        headers |= error.headers
    except Exception as defect:  # of the sandbox; told in Stripe's form, so that a client can show it
        log.exception("%s %s failed", request.method, request.url.path)
        told = StripeError(500, "api_error", f"A defect of the local Stripe: {type(defect).__name__}: {defect}")
        status, shown_body = told.status, json.dumps(told.body).encode()
    _log(store, request, params, key, status, headers["Request-Id"])
    store.persist()
    if fault and fault["kind"] == faults.NO_ANSWER:
        return faults.NoAnswer()
    return Response(shown_body, status, headers, media_type="application/json")


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
    """Status and body: of the first answer again, where the key was used before.

    Source: https://docs.stripe.com/api/idempotent_requests
    """
    method = request.method.lower()
    if key and len(key) > LONGEST_KEY:
        raise invalid(f"Idempotency keys have at most {LONGEST_KEY} characters.")
    params = typed(raw, request_schema(method, path))
    fingerprint = json.dumps([request.url.path, params], sort_keys=True)
    expand = params.pop("expand", [])
    saved = store.answers.get(key) if key else None
    if saved and saved["at"] > time.time() - KEYS_KEPT:
        if saved["fingerprint"] != fingerprint:
            raise StripeError(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they were first used "
                f"with. Try using a key other than '{key}' if you meant to execute a different request.",
            )
        headers["Idempotent-Replayed"] = "true"
        return saved["status"], zlib.decompress(saved["body"])
    timeline.catch_up(store)
    test_clocks.finish_advances(store)
    store.request = {"id": headers["Request-Id"], "idempotency_key": key}
    try:
        faults.instead(fault)
        with store.request_undone_on_error():
            found = ROUTES[method, path](store, params, request.path_params)
        view = expanded(store, shown(store, found) if "_kind" in found else found, expand)
        status, body = 200, json.dumps(view).encode()
        if strict:
            strict_mode.check_answer(store, method, path, view)
    except StripeError as error:
        if strict:
            strict_mode.check_error(store, error.body, path)
        if error.status < 402 or error.status == 404:  # nothing began: not kept under the key
            raise
        status, body = error.status, json.dumps(error.body).encode()
        headers |= error.headers
    finally:
        store.request = {"id": None, "idempotency_key": None}
    if key:
        store.keep_answer(key, fingerprint, status, zlib.compress(body, 1))
    return status, body


def _log(store: Store, request: Request, params: dict[str, Any], key: str | None, status: int, request_id: str) -> None:
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


def _json(body: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    return Response(json.dumps(body), status, headers, media_type="application/json")
