"""The HTTP side of Stripe's API: keys, idempotency, expansion, faults on demand, the request log."""

import asyncio
import base64
import binascii
import copy
import json
import secrets
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stripe_sandbox import control, page, resources
from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.params import decoded, typed
from stripe_sandbox.schema.load import API_VERSION, request_schema
from stripe_sandbox.store import Store

FAULT_STATUS = {"429": 429, "500": 500, "500_after": 500, "503": 503}


def build(store: Store, keys: list[str], lifespan: Any = None) -> Starlette:
    """The application, over this store and these secret keys."""
    by_path: dict[str, list[str]] = {}
    for method, path in resources.ROUTES:
        by_path.setdefault(path, []).append(method.upper())

    def address(path: str, methods: list[str]) -> Route:
        async def endpoint(request: Request) -> Response:
            return await answer(store, keys, request, path)

        return Route(path, endpoint, methods=methods)

    async def unknown(request: Request) -> Response:
        error = invalid(
            f"Unrecognized request URL ({request.method}: {request.url.path}). The local Stripe may not have it yet.",
            status=404,
        )
        return JSONResponse(error.body, error.status)

    every = ["GET", "POST", "DELETE"]
    routes = [address(path, methods) for path, methods in sorted(by_path.items(), key=lambda one: "{" in one[0])]
    routes += control.routes(store) + page.routes(store)
    routes += [Route("/v1/{rest:path}", unknown, methods=every)]
    return Starlette(routes=routes, lifespan=lifespan)


async def answer(store: Store, keys: list[str], request: Request, path: str) -> Response:
    request_id = f"req_{secrets.token_hex(7)}"
    body = (await request.body()).decode() if request.method != "GET" else request.url.query
    idempotency_key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    headers = {
        "Request-Id": request_id,
        "Stripe-Version": request.headers.get("Stripe-Version", API_VERSION),
    }
    if idempotency_key:
        headers["Idempotency-Key"] = idempotency_key
    fault = _fault(store, request)
    try:
        if not _known_key(request, keys):
            raise invalid("Invalid API Key provided.", status=401)
        if fault and (early := await _before(fault)):
            status, shown = early, _fault_body(early)
        else:
            status, shown, replayed = _answered(store, request, path, body, request_id, idempotency_key, fault)
            if replayed:
                headers["Idempotent-Replayed"] = "true"
            if fault and fault["kind"] in ("timeout_after", "slow"):
                await asyncio.sleep(fault.get("seconds", 60 if fault["kind"] == "timeout_after" else 1))
    except StripeError as error:
        status, shown = error.status, error.body
    store.requests.append(
        {
            "method": request.method,
            "path": request.url.path,
            "params": decoded(body),
            "idempotency_key": idempotency_key,
            "stripe_version": request.headers.get("Stripe-Version"),
            "status": status,
            "request_id": request_id,
        }
    )
    del store.requests[:-10_000]
    return JSONResponse(shown, status, headers)


def _answered(
    store: Store,
    request: Request,
    path: str,
    body: str,
    request_id: str,
    key: str | None,
    fault: dict[str, Any] | None,
) -> tuple[int, dict[str, Any], bool]:
    """Status, body, and whether they are the first answer again.

    Source: https://docs.stripe.com/api/idempotent_requests
    """
    method = request.method.lower()
    params = typed(decoded(body), request_schema(method, path))
    expand = params.pop("expand", [])
    fingerprint = json.dumps([request.url.path, params, expand], sort_keys=True)
    if key and (saved := store.answers.get(key)):
        if saved["fingerprint"] != fingerprint:
            raise StripeError(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they were first used "
                f"with. Try using a key other than '{key}' if you meant to execute a different request.",
            )
        return saved["status"], saved["body"], True
    store.request = {"id": request_id, "idempotency_key": key}
    try:
        if fault and fault["kind"] == "500_after":
            status, shown = 500, _fault_body(500)
        else:
            found = resources.ROUTES[method, path](store, params, request.path_params)
            status, shown = 200, store.expand(found, expand)
    except StripeError as error:
        if error.status < 402 or error.status == 404:  # nothing began: not kept under the key
            raise
        status, shown = error.status, error.body
    finally:
        store.request = {"id": None, "idempotency_key": None}
    if key:
        store.answers[key] = {"fingerprint": fingerprint, "status": status, "body": copy.deepcopy(shown)}
        store.changed = True
    return status, shown, False


def _known_key(request: Request, keys: list[str]) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given).decode().split(":", 1)[0]
        except (binascii.Error, UnicodeDecodeError):
            return False
    return any(secrets.compare_digest(given.encode(), key.encode()) for key in keys)


def _fault(store: Store, request: Request) -> dict[str, Any] | None:
    for fault in store.faults:
        if fault.get("method") and fault["method"].upper() != request.method:
            continue
        if fault.get("path_prefix") and not request.url.path.startswith(fault["path_prefix"]):
            continue
        fault["next"] -= 1
        if fault["next"] <= 0:
            store.faults.remove(fault)
        return fault
    return None


async def _before(fault: dict[str, Any]) -> int | None:
    """The status of a fault that comes before any work."""
    if fault["kind"] == "timeout_before":
        await asyncio.sleep(fault.get("seconds", 60))
        return 503
    return FAULT_STATUS[fault["kind"]] if fault["kind"] in ("429", "500", "503") else None


def _fault_body(status: int) -> dict[str, Any]:
    if status == 429:
        error = {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests."}
        return {"error": error}
    return {"error": {"type": "api_error", "message": "An unknown error occurred."}}
