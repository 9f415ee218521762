"""Trouble on demand: requests that fail, time out or lose their answer, and charges that end as somebody asked."""

import asyncio
import time

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from stripe_sandbox.errors import StripeError
from stripe_sandbox.store import Row, Store

REFUSED: dict[str, tuple[int, str, str, str]] = {
    # kind: status, type, code, message; they come before any work
    "429": (429, "invalid_request_error", "rate_limit", "Too many requests hit the API too quickly."),
    "500": (500, "api_error", "", "An unknown error occurred."),
    "503": (503, "api_error", "", "The service is unavailable for a moment."),
    "lock_timeout": (
        429,
        "invalid_request_error",
        "lock_timeout",
        "This object cannot be accessed right now because another API request or Stripe process is currently "
        "accessing it.",
    ),
    "conflict": (
        409,
        "invalid_request_error",
        "idempotency_key_in_use",
        "There is currently another in-progress request using this idempotency key.",
    ),
}
SECONDS = {"timeout_before": 60.0, "timeout_after": 60.0, "slow": 1.0}
"""What waits, and how long where nothing else is asked for."""
NO_ANSWER = "drop_after"
KINDS = (*REFUSED, "500_after", *SECONDS, NO_ANSWER)


def matching(store: Store, method: str, path: str) -> Row | None:
    """The fault that strikes this request, one time fewer to come."""
    for fault in store.faults:
        if fault.get("method", method).upper() != method or not path.startswith(fault.get("path_prefix", "/")):
            continue
        if store.random.random() >= fault.get("probability", 1):
            continue
        if "next" in fault:
            store.set("faults", _used(store.faults, fault))
        return fault
    return None


def limit(store: Store) -> None:
    """The request is within the limit of requests per second, if one is set. Raises: 429."""
    most = store.settings["requests_per_second"]
    if not most:
        return
    second, count = store.this_second
    now = int(time.time())
    store.this_second = (now, count + 1 if second == now else 1)
    if store.this_second[1] > most:
        raise refused("429")


async def before(fault: Row | None) -> None:
    """Nothing strikes before the work. Raises: what strikes there, at once or after a wait."""
    if fault is None:
        return
    if fault["kind"] in REFUSED:
        raise refused(fault["kind"])
    if fault["kind"] == "timeout_before":
        await asyncio.sleep(_seconds(fault))
        raise refused("503")


def instead(fault: Row | None) -> None:
    """Nothing comes in the place of the work. Raises: a 500 that is the answer under this idempotency key."""
    if fault and fault["kind"] == "500_after":
        raise refused("500")


async def after(fault: Row | None) -> None:
    """The work is done, and the wait that was asked for is over."""
    if fault and fault["kind"] in ("timeout_after", "slow"):
        await asyncio.sleep(_seconds(fault))


class NoAnswer(Response):
    """The connection is closed and nothing is told."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Uvicorn hands over a bound method of what holds the connection; ASGI has no word for closing it."""
        getattr(receive, "__self__").transport.abort()  # noqa: B009  mypy knows it as a plain function
        while (await receive())["type"] != "http.disconnect":
            pass


def next_charge(store: Store, customer: str | None) -> Row | None:
    """What was asked of this customer's next charge, one time fewer to come: ``outcome`` and ``code``.

    It stays used up also where the request that charged is refused and taken back.
    """
    wanted = next((one for one in store.next_charges if one.get("customer") in (None, customer)), None)
    if wanted is None:
        return None
    store.set("next_charges", _used(store.next_charges, wanted), for_good=True)
    return wanted


def _used(planned: list[Row], one: Row) -> list[Row]:
    """What is planned, with this one time fewer to come."""
    fewer = {**one, "next": one["next"] - 1}
    return [fewer if each is one else each for each in planned if each is not one or fewer["next"]]


def refused(kind: str) -> StripeError:
    """The error of one of the kinds that come before any work."""
    status, error, code, message = REFUSED[kind]
    return StripeError(status, error, message, code=code)


def _seconds(fault: Row) -> float:
    return fault.get("seconds", SECONDS[fault["kind"]])
