"""Failures on demand: requests that fail, time out or lose their answer, and charges that end as a test asked."""

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from stripe_sandbox.errors import StripeError
from stripe_sandbox.store import Row, Store

REFUSED: dict[str, tuple[int, str, str, str]] = {
    # kind: status, type, code, message. These come before any work.
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
    "revoked": (401, "invalid_request_error", "api_key_expired", "Expired API Key provided."),
    "forbidden": (403, "invalid_request_error", "", "The API key doesn't have permissions to perform the request."),
    "conflict": (
        409,
        "invalid_request_error",
        "idempotency_key_in_use",
        "There is currently another in-progress request using this idempotency key.",
    ),
}
SECONDS = {"timeout_before": 60.0, "timeout_after": 60.0, "slow": 1.0}
"""The faults that wait, and for how long by default."""
NO_ANSWER = "drop_after"
KINDS = (*REFUSED, "500_after", *SECONDS, NO_ANSWER)


def matching(store: Store, method: str, path: str) -> Row | None:
    """Find the fault that meets this request, and count it as used once."""
    for fault in store.faults:
        if fault.get("method", method).upper() != method or not path.startswith(fault.get("path_prefix", "/")):
            continue
        if store.random.random() >= fault.get("probability", 1):
            continue
        if "next" in fault:
            store.set("faults", _used(store.faults, fault))
        return fault
    return None


async def before(fault: Row | None) -> None:
    """Let the fault happen that comes before the work. Raises: its error, at once or after a wait."""
    if fault is None:
        return
    if fault["kind"] in REFUSED:
        raise refused(fault["kind"])
    if fault["kind"] == "timeout_before":
        await asyncio.sleep(_seconds(fault))
        raise refused("503")


def instead(fault: Row | None) -> None:
    """Let the fault happen that replaces the answer. Raises: a 500, which is kept under the idempotency key."""
    if fault and fault["kind"] == "500_after":
        raise refused("500")


async def after(fault: Row | None) -> None:
    """Wait after the work, if the fault asks for a wait."""
    if fault and fault["kind"] in ("timeout_after", "slow"):
        await asyncio.sleep(_seconds(fault))


class NoAnswer(Response):
    """A response that closes the connection and sends nothing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close the connection. ASGI cannot do this, but Uvicorn's ``receive`` is a method of the object that can."""
        getattr(receive, "__self__").transport.abort()  # noqa: B009  mypy knows it as a plain function
        while (await receive())["type"] != "http.disconnect":
            pass


def next_charge(store: Store, customer: str | None) -> Row | None:
    """Return what a test planned for this customer's next charge (``outcome`` and ``code``), and use it up once.

    It stays used up even if the request that charged is refused and its changes are taken back.
    """
    wanted = next((one for one in store.next_charges if one.get("customer") in (None, customer)), None)
    if wanted is None:
        return None
    store.set("next_charges", _used(store.next_charges, wanted), for_good=True)
    return wanted


def _used(planned: list[Row], one: Row) -> list[Row]:
    """Return the plan after one use of this entry."""
    fewer = {**one, "next": one["next"] - 1}
    return [fewer if each is one else each for each in planned if each is not one or fewer["next"]]


def refused(kind: str, **headers: str) -> StripeError:
    """Make the error of a kind that comes before any work. Its answer has these headers too."""
    status, error, code, message = REFUSED[kind]
    made = StripeError(status, error, message, code=code)
    made.headers = headers
    return made


def _seconds(fault: Row) -> float:
    return fault.get("seconds", SECONDS[fault["kind"]])
