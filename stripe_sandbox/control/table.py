"""The addresses under /_sandbox, which Stripe does not have. JSON in and out, no key, loopback only. See README.md."""

import contextlib
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from stripe_sandbox import disputes, faults, fraud_warnings
from stripe_sandbox.cards import REFUSALS
from stripe_sandbox.control import levers, seeding
from stripe_sandbox.dates import DAY
from stripe_sandbox.errors import StripeError
from stripe_sandbox.store import Row, Store

Field = tuple[Callable[[Any], bool], str]
Control = Callable[[Store, Row, dict[str, str]], Row | Awaitable[Row]]

ENDS = ("cancel", "unpaid", "past_due")


def _whole(least: int, most: int) -> Field:
    return (lambda one: type(one) is int and least <= one <= most), f"a whole number from {least} to {most}"


def _one_of(*allowed: Any) -> Field:
    return (lambda one: one in allowed), f"one of {', '.join(map(str, allowed))}"


def _number(most: float) -> Field:
    return (lambda one: type(one) in (int, float) and 0 <= one <= most), f"a number from 0 to {most:g}"


COUNT, SECONDS, LATENCY = _whole(0, 1_000_000), _number(DAY), _number(60)
TEXT: Field = (lambda one: isinstance(one, str) and one != ""), "a text"
YES_OR_NO: Field = (lambda one: isinstance(one, bool)), "true or false"
DAYS: Field = (
    lambda one: isinstance(one, list) and len(one) <= 20 and all(type(day) is int and 1 <= day <= 60 for day in one),
    "a list of up to 20 whole numbers from 1 to 60",
)
WAIT: Field = (lambda one: one is None or SECONDS[0](one)), f"{SECONDS[1]}, or null"
LIMIT: Field = (lambda one: one is None or _whole(1, 100_000)[0](one)), "a whole number from 1, or null"
PROBABILITY: Field = (lambda one: type(one) in (int, float) and 0 < one <= 1), "a number above 0 and up to 1"
PREFIX: Field = (lambda one: isinstance(one, str) and one.startswith("/")), "the begin of a path"


CONTROLS: dict[tuple[str, str], tuple[Control, dict[str, Field]]] = {
    # method and path: the function, and what the body may contain
    ("GET", "health"): (levers.health, {}),
    ("POST", "reset"): (levers.reset, {"seed": _whole(0, 2**63)}),
    ("POST", "keep"): (levers.keep, {}),
    ("POST", "put_back"): (levers.put_back, {}),
    ("GET", "clock"): (levers.read_clock, {}),
    ("POST", "clock"): (levers.move_clock, {"now": _whole(0, 2**33), "advance": _whole(-(2**33), 2**33)}),
    ("GET", "faults"): (levers.read_faults, {}),
    ("DELETE", "faults"): (levers.clear_faults, {}),
    ("POST", "faults"): (
        levers.add_fault,
        {
            "kind": _one_of(*faults.KINDS),
            "next": _whole(1, 1_000_000),
            "method": _one_of("GET", "POST", "DELETE"),
            "path_prefix": PREFIX,
            "seconds": SECONDS,
            "probability": PROBABILITY,
        },
    ),
    ("GET", "requests"): (levers.read_requests, {}),
    ("DELETE", "requests"): (levers.clear_requests, {}),
    ("DELETE", "idempotency_keys"): (levers.forget_keys, {}),
    ("GET", "delivery"): (levers.read_delivery, {}),
    ("POST", "delivery"): (
        levers.set_delivery,
        {
            "mode": _one_of("auto", "manual"),
            "drop": COUNT,
            "duplicate": COUNT,
            "delay": COUNT,
            "seconds": SECONDS,
            "shuffle": YES_OR_NO,
        },
    ),
    ("GET", "deliveries"): (levers.read_deliveries, {}),
    ("POST", "deliveries/take"): (
        levers.take,
        {"limit": COUNT, "shuffle_seed": _whole(0, 2**63), "duplicate": YES_OR_NO},
    ),
    ("POST", "events/{event}/resend"): (levers.resend, {}),
    ("POST", "webhook_endpoints/{endpoint}/roll"): (levers.roll, {"secret": TEXT, "keep_seconds": SECONDS}),
    ("POST", "charges"): (
        levers.plan_charges,
        {
            "outcome": _one_of("decline", "authenticate"),
            "code": _one_of(*REFUSALS),
            "next": _whole(1, 1_000_000),
            "customer": TEXT,
        },
    ),
    ("POST", "payment_intents/{intent}/authenticate"): (levers.authenticate, {"succeed": YES_OR_NO}),
    ("POST", "setup_intents/{intent}/authenticate"): (levers.authenticate, {"succeed": YES_OR_NO}),
    ("POST", "charges/{charge}/dispute"): (
        levers.dispute,
        {"reason": _one_of(*disputes.REASONS), "inquiry": YES_OR_NO},
    ),
    ("POST", "charges/{charge}/fraud_warning"): (levers.warn_of_fraud, {"fraud_type": _one_of(*fraud_warnings.TYPES)}),
    ("POST", "checkout/sessions/{session}/complete"): (levers.complete_session, {"card": TEXT, "email": TEXT}),
    ("POST", "refunds/{refund}/settle"): (levers.settle_refund, {}),
    ("POST", "payment_methods/{payment_method}/renew"): (
        levers.renew_card,
        {"exp_month": _whole(1, 12), "exp_year": _whole(2000, 2200)},
    ),
    ("DELETE", "customers/{customer}"): (levers.delete_customer, {}),
    ("GET", "settings"): (levers.read_settings, {}),
    ("POST", "settings"): (
        levers.set_settings,
        {
            "retries_exhausted": _one_of(*ENDS),
            "retry_days": DAYS,
            "retry_seconds": WAIT,
            "upcoming_days": _whole(0, 60),
            "requests_per_second": LIMIT,
            "requests_per_endpoint": LIMIT,
            "latency_seconds": LATENCY,
            "latency_spread_seconds": LATENCY,
            "search_lag_seconds": _whole(0, 3_600),
            "date_seconds": _whole(-(2**33), 2**33),
        },
    ),
    ("GET", "conformance"): (levers.conformance, {}),
    ("POST", "seed"): (levers.seed, {"customers": _whole(1, seeding.MOST_AT_ONCE), "price": TEXT}),
}


def routes(store: Store) -> list[Route]:
    return [_route(store, *where, *what) for where, what in CONTROLS.items()]


def _route(store: Store, method: str, path: str, control: Control, allowed: dict[str, Field]) -> Route:
    async def endpoint(request: Request) -> JSONResponse:
        try:
            given = _checked(await request.body(), allowed)
            an_advance = control is levers.move_clock  # an advance may be too long to record every step
            with contextlib.nullcontext() if an_advance else store.request_undone_on_error():
                found = control(store, given, request.path_params)
            if inspect.isawaitable(found):
                found = await found
        except levers.Refused as error:
            return JSONResponse({"error": str(error)}, 400)
        except StripeError as error:
            store.persist()
            return JSONResponse(error.body, error.status)
        store.persist()
        return JSONResponse(found)

    return Route(f"/_sandbox/{path}", endpoint, methods=[method])


def _checked(body: bytes, allowed: dict[str, Field]) -> Row:
    """Return the content of the body. Raises: Refused, with all that is allowed, for anything else."""
    try:
        given = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        given = None
    right = isinstance(given, dict) and all(name in allowed and allowed[name][0](one) for name, one in given.items())
    if not right:
        names = ", ".join(f"{name} ({what})" for name, (_, what) in allowed.items()) or "nothing"
        raise levers.Refused(f"The body is a JSON object; allowed in it: {names}.")
    return given
