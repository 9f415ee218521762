"""Idempotency keys: which request is being answered now, and what the first request was answered.

Source: https://docs.stripe.com/api/idempotent_requests
"""

import itertools
import time
import zlib

from starlette.requests import Request

from stripe_sandbox import faults
from stripe_sandbox.dates import DAY
from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.store import Store

SECONDS_KEPT = DAY
LONGEST_KEY = 255


async def claim(store: Store, key: str, request: Request) -> None:
    """Reserve the key for this request until it is released.

    Raises: a 409 while another request with this key is being answered and its client still waits. A 400 for a key
    that is too long.
    """
    if len(key) > LONGEST_KEY:
        raise invalid(f"Idempotency keys have at most {LONGEST_KEY} characters.")
    other = store.answering.get(key)
    if other is not None and not await other.is_disconnected():
        raise faults.refused("conflict")
    store.answering[key] = request


def release(store: Store, key: str, request: Request) -> None:
    """Free the key after the request was answered."""
    if store.answering.get(key) is request:
        del store.answering[key]


def known(store: Store, key: str, fingerprint: str) -> tuple[int, bytes] | None:
    """Return status and body of the answer that was kept for the key, or None. Raises: a 400 for another request."""
    saved = store.answers.get(key)
    if saved is None or saved["at"] <= time.time() - SECONDS_KEPT:
        return None
    if saved["fingerprint"] != fingerprint:
        raise StripeError(
            400,
            "idempotency_error",
            "Keys for idempotent requests can only be used with the same parameters they were first used "
            f"with. Try using a key other than '{key}' if you meant to execute a different request.",
        )
    return saved["status"], zlib.decompress(saved["body"])


def keep(store: Store, key: str, fingerprint: str, status: int, body: bytes) -> None:
    """Keep this answer for a repeated request with this key."""
    store.answers.pop(key, None)  # so that the keys stay in the order in which they were answered
    kept = zlib.compress(body, 1)
    store.answers[key] = {"fingerprint": fingerprint, "status": status, "body": kept, "at": time.time()}
    store.unsaved.add(("answer", key))


def forget_old(store: Store) -> None:
    """Forget the keys that Stripe would no longer know."""
    horizon = time.time() - SECONDS_KEPT
    old = itertools.takewhile(lambda one: store.answers[one]["at"] < horizon, store.answers)
    _forget(store, [*old])


def forget_all(store: Store) -> None:
    _forget(store, [*store.answers])


def _forget(store: Store, keys: list[str]) -> None:
    for key in keys:
        del store.answers[key]
        store.unsaved.add(("answer", key))
