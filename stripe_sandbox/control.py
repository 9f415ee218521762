"""/_sandbox: what Stripe does not have. JSON in and out, no key, loopback only."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from stripe_sandbox import delivery, subscriptions
from stripe_sandbox.errors import StripeError
from stripe_sandbox.store import Store

MODE = {"mode": "auto"}
FAULTS = ("429", "500", "500_after", "503", "timeout_before", "timeout_after", "slow")


async def _json(request: Request) -> dict[str, Any]:
    raw = await request.body()
    return json.loads(raw) if raw else {}


def routes(store: Store) -> list[Route]:
    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"ok": True})

    async def reset(_: Request) -> JSONResponse:
        store.reset()
        return JSONResponse({"ok": True})

    async def clock(request: Request) -> JSONResponse:
        if request.method == "POST":
            given = await _json(request)
            to = int(given["now"]) if "now" in given else store.now() + int(given["advance"])
            try:
                subscriptions.advance(store, to)
            except StripeError as error:
                return JSONResponse(error.body, error.status)
        return JSONResponse({"now": store.now(), "offset": store.offset})

    async def faults(request: Request) -> JSONResponse:
        if request.method == "DELETE":
            store.faults.clear()
        else:
            given = await _json(request)
            if given.get("kind") not in FAULTS:
                return JSONResponse({"error": f"kind is one of {', '.join(FAULTS)}"}, 400)
            store.faults.append({"next": 1, **given})
        return JSONResponse({"faults": store.faults})

    async def requests(request: Request) -> JSONResponse:
        if request.method == "DELETE":
            store.requests.clear()
        return JSONResponse({"requests": store.requests})

    async def mode(request: Request) -> JSONResponse:
        MODE["mode"] = (await _json(request))["mode"]
        return JSONResponse(MODE)

    async def deliveries(_: Request) -> JSONResponse:
        return JSONResponse({"deliveries": list(store.deliveries.values())})

    async def take(request: Request) -> JSONResponse:
        given = await _json(request)
        taken = delivery.take(
            store,
            limit=given.get("limit"),
            shuffle_seed=given.get("shuffle_seed"),
            duplicate=given.get("duplicate", False),
        )
        return JSONResponse({"deliveries": taken})

    async def resend(request: Request) -> JSONResponse:
        event = store.get("event", request.path_params["event"])
        if event is None:
            return JSONResponse({"error": "no such event"}, 404)
        made = [store.plan_delivery(event["id"], one["id"]) for one in store.all("webhook_endpoint")]
        return JSONResponse({"deliveries": made})

    return [
        Route("/_sandbox/health", health),
        Route("/_sandbox/reset", reset, methods=["POST"]),
        Route("/_sandbox/clock", clock, methods=["GET", "POST"]),
        Route("/_sandbox/faults", faults, methods=["POST", "DELETE"]),
        Route("/_sandbox/requests", requests, methods=["GET", "DELETE"]),
        Route("/_sandbox/delivery", mode, methods=["POST"]),
        Route("/_sandbox/deliveries", deliveries),
        Route("/_sandbox/deliveries/take", take, methods=["POST"]),
        Route("/_sandbox/events/{event}/resend", resend, methods=["POST"]),
    ]
